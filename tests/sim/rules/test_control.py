"""The table of the control against runs of the whole circuit: every clock is a state of it."""

from collections import deque
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rchw.design import Design
from rchw.schedule import latency, schedule
from rchw.sim.prove.circuit import Bits, Circuit
from rchw.sim.prove.forms import Forms
from rchw.sim.rules import control as module
from rchw.sim.rules.checker import bounds
from rchw.sim.rules.control import Control, State, follow
from tests.boards.test_of_design import ring
from tests.sim.rules.test_structure import read

FOLDED = ring("folded", 4, lanes=2, multipliers=2)
DESIGNS = {
    "folded": FOLDED,
    "third": ring("third", 10, lanes=3, multipliers=3),
    "turns": ring("turns", 6, outputs=2),
    "on": replace(ring("on", 8), reset_on_last=False),
}
each = pytest.mark.parametrize(
    "design",
    [
        pytest.param(design, id=name, marks=[] if name in ("folded", "on") else pytest.mark.slow)
        for name, design in DESIGNS.items()
    ],
)


class Run:
    """A circuit and what the rules' counters are in it, from a reset on."""

    def __init__(self, design: Design, folder: Path) -> None:
        self.words = read(design, folder)
        found = follow(self.words, design)
        assert found is not None
        self.control: Control = found
        self.circuit = Circuit(self.words, Forms())
        self.inputs = {name: (0,) * len(bits) for name, bits in self.words.inputs.items()}
        self.circuit.settle(self.inputs, self.words.logic)
        self.circuit.clock()
        self.way: deque[list[int]] = deque()  # last flag and age
        self.silent = self.refused = self.since = 0
        self.offered = False

    def state(self) -> State:
        code = place = 0
        for name, width in self.control.registers.items():
            code |= self.circuit.number(name) << place
            place += width
        return self.control.states[code]

    def flag(self, name: str, bit: int) -> object:
        if "[" not in name:
            return self.circuit.bits(name)[bit]
        return self.circuit.contents[name][bit]

    def step(self, valid: int, ready: int, last: int, data: int) -> None:
        bits = tuple(data >> k & 1 for k in range(len(self.inputs["s_axis_tdata"])))
        given: dict[str, Bits] = {"aresetn": (1,), "s_axis_tlast": (last,), "s_axis_tdata": bits}
        given |= {"s_axis_tvalid": (valid,), "m_axis_tready": (ready,)}
        self.circuit.settle(self.inputs | given, self.words.logic)
        takes, shown = self.circuit.number("s_axis_tready"), self.circuit.number("m_axis_tvalid")
        self.silent = self.silent + 1 if ready and self.way and not shown else 0
        self.refused = self.refused + 1 if ready and valid and not takes else 0
        self.since = 1 if valid and takes else self.since + bool(self.since) if valid else 0
        self.offered = bool(valid and not takes)
        for beat in self.way:
            beat[1] += 1
        if shown and ready:
            self.way.popleft()
        if takes and valid:
            self.way.append([last, 1])
        self.circuit.clock()


@each
def test_a_run_with_pauses_is_in_the_table(design: Design, tmp_path: Path) -> None:
    run, rng = Run(design, tmp_path), np.random.default_rng(5)
    assert run.state().count == 0
    met: set[int] = set()
    for clock in range(900):
        eager = (0.2, 0.9)[clock // 60 % 2], (0.9, 0.1, 0.6)[clock // 90 % 3]
        valid = int(run.offered or rng.random() < eager[0])
        run.step(valid, int(rng.random() < eager[1]), int(rng.integers(2)), int(rng.integers(256)))
        state = run.state()
        assert state.count == len(run.way) <= bounds(design).room
        assert run.silent <= state.silent and run.refused <= state.refused
        assert run.offered or not state.offered
        for ahead, (last, _) in enumerate(run.way):
            assert run.flag(*state.lasts[ahead]) == last
        met.add(id(state))
    assert len(met) > 0.3 * len(run.control.states), len(met)


@each
def test_a_run_without_pauses_of_the_output_has_the_ages(design: Design, tmp_path: Path) -> None:
    run, rng = Run(design, tmp_path), np.random.default_rng(6)
    oldest = longest = 0
    for clock in range(600):
        full = clock // 100 % 2 == 0
        valid = int(run.offered or full or rng.random() < 0.2)
        run.step(valid, 1, 0, 0)
        state = run.state()
        assert state.flows and len(state.ages) >= len(run.way)
        assert [state.ages[k] for k in range(len(run.way))] == [age for _, age in run.way]
        assert run.since in (0, state.since)
        oldest = max([oldest, *(age for _, age in run.way)])
        longest = max(longest, run.since)
    assert oldest == latency(design) and longest == schedule(design).clocks


def test_counters_that_can_be_that_high(tmp_path: Path) -> None:
    """What the table allows at most is met: the rules leave no room between."""
    control = Run(FOLDED, tmp_path).control
    states = control.states.values()
    numbers = bounds(FOLDED)
    assert max(state.silent for state in states) == numbers.latency - 1
    assert max(state.refused for state in states) < numbers.wait
    assert {state.count for state in states} == set(range(max(s.count for s in states) + 1))
    assert 0 < sum(state.flows for state in states) < len(control.states)
    (memory,) = control.memories
    assert {f"{memory}[0]", f"{memory}[1]", "core.last"} <= set(control.flags)


WRONG = {
    "beats without end": (r"assign free = used != [^;]*;", "assign free = 1'h1;"),
    "an answer that never comes": (r"\.w_en\(w_en\)", ".w_en(1'h0)"),
    "control that depends on data": (r"s_axis_tvalid\)", "s_axis_tvalid & s_axis_tdata[0])"),
}


@pytest.mark.parametrize("name", WRONG)
def test_circuits_without_a_table(name: str, tmp_path: Path) -> None:
    assert follow(read(FOLDED, tmp_path, *WRONG[name], count=1), FOLDED) is None


def test_too_many_states(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 20)
    assert follow(read(FOLDED, tmp_path), FOLDED) is None
