"""The observation: bandwidth, noise, converter, each by its law."""

import math
from typing import Any

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.nodes.observe import Observation, Observed


def observed(seen: Observation, readings: np.ndarray, devices: int = 1) -> Observed:
    """Observe from sample 0 with detectors at rest, a millisecond between readings."""
    return seen.observe(readings, 1e-3, np.zeros(devices), 0)


def test_nothing_in_the_way_changes_nothing() -> None:
    readings = np.random.default_rng(1).normal(size=(20, 6))
    found = observed(Observation(), readings)
    assert np.array_equal(found.values, readings)
    assert found.codes is None and found.clipped == 0


def test_noise_has_its_power_and_is_white() -> None:
    zeros = np.zeros((2000, 50))
    noise = observed(Observation(noise_absolute=0.3, seed=5), zeros).values
    assert abs(noise.std() - 0.3) < 0.003 and abs(noise.mean()) < 0.004
    for a, b in ((noise[1:], noise[:-1]), (noise[:, 1:], noise[:, :-1])):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.015
    assert abs(np.mean(noise**4) / 0.3**4 - 3) < 0.1  # a normal law
    steady = observed(Observation(noise_relative=0.01, seed=5), zeros + 4.0).values
    assert abs((steady - 4).std() - 0.04) < 0.001


def test_noise_depends_on_seed_and_number_of_the_sample_alone() -> None:
    seen = Observation(noise_absolute=1.0, seed=2)
    whole = observed(seen, np.zeros((30, 5))).values
    later = seen.observe(np.zeros((10, 5)), 1e-3, np.zeros(1), 20).values
    assert np.array_equal(whole[20:], later)
    other = observed(Observation(noise_absolute=1.0, seed=3), np.zeros((30, 5))).values
    assert not np.isin(other, whole).any()
    assert len(np.unique(whole)) == 150


def test_two_noises_add_their_powers() -> None:
    readings = np.full((4000, 20), -5.0)
    noisy = observed(Observation(0.3, 0.08, seed=6), readings).values
    assert abs((noisy - readings).std() - 0.5) < 0.005


def test_what_tells_units_apart_is_no_signal() -> None:
    """Means that lie far apart carry nothing in time, so they buy no noise."""
    rng = np.random.default_rng(8)
    varying = rng.normal(size=(2000, 10))
    near, far = (Observation().at_snr(20.0, varying + gap * np.arange(10)) for gap in (0, 100))
    assert far.noise_absolute == pytest.approx(near.noise_absolute, rel=1e-9)


def test_matching_leaves_room_for_the_noise() -> None:
    readings = np.random.default_rng(9).uniform(-1, 1, (500, 4))
    quiet, noisy = (
        Observation(seed=1).matched(readings, 1e-3, 1, snr_decibels=snr, adc_bits=8)
        for snr in (None, 0.0)
    )
    assert (quiet.low, quiet.high) == pytest.approx((-1.1, 1.1), abs=0.01)
    assert noisy.high is not None and noisy.high > 2
    assert observed(noisy, readings).clipped == 0


@pytest.mark.parametrize("decibels", [0.0, 20.0, 40.0])
def test_a_signal_to_noise_ratio_is_met(decibels: float) -> None:
    rng = np.random.default_rng(3)
    readings = 5.0 + rng.normal(size=(4000, 20)) * rng.uniform(0.5, 2.0, 20)
    noisy = observed(Observation().at_snr(decibels, readings), readings).values
    ratio = readings.var(axis=0).mean() / (noisy - readings).var()
    assert abs(10 * math.log10(ratio) - decibels) < 0.1


def test_the_converter_is_the_encoder_of_a_design() -> None:
    seen = Observation(bits=4, low=-1.0, high=3.0)
    readings = np.linspace(-2, 4, 601)[:, None]
    found = observed(seen, readings)
    assert found.codes is not None
    assert seen.format == QFormat(4, 3)
    assert found.codes.min() == -8 and found.codes.max() == 7
    assert np.array_equal(found.codes, seen.encoder.encode(readings, seen.format))
    inside = np.abs(readings - 1) < 1.75
    assert np.abs(found.values - readings)[inside].max() <= 0.125 + 1e-12
    assert found.clipped == int(np.sum((readings < -1) | (readings > 3)))


def test_full_scale_is_that_of_the_readings_and_some_room() -> None:
    fitted = Observation(bits=8).fitted([[1.0], [3.0]], margin=0.1)
    assert (fitted.low, fitted.high) == (0.8, 3.2)
    assert observed(fitted, np.array([[1.0], [3.0]])).clipped == 0
    with pytest.raises(DesignError, match=r"^readings must vary to fit the full scale, not be 2 "):
        Observation(bits=8).fitted([[2.0], [2.0]])


def test_a_detector_of_first_order_answers_a_step() -> None:
    """1 - exp(-2 pi f t) at the end of every interval, device by device."""
    readings = np.ones((4, 6))  # two devices, three readings each
    readings[:, 3:] *= -2
    found = observed(Observation(bandwidth=50.0), readings, devices=2)
    times = 1e-3 * np.arange(1, 13).reshape(4, 3)
    want = 1 - np.exp(-2 * np.pi * 50 * times)
    assert np.allclose(found.values, np.hstack([want, -2 * want]), rtol=1e-12, atol=0)
    assert np.allclose(found.filters, [want[-1, -1], -2 * want[-1, -1]], rtol=1e-12, atol=0)


def test_a_detector_goes_on_where_it_was() -> None:
    readings = np.random.default_rng(7).normal(size=(9, 6))
    seen = Observation(bandwidth=80.0)
    whole = observed(seen, readings, devices=2)
    first = observed(seen, readings[:4], devices=2)
    second = seen.observe(readings[4:], 1e-3, first.filters, 4)
    assert np.array_equal(np.concatenate([first.values, second.values]), whole.values)


def test_no_sample_is_no_sample() -> None:
    seen = Observation(1.0, 0.1, 50.0, 8, -1.0, 1.0)
    found = seen.observe(np.zeros((0, 6)), 1e-3, np.array([0.5, 0.25]), 7)
    assert found.values.shape == (0, 6) and found.filters.tolist() == [0.5, 0.25]


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        ({"noise_absolute": -1.0}, r"^absolute noise must be finite and at least 0, not -1\.0$"),
        ({"noise_relative": math.nan}, r"^relative noise must be finite and at least 0, not nan$"),
        ({"bandwidth": 0.0}, r"^bandwidth must be above 0 Hz, not 0\.0$"),
        ({"bits": 1}, r"^ADC bits must be from 2 to 24, not 1$"),
        ({"low": 1.0}, r"^full scale must have both ends, not 1\.0 and None$"),
        ({"low": 1.0, "high": 1.0}, r"^full scale must be finite and rise, not go from 1\.0 to "),
    ],
)
def test_bad_observations_are_refused(seen: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        Observation(**seen)


def test_codes_need_bits_and_a_full_scale() -> None:
    with pytest.raises(DesignError, match=r"^ADC bits must be given for codes, not left out$"):
        _ = Observation().format
    with pytest.raises(
        DesignError, match=r"^full scale must be given or fitted for codes, not left out$"
    ):
        observed(Observation(bits=8), np.ones((2, 2)))
    with pytest.raises(DesignError, match=r"^signal-to-noise ratio must be a finite number of dB"):
        Observation().at_snr(math.inf, np.ones((2, 2)))
