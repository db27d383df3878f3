"""Phase and shape are told apart: a shift is found exactly, another wave keeps its error."""

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.metrics.phase import phase_drift

TIMES = np.arange(1000)


def wave(period: float) -> NDArray[np.float64]:
    phases = 2 * np.pi * TIMES / period
    return np.asarray(np.sin(phases) + 0.3 * np.sin(2 * phases))


@pytest.mark.parametrize("shift", [-7, 0, 4])
def test_a_shift_is_found(shift: int) -> None:
    whole = wave(40.0)
    drift = phase_drift(whole[20 + shift : 820 + shift], whole[20:820], 20, 300)
    assert drift.shift == shift and drift.shape < 1e-12
    assert (drift.error < 1e-12) == (shift == 0)


def test_a_period_that_is_off_drifts_and_keeps_its_shape() -> None:
    """One part in 200: over 900 samples that is four and a half."""
    run, truth = np.sin(2 * np.pi * TIMES / 40.2), np.sin(2 * np.pi * TIMES / 40.0)
    drift = phase_drift(run, truth, 20, 80)
    assert -6 <= drift.shift <= -4 and drift.shape < 0.1 < 0.5 < drift.error


def test_another_wave_fits_nowhere() -> None:
    square = np.sign(np.sin(2 * np.pi * TIMES / 17))
    assert phase_drift(square, wave(40.0), 20, 400).shape > 0.9


def test_several_outputs_share_one_shift() -> None:
    both = np.stack([wave(40.0), np.cos(2 * np.pi * TIMES / 40)], axis=1)
    assert phase_drift(both[5:905], both[:900], 20, 200).shift == 5


def test_refusals() -> None:
    with pytest.raises(DesignError, match=r"^run must have the shape of the truth, \(9, 1\), not"):
        phase_drift(np.zeros(8), np.arange(9), 1, 2)
    with pytest.raises(DesignError, match=r"^window and shifts must fit into the 9 samples, not"):
        phase_drift(np.zeros(9), np.arange(9), 4, 2)
    with pytest.raises(DesignError, match=r"^truth must vary for a phase, not be constant"):
        phase_drift(np.zeros(9), np.zeros(9), 1, 2)


def test_of_several_periods_the_nearest_counts() -> None:
    truth = np.sin(2 * np.pi * np.arange(2000) / 60)
    run = truth[20:1520] + 1e-3 * np.cos(np.arange(1500))
    assert phase_drift(run, truth[22:1522], 62, 500).shift == -2
