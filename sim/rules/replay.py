"""A counterexample run again: its inputs, clock by clock, on the circuit without any solver.

The circuit is the interpreter of `rchw.sim.prove`, from unknown registers. The rules are read here
a second time, in plain Python, from the beats that moved.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rchw.design import Design
from rchw.errors import ToolError
from rchw.sim.prove.circuit import Circuit
from rchw.sim.prove.forms import Forms
from rchw.sim.prove.words import Words
from rchw.sim.rules.checker import Bounds, belt, bounds
from rchw.sim.wave import read_vcd

__all__ = ["Offer", "Seen", "broken_rule", "inputs_of", "rerun"]


@dataclass(frozen=True)
class Offer:
    """What goes into a circuit in one clock."""

    aresetn: int
    s_axis_tvalid: int
    s_axis_tlast: int
    s_axis_tdata: int
    m_axis_tready: int


@dataclass(frozen=True)
class Seen:
    """What comes out of it in the same clock; None where it is not known."""

    s_axis_tready: int | None
    m_axis_tvalid: int | None
    m_axis_tlast: int | None
    m_axis_tdata: int | None


def inputs_of(trace: Path, top: str) -> list[Offer]:
    """Inputs of a trace that smtbmc wrote, step by step.

    Parameters
    ----------
    trace : Path
        A VCD.
    top : str
        Module whose inputs they are.

    Raises
    ------
    ToolError
        If it holds no such signals.
    """
    names = list(Offer.__dataclass_fields__)
    wave = read_vcd(trace, lambda full: full == "smt_step" or full in {f"{top}.{n}" for n in names})
    steps = wave.signal("smt_step").times
    columns = [wave.signal(f"{top}.{name}").at(steps + 1) for name in names]
    if not len(steps) or any((column < 0).any() for column in columns):
        raise ToolError(f"{trace} must hold every input of {top} in every step")
    return [Offer(*(int(value) for value in row)) for row in np.stack(columns, axis=1)]


def rerun(words: Words, offers: Sequence[Offer], fault: str | None = None) -> list[Seen]:
    """Outputs of a circuit from unknown registers on.

    Parameters
    ----------
    words : Words
        As from `rchw.sim.prove.words.elaborate`.
    offers : sequence of Offer
        The first in a reset.
    fault : str, optional
        A key of `rchw.sim.rules.checker.FAULTS`.
    """
    circuit, seen = Circuit(words, Forms()), []
    for offer in offers:
        given = vars(offer) | {"aclk": 0}
        given |= {"m_axis_tready": 1} if fault == "PAUSES" else {}
        given |= {"s_axis_tlast": 0} if fault == "LAST" else {}
        bits = {
            name: tuple(given[name] >> k & 1 for k in range(len(wires)))
            for name, wires in words.inputs.items()
        }
        circuit.settle(bits, words.logic)
        found = {name: circuit.number_or_none(name) for name in Seen.__dataclass_fields__}
        found |= {"s_axis_tready": 1} if fault == "READY" else {}
        found |= {"m_axis_tvalid": 1} if fault == "VALID" else {}
        seen.append(Seen(**found))
        circuit.clock()
    return seen


def broken_rule(design: Design, offers: Sequence[Offer], seen: Sequence[Seen]) -> str | None:
    """Sentence on the first rule that a run breaks, beginning with its name; None if there is none.

    The rules that need a side never to pause count only while it has not paused since the reset.
    """
    watch = _Watch(bounds(design), belt(design), design.readout.pooled)
    for clock, (offer, out) in enumerate(zip(offers, seen, strict=True)):
        if clock == 0 or not offer.aresetn:
            watch.reset()
            continue
        told = watch.step(offer, out)
        if told is not None:
            return f"{told} at clock {clock}"
    return None


class _Watch:
    """The rules, from one clock to the next."""

    def __init__(self, numbers: Bounds, parallel: bool, pooled: bool) -> None:
        self._numbers, self._parallel, self._pooled = numbers, parallel, pooled
        self.reset()

    def reset(self) -> None:
        self._way: deque[tuple[int, int]] = deque()  # last flag and age of each beat under way
        self._belt = [False] * (
            self._numbers.latency - 1
        )  # what will be answered, the newest first
        self._shown = False  # and the answer that waits behind it
        self._held: Seen | None = None
        self._silent = self._refused = self._since = 0
        self._flowing = True
        self._moves = False  # whether the belt moved at the edge before

    def step(self, offer: Offer, out: Seen) -> str | None:
        told = self._pauses(offer, out)
        if not told:
            passed = self._parallel and self._pooled
            told = self._passed(offer, out) if passed else self._beats(offer, out)
        self._held = out if out.m_axis_tvalid and not offer.m_axis_tready else None
        return told

    def _pauses(self, offer: Offer, out: Seen) -> str | None:
        if out.s_axis_tready is None or out.m_axis_tvalid is None:
            return "once: s_axis_tready or m_axis_tvalid is unknown"
        if self._held is not None:
            for name in ("m_axis_tvalid", "m_axis_tlast", "m_axis_tdata"):
                if getattr(out, name) != getattr(self._held, name):
                    return f"stays: {name} changes while m_axis_tready is low"
        if self._parallel and self._pooled:
            return None
        if self._moves or not self._parallel:
            self._way = deque((last, age + 1) for last, age in self._way)
        if self._parallel:
            due = bool(self._way) and self._way[0][1] >= self._numbers.latency
            self._moves = not out.m_axis_tvalid or bool(offer.m_axis_tready)
            if bool(out.m_axis_tvalid) != due:
                return f"once: m_axis_tvalid is {out.m_axis_tvalid}"
            if bool(out.s_axis_tready) != self._moves:
                return "takes: s_axis_tready does not follow the output"
            return None
        self._flowing = self._flowing and bool(offer.m_axis_tready)
        quiet = offer.m_axis_tready and self._way and not out.m_axis_tvalid
        self._silent = self._silent + 1 if quiet else 0
        if self._silent >= self._numbers.latency:
            return f"answers: nothing came out for {self._silent} clocks"
        offered = offer.s_axis_tvalid and not out.s_axis_tready and offer.m_axis_tready
        self._refused = self._refused + 1 if offered else 0
        if self._refused >= self._numbers.wait:
            return f"takes: a beat was offered for {self._refused} clocks"
        return None

    def _passed(self, offer: Offer, out: Seen) -> str | None:
        """The rules of a pipeline in which what has no answer passes by one that waits."""
        comes = self._belt[-1]
        moves = not (self._shown and comes and not offer.m_axis_tready)
        if bool(out.m_axis_tvalid) != self._shown:
            return f"once: m_axis_tvalid is {out.m_axis_tvalid}"
        if out.m_axis_tvalid and out.m_axis_tlast != 1:
            return f"order: m_axis_tlast is {out.m_axis_tlast}, not 1"
        if bool(out.s_axis_tready) != moves:
            return "takes: s_axis_tready does not follow the output"
        self._shown = (moves and comes) or (self._shown and not offer.m_axis_tready)
        if moves:
            self._belt = [bool(offer.s_axis_tvalid and offer.s_axis_tlast), *self._belt[:-1]]
        return None

    def _beats(self, offer: Offer, out: Seen) -> str | None:
        if out.m_axis_tvalid and not self._way:
            return "once: a beat is offered that did not go in"
        if out.m_axis_tvalid and offer.m_axis_tready:
            last, age = self._way.popleft()
            if out.m_axis_tlast != last:
                return f"order: m_axis_tlast is {out.m_axis_tlast}, not {last}"
            if not self._parallel and self._flowing and age != self._numbers.latency:
                return f"latency: a beat took {age} clocks, not {self._numbers.latency}"
        elif self._flowing and self._way and self._way[0][1] >= self._numbers.latency:
            if not self._parallel:
                return f"latency: a beat took more than {self._numbers.latency} clocks"
        taken = offer.s_axis_tvalid and out.s_axis_tready
        if self._since and offer.s_axis_tvalid and self._flowing and not self._parallel:
            if bool(taken) != (self._since == self._numbers.clocks):
                return f"period: tready is {out.s_axis_tready} after {self._since} clocks"
        going = self._since and offer.s_axis_tvalid
        self._since = 1 if taken else self._since + 1 if going else 0
        if taken and (offer.s_axis_tlast or not self._pooled):
            self._way.append((offer.s_axis_tlast, 0))
        if len(self._way) > self._numbers.room:
            return f"once: {len(self._way)} beats are under way"
        return None
