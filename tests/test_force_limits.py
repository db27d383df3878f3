"""The page of the limits of FORCE is that of its record, and the record bears out docs/force.md."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks import force_limits
from benchmarks.force_limits_page import page
from rchw.tasks.generators import PERIODS
from rchw.train.force import ForceOptions


def record() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (force_limits.FOLDER / "results" / "force_limits.json").read_text(encoding="utf-8")
    )
    return found


def test_page_is_that_of_the_record() -> None:
    there = (force_limits.FOLDER / "force_limits.md").read_text(encoding="utf-8")
    assert there == page(record()), "python -m benchmarks.force_limits --page"
    assert list(record()["rows"]) == [key for key, _ in force_limits.jobs()]


def rows(target: str, feedback: str) -> list[dict[str, Any]]:
    found = [
        row
        for key, row in record()["rows"].items()
        if key.startswith(f"sines/{target}/force/{feedback}/")
    ]
    assert found
    return found


def test_what_the_docs_say_of_sines() -> None:
    """Two reasons: chaos that is not suppressed, and states that cannot be read."""
    assert all(row["apart"] > 0.1 and not row["alone"]["held"] for row in rows("300", "2"))
    assert all(row["apart"] < 1e-4 and row["alone"]["held"] for row in rows("300", "4"))
    for row in rows("never", "4"):
        assert row["apart"] < 1e-4 and row["unread"] > 0.05 and not row["alone"]["held"]
    for row in rows("never", "0.25"):
        assert row["unread"] < 1e-2 and not row["alone"]["held"]


def test_why_one_network_loses_the_four_sines() -> None:
    """At the default its chaos goes on under the target; with a stronger drive it is held."""
    known = record()["rows"]
    for seed in force_limits.PARTIAL_SEEDS:
        weak, strong = (known[f"sines/four-sines/partial-force/{f}/{seed}"] for f in (2, 4))
        assert strong["apart"] < 1e-4 and strong["alone"]["held"]
        assert weak["alone"]["held"] == (weak["apart"] < 1e-4)


def test_the_chirp_is_held_under_cues_and_lost_without() -> None:
    found = {k: row["runs"] for k, row in record()["rows"].items() if k.startswith("chirp/")}
    held = [runs for runs in found.values() if runs["16 bits"]["held"]]
    assert held and all(runs["float"]["held"] and runs["12 bits"]["held"] for runs in held)
    for runs in held:
        assert len(runs["16 bits"]["repetitions"]) == 21
        assert min(runs["16 bits, no cue"]["repetitions"]) > 0.5


def test_the_periods_are_near_and_come_back() -> None:
    """Each is within 5 % of its sine of `multi-sine`, and all repeat together, and not sooner."""
    for name, periods in force_limits.TARGETS.items():
        assert periods == pytest.approx(PERIODS, rel=0.05)
        if name != "never":
            turns = np.array([int(name) / period for period in periods])
            assert np.allclose(turns, turns.round())
            assert np.gcd.reduce(turns.round().astype(int)) == 1


def test_twins_meet_where_nothing_is_chaotic() -> None:
    """The same loop: two copies meet below g = 1, and stay apart far above it without a drive."""
    targets = np.sin(np.arange(400)[:, None] / 5)
    ends = []
    for gain, drive in ((0.5, 1.0), (3.0, 0.0)):
        options = ForceOptions(units=60, gain=gain, density=0.5, feedback_scaling=2.0)
        network = force_limits.driven(options)
        other = replace(network, state=-network.state)
        states = [force_limits.driven_states(one, drive * targets) for one in (network, other)]
        ends.append(float(np.abs(states[0][-1] - states[1][-1]).max()))
    assert ends[0] < 1e-9 and ends[1] > 0.1
