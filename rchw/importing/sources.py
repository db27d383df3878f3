"""Files that networks come in: .npz archives of matrices, and pickled models of reservoirpy."""

from pathlib import Path

from rchw.errors import DesignError
from rchw.importing.network import Network
from rchw.importing.pickles import read_pickle
from rchw.importing.reservoirs import from_reservoirpy
from rchw.tasks.files import read_arrays

__all__ = ["SUFFIXES", "read_network"]

_PICKLES = (".pkl", ".pickle", ".rpy")  # the last is that of `reservoirpy.save`
SUFFIXES = (".npz", *_PICKLES)


def read_network(path: Path) -> Network:
    """Read a network; nothing in the file is executed.

    Parameters
    ----------
    path : Path
        An .npz archive, whose arrays have the names of `Network.of`; or a pickle of what
        `from_reservoirpy` takes.

    Raises
    ------
    DesignError
        If the file is missing, unreadable or of another kind, or what it holds breaks a rule.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise DesignError(f"file must be one of {', '.join(SUFFIXES)}, not {path.name!r}")
    if not path.exists():
        raise DesignError(f"{path} must be an existing file, not missing")
    try:
        if suffix in _PICKLES:
            return from_reservoirpy(read_pickle(path.read_bytes(), f"{path}"))
        return Network.of(read_arrays(path, suffix))
    except OSError as error:
        raise DesignError(f"{path} must be readable, not refused: {error.strerror}") from None
