"""Cases of a run: counted a second time with fractions, one sample after the other."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from rchw import reference
from rchw.design import Design
from rchw.fixed import Rounding
from rchw.reference.ring import RingReference
from rchw.sim.cases import cases, ties
from rchw.sim.job import Job
from rchw.sim.verify import job_for
from tests.examples import EXAMPLE
from tests.sim.pair import pair


def passed(job: Job, stalls: int = 0) -> list[dict[str, Any]]:
    """Records as of a run in which every phase passed."""
    return [
        {"verdict": "pass", "stalls_out": stalls, "checked": len(phase.codes)}
        for phase in job.phases
    ]


def by_case(design: Design, job: Job, found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["case"]: row for row in cases(design, job, found)}


def test_ties_are_halves() -> None:
    sums = np.random.default_rng(3).integers(-64, 64, 500)
    for shift in (1, 2, 5):
        values = [Fraction(int(s), 1 << shift) for s in sums]
        floors = [value.numerator // value.denominator for value in values]
        halves = [f for value, f in zip(values, floors, strict=True) if value - f == Fraction(1, 2)]
        odd = sum(f % 2 for f in halves)
        assert ties(sums, shift) == (len(halves) - odd, odd) and halves


def test_ties_of_a_leaky_state_and_of_an_output() -> None:
    """The states of `EXAMPLE` by the reference, the halves by fractions of two states."""
    job, _ = job_for(EXAMPLE, 300, 1)
    rows = by_case(EXAMPLE, job, passed(job))
    wanted = {0: 0, 1: 0}
    weights = EXAMPLE.readout.weights[1]
    for phase in job.phases:
        for first, stop, _ in phase.segments:
            codes = phase.codes[first:stop]
            states = reference.run(EXAMPLE, codes, phase.last[first:stop]).states
            for x, u in zip(states.tolist(), codes.tolist(), strict=True):
                # squares: sfix6_en5 squared has 10 fraction bits, to 6 of them, half to even
                features = [_half_even(Fraction(c * c, 16), 127) / Fraction(64) for c in x]
                features += [Fraction(c, 8) for c in u] + [Fraction(1, 4)]
                features = [Fraction(c, 32) for c in x] + features
                total = sum(Fraction(w, 8) * f for w, f in zip(weights, features, strict=True))
                code = total * 4
                floor = code.numerator // code.denominator
                if code - floor == Fraction(1, 2):
                    wanted[floor % 2] += 1
    name = EXAMPLE.readout.outputs[1].name
    for parity, word in enumerate(("even", "odd")):
        row = rows[f"rounding of output {name}: a tie, the code below it {word}"]
        assert row["count"] == wanted[parity] > 0 and row["status"] == "hit"
    assert rows["rounding of the leak: a tie, the code below it odd"]["count"] > 0
    assert rows["rounding of segment 0 of the activation: a tie, the code below it odd"]
    assert rows["rounding of segment 1 of the activation: a tie, the code below it odd"]["reason"]


def _half_even(value: Fraction, most: int) -> int:
    return min(round(value), most)


def test_ties_of_the_leak_begin_anew_after_tlast_and_reset() -> None:
    """One sample after the other, with the state that it really began from."""
    job, _ = job_for(EXAMPLE, 300, 1)
    ring = RingReference(EXAMPLE)
    wanted = [0, 0]
    for phase in job.phases:
        starts = {first for first, _, _ in phase.segments}
        state = ring.initial_state()
        for t, (u, last) in enumerate(zip(phase.codes, phase.last, strict=True)):
            state = ring.initial_state() if t in starts else state
            way = ring.activate(ring.preactivation(state, u)) - state
            for codes in way.tolist():
                if codes % 2:  # the leak halves
                    wanted[codes // 2 % 2] += 1
            state = ring.initial_state() if last else ring.step(state, u)
    rows = by_case(EXAMPLE, job, passed(job))
    found = [rows[f"rounding of the leak: a tie, the code below it {word}"]["count"]
             for word in ("even", "odd")]  # fmt: skip
    assert EXAMPLE.reset_on_last and EXAMPLE.ring.leak_shift == 1
    assert found == wanted and min(found) > 0


def test_what_cannot_be_is_no_hole() -> None:
    layer = replace(EXAMPLE.ring, rounding=Rounding.TRUNCATE, lanes=5)
    design = replace(EXAMPLE, layers=(layer,), readout=replace(EXAMPLE.readout, multipliers=20))
    job, _ = job_for(design, 48, 1)
    rows = by_case(design, job, passed(job))
    row = rows["rounding of the state sums: a tie, the code below it even"]
    assert row == {
        "case": row["case"], "count": 0, "status": "not possible", "reason": "it is a truncation",
    }  # fmt: skip
    row = rows["a word of states with idle lanes"]
    assert row["status"] == "not possible" and row["reason"] == "5 lanes divide 5 units"
    job, _ = job_for(EXAMPLE, 48, 1)
    row = by_case(EXAMPLE, job, passed(job))["a word of states with idle lanes"]
    assert row["status"] == "hit" and row["count"] == sum(len(p.codes) for p in job.phases)


@pytest.mark.parametrize("stalls", [0, 5])
def test_stalls_resets_and_last_flags_are_crossed(stalls: int) -> None:
    job, _ = job_for(pair(), 300, 1)
    rows = by_case(pair(), job, passed(job, stalls))
    here, other = ("output held up", "output free") if stalls else ("output free", "output held up")
    resets = sum(len(phase.resets) for phase in job.phases)
    counts = [row["count"] for case, row in rows.items() if case.startswith(here)]
    assert len(counts) == 4 and sum(counts) == sum(len(phase.codes) for phase in job.phases)
    cut = [rows[f"{here}, reset right after the sample, {last}"]["count"]
           for last in ("no tlast", "tlast")]  # fmt: skip
    assert sum(cut) == resets > 0
    for case, row in rows.items():
        if case.startswith(other):
            assert row["count"] == 0 and row["status"] == "hole"


def test_a_phase_that_failed_does_not_count() -> None:
    """The reference was there, but nobody knows where the circuit was."""
    job, _ = job_for(pair(), 300, 1)
    found = passed(job)
    whole = by_case(pair(), job, found)["output free, no reset, no tlast"]["count"]
    found[0]["verdict"] = "fail"
    left = by_case(pair(), job, found)["output free, no reset, no tlast"]["count"]
    assert left == whole - int((~job.phases[0].last).sum())
    assert not any(row["count"] for row in cases(pair(), job, []))
