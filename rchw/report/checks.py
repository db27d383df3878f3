"""The records of checks in a folder, and which of them no longer speak of what is there."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

from rchw.boards.netlist import model_hashes
from rchw.design import Design
from rchw.document import from_document
from rchw.errors import DesignError, ToolError
from rchw.files import sha256_of
from rchw.hdl.emit import write_verilog
from rchw.report.kinds import KINDS, Record
from rchw.sim.record import heading, versions
from rchw.tools import TOOLS, find

__all__ = ["Difference", "Found", "Today", "gather"]

_LARGEST = 50_000_000  # bytes of a file that is looked into
_OWN = ("evidence",)  # what this command wrote before
_NONE = "none"
Difference = dict[str, str]


@dataclass
class Found:
    """What a folder holds of one design.

    Attributes
    ----------
    design : Design
    file : Path
        Of the design.
    checks : list of (Path, dict)
        Records with a verdict, of kinds that are known and of others.
    others : list of (Path, dict)
        Records without one.
    packages : list of Path
        ``NAME.v`` of what ``rchw verilog`` wrote.
    left_out : list of Path
        Designs and records of other designs.
    """

    design: Design
    file: Path
    checks: list[tuple[Path, dict[str, Any]]] = field(default_factory=list)
    others: list[tuple[Path, dict[str, Any]]] = field(default_factory=list)
    packages: list[Path] = field(default_factory=list)
    left_out: list[Path] = field(default_factory=list)


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _files(folder: Path, pattern: str) -> Iterator[Path]:
    """Files in a folder, the highest first; what is hidden or has failed is skipped."""
    for path in sorted(folder.rglob(pattern), key=lambda path: (len(path.parts), str(path))):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part.endswith(".failed") for part in parts)
        if not hidden and path.is_file():
            yield path


def _documents(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """JSON objects in a folder."""
    for path in _files(folder, "*.json"):
        if path.stat().st_size > _LARGEST:
            continue
        try:
            value = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            # Ours are written whole. One that is not may have been a record of a failure.
            told = str(error) if isinstance(error, ValueError) else "nested too deeply"
            raise DesignError(f"{path} must be JSON, but is not: {told}") from None
        if isinstance(value, dict):
            yield path, value


def gather(folder: Path) -> Found:
    """Find a design and the records of its checks.

    Parameters
    ----------
    folder : Path
        Searched with its subfolders. With several designs the one nearest to the top counts.
        Records of a design of this name are its own, also if its numbers have changed since.

    Raises
    ------
    DesignError
        If the folder does not exist, holds no design or no record of it, or holds JSON that is
        broken.
    """
    if not folder.is_dir():
        raise DesignError(f"{folder} must be a folder with records, but there is no such folder")
    documents = list(_documents(folder))
    designs = [entry for entry in documents if entry[1].get("format") == "rchw-design"]
    if not designs:
        raise DesignError(
            f"{folder} must hold the design file that its records are of, such as NAME.json, but "
            f"it holds none"
        )
    file, document = designs[0]
    try:
        design = from_document(document)
    except DesignError as error:
        raise DesignError(f"{file}: {error}") from None
    found = Found(design, file)
    found.left_out += [path for path, value in designs if value != document]
    cores = (path.with_suffix(".v") for path in _files(folder, f"{design.name}.core"))
    found.packages += [path for path in cores if path.is_file()]
    for path, value in documents:
        kind = value.get("kind")
        if not isinstance(kind, str) or kind in _OWN or not (kind in KINDS or "digest" in value):
            continue  # not ours
        if value.get("design", design.name) != design.name:
            found.left_out.append(path)
        elif kind in KINDS or "verdict" in value or "identical" in value:
            found.checks.append((path, _with_verdict(path, value)))
        else:
            found.others.append((path, value))
    if not found.checks:
        raise DesignError(
            f"{folder} must hold records of checks of {design.name}, such as verify.json, but it "
            f"holds none"
        )
    return found


def _with_verdict(path: Path, value: dict[str, Any]) -> dict[str, Any]:
    """Check what no verdict can be told without."""
    if "verdict" not in value and isinstance(value.get("identical"), bool):
        value = value | {"verdict": "pass" if value["identical"] else "fail"}
    if value.get("verdict") not in ("pass", "fail"):
        raise DesignError(f"{path}: verdict must be 'pass' or 'fail', not {value.get('verdict')!r}")
    for key in ("digest", "verilog", "verilog_sha256", "reference_sha256", "sentence"):
        if not isinstance(value.get(key), str | None):
            raise DesignError(f"{path}: {key} must be text, not {value[key]!r}")
    if not isinstance(value.get("tools"), dict | None):
        raise DesignError(f"{path}: tools must be an object, not {value['tools']!r}")
    return value


class Today:
    """What a record of a design would begin with if it were made now.

    Parameters
    ----------
    design : Design

    Raises
    ------
    ToolError
        If the Verilog cannot be emitted.
    """

    def __init__(self, design: Design) -> None:
        with tempfile.TemporaryDirectory() as folder:
            verilog = write_verilog(design, Path(folder))
            self.heading = heading("evidence", design, verilog, versions())
        self._versions: dict[str, list[str]] = {}
        self._hashes: dict[str, dict[str, str]] = {}  # of cell models, by family

    def version(self, name: str) -> list[str]:
        """Versions of a tool or package as it is found here; nothing if there is none."""
        if name not in self._versions:
            self._versions[name] = self._look(name)
        return self._versions[name]

    def _look(self, name: str) -> list[str]:
        if name in self.heading["tools"]:
            return [self.heading["tools"][name]]
        found = []
        if name in TOOLS:
            for native in (False, True):  # a record does not tell which of them was asked for
                with suppress(ToolError):
                    found.append(find(name, native=native).version)
        else:
            with suppress(metadata.PackageNotFoundError, ValueError):
                found.append(metadata.version(name))
        return found

    def differences(self, path: Path, record: Record) -> list[Difference]:
        """Say in what a record is of something else than what is there now.

        Parameters
        ----------
        path : Path
            Of the record; a Verilog file of the name it tells is looked for beside it.
        record : mapping

        Returns
        -------
        list of dict
            ``what`` differs, what it was ``then`` and is ``now``; empty if nothing does.
        """
        rows = [
            ("the design", record.get("digest"), self.heading["digest"]),
            ("the Verilog as it is emitted", *self._both(record, "verilog_sha256")),
        ]
        # Of another design the reference computes something else, however it was changed.
        if record.get("digest") == self.heading["digest"]:
            rows.append(("the reference", *self._both(record, "reference_sha256")))
        beside = path.with_name(Path(str(record.get("verilog") or "-")).name)
        if beside.is_file():
            rows.append((f"the file {beside.name}", *_hashes(record, beside)))
        if record["kind"] == "netlist":
            rows += self._of_netlist(path, record)
        tools: Mapping[str, Any] = record.get("tools") or {}
        if record["kind"] in KINDS and not tools:
            rows.append(("the tools", None, "not asked"))
        for name, then in tools.items():
            now = self.version(name)
            rows.append((name, str(then), str(then) if then in now else (now or [_NONE])[0]))
        known = record["kind"] in KINDS  # other kinds may have never told
        return [
            {"what": what, "then": str(then or "not told"), "now": now}
            for what, then, now in rows
            if then != now and (known or then is not None)
        ]

    def _of_netlist(self, path: Path, record: Record) -> list[tuple[str, Any, Any]]:
        """The models of its cells, and the netlist in its folder beside the record."""
        models: Mapping[str, Any] = record.get("models") or {"cells": None}
        here = self._models(str(record.get("family")))
        rows = [(f"the model {name}", then, here.get(name, _NONE)) for name, then in models.items()]
        name = Path(str(record.get("netlist") or "-")).name
        file = path.parent / path.stem / name
        if file.is_file():
            rows.append((f"the netlist {name}", record.get("netlist_sha256"), sha256_of(file)))
        return rows

    def _models(self, family: str) -> dict[str, str]:
        if family not in self._hashes:
            try:
                self._hashes[family] = model_hashes(family)
            except (ToolError, KeyError):  # no Yosys here, or no such family
                self._hashes[family] = {}
        return self._hashes[family]

    def _both(self, record: Record, key: str) -> tuple[Any, str]:
        return record.get(key), str(self.heading[key])


def _hashes(record: Record, file: Path) -> tuple[Any, str]:
    return record.get("verilog_sha256"), sha256_of(file)
