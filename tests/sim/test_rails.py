"""Ends of states and outputs: hit, shown to be out of reach, or just not reached."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rchw import reference
from rchw.design import Design
from rchw.fixed import QFormat, Rounding
from rchw.sim.rails import missed_rail, push_to, rails_reached
from rchw.sim.verify import job_for
from tests.sim.pair import pair
from tests.sim.test_stimulus import design as cycle
from tests.sim.test_stimulus import weighted


def rows_of(design: Design) -> dict[tuple[str, str], dict[str, Any]]:
    """Rows of a job by what and side."""
    return {(row["what"], row["side"]): row for row in job_for(design, 48, 1)[1]["rails"]}


def with_output(fmt: QFormat) -> Design:
    """Give the two units by hand an output of another format."""
    (output,) = pair().readout.outputs
    readout = replace(pair().readout, outputs=(replace(output, format=fmt),))
    return replace(pair(), readout=readout)


def test_a_hit_is_found_where_the_reference_has_it() -> None:
    job, told = job_for(pair(), 48, 1)
    for row in told["rails"][:2]:
        assert row["status"] == "hit" and row["reason"] is None
        phase = job.phases[row["phase"]]
        states = reference.run(pair(), phase.codes, phase.last).states
        there = np.flatnonzero((states == row["code"]).any(axis=1))
        assert there[0] == row["sample"] and row["code"] in (-127, 127)


@pytest.mark.parametrize(
    ("width", "low", "high"),
    [
        (8, "not reached", "hit"),
        (9, "not reachable", "hit"),
        (10, "not reachable", "not reachable"),
        (12, "not reachable", "not reachable"),
    ],
)
def test_outputs(width: int, low: str, high: str) -> None:
    """The sum x0 + 2 x1 + 128 lies from -253 to 509, and comes less far below."""
    rows = rows_of(with_output(QFormat(width, 7)))
    lower, upper = rows["output y", "low"], rows["output y", "high"]
    assert upper["code"] == 2 ** (width - 1) - 1 and lower["code"] == -(2 ** (width - 1))
    assert (lower["status"], upper["status"]) == (low, high)
    if high == "not reachable":
        assert lower["reason"] == "nothing can go past code -253"
        assert upper["reason"] == "nothing can go past code 509"


def test_ends_that_chance_does_not_reach_are_pushed_to() -> None:
    design = weighted(40)
    job, told = job_for(design, 2000, 1)
    plain, _, pushed = (reference.run(design, p.codes, p.last) for p in job.phases[:3])
    assert job.phases[2].name == "pushes" and len(job.phases[2].codes) <= 2000
    for output in range(2):
        assert pushed.outputs[:, output].max() > plain.outputs[:, output].max()
    assert told["rails"]


def test_slow_states_fail_nothing() -> None:
    """A leak of 2**-9, rounded to the nearest code, moves nothing."""
    slow = cycle(6, leak_shift=9)
    slow = replace(slow, layers=(replace(slow.ring, rounding=Rounding.HALF_EVEN),))
    rows = rows_of(slow)
    for side in ("low", "high"):
        row = rows["states", side]
        assert row["status"] == "not reached"
        assert row["reason"] == "the stimulus came to code 0"
    assert missed_rail([row for row in rows.values() if row["what"] == "states"], []) is None


def test_a_bound_is_told_only_where_it_is_proven() -> None:
    faint = replace(pair(), inputs=(replace(pair().inputs[0], format=QFormat(3, 7)),))
    pushes = push_to(faint, False), push_to(faint, True)
    traces = [reference.run(faint, push.codes) for push in pushes]
    rows = rails_reached(faint, traces, pushes)
    assert [row["status"] for row in rows[:2]] == ["not reachable"] * 2
    assert pushes[1].bound is not None and pushes[1].bound < 127
    assert max(trace.states.max() for trace in traces) <= pushes[1].bound
    other = tuple(replace(push, bound=None) for push in pushes)
    rows = rails_reached(faint, traces, (other[0], other[1]))
    assert [row["status"] for row in rows[:2]] == ["not reached"] * 2


def passed(checked: int = 99, low: bool = True, high: bool = True) -> dict[str, Any]:
    """Record of a phase."""
    rails = {"low": [low], "high": [high]}
    return {"name": "rails", "verdict": "pass", "samples": checked, "output_rails": rails}


ROWS: list[dict[str, Any]] = [
    {"what": "states", "output": None, "side": "high", "code": 127, "phase": 0, "sample": 40,
     "status": "hit", "reason": None},
    {"what": "output y", "output": 0, "side": "low", "code": -8, "phase": 0, "sample": 3,
     "status": "hit", "reason": None},
]  # fmt: skip


@pytest.mark.parametrize(
    ("phase", "missed"),
    [
        (passed(), []),
        (passed(checked=41), []),
        (passed(checked=40), ["states"]),
        (passed() | {"verdict": "fail"}, ["states"]),
        (passed(low=False), ["output y"]),
        (passed(high=False), []),
        (passed(checked=0, low=False), ["states", "output y"]),
    ],
)
def test_what_the_circuit_misses(phase: dict[str, Any], missed: list[str]) -> None:
    rows = [dict(row) for row in ROWS]
    sentence = missed_rail(rows, [phase])
    assert [row["what"] for row in rows if row["status"] == "missed"] == missed
    if not missed:
        assert sentence is None
    elif missed[0] == "states":
        assert sentence == (
            "states must come to the high rail, code 127, at sample 40 of phase rails, but the "
            "circuit does not"
        )
    else:
        assert sentence is not None and "output y must come to the low rail, code -8" in sentence


def test_a_run_that_ended_early_misses_nothing() -> None:
    """It has failed already, and for another reason."""
    rows = [dict(row, phase=1) for row in ROWS]
    assert missed_rail(rows, [passed() | {"verdict": "fail"}]) is None
    assert [row["status"] for row in rows] == ["not checked"] * 2
