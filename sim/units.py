"""Which unit differs first: the states of a circuit, read from the waveform of its failing run.

States are not on the stream, so the waveform of the very Verilog is searched for the registers that
`rchw.hdl` gives them. Verilog that has no such names, as a netlist, is left unsearched.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw import reference
from rchw.design import Design, ExternalLayer
from rchw.errors import ToolError
from rchw.schedule import schedule
from rchw.sim.job import Phase
from rchw.sim.scoreboard import describe, first_mismatch
from rchw.sim.wave import Wave, read_vcd

__all__ = ["first_unit", "read_states"]

_LARGEST = 1_000_000_000  # bytes of a waveform that is searched
_ISSUED = "issued_"  # the word that is written, as many clocks later as the number tells
_ACCEPTED = ("go", "valid_1")  # both high: all states of a parallel circuit move


def _clocked(wave: Wave, index: int, names: list[str]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Values at every rising edge, shape (signals, clocks), and whether no reset holds there."""
    clock = wave.signal(f"d{index}_aclk")
    edges = clock.times[np.flatnonzero(clock.values == 1)]
    running = wave.signal(f"d{index}_aresetn").at(edges) == 1
    return np.stack([wave.signal(f"d{index}.{name}").at(edges) for name in names]), running


def read_states(path: Path, design: Design, index: int = 0) -> list[NDArray[np.int64]]:
    """States of a circuit after each sample, one array (T, N) for each stretch between resets.

    Parameters
    ----------
    path : Path
        From `rchw.sim.runner.Build.write_waves`.
    design : Design
    index : int
        Of the design in the harness.

    Raises
    ------
    ToolError
        If the waveform is too long, or has no such signals.
    """
    if path.stat().st_size > _LARGEST:
        raise ToolError(f"the waveform must be at most {_LARGEST / 1e9:g} GB to be searched")
    plan, layer = schedule(design), design.layer
    core = "core.open." if design.feedback else "core."  # inside the loop
    start = f"d{index}.{core}"
    wave = read_vcd(path, lambda name: start in name or name.endswith(("_aclk", "_aresetn")))
    names = [f"{core}x{k}" for k in range(layer.lanes)]
    if plan.parallel:
        accepted = [f"{core}{name}" for name in _ACCEPTED]
        table, running = _clocked(wave, index, [*names, *accepted])
        moves = np.all(table[len(names) :, :-1] == 1, axis=0)
        words, moves = table[: len(names), 1:], np.append(moves, False)[:-1]
    else:
        numbers = [
            int(name.rpartition("_")[2]) for name in wave.signals if f"{start}{_ISSUED}" in name
        ]
        if not numbers:
            raise ToolError(f"waveform must hold the signals {core}{_ISSUED}*, but it does not")
        table, running = _clocked(wave, index, [*names, f"{core}{_ISSUED}{max(numbers)}"])
        moves, words = table[-1] == 1, table[:-1]
    size = 1 << layer.state.width
    codes = (words.astype(np.int64) + size // 2) % size - size // 2
    bounds = np.flatnonzero(np.diff(running.astype(int), prepend=0, append=0))
    stretches = []
    for begin, end in bounds.reshape(-1, 2).tolist():
        picked = codes[:, begin:end].T[moves[begin:end]]  # as many words as were written, (., P)
        samples = len(picked) // plan.words
        passes = picked[: samples * plan.words].reshape(samples, plan.words, layer.lanes)
        highest_first = passes[:, ::-1].reshape(samples, -1)
        stretches.append(highest_first[:, : layer.n_units])
    return stretches


def first_unit(
    design: Design, phase: Phase, path: Path, sample: int, index: int = 0
) -> tuple[dict[str, Any] | None, str]:
    """Find the first state that differs in the waveform of a failing phase.

    Parameters
    ----------
    design : Design
    phase : Phase
        Whole or up to the failure.
    path : Path
        Its waveform.
    sample : int
        Whose output differs.
    index : int
        Of the design in the harness.

    Returns
    -------
    record : dict or None
        ``unit``, ``sample``, ``want``, ``got`` and both values; None where no state differs.
    sentence : str
        What was found, or why nothing could be.
    """
    if isinstance(design.layer, ExternalLayer):
        return None, "the states come from outside, so the readout differs"
    try:
        stretches = read_states(path, design, index)
    except ToolError as error:
        return None, f"the first unit that differs is not known: {error}"
    edges = [0, *(place + 1 for place, _ in phase.resets), len(phase.codes)]
    seen = 0
    for (begin, end), got in zip(pairwise(edges), stretches, strict=False):
        last = min(end, sample + 1)
        want = reference.run(design, phase.codes[begin:last], phase.last[begin:last]).states
        common = min(len(want), len(got))
        formats = [design.layer.state] * design.n_units
        found = first_mismatch(want[:common], got[:common], formats=formats)
        if found is not None:
            found["sample"] += begin
            keys = ("sample", "want", "got", "want_value", "got_value", "format")
            record = {"unit": found["column"]} | {key: found[key] for key in keys}
            return record, f"inside, {describe(found, 'unit')}"
        seen = begin + common
        if last == sample + 1:
            break
    if seen <= sample:
        return None, (
            f"the first unit that differs is not known: the waveform holds the states of {seen} "
            f"samples, and all of them are right"
        )
    return None, f"inside, all states up to sample {sample} are right, so the readout differs"
