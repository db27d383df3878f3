"""Verdicts and measures of what a bench saw, without a simulator."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rchw.fixed import QFormat
from rchw.sim.harness import Top
from rchw.sim.job import Job, Phase
from rchw.sim.verdict import Seen, judge, measure

WANT = np.arange(20).reshape(10, 2) - 8
LAST = np.arange(10) % 4 == 3
PHASE = Phase("plain", np.zeros((10, 1), dtype=np.int64), LAST, WANT)
TOP = Top("circuit", (QFormat(8),), (QFormat(8, 2), QFormat(5)), ("a", "b"))
JOB = Job(TOP, (PHASE,), window=70)


def seen(start: int = 0, stop: int = 10, beats: int | None = None, **changes: Any) -> Seen:
    """What a right circuit of three clocks per sample and latency five shows."""
    got = stop - start if beats is None else beats
    right = Seen(
        start=start,
        stop=stop,
        cut=False,
        codes=WANT[start : start + got].copy(),
        lasts=LAST[start : start + got].tolist(),
        clocks_in=[3 * k for k in range(stop - start)],
        clocks_out=[3 * k + 5 for k in range(got)],
    )
    return replace(right, **changes)


def wrong_code(sample: int) -> Any:
    codes = WANT.copy()
    codes[sample, 1] += 3
    return codes


def test_right_is_right() -> None:
    assert judge(JOB, PHASE, [seen()]) == {"verdict": "pass", "mismatch": None, "sentence": None}


@pytest.mark.parametrize(
    ("part", "kind", "sentence"),
    [
        (
            seen(codes=wrong_code(4)),
            "code",
            "output 1 (b) at sample 4 must be code 1 (value 1), not 4 (value 4, sfix5_en0)",
        ),
        (
            seen(lasts=[False] * 10),
            "last",
            "m_axis_tlast at sample 3 must be 1, not 0",
        ),
        (
            seen(beats=7),
            "lost",
            "every input beat must give one output beat, but 10 gave 7: sample 7 or one before it "
            "was lost",
        ),
        (
            seen(beats=4, clocks_in=[0, 3, 6, 9], stuck=True),
            "stuck",
            "s_axis_tready must rise within 70 clocks, but sample 4 still waits",
        ),
        (
            seen(breach={"kind": "protocol", "rule": 2, "beat": 6}),
            "protocol",
            "m_axis_tdata must stay stable while m_axis_tready is low, but it changed "
            "(output beat 6)",
        ),
    ],
)
def test_each_fault_has_its_sentence(part: Seen, kind: str, sentence: str) -> None:
    found = judge(JOB, PHASE, [part])
    assert found["verdict"] == "fail"
    assert found["mismatch"]["kind"] == kind
    assert found["sentence"] == f"{sentence} [design circuit, phase plain]"


def test_cause_comes_before_consequence() -> None:
    """A breach before lost beats, those before last flags, and those before codes."""
    breach = {"kind": "protocol", "rule": 1, "beat": 2}
    both: dict[str, Any] = {"codes": wrong_code(4), "lasts": [True] * 10}
    kinds = [
        judge(JOB, PHASE, [seen(**both, breach=breach)])["mismatch"]["kind"],
        judge(JOB, PHASE, [seen(beats=6, codes=wrong_code(4)[:6])])["mismatch"]["kind"],
        judge(JOB, PHASE, [seen(**both)])["mismatch"]["kind"],
        judge(JOB, PHASE, [seen(codes=wrong_code(4))])["mismatch"]["kind"],
    ]
    assert kinds == ["protocol", "lost", "last", "code"]


def test_a_reset_excuses_what_it_cuts_off() -> None:
    """Missing outputs only: what came before it must be right, and what comes after."""
    parts = [seen(0, 6, beats=4, cut=True), seen(6, 10)]
    assert judge(JOB, PHASE, parts)["verdict"] == "pass"
    wrong = [replace(parts[0], codes=parts[0].codes + np.array([0, 1])), parts[1]]
    assert judge(JOB, PHASE, wrong)["mismatch"]["sample"] == 0
    off = np.array([[0, 0], [0, 0], [1, 0], [0, 0]])
    late = [parts[0], replace(parts[1], codes=WANT[6:] + off)]
    assert judge(JOB, PHASE, late)["mismatch"]["sample"] == 8


def test_measures() -> None:
    parts = [seen(0, 6, beats=4, cut=True), seen(6, 10)]
    found = measure(JOB, PHASE, parts, {"s_stalls": 5, "m_stalls": 2})
    assert (found["samples"], found["checked"], found["last_flags"]) == (10, 8, 2)
    assert found["clocks_per_sample"] == {"min": 3, "max": 3, "mean": 3.0}
    assert found["latency"] == {"min": 5, "max": 5, "mean": 5.0}
    assert (found["stalls_in"], found["stalls_out"]) == (5, 2)
    assert found["output_rails"] == {"low": [False, False], "high": [False, False]}
    end = seen(codes=np.where(WANT == 11, 15, WANT))
    rails = measure(JOB, PHASE, [end], {"s_stalls": 0, "m_stalls": 0})["output_rails"]
    assert rails == {"low": [False, False], "high": [False, True]}


def test_nothing_came_out() -> None:
    found = measure(JOB, PHASE, [seen(beats=0)], {"s_stalls": 0, "m_stalls": 0})
    assert found["clocks_per_sample"] is None
    assert found["latency"] is None
