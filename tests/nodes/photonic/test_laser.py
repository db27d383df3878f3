"""The laser: four derived numbers, closed forms, order, an integrator of scipy, laws of a node."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from rchw.errors import DesignError
from rchw.nodes import Node, Variation, vary
from rchw.nodes.photonic import LaserParameters, SemiconductorLaser

Values = NDArray[np.float64]
ALONE = LaserParameters(mirror=0.0, injection=0.0)


def driven(node: Node, samples: int, seed: int = 1) -> Values:
    """Random injected fields, up to the field of the laser itself."""
    return np.random.default_rng(seed).uniform(0, 1.4e10, (samples, node.n_drives))


def test_the_four_numbers_of_the_parameter_set() -> None:
    node = SemiconductorLaser(10)
    assert isinstance(node, Node)
    assert node.threshold[0] == pytest.approx(2.018e24, rel=5e-4)
    assert node.feedback[0] == pytest.approx(1.553e9, rel=5e-4)
    assert node.photons[0] == pytest.approx(2.10e20, rel=5e-3)
    assert node.relaxation[0] == pytest.approx(1.52e9, rel=5e-3)


def test_alone_it_stays_where_it_starts() -> None:
    """The closed form of the steady state, with and without saturation of the gain."""
    for saturation in (0.0, 1e-22):
        node = SemiconductorLaser(10, parameters=replace(ALONE, saturation=saturation))
        readings, after = node.run(np.zeros((100, 10)), node.start())
        np.testing.assert_allclose(readings, node.photons[0], rtol=1e-9)
        np.testing.assert_allclose(after[0], node.start()[0], rtol=1e-12)
    assert node.photons[0] < SemiconductorLaser(10, parameters=ALONE).photons[0]


def test_the_relaxation_oscillates_as_derived() -> None:
    """Carriers are raised by 0.1 %; the zeros of the oscillation give its frequency."""
    node = SemiconductorLaser(100, parameters=ALONE)
    state = node.start()
    state[0] *= 1.001
    readings, _ = node.run(np.zeros((8, 100)), state)
    swing = readings.ravel() / node.photons[0] - 1
    times = node.interval * np.arange(1, len(swing) + 1)
    at = np.flatnonzero(swing[1:] * swing[:-1] < 0)[2:]  # the first swings are not small
    zeros = times[at] + node.interval * swing[at] / (swing[at] - swing[at + 1])
    found = (len(zeros) - 1) / (2 * (zeros[-1] - zeros[0]))
    assert len(zeros) > 15
    assert found == pytest.approx(1.52e9, rel=0.01)
    assert found == pytest.approx(node.relaxation[0], rel=0.01)


def test_below_threshold_only_injected_light_is_there() -> None:
    node = SemiconductorLaser(10, parameters=replace(ALONE, pump=0.9, injection=1e10))
    assert node.photons[0] == 0
    dark, after = node.run(np.zeros((20, 10)), node.start())
    assert not dark.any() and after[0] == pytest.approx(0.9 * node.threshold[0])
    assert node.run(np.full((20, 10), 1e9), node.start())[0][-1, -1] > 1e15


def test_a_mode_of_the_external_cavity_is_kept() -> None:
    """Its shift solves w tau = -kappa tau sqrt(1 + a^2) sin(w0 tau + w tau + atan a)."""
    node = SemiconductorLaser(20, parameters=LaserParameters(mirror=2e-4, injection=0.0))
    tau, kappa, alpha = node.delay, node.feedback[0], 3.0
    phase = 2 * math.pi * math.fmod(299_792_458.0 / 1.537e-6 * tau, 1.0)
    shift = 0.0
    for _ in range(200):  # weak feedback: the iteration contracts
        shift = -kappa * math.hypot(1, alpha) * math.sin(phase + shift * tau + math.atan(alpha))
    carriers = node.threshold[0] - 2 * kappa * math.cos(phase + shift * tau) / 8.4e-13
    flow = 1.11 * node.threshold[0] - carriers
    photons = flow / 2.04e-9 / (8.4e-13 * (carriers - 1.4e24))
    moments = np.arange(-3000, 1) / 2 * node.step
    field = math.sqrt(photons) * np.exp(1j * shift * moments)
    line = np.stack([field.real, field.imag], axis=1)
    state = np.concatenate([[carriers], line[-1], line[:-1].ravel(), [0.0]])
    readings, after = node.run(np.zeros((100, 20)), state)
    np.testing.assert_allclose(readings, photons, rtol=1e-7)
    turned = complex(after[1], after[2]) / abs(complex(after[1], after[2]))
    assert abs(turned - np.exp(1j * shift * 100 * 20 * node.interval)) < 1e-6
    assert abs(readings[0, 0] / node.photons[0] - 1) > 2e-4  # not the laser without a mirror


# --- Integrators ---------------------------------------------------------------------------------


def test_without_delay_it_agrees_with_scipy() -> None:
    """The rate equations of amplitude, phase and carriers, under injection, written anew."""
    p = replace(ALONE, injection=2e10, saturation=1e-22)
    node = SemiconductorLaser(50, parameters=p)
    light = 5e9

    def slopes(_: float, y: Values) -> list[float]:
        amplitude, phase, carriers = y[0] * 1e10, y[1], y[2] * 1e24
        gain = 8.4e-13 * (carriers - 1.4e24) / (1 + 1e-22 * amplitude**2)
        net = (gain - 1 / 1.927e-12) / 2
        grows = net * amplitude + 2e10 * light * math.cos(phase)
        turns = 3 * net - 2e10 * light * math.sin(phase) / amplitude
        flow = 1.11 * (1.4e24 + 1 / (8.4e-13 * 1.927e-12)) / 2.04e-9
        flow -= carriers / 2.04e-9 + gain * amplitude**2
        return [grows / 1e10, turns, flow / 1e24]

    start = node.start()
    begin = [start[1] / 1e10, 0.0, start[0] / 1e24]
    times = node.interval * np.arange(1, 101)
    done = solve_ivp(
        slopes, (0, times[-1]), begin, "DOP853", times, rtol=1e-12, atol=1e-13, max_step=1e-11
    )
    mine = node.run(np.full((2, 50), light), start)[0].ravel()
    np.testing.assert_allclose(mine, (1e10 * done.y[0]) ** 2, rtol=1e-7)
    assert np.ptp(mine) > 0.1 * mine.mean()


def test_run_agrees_with_the_reference() -> None:
    """Three delays with feedback, injection and detuning; the bound is that of a step of 1 ps."""
    p = LaserParameters(detuning=2e9, saturation=1e-23)
    node = SemiconductorLaser(10, 2, vary(p, [Variation("mirror", 0.2)], 2, seed=1), delay=3e-10)
    drives = driven(node, 9)
    _, state = node.run(driven(node, 3, seed=2), node.start())
    fast, slow = node.run(drives, state), node.reference(drives, state)
    assert np.abs(fast[0] - slow[0]).max() < 1e-6 * slow[0].max()
    ours, theirs = (end[:-1].reshape(2, -1) for end in (fast[1], slow[1]))
    np.testing.assert_allclose(ours[:, 0], theirs[:, 0], rtol=1e-7)  # carriers
    assert np.abs(ours - theirs)[:, 1:].max() < 1e-6 * np.abs(theirs[:, 1:]).max()
    assert fast[1][-1] == slow[1][-1] == 12


def test_the_order_is_four() -> None:
    """With feedback, and with injected fields that jump at every interval."""
    p = LaserParameters(detuning=5e9, injection=3e10, mirror=0.02)
    drives, found = driven(SemiconductorLaser(10), 8), {}
    for halvings in range(6):
        node = SemiconductorLaser(10, parameters=p, delay=3e-10, step=1e-12 / 2**halvings)
        found[halvings] = node.run(drives, node.start())[0]
    errors = [np.abs(found[n] - found[5]).max() for n in range(4)]
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(slopes, 4, atol=0.35)


def test_an_interval_longer_than_the_delay_is_solved_in_parts() -> None:
    node = SemiconductorLaser(2, interval=50e-12, delay=20e-12)
    drives = driven(node, 4)
    fast, slow = node.run(drives, node.start())[0], node.reference(drives, node.start())[0]
    assert np.abs(fast - slow).max() < 1e-5 * slow.max()


# --- Laws of a node ------------------------------------------------------------------------------


@pytest.mark.parametrize("delay", [2e-12, 37e-12, 1.5e-9])
def test_chunks_give_the_same_bits(delay: float) -> None:
    node = SemiconductorLaser(7, 2, LaserParameters(detuning=3e9), delay=delay)
    drives = driven(node, 30)
    whole, end = node.run(drives, node.start())
    for cut in (0, 1, 13):
        first, between = node.run(drives[:cut], node.start())
        second, last = node.run(drives[cut:], between)
        np.testing.assert_array_equal(np.concatenate([first, second]), whole)
        np.testing.assert_array_equal(last, end)


def test_run_changes_no_argument() -> None:
    node = SemiconductorLaser(5, delay=50e-12)
    drives, state = driven(node, 2), node.start()
    node.run(drives, state)
    node.reference(drives, state)
    np.testing.assert_array_equal(drives, driven(node, 2))
    np.testing.assert_array_equal(state, node.start())


def test_lasers_are_independent_and_may_differ() -> None:
    nominal = LaserParameters()
    node = SemiconductorLaser(5, 3, vary(nominal, [Variation("pump", 0.02)], 3, seed=3))
    drives = driven(node, 6).reshape(6, 3, 5)
    together = node.run(drives.reshape(6, 15), node.start())[0].reshape(6, 3, 5)
    pumps = node.parameters.of_devices(3)["pump"]
    for d in range(3):
        alone = SemiconductorLaser(5, parameters=replace(nominal, pump=pumps[d]))
        np.testing.assert_array_equal(alone.run(drives[:, d], alone.start())[0], together[:, d])
    assert np.ptp(pumps) > 0


# --- Refusals ------------------------------------------------------------------------------------


def test_long_steps_are_refused() -> None:
    with pytest.raises(DesignError, match="step must be above 0 and at most 1e-12 s, not 2e-12"):
        SemiconductorLaser(5, step=2e-12)
    SemiconductorLaser(5, parameters=LaserParameters(injection=0.0), step=5e-12)
    with pytest.raises(DesignError, match="step must be above 0 and at most 5e-12 s, not 1e-11"):
        SemiconductorLaser(5, parameters=LaserParameters(injection=0.0), step=1e-11)
    with pytest.raises(DesignError, match=r"for a rate of 6.28319e[+]11 /s, not 1e-12"):
        SemiconductorLaser(5, parameters=LaserParameters(detuning=-100e9))
    far = SemiconductorLaser(5, parameters=replace(ALONE, photon_lifetime=1e-15))
    with pytest.raises(DesignError, match="step must be short enough to stay finite, not 1e-12 s"):
        far.run(np.zeros((50, 5)), far.start() * 1.5)


def test_bad_values_are_refused() -> None:
    node = SemiconductorLaser(4)
    with pytest.raises(DesignError, match=r"drives must have shape \(T, 4\), not \(3, 5\)"):
        node.run(np.zeros((3, 5)), node.start())
    with pytest.raises(DesignError, match=r"drive must be from -1e[+]11 to 1e[+]11 m.-1.5"):
        node.run(np.full((3, 4), 2e11), node.start())
    with pytest.raises(DesignError, match=r"state must have shape \(6004,\), not \(3,\)"):
        node.run(np.zeros((1, 4)), np.zeros(3))
    for wrong in (1.05e-11, 0.0, math.nan):
        with pytest.raises(DesignError, match="interval must be a multiple of the step of 1e-12 s"):
            SemiconductorLaser(4, interval=wrong)
    with pytest.raises(DesignError, match=r"delay must be .* at least 2 of it, not 1e-12 s"):
        SemiconductorLaser(4, delay=1e-12)
    with pytest.raises(DesignError, match="limit must be finite and above 0, not 0"):
        SemiconductorLaser(4, limit=0.0)
    with pytest.raises(DesignError, match="facet must be above 0 and below 1, not 1"):
        LaserParameters(facet=1.0)
