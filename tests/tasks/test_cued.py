"""A cue starts the chirp: its phase is the integral of its frequency, and it comes back."""

import math
import re
from typing import Any

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.tasks import load_task
from rchw.tasks.cued import CUE, PERIODS, SWEEP, chirp

RNG = np.random.default_rng


def test_the_published_oscillation() -> None:
    """2 s in samples of 2.5 ms: one cycle per second at first, five in the middle, then back."""
    inputs, targets = chirp(2 * SWEEP, RNG(0))
    assert inputs.shape == targets.shape == (1600, 1)
    assert np.flatnonzero(inputs[:, 0]).tolist() == [*range(20), *range(800, 820)]
    y = targets[:800, 0]
    for t in (0, 1, 150, 399, 400):
        seconds = t * 0.0025
        want = math.sin(2 * math.pi * (seconds + 2 * seconds**2))  # 1 Hz + 4 Hz per second
        assert abs(y[t] - want) < 1e-12
    assert np.allclose(y[401:], -y[399:0:-1], rtol=0, atol=1e-12)
    assert np.array_equal(targets[800:], targets[:800])


def test_the_slope_is_that_of_the_periods() -> None:
    """At its ends a sweep has the longest period, in the middle the shortest."""
    _, targets = chirp(4001, RNG(0), sweep=4000, periods=(500.0, 50.0))
    y = targets[:, 0]
    for t, period in ((0, 500.0), (2000, 50.0), (4000, 500.0)):
        slope = (y[1] - y[0]) if t in (0, 4000) else (y[t + 1] - y[t - 1]) / 2
        assert abs(abs(slope) / (2 * math.pi / period) - 1) < 0.01


def test_rests_are_drawn_and_silent() -> None:
    """Between sweeps nothing is asked for and nothing said; another seed draws others."""
    inputs, targets = chirp(6000, RNG(1), rest=300)
    begins = np.flatnonzero(np.diff(inputs[:, 0], prepend=0.0) > 0)
    gaps = np.diff(begins) - SWEEP
    assert len(set(gaps.tolist())) > 2 and gaps.min() >= 0 and gaps.max() <= 300
    one = chirp(SWEEP, RNG(0))[1]
    for begin, gap in zip(begins[:-1], gaps, strict=True):
        assert np.array_equal(targets[begin : begin + SWEEP], one)
        assert not targets[begin + SWEEP : begin + SWEEP + gap].any()
        assert inputs[begin : begin + SWEEP].sum() == CUE
    assert not np.array_equal(chirp(6000, RNG(2), rest=300)[0], inputs)
    assert np.array_equal(chirp(6000, RNG(1), rest=300)[0], inputs)


def test_the_task_is_that_of_the_source() -> None:
    """Inputs and targets of the same sample; every part begins with a cue."""
    task = load_task("chirp")
    assert task.horizon == 0 and task.metric == "nmse"
    for part in (task.train, task.validation, task.test):
        assert part.start % SWEEP == 0 and task.inputs[part.start, 0] == 1.0
    assert np.array_equal(task.targets, chirp(len(task.targets), RNG(5))[1])
    with pytest.raises(DesignError, match=r"^horizon of the task chirp must be from 0 to 0, not 1"):
        load_task("chirp", horizon=1)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "length": ({"length": 0}, "length must be at least 1, not 0"),
    "odd": ({"sweep": 801}, "sweep must be even and at least 4 samples, not 801"),
    "long cue": (
        {"cue": 800}, "cue must be from 1 to below the 800 samples of a sweep, not 800",
    ),
    "rest": ({"rest": -1}, "rest must be at least 0 samples, not -1"),
    "period": ({"periods": (400.0, 2.0)}, "periods must be finite and above 2 samples, not 2.0"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_numbers_out_of_range_are_refused(case: str) -> None:
    change, sentence = REFUSED[case]
    given: dict[str, Any] = {"length": 10, "rng": RNG(0), "periods": PERIODS, **change}
    with pytest.raises(DesignError, match=f"^{re.escape(sentence)}"):
        chirp(**given)
