"""What a search has computed, on disk: one line of JSON for each result, written as it comes.

The first line says which search it is. A line is complete, or it is not there: what a kill tore off
at the end is cut away, so that nothing but the trial that was being written is lost.

Who writes has the file locked (``flock``): the system lets go of it when the process ends, however
it ends, and no file is left that would have to be taken away.
"""

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from rchw.errors import DesignError, RchwError
from rchw.files import check_folder

__all__ = ["Store"]


class Store:
    """Results of one search by trial and fidelity; a context that holds the file open.

    Parameters
    ----------
    path : Path or None
        Created when missing; None keeps everything in memory.
    identity : mapping
        JSON-ready: whatever results depend on.

    Raises
    ------
    DesignError
        If the file is that of another search, or none, or a search that runs has it open.
    RchwError
        If it cannot be written.
    """

    def __init__(self, path: Path | None, identity: Mapping[str, Any]) -> None:
        self.found: dict[tuple[int, str], dict[str, Any]] = {}
        self._file: BinaryIO | None = None
        self._path = path
        if path is None:
            return
        check_folder(path.parent)
        own: dict[str, Any] = json.loads(
            _line({"kind": "explore-trials", "version": 2, **identity})
        )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = _locked(path)
            whole = self._read(path, own)
            self._file.truncate(whole)
            if not whole:
                self._write(own)
        except OSError as error:
            self._close()
            raise RchwError(f"{path} cannot be written: {error.strerror}") from error
        except DesignError:
            self._close()
            raise

    def _read(self, path: Path, own: Mapping[str, Any]) -> int:
        """Take over complete lines, and count their bytes."""
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        try:
            lines = [json.loads(line) for line in data[:whole].split(b"\n")[:-1]]
            for entry in lines[1:]:
                self.found[entry["trial"], entry["fidelity"]] = entry["result"]
            first = lines[0] if lines else own
            kind = first["kind"]
        except (ValueError, LookupError, TypeError) as error:
            raise DesignError(
                f"{path} must hold trials of `rchw explore`, but cannot be read"
            ) from error
        for key in (*own, *first):
            if first.get(key) != own.get(key) or kind != own["kind"]:
                where, found, wanted = _differing(key, first.get(key), own.get(key))
                raise DesignError(
                    f"{path} must hold trials of this search, but its {where} is "
                    f"{_shown(found)}, not {_shown(wanted)}: use another folder"
                )
        return whole

    def _write(self, entry: Mapping[str, Any]) -> None:
        assert self._file is not None
        self._file.write(_line(entry))
        self._file.flush()
        os.fsync(self._file.fileno())

    def add(self, trial: int, fidelity: str, result: dict[str, Any]) -> None:
        """Keep a result; it is on the disk when this returns.

        Raises
        ------
        RchwError
            If it cannot be written.
        """
        if self._file is not None:
            try:
                self._write({"trial": trial, "fidelity": fidelity, "result": result})
            except OSError as error:
                raise RchwError(f"{self._path} cannot be written: {error.strerror}") from error
        self.found[trial, fidelity] = json.loads(_line(result))  # as a resumed search reads it

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()  # which unlocks it


def _locked(path: Path) -> BinaryIO:
    """Open a file to append to, which nobody else has open so."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise DesignError(
            f"{path.parent} must be of one search at a time, but another one runs in it: wait for "
            f"it, or use another folder"
        ) from error
    except OSError:
        file.close()
        raise
    return file


def _line(entry: Mapping[str, Any]) -> bytes:
    return json.dumps(entry, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def _differing(key: str, found: Any, wanted: Any) -> tuple[str, Any, Any]:
    """The first that differs of two values, which may be in dictionaries, with its name."""
    where = key.replace("_", " ")
    while isinstance(found, dict) and isinstance(wanted, dict):
        inner = next((k for k in (*wanted, *found) if found.get(k) != wanted.get(k)), None)
        if inner is None:
            break
        where += " " + inner.replace("_", " ")
        found, wanted = found.get(inner), wanted.get(inner)
    return where, found, wanted


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
