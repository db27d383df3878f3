"""The kinds of checks: the command that makes each, what it says, and the numbers that matter."""

import math
import shlex
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["KINDS", "Kind", "Number", "Record", "again", "numbers"]

Record = Mapping[str, Any]
Number = int | float | str | None


@dataclass(frozen=True)
class Kind:
    """One kind of check.

    Attributes
    ----------
    title : str
    says, silent : str
        One sentence each: what a pass means, and what it does not.
    command : str
        Of ``rchw``.
    options : mapping
        Option to its usual value, empty for a switch; without them it makes another kind.
    recorded : mapping
        Option to its value in a record, for the command that makes this very record again.
    numbers : mapping
        Name of a column to its value in a record.
    """

    title: str
    says: str
    silent: str
    command: str
    options: Mapping[str, str]
    recorded: Mapping[str, Callable[[Record], Any]]
    numbers: Mapping[str, Callable[[Record], Any]]


def _rails(record: Record) -> str:
    found = Counter(str(rail["status"]) for rail in record["rails"])
    return ", ".join(f"{count} {status}" for status, count in sorted(found.items()))


def _total(key: str) -> Callable[[Record], Any]:
    """Entry of a record that is a number, or as many as a list has, or a number per cause."""

    def total(record: Record) -> Any:
        value = record[key]
        if isinstance(value, Mapping):
            return sum(value.values())
        return value if isinstance(value, int) else len(value)

    return total


def _entry(*keys: str) -> Callable[[Record], Any]:
    def entry(record: Record) -> Any:
        value: Any = record
        for key in keys:
            value = value[key]
        return value

    return entry


def _resets(record: Record) -> int:
    return sum(int(phase["resets"]) for phase in record["phases"])


def _rules(record: Record) -> str:
    proofs = [entry["proof"] for entry in record["rules"].values()]
    return f"{proofs.count('proved')} of {len(proofs)} proved"


def _used(key: str) -> Callable[[Record], Any]:
    """Cells of a resource; none of them is no entry."""
    return lambda record: record["resources"].get(key, 0)


def _cells(record: Record) -> int:
    """Cells of the device: Yosys' notes on names, which begin with a dollar, are none."""
    return sum(count for name, count in record["cells"].items() if not name.startswith("$"))


def _sent(record: Record) -> str:
    """What a soak has sent: by the name, and rows and first digits of the hash of the codes."""
    data = record["input"]
    if data is None:
        return "drawn"
    name = "codes" if data["file"] is None else Path(data["file"]).name
    return f"{name}, {data['rows']:,} rows, {data['codes_sha256'][:8]}"


def _caught_share(record: Record) -> str:
    made, caught, equal = (_total(key)(record) for key in ("made", "caught", "equivalent"))
    return f"{100 * caught / (made - equal):.1f} %"


def _hits(key: str) -> Callable[[Record], str]:
    return lambda record: f"{record[key]['hit']:,} of {record[key]['points']:,}"


def _cases(record: Record, status: str) -> int:
    return sum(case["status"] == status for case in record["cases"])


def _not_reached(record: Record) -> str:
    known = ("hit", "not possible")
    left = [str(case["case"]) for case in record["cases"] if case["status"] not in known]
    return "; ".join(left) or "none"


_SEED = {"--seed": _entry("seed")}
_PHASES: Mapping[str, Callable[[Record], Any]] = {
    "--samples": lambda record: record["phases"][0]["samples"],
    **_SEED,
}
_BENCH: Mapping[str, Callable[[Record], Any]] = {
    "samples": _entry("samples"),
    "checked": _entry("checked"),
    "phases": lambda record: len(record["phases"]),
}

KINDS: Mapping[str, Kind] = {
    "verify": Kind(
        "Simulated",
        "these samples, pauses and resets gave the codes of the reference, beat by beat, in "
        "Verilator under a cocotb bench.",
        "It says nothing of samples that were not sent.",
        "verify",
        {},
        _PHASES,
        {
            **_BENCH,
            "resets": _resets,
            "rails": _rails,
            "clocks per sample": _entry("clocks_formula"),
        },
    ),
    "icarus": Kind(
        "Simulated with unknowns",
        "the same bench gave the codes of the reference in Icarus Verilog, where all registers and "
        "the state memory start unknown: no output was unknown after a reset.",
        "It says nothing of samples that were not sent.",
        "verify",
        {"--simulator": "icarus"},
        _PHASES,
        {**_BENCH, "resets": _resets, "clocks per sample": _entry("clocks_formula")},
    ),
    "prove": Kind(
        "Proved",
        "every sample of every stream gives the codes of the reference, for ever, however both "
        "sides pause; the planted fault shows that the proof could have failed.",
        "It says nothing of the netlist, the clock rate, or a source that breaks the stream rules.",
        "prove",
        {},
        _SEED,
        {
            "proof": _entry("proof"),
            "states of the control": _entry("moments"),
            "met in a run": _entry("witness", "met"),
            "questions asked": _entry("asked"),
            "known already": _entry("repeated"),
            "latency at most": _entry("latency"),
            "planted fault": lambda record: "{fault}: {proof}".format_map(record["planted"]),
        },
    ),
    "rules": Kind(
        "Stream rules proved",
        "the rules of the streams hold for every stream, pause and reset, from any state: proved "
        "in SymbiYosys, by induction in z3 or by an invariant of ABC that z3 found right; the "
        "planted fault shows that it could have failed.",
        "It says nothing of the output codes: sums of data may have any value there.",
        "prove",
        {"--rules": ""},
        _SEED,
        {
            "proof": _entry("proof"),
            "rules": _rules,
            "states in the table": _entry("control_states"),
            "clauses of the invariants": lambda record: sum(
                task["clauses"] for task in record["tasks"].values()
            ),
            "planted fault": lambda record: "{fault}: {proof}".format_map(record["planted"]),
        },
    ),
    "soak": Kind(
        "Soaked",
        "so many samples, drawn or from a file, with pauses and resets, gave the codes of a reader "
        "of the design file in C++, and in part those of the Python reference too.",
        "It says nothing of states that none of these samples led to.",
        "verify",
        {"--soak": "", "--samples": "10000000"},
        {
            "--samples": _entry("samples"),
            **_SEED,
            "--input": lambda record: record["input"] and (record["input"]["file"] or "FILE"),
            "--input-columns": _entry("input", "columns"),
            "--codes": lambda record: "" if record["input"].get("codes", True) else None,
        },
        {
            "samples": _entry("samples"),
            "input": _sent,
            "checked": _entry("checked"),
            "blocks": _entry("blocks"),
            "audited": _entry("audited"),
            "resets": _entry("resets"),
            "samples per second": _entry("samples_per_second"),
        },
    ),
    "netlist": Kind(
        "Checked as a netlist",
        "what synthesis made of the Verilog gave the codes of the reference for these samples, "
        "gate by gate, block RAM and multipliers by models of theirs.",
        "It says nothing of the clock rate, of power-up, or of silicon that differs from the "
        "models.",
        "verify",
        {"--netlist": "ice40"},
        {"--netlist": _entry("target"), **_PHASES},
        {
            "family": _entry("family"),
            "device": _entry("device"),
            "cells": _cells,
            "block RAM": _used("block_ram"),
            "DSP": _used("dsp"),
            **_BENCH,
        },
    ),
    "mutants": Kind(
        "Mutated",
        "so many of the faults that were planted in the circuit and in its numbers were caught, "
        "so the checks see such faults.",
        "It says nothing of the circuit itself, nor of faults of other kinds.",
        "verify",
        {"--mutants": "200"},
        {"--mutants": _total("made"), "--samples": _entry("samples", "long"), **_SEED},
        {
            **{key: _total(key) for key in ("made", "caught", "equivalent", "missed")},
            "caught by a step alone": lambda record: record["by"].get("step", 0),
            "caught of those that differ": _caught_share,
        },
    ),
    "coverage": Kind(
        "Covered",
        "a run of the bench that gave the codes of the reference came to so many lines, branches "
        "and toggles of the Verilog, and to these cases.",
        "It says nothing of what was covered but in one state of many; holes are no failure.",
        "verify",
        {"--coverage": ""},
        {"--samples": _entry("longest"), **_SEED},
        {
            **{f"{key} points": _hits(key) for key in ("line", "branch", "toggle")},
            "cases reached": lambda record: _cases(record, "hit"),
            "not possible": lambda record: _cases(record, "not possible"),
            "cases not reached": _not_reached,
        },
    ),
}


def _told(value: Callable[[Record], Any], record: Record) -> Number:
    """Value in a record, or None where the record has it in no form that is known here."""
    try:
        found = value(record)
    except (TypeError, ValueError, LookupError, AttributeError, ArithmeticError):
        return None
    if isinstance(found, float):
        return found if math.isfinite(found) else None
    return found if isinstance(found, int | str) else None


def numbers(record: Record) -> dict[str, Number]:
    """Columns of a record by its kind, then its seed and seconds; None for what it lacks."""
    kind = KINDS.get(str(record["kind"]))
    columns = dict(kind.numbers) if kind else {}
    columns |= {"seed": _entry("seed"), "seconds": _entry("seconds")}
    return {name: _told(value, record) for name, value in columns.items()}


def again(kind: str, file: str, place: str, record: Record | None = None) -> str | None:
    """Command line that makes a record of a kind, or this very one again.

    Parameters
    ----------
    kind : str
    file, place : str
        The design file and the folder for the record.
    record : mapping, optional

    Returns
    -------
    str or None
        None for a kind that is not known here.
    """
    if kind not in KINDS:
        return None
    made = KINDS[kind]
    options = dict(made.options)
    for name, of in made.recorded.items():
        if record is not None and (value := _told(of, record)) is not None:
            options[name] = str(value)
    words = ["rchw", made.command, file]
    words += [word for pair in options.items() for word in pair if word]
    return shlex.join([*words, "-o", place])
