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
from rchw.schedule import layer_passes, schedule
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
    core = "core.open." if design.feedback else "core."  # inside the loop
    start = f"d{index}.{core}"
    wave = read_vcd(path, lambda name: start in name or name.endswith(("_aclk", "_aresetn")))
    if len(design.layers) == 1:
        return _of_layer(wave, design, 0, index, core)
    parts = [_of_layer(wave, design, k, index, core) for k in range(len(design.layers))]
    joined = []
    for stretch in zip(*parts, strict=True):
        samples = min(len(states) for states in stretch)
        joined.append(np.concatenate([states[:samples] for states in stretch], axis=1))
    return joined


def _of_layer(
    wave: Wave, design: Design, number: int, index: int, core: str
) -> list[NDArray[np.int64]]:
    """The same of one layer, whose signals of layers in series have a scope and a number."""
    layer, parallel = design.layers[number], schedule(design).parallel
    n_words = 1 if parallel else layer_passes(design)[number].words
    inside, tag = core, ""
    if len(design.layers) > 1:
        inside, tag = f"{core}layer_{number}.", f"{number}_"
    names = [f"{inside}x{tag}{k}" for k in range(layer.lanes)]
    if parallel:
        accepted = [f"{core}{name.replace('1', str(1 + 2 * number))}" for name in _ACCEPTED]
        table, running = _clocked(wave, index, [*names, *accepted])
        moves = np.all(table[len(names) :, :-1] == 1, axis=0)
        words, moves = table[: len(names), 1:], np.append(moves, False)[:-1]
    else:
        issued = f"{inside}{_ISSUED}{tag}"
        numbers = [
            int(name.rpartition("_")[2]) for name in wave.signals if f"d{index}.{issued}" in name
        ]
        if not numbers:
            raise ToolError(f"waveform must hold the signals {issued}*, but it does not")
        table, running = _clocked(wave, index, [*names, f"{issued}{max(numbers)}"])
        moves, words = table[-1] == 1, table[:-1]
    size = 1 << layer.state.width
    codes = (words.astype(np.int64) + size // 2) % size - size // 2
    bounds = np.flatnonzero(np.diff(running.astype(int), prepend=0, append=0))
    stretches = []
    for begin, end in bounds.reshape(-1, 2).tolist():
        picked = codes[:, begin:end].T[moves[begin:end]]  # as many words as were written, (., P)
        samples = len(picked) // n_words
        passes = picked[: samples * n_words].reshape(samples, n_words, layer.lanes)
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
    if isinstance(design.layers[0], ExternalLayer):
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
        formats = [layer.state for layer in design.layers for _ in range(layer.n_units)]
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
