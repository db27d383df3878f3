"""The records of one design in a folder: what reports are drawn from."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.design import Design
from rchw.document import digest, from_document
from rchw.errors import DesignError
from rchw.files import sha256_of

__all__ = ["Evidence", "collect"]

_LARGEST = 50_000_000  # bytes of a file that is looked into
_KINDS = (
    "train", "train-sequences", "train-recurrent", "generate", "import", "verify", "rtl", "life",
)  # fmt: skip
_SERIES = ("train", "generate", "train-recurrent")  # whose test samples are in a file beside them


@dataclass
class Evidence:
    """Everything known of one design.

    Attributes
    ----------
    folder : Path
    name, digest : str
    design : Design or None
    records : dict
        Of the kinds ``train``, ``train-sequences``, ``train-recurrent``, ``generate``, ``import``,
        ``verify``, ``rtl`` and ``life``, as far as they are there.
    places : dict
        Where each of them is, relative to the folder.
    builds : list of (str, dict)
        Folder, relative, and report of every board.
    target, prediction : array (T, L) or None
        Of the test samples, or of a generator's first free run.
    left_out : list of str
        Records of other designs.
    """

    folder: Path
    name: str
    digest: str
    design: Design | None = None
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    builds: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    target: NDArray[np.float64] | None = None
    prediction: NDArray[np.float64] | None = None
    left_out: list[str] = field(default_factory=list)


def _documents(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """JSON objects in a folder, the highest first; what is hidden or has failed is skipped."""
    paths = sorted(folder.rglob("*.json"), key=lambda path: (len(path.parts), str(path)))
    for path in paths:
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") or part.endswith(".failed") for part in parts):
            continue
        try:
            if path.stat().st_size > _LARGEST:
                continue
            value = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue  # not ours: ours are written whole
        if isinstance(value, dict):
            yield path, value


def _kind(value: dict[str, Any]) -> str:
    if value.get("format") == "rchw-design":
        return "design"
    if "report_version" in value and "board" in value:
        return "build"
    kind = value.get("kind")
    return str(kind) if kind in _KINDS and "digest" in value else ""


def collect(folder: Path) -> Evidence:
    """Find the records of the design in a folder.

    Parameters
    ----------
    folder : Path
        Searched with its subfolders. With several designs the one nearest to the top counts; what
        belongs to others is left out and listed.

    Raises
    ------
    DesignError
        If the folder does not exist, or holds no record.
    """
    if not folder.is_dir():
        raise DesignError(f"{folder} must be a folder with records, but there is no such folder")
    found = [(path, _kind(value), value) for path, value in _documents(folder)]
    found = [entry for entry in found if entry[1]]
    evidence: Evidence | None = None
    for path, kind, value in found:
        if kind == "design":
            design = _design(path, value)
            evidence = Evidence(folder, design.name, digest(design), design)
            break
    if evidence is None and found:
        first = found[0][2]
        evidence = Evidence(folder, str(first.get("design", "design")), str(first.get("digest")))
    if evidence is None:
        raise DesignError(
            f"{folder} must hold records of rchw, such as NAME.train.json, verify.json or a "
            f"board's report.json, but it holds none"
        )
    for path, kind, value in found:
        if kind != "design":
            _add(evidence, path, kind, value)
    _read_series(evidence)
    return evidence


def _design(path: Path, value: dict[str, Any]) -> Design:
    try:
        return from_document(value)
    except DesignError as error:
        raise DesignError(f"{path}: {error}") from None


def _add(evidence: Evidence, path: Path, kind: str, value: dict[str, Any]) -> None:
    place = path.relative_to(evidence.folder)
    if value.get("digest") != evidence.digest:
        evidence.left_out.append(str(place))
    elif kind == "build":
        evidence.builds.append((str(place.parent), value))
    elif kind not in evidence.records:
        evidence.records[kind] = value
        evidence.places[kind] = str(place)


def _read_series(evidence: Evidence) -> None:
    """Truth and prediction of the test samples, if the file is the one the record means."""
    kind = next((kind for kind in _SERIES if kind in evidence.records), "")
    named = evidence.records.get(kind, {}).get("files", {}).get("series")
    if not named:
        return
    path = (evidence.folder / evidence.places[kind]).with_name(named["file"])
    if not path.is_file() or sha256_of(path) != named["sha256"]:
        return
    with path.open(encoding="utf-8", newline="") as stream:
        _, *lines = csv.reader(stream)
    values = np.array(lines, dtype=np.float64)[:, 1:]
    outputs = values.shape[1] // 2
    evidence.target, evidence.prediction = values[:, :outputs], values[:, outputs:]
