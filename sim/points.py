"""What Verilator counted: points of lines, branches and toggles, from its ``coverage.dat``.

The file has a line per point, ``C 'KEY VALUE KEY VALUE ...' COUNT``, in which a byte 1 stands
before every key and a byte 2 between key and value: ``f`` file, ``l`` line, ``t`` type, ``o`` what
it is, ``page`` with the module. Source: include/verilated_cov_key.h of Verilator, and its output.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rchw.errors import ToolError

__all__ = ["TYPES", "Point", "holes", "read_points", "tables", "totals"]

TYPES = ("line", "branch", "toggle")
_LINE = re.compile(r"C '(.*)' (\d+)$")
_ENCODED = re.compile(r"__0([0-9A-F]{2})")  # Verilator's names have no other characters than \w
_TOGGLE = re.compile(r"(.*?)((?:\[\d+\])*):(0->1|1->0)$")


@dataclass(frozen=True)
class Point:
    """One thing that is counted in the simulation.

    Attributes
    ----------
    type : str
        One of `TYPES`.
    module : str
    line : int
        In the Verilog file.
    what : str
        Of a toggle ``signal[bit]:0->1``, of a branch which way.
    count : int
    """

    type: str
    module: str
    line: int
    what: str
    count: int


def _plain(name: str) -> str:
    return _ENCODED.sub(lambda found: chr(int(found.group(1), 16)), name)


def tables(text: str) -> set[tuple[str, str]]:
    """Module and name of every memory in Verilog text that nothing writes to: a table."""
    found = set()
    for module, body in re.findall(r"^module (\w+)(.*?)^endmodule", text, re.DOTALL | re.MULTILINE):
        for name in re.findall(r"^ *reg [^;\n]*?(\w+) \[\d+:\d+\];", body, re.MULTILINE):
            if not re.search(rf"\b{name} ?\[[^;\n]*\] *<=", body):
                found.add((module, name))
    return found


def read_points(path: Path, verilog: Path) -> list[Point]:
    """Points of one Verilog file, those in its tables left out, which are constants.

    Parameters
    ----------
    path : Path
        Of ``coverage.dat``.
    verilog : Path
        The file; points of files of other names are left out.

    Raises
    ------
    ToolError
        If the file is missing, or is not what Verilator writes, or has no point of that file.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        raise ToolError(f"the simulator did not write {path}") from None
    points, file = [], verilog.name
    constant = tables(verilog.read_text(encoding="utf-8"))
    for line in lines:
        if line.startswith("#"):
            continue
        found = _LINE.match(line)
        keys = dict(part.partition("\x02")[::2] for part in found[1].split("\x01")) if found else {}
        if found is None or not {"f", "l", "t", "page"} <= set(keys):
            raise ToolError(f"{path} must be coverage of Verilator, but has the line {line[:60]!r}")
        if Path(keys["f"]).name != file or keys["t"] not in TYPES:
            continue
        module = _plain(keys["page"].rpartition("/")[2])
        what = _plain(keys.get("o", ""))
        signal = _TOGGLE.match(what)
        if keys["t"] == "toggle" and signal and (module, signal[1]) in constant:
            continue
        points.append(Point(keys["t"], module, int(keys["l"]), what, int(found[2])))
    if not points:
        raise ToolError(f"{path} must have coverage of {file}, but has none")
    return points


def totals(points: Iterable[Point]) -> dict[str, dict[str, int]]:
    """Points and how many of them were hit, by type."""
    found = {name: {"points": 0, "hit": 0} for name in TYPES}
    for point in points:
        found[point.type]["points"] += 1
        found[point.type]["hit"] += point.count > 0
    return found


def holes(points: Iterable[Point]) -> list[dict[str, object]]:
    """Points that were never hit, those of one signal together.

    Returns
    -------
    list of dict
        ``type``, ``module``, ``line``, ``what`` (of a toggle the signal) and ``missed``: the bits
        and directions of a signal, empty otherwise.
    """
    found: dict[tuple[str, str, int, str], list[str]] = {}
    for point in points:
        if point.count == 0:
            what, missed = point.what, ""
            if point.type == "toggle" and (parts := _TOGGLE.match(point.what)):
                what, missed = parts[1], f"{parts[2]}:{parts[3]}"
            entry = found.setdefault((point.type, point.module, point.line, what), [])
            entry += [missed] if missed else []
    keys = sorted(found, key=lambda key: (TYPES.index(key[0]), *key[1:]))
    return [
        {**dict(zip(("type", "module", "line", "what"), key, strict=True)), "missed": found[key]}
        for key in keys
    ]
