"""What every record of a check begins with: of what it is, and with what it was made."""

import json
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from rchw.design import Design
from rchw.document import digest
from rchw.files import sha256_of, write_atomic
from rchw.sim.law import law_sha256
from rchw.tools import find

__all__ = ["heading", "versions", "write_record"]

_PACKAGES = ("amaranth", "numpy")


def versions(packages: Sequence[str] = (), programs: Sequence[str] = ()) -> dict[str, str]:
    """Versions of Python, Amaranth, numpy, and of these packages and programs."""
    found = {name: metadata.version(name) for name in (*_PACKAGES, *packages)}
    found |= {name: find(name).version for name in programs}
    return found | {"python": platform.python_version()}


def heading(
    kind: str, design: Design, verilog: Path, tools: dict[str, str], seed: int | None = None
) -> dict[str, Any]:
    """First entries of a record.

    Parameters
    ----------
    kind : str
        Of check; the record's file is ``KIND.json``.
    design : Design
    verilog : Path
        The emitted file that was checked, or whose netlist was.
    tools : dict
        As from `versions`; only of those that took part.
    seed : int, optional

    Returns
    -------
    dict
        ``kind``, ``version``, ``design``, ``digest``, ``verilog``, ``verilog_sha256``,
        ``reference_sha256``, ``tools``, and ``seed`` if there is one.
    """
    record: dict[str, Any] = {
        "kind": kind,
        "version": 1,
        "design": design.name,
        "digest": digest(design),
        "verilog": verilog.name,
        "verilog_sha256": sha256_of(verilog),
        "reference_sha256": law_sha256(design),
        "tools": tools,
    }
    return record if seed is None else record | {"seed": seed}


def write_record(record: dict[str, Any], file: Path, shown: Path) -> dict[str, Any]:
    """Write a record, and return what was written.

    Parameters
    ----------
    record : dict
    file : Path
        In the folder where the check worked, as it names it in the record.
    shown : Path
        Where that folder will be, and what the record says of it.
    """
    text = json.dumps(record, indent=1).replace(str(file.parent.resolve()), str(shown.resolve()))
    write_atomic(file, text + "\n")
    complete: dict[str, Any] = json.loads(text)
    return complete
