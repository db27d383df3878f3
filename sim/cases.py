"""Cases that matter in a run: ties of every rounding, half-filled words, stalls, resets, tlast.

They are counted in the stimulus by the reference, and only of phases in which the circuit answered
every beat rightly; so the circuit was there too.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw import reference
from rchw.activation import PiecewiseLinear, Table
from rchw.design import Design, Stage
from rchw.fixed import Rounding, shift_round
from rchw.reference.bounds import feature_bound, integer_type, ring_bound
from rchw.reference.loop import fed_codes, unfed
from rchw.reference.readout import ReadoutReference, feature_codes
from rchw.reference.ring import RingReference
from rchw.sim.job import Job, Phase

__all__ = ["cases", "ties"]

Integers = NDArray[Any]
_PARITIES = ("even", "odd")


def ties(sums: Integers, shift: int) -> tuple[int, int]:
    """Sums halfway between two codes when `shift` bits are dropped: lower code even, and odd."""
    half = (sums & ((1 << shift) - 1)) == (1 << (shift - 1))
    odd = (sums >> shift) & 1 == 1
    return int(np.count_nonzero(half & ~odd)), int(np.count_nonzero(half & odd))


def _pieces(
    design: Design, phase: Phase
) -> Iterator[tuple[Integers, Integers, Integers, Integers, NDArray[np.bool_]]]:
    """Inputs, what is fed back, states before and after, and marks, between a phase's resets."""
    initial = [code for stage in design.stages for code in stage.layer.initial_state]
    start = np.array(initial or [0] * design.n_units, dtype=np.int64)
    for first, stop, _ in phase.segments:
        codes, last = phase.codes[first:stop], phase.last[first:stop]
        trace = reference.run(design, codes, last)
        after = trace.states
        before = np.concatenate([start[None], after[:-1]])
        if design.reset_on_last:
            before[1:][last[:-1]] = start
        fed = fed_codes(design, codes, last, trace.outputs, unfed(design))[:-1]
        yield codes[:, : design.n_inputs], fed, before, after, last


def _of_states(
    design: Design, codes: Integers, fed: Integers, before: Integers, after: Integers
) -> Iterator[tuple[str, Integers, int, Rounding]]:
    """Every rounding of the state passes: its name, the sums, the bits dropped, the mode."""
    ends = np.cumsum([stage.n_units for stage in design.stages]).tolist()
    passed = np.split(after, ends[:-1], axis=1)
    for number, stage in enumerate(design.stages):
        seen = stage.seen(codes, passed[:number])
        own = before[:, ends[number] - stage.n_units : ends[number]]
        for name, sums, shift, mode in _of_stage(stage.expanded, seen, fed, own):
            yield f"{name} of {stage.layer.name}" if len(ends) > 1 else name, sums, shift, mode


def _of_stage(
    stage: Stage, codes: Integers, fed: Integers, before: Integers
) -> Iterator[tuple[str, Integers, int, Rounding]]:
    """The same of one layer."""
    layer = stage.layer
    ring = RingReference(stage, integer_type(ring_bound(stage)))
    wide, states = codes.astype(ring.dtype), before.astype(ring.dtype)
    rows = zip(states, wide, fed.astype(ring.dtype), strict=True)
    sums = np.array([ring.preactivation(x, u, y) for x, u, y in rows])
    activation = layer.activation
    to = activation.index.frac if isinstance(activation, Table) else layer.state.frac
    yield "rounding of the state sums", sums, ring.fraction() - to, layer.rounding
    if isinstance(activation, PiecewiseLinear):
        z = shift_round(sums, ring.fraction() - to, layer.rounding)
        starts = [segment[0] for segment in activation.segments]
        place = sum((z >= start).astype(int) for start in starts[1:] if start is not None)
        for index, (_, shift, _) in enumerate(activation.segments):
            name = f"rounding of segment {index} of the activation"
            yield name, z[place == index], shift, layer.rounding
    if not layer.remembers:
        return
    targets = np.array([ring.activate(row) for row in sums])
    if layer.step is not None:
        sizes = np.array(layer.step.codes, dtype=ring.dtype)
        yield "rounding of the step", targets * sizes, layer.step.format.frac, layer.rounding
        return
    shifts = np.array(layer.leak_shifts)
    for shift in sorted(set(layer.leak_shifts) - {0}):
        name = "rounding of the leak" + f" by {shift}" * (len(set(layer.leak_shifts)) > 1)
        mine = shifts == shift
        yield name, (targets - states)[:, mine], shift, layer.rounding


def _of_readout(
    design: Design, codes: Integers, after: Integers, last: NDArray[np.bool_]
) -> Iterator[tuple[str, Integers, int, Rounding]]:
    """Every rounding of the readout."""
    first = 0
    for layer, seen in zip(design.layers, design.features.of_layers, strict=True):
        if seen.squares is not None:
            own = after[:, first : first + layer.n_units]
            wide = own.astype(integer_type(feature_bound(design)))
            shift = 2 * layer.state.frac - seen.squares.frac
            name = "rounding of the squares"
            name += f" of {layer.name}" if len(design.layers) > 1 else ""
            yield name, wide * wide, shift, seen.square_rounding
        first += layer.n_units
    readout = ReadoutReference(design)
    frac, sums = readout.answered_totals(feature_codes(design, after, codes), last)
    for k, output in enumerate(design.readout.outputs):
        name = f"rounding of output {output.name}"
        yield name, sums[:, k], frac - output.format.frac, design.readout.rounding


def cases(design: Design, job: Job, found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cases of a run and how often it came to them.

    Parameters
    ----------
    design : Design
    job : Job
    found : sequence of dict
        Records of its phases, as far as it went.

    Returns
    -------
    list of dict
        ``case``, ``count``, ``status`` (``hit``, ``hole`` or ``not possible``) and ``reason`` why
        a case is not possible.
    """
    right = [
        (phase, record)
        for phase, record in zip(job.phases, found, strict=False)
        if record["verdict"] == "pass"
    ]
    return [
        *_ties(design, [phase for phase, _ in right]),
        _short_word(design, sum(record["checked"] for _, record in right)),
        *_crossed(right),
    ]


def _row(case: str, count: int, impossible: str | None = None) -> dict[str, Any]:
    status = "hit" if count else "not possible" if impossible else "hole"
    return {"case": case, "count": count, "status": status, "reason": impossible}


def _ties(design: Design, phases: Sequence[Phase]) -> Iterator[dict[str, Any]]:
    counts: dict[str, tuple[int, int]] = {}
    impossible: dict[str, str | None] = {}
    for phase in phases:
        for codes, fed, before, after, last in _pieces(design, phase):
            readout = _of_readout(design, codes, after, last)
            roundings = (*_of_states(design, codes, fed, before, after), *readout)
            for name, sums, shift, mode in roundings:
                impossible[name] = _impossible(shift, mode)
                even, odd = (0, 0) if impossible[name] else ties(sums, shift)
                earlier = counts.get(name, (0, 0))
                counts[name] = (earlier[0] + even, earlier[1] + odd)
    for name, pair in counts.items():
        for parity, count in zip(_PARITIES, pair, strict=True):
            case = f"{name}: a tie, the code below it {parity}"
            yield _row(case, count, impossible[name])


def _impossible(shift: int, mode: Rounding) -> str | None:
    if mode is Rounding.TRUNCATE:
        return "it is a truncation"
    return "no bits are dropped" if shift < 1 else None


def _short_word(design: Design, samples: int) -> dict[str, Any]:
    """P that does not divide N: the first word has idle lanes."""
    case = "a word of states with idle lanes"
    if any(layer.n_units % layer.lanes for layer in design.layers):
        return _row(case, samples)
    units = " and ".join(f"{layer.lanes} lanes divide {layer.n_units}" for layer in design.layers)
    return _row(case, 0, f"{units} units")


def _crossed(right: Sequence[tuple[Phase, dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Samples of a stream whose output is held up or not, cut by a reset or not, last or not."""
    counts = dict.fromkeys(product((False, True), repeat=3), 0)
    for phase, record in right:
        cut = np.zeros(len(phase.codes), dtype=bool)
        cut[[k for k, _ in phase.resets]] = True
        for reset, last in product((False, True), repeat=2):
            count = int(np.count_nonzero((cut == reset) & (phase.last == last)))
            counts[record["stalls_out"] > 0, reset, last] += count
    for (stalled, reset, last), count in counts.items():
        words = [
            "output held up" if stalled else "output free",
            "reset right after the sample" if reset else "no reset",
            "tlast" if last else "no tlast",
        ]
        yield _row(", ".join(words), count)
