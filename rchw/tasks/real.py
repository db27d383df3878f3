"""Measured series that installed packages carry; their files are read, the packages not imported.

The series stay in the packages: rchw ships no data of others.
"""

import gzip
import importlib.metadata
import importlib.util
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rchw.errors import ToolError

__all__ = ["file_of", "package_version", "santa_fe", "sunspots"]

Values = NDArray[np.float64]


def santa_fe() -> Values:
    """Santa Fe laser A: intensity of a chaotic far-infrared laser, 10093 samples, 0 to 255.

    Data set A of the Santa Fe time series competition (Hubner, Abraham and Weiss, Physical Review A
    40 (1989) 6354) with its continuation, from the package reservoirpy.

    Raises
    ------
    ToolError
        If the package is missing or its file is not the expected one.
    """
    path = file_of("reservoirpy", "datasets/santafe_laser.npy", "santa-fe")
    try:
        values = np.load(path, allow_pickle=False).astype(np.float64).ravel()
    except (OSError, ValueError) as error:
        raise ToolError(f"{path} must be a readable array, not damaged ({error})") from None
    return _expected(values, 10093, path)


def sunspots() -> Values:
    """Monthly mean relative sunspot numbers, January 1749 to December 1983, 2820 samples.

    Observed in Zurich until 1960, then in Tokyo; from the package pmdarima, which has it from the
    data sets of R.

    Raises
    ------
    ToolError
        If the package is missing or its file is not the expected one.
    """
    path = file_of("pmdarima", "datasets/data/sunspots.txt.gz", "sunspots")
    try:
        values = np.array(gzip.decompress(path.read_bytes()).split(), dtype=np.float64)
    except (OSError, EOFError, ValueError) as error:
        raise ToolError(f"{path} must be a readable table, not damaged ({error})") from None
    return _expected(values, 2820, path)


def package_version(package: str) -> str:
    """Installed version of a package that carries data, for the record."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"


def file_of(package: str, inside: str, task: str, extra: str = "data") -> Path:
    """Find a file of an installed package without importing the package.

    Parameters
    ----------
    package, inside : str
        The package, and the path of the file in it.
    task, extra : str
        For the sentence: what needs the file, and which extra of rchw brings the package.

    Raises
    ------
    ToolError
        If the package or the file is missing.
    """
    spec = importlib.util.find_spec(package)
    folders = list(spec.submodule_search_locations or []) if spec is not None else []
    if not folders:
        raise ToolError(
            f"the package {package} must be installed for the task {task}, with "
            f"pip install 'rchw[{extra}]', not be missing"
        )
    path = Path(folders[0], inside)
    if not path.is_file():
        raise ToolError(
            f"the package {package} {package_version(package)} must hold {inside} for the task "
            f"{task}, with pip install --force-reinstall 'rchw[{extra}]', not lack it"
        )
    return path


def _expected(values: Values, count: int, path: Path) -> Values:
    if values.shape != (count,):
        raise ToolError(f"{path} must hold {count} samples, not {values.size}")
    return values
