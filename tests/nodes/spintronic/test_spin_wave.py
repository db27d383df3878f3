"""The spin-wave ring: the map against an integrator, threshold, rest, echoes, and its limits."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.spintronic.spin_wave import SpinWaveRing, SpinWaveRingParameters
from tests.nodes.spintronic.shared import currents, obeys_the_contract, slope

Values = NDArray[np.float64]

SPREAD = SpinWaveRingParameters(
    amplification=(24.0, 26.0, 29.0),
    insertion_loss=(20.0, 19.0, 21.0),
    damping=(4e6, 5e6, 0.0),
    saturation=(1e-3, 2e-3, 1e-4),
    noise=(1e-7, 1e-5, 1e-6),
    response=(10e-9, 3e-9, 40e-9),
)
NODES = {
    "short ring": SpinWaveRing(1, 20),
    "long ring": SpinWaveRing(2, 4, round_trip=11),
    "one interval": SpinWaveRing(1, 5, round_trip=1),
    "spread": SpinWaveRing(3, 4, SPREAD, round_trip=4),
}
FAST = SpinWaveRingParameters(response=1e-10)  # of no memory beyond the ring
LOSSLESS = SpinWaveRingParameters(insertion_loss=20.0, damping=0.0, noise=1e-9)


def ring(gain: float, base: SpinWaveRingParameters = LOSSLESS, **changes: int) -> SpinWaveRing:
    """One ring of a gain in decibel."""
    return SpinWaveRing(1, 1, replace(base, amplification=20.0 + gain), **changes)


@pytest.mark.parametrize("name", NODES)
def test_the_map_is_the_equation(name: str) -> None:
    """Relative 1e-9, from a state off rest, over a number of intervals that is no whole round."""
    node = NODES[name]
    state = node.start() * np.random.default_rng(2).uniform(0.5, 1.5, node.n_state)
    drives = currents(node, 7, -3.0, 3.0)
    for mine, theirs in zip(node.run(drives, state), node.reference(drives, state), strict=True):
        assert np.allclose(mine, theirs, rtol=1e-9, atol=0)


@pytest.mark.parametrize("name", NODES)
def test_contract(name: str) -> None:
    obeys_the_contract(NODES[name], currents(NODES[name], 9, -3.0, 3.0))


def test_the_recursion_by_hand() -> None:
    node = SpinWaveRing(1, 3, round_trip=2, interval=5e-9)
    gains = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]])
    readings, end = node.run(gains, np.array([2e-4, 1e-4]))
    keep, powers = math.exp(-0.5), [2e-4, 1e-4]
    loss = 20 + 20 * math.log10(math.e) * 4.4e6 * 2 * 5e-9
    for change in gains.ravel():
        gain = 10 ** ((26 - loss + change) / 10)
        fed = gain * (powers[-2] + 1e-7) / (1 + powers[-2] / 1e-3)
        powers.append(keep * powers[-1] + (1 - keep) * fed)
    assert readings.ravel() == pytest.approx(powers[2:], rel=1e-12)
    assert np.array_equal(end, readings.ravel()[-2:])


def test_ring_gain() -> None:
    assert SpinWaveRing(2, 1).ring_gain == pytest.approx([0.6494] * 2, abs=1e-4)
    assert ring(1.5).ring_gain[0] == pytest.approx(1.5)


@pytest.mark.parametrize("name", NODES)
@pytest.mark.parametrize("gain", [-3.0, 0.0, 2.0])
def test_at_rest_nothing_moves(name: str, gain: float) -> None:
    node = NODES[name]
    levels = tuple(node.parameters.of_devices(node.n_devices)["amplification"] + gain)
    node = replace(node, parameters=replace(node.parameters, amplification=levels))
    readings, _ = node.run(np.zeros((20, node.n_drives)), node.start())
    rest = node.start().reshape(node.n_devices, -1)[:, :1].repeat(node.n_virtual, axis=1).ravel()
    assert (node.start() > 0).all()
    assert np.allclose(readings, rest, rtol=1e-12, atol=0)


def test_threshold() -> None:
    """Above it the rest is P_s (G - 1), below it the noise times G / (1 - G)."""
    gain = 10**0.3
    assert ring(3.0).start()[0] == pytest.approx(1e-3 * (gain - 1), rel=1e-4)
    assert ring(-3.0).start()[0] == pytest.approx(1e-9 / (gain - 1), rel=1e-4)
    for start in (1e-6, 1e-2):
        readings, _ = ring(3.0).run(np.zeros((900, 1)), np.full(14, start))
        assert readings[-1, 0] == pytest.approx(1e-3 * (gain - 1), rel=1e-4)


def test_a_weak_wave_grows_by_the_gain_in_every_round() -> None:
    node = ring(2.0, replace(FAST, damping=0.0, noise=1e-15), round_trip=5)
    readings, _ = node.run(np.zeros((20, 1)), np.full(5, 1e-9))
    assert readings[4::5, 0] == pytest.approx(1e-9 * 10 ** (0.2 * np.arange(1, 5)), rel=1e-4)


def test_an_input_comes_back_with_every_round() -> None:
    """And at no other time; by the slope of the map at rest, which is 1 / G for a strong wave."""
    node = ring(3.0, replace(FAST, damping=0.0, noise=1e-12), round_trip=6)
    gains = np.zeros((20, 1))
    gains[0] = 0.01
    change = (node.run(gains, node.start())[0] - node.start()[0])[:, 0]
    assert np.flatnonzero(np.abs(change) > 1e-3 * change[0]).tolist() == [0, 6, 12, 18]
    assert change[[6, 12, 18]] / change[[0, 6, 12]] == pytest.approx([10**-0.3] * 3, rel=2e-3)


def test_held_intervals_tend_to_the_equation_with_a_film_that_holds_nothing() -> None:
    """Halving the intervals halves the difference."""
    gains = np.random.default_rng(3).uniform(-2, 2, 30)

    def last(parts: int) -> float:
        node = SpinWaveRing(1, 1, round_trip=4 * parts, interval=10e-9 / parts)
        readings, _ = node.run(np.repeat(gains, parts)[:, None], node.start())
        return float(readings[-1, 0])

    exact = 2 * last(256) - last(128)
    parts = [4, 8, 16, 32]
    errors = [abs(last(count) - exact) for count in parts]
    assert slope([1 / count for count in parts], errors) == pytest.approx(1, abs=0.1)


def test_devices_do_not_see_each_other() -> None:
    node = NODES["spread"]
    drives = currents(node, 8, -3.0, 3.0)
    second = SpinWaveRingParameters(26.0, 19.0, 5e6, 2e-3, 1e-5, 3e-9)
    one = SpinWaveRing(1, 4, second, round_trip=4)
    alone, _ = one.run(drives[:, 4:8], one.start())
    assert np.array_equal(node.run(drives, node.start())[0][:, 4:8], alone)


def test_refusals() -> None:
    node = SpinWaveRing(1, 2)
    with pytest.raises(DesignError, match=r"^drive must be from -6 to 6 dB.*not 7 at sample 0"):
        node.run(np.array([[7.0, 0.0]]), node.start())
    with pytest.raises(DesignError, match=r"^state must be at least 0 W, not -1 W$"):
        node.run(np.zeros((1, 2)), -np.ones(14))
    with pytest.raises(DesignError, match=r"^state must have shape \(14,\), not \(3,\)$"):
        node.run(np.zeros((1, 2)), np.zeros(3))
    with pytest.raises(DesignError, match=r"^round trip must be at least 1 interval, not 0$"):
        SpinWaveRing(1, 1, round_trip=0)
    with pytest.raises(DesignError, match=r"^interval must be finite and above 0, not 0.0$"):
        SpinWaveRing(1, 1, interval=0.0)
    with pytest.raises(DesignError, match=r"^devices must be at least 1, not 0$"):
        SpinWaveRing(0, 1)
    with pytest.raises(DesignError, match=r"^noise must be above 0 W, not 0$"):
        SpinWaveRingParameters(noise=0.0)
    with pytest.raises(DesignError, match=r"^saturation must be above 0 W, not -1$"):
        SpinWaveRingParameters(saturation=-1.0)
    with pytest.raises(DesignError, match=r"^damping must be one value or 2, one per device"):
        SpinWaveRing(2, 1, SpinWaveRingParameters(damping=(1e6, 2e6, 3e6)))
