"""What the cell models cover: a netlist that uses anything else is refused, never simulated wrong.

A cell is covered if its module has a body. Our own models cover the modes that netlists of this
project need; `_LIMITS` says for each of them what a netlist may ask for.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rchw.boards.check import Netlist
from rchw.errors import ToolError

__all__ = ["check_modelled", "modelled_cells"]

_MODULE = re.compile(
    r"^((?:\(\*(?:[^*]|\*(?!\)))*\*\)\s*)*)module\s+(\w+)(.*?)\bendmodule\b", re.M | re.S
)
_NO_CIRCUIT = re.compile(r"//[^\n]*|/\*.*?\*/|\(\*.*?\*\)|\bspecify\b.*?\bendspecify\b", re.S)
_DECLARATION = re.compile(r"\s*(?:(?:input|output|inout|parameter|localparam|reg|integer)\b|$)")
_WORD = re.compile(r"[01]+")


@dataclass(frozen=True, slots=True)
class _Limits:
    """What a model of ours covers.

    Attributes
    ----------
    parameters : mapping
        The values that each may have; those not listed have no effect on what is simulated, or all
        their values are covered. A parameter that a cell does not name has its default, which is.
    zero : tuple of str
        Pins that must be tied to 0, where they are connected at all.
    zero_if : mapping
        The same, as long as the parameter has the value.
    one_clock : tuple of str
        Pins that must be one net.
    one_zero : tuple of str
        Pins of which no more than one may be in use.
    """

    parameters: Mapping[str, tuple[str | int, ...]] = field(default_factory=dict)
    zero: tuple[str, ...] = ()
    zero_if: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    one_clock: tuple[str, ...] = ()
    one_zero: tuple[str, ...] = ()


def _bsram(reads: tuple[str, ...], widths: tuple[int, ...], **more: Any) -> _Limits:
    """Block RAM of Gowin: no output registers, no asynchronous reset, one clock."""
    names = ("BIT_WIDTH", "BIT_WIDTH_0", "BIT_WIDTH_1")
    return _Limits(
        parameters={name: (0,) for name in reads}
        | {name: widths for name in names}
        | {"RESET_MODE": ("SYNC", "ASYNC")}
        | more.pop("parameters", {}),
        zero_if={("RESET_MODE", "ASYNC"): ("RESET", "RESETA", "RESETB")},
        **more,
    )


_WIDTHS_8, _WIDTHS_9 = (1, 2, 4, 8, 16, 32), (9, 18, 36)
# Gowin DS861, 2.7.2: of two ports, no more than two lanes each; read-before-write only with one.
_DUAL: dict[str, Any] = {
    "parameters": {"WRITE_MODE0": (0, 1), "WRITE_MODE1": (0, 1)},
    "one_clock": ("CLKA", "CLKB"),
}
_SEMI_DUAL: dict[str, Any] = {"zero": ("RESETA",), "one_clock": ("CLKA", "CLKB")}
_SINGLE: dict[str, Any] = {"parameters": {"WRITE_MODE": (0, 1, 2)}}
_MULTIPLIER = _Limits(
    parameters={
        name: (0,)
        for name in (
            *("AREG", "BREG", "PIPE_REG", "OUT_REG", "OUT0_REG", "OUT1_REG"),
            *("ASIGN_REG", "BSIGN_REG", "SOA_REG"),
        )
    },
    zero=("ASEL", "BSEL"),
)
_ECP5_REGISTERS = ("INPUTA", "INPUTB", "PIPELINE", "OUTPUT")

_LIMITS: dict[str, _Limits] = {
    "SP": _bsram(("READ_MODE",), _WIDTHS_8, **_SINGLE),
    "SPX9": _bsram(("READ_MODE",), _WIDTHS_9, **_SINGLE),
    "SDPB": _bsram(("READ_MODE",), _WIDTHS_8, **_SEMI_DUAL),
    "SDPX9B": _bsram(("READ_MODE",), _WIDTHS_9, **_SEMI_DUAL),
    "DPB": _bsram(("READ_MODE0", "READ_MODE1"), _WIDTHS_8[:-1], **_DUAL),
    "DPX9B": _bsram(("READ_MODE0", "READ_MODE1"), _WIDTHS_9[:-1], **_DUAL),
    "MULT9X9": _MULTIPLIER,
    "MULT18X18": _MULTIPLIER,
    "MULT36X36": _MULTIPLIER,
    "DP16KD": _Limits(
        parameters={
            "DATA_WIDTH_A": (1, 2, 4, 9, 18, 36),
            "DATA_WIDTH_B": (1, 2, 4, 9, 18, 36),
            "REGMODE_A": ("NOREG", "OUTREG"),
            "REGMODE_B": ("NOREG", "OUTREG"),
            "CSDECODE_A": ("0b000",),
            "CSDECODE_B": ("0b000",),
            "WRITEMODE_A": ("NORMAL", "WRITETHROUGH", "READBEFOREWRITE"),
            "WRITEMODE_B": ("NORMAL", "WRITETHROUGH", "READBEFOREWRITE"),
            "CLKAMUX": ("CLKA", "INV"),
            "CLKBMUX": ("CLKB", "INV"),
        },
        zero=("RSTA", "RSTB", "CSA0", "CSA1", "CSA2", "CSB0", "CSB1", "CSB2"),
        one_zero=("WEA", "WEB"),
    ),
    "MULT18X18D": _Limits(
        parameters={f"REG_{row}_CLK": ("NONE", "CLK0") for row in _ECP5_REGISTERS}
        | {f"REG_{row}_RST": ("RST0",) for row in _ECP5_REGISTERS}
        | {f"REG_{row}_CE": ("CE0", "CE1", "CE2", "CE3") for row in _ECP5_REGISTERS}
        | {"REG_INPUTC_CLK": ("NONE",), "MULT_BYPASS": ("DISABLED",), "RESETMODE": ("SYNC",)},
        zero=("SOURCEA", "SOURCEB"),
    ),
}


def modelled_cells(text: str) -> set[str]:
    """Modules of a Verilog file that are not empty boxes, whether they say so or not."""
    return {
        name
        for marks, name, body in _MODULE.findall(text)
        if "blackbox" not in marks
        and not all(map(_DECLARATION.match, _NO_CIRCUIT.sub("", body).split(";")[1:]))
    }


def check_modelled(module: Netlist, name: str, modelled: set[str]) -> None:
    """Refuse a netlist with a cell, or a mode of a cell, that no model covers.

    Parameters
    ----------
    module : Netlist
    name : str
        Of the netlist, for the sentence.
    modelled : set of str
        Cells that have a model, from `modelled_cells`.

    Raises
    ------
    ToolError
        Naming the cell and what it asks for.
    """
    ties = _ties(module)
    for title, cell in module["cells"].items():
        kind = cell["type"]
        if kind.startswith("$scopeinfo"):  # tells of flattened modules, and holds no circuit
            continue
        start = f"the netlist of {name} cannot be simulated: no model covers {kind}"
        if kind not in modelled:
            raise ToolError(f"{start} (cell {title})")
        limits = _LIMITS.get(kind)
        wrong = _asks(cell, limits, ties) if limits else ""
        if wrong:
            raise ToolError(f"{start} with {wrong} (cell {title})")


def _asks(cell: Mapping[str, Any], limits: _Limits, ties: Mapping[int | str, str]) -> str:
    """What a cell asks for beyond its model, or nothing."""
    parameters = {key: _value(value) for key, value in cell["parameters"].items()}
    for key, allowed in limits.parameters.items():
        if key in parameters and parameters[key] not in allowed:
            return f"{key} {parameters[key]}"
    zero = [(pin, "") for pin in limits.zero]
    for (key, value), pins in limits.zero_if.items():
        if parameters.get(key) == value:
            zero += [(pin, f" at {key} {value}") for pin in pins]
    pins = cell["connections"]
    used = {
        pin
        for pin, bits in pins.items()
        if any(ties.get(bit, str(bit)) not in ("0", "x") for bit in bits)
    }
    for pin, where in zero:
        if pin in used:
            return f"{pin} in use{where}"
    if len(used.intersection(limits.one_zero)) > 1:
        return f"{' and '.join(limits.one_zero)} in use"
    clocks = {repr(pins.get(pin)) for pin in limits.one_clock}
    if len(clocks) > 1:
        return f"different nets at {' and '.join(limits.one_clock)}"
    return ""


def _ties(module: Netlist) -> dict[int | str, str]:
    """Bits that a constant cell drives."""
    ties: dict[int | str, str] = {}
    for cell in module["cells"].values():
        for kind, pin, value in (("GND", "G", "0"), ("VCC", "V", "1")):
            if cell["type"] == kind:
                ties[cell["connections"][pin][0]] = value
    return ties


def _value(value: str | int) -> str | int:
    """Number or text of a parameter as Yosys writes it: numbers as bits, text with a blank."""
    if isinstance(value, str) and _WORD.fullmatch(value):
        return int(value, 2)
    return value.strip() if isinstance(value, str) else value
