"""The microring: closed forms of its linear limit, order, scipy, its three regimes, laws."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq

from rchw.errors import DesignError
from rchw.nodes import Node, Variation, vary
from rchw.nodes.photonic import Microring, MicroringParameters

Values = NDArray[np.float64]
LINEAR = MicroringParameters(kerr=0.0, two_photon=0.0, absorbed=0.0)


def driven(node: Node, samples: int, seed: int = 1) -> Values:
    """Random powers."""
    return np.random.default_rng(seed).uniform(0, 5e-3, (samples, node.n_drives))


def constants(p: MicroringParameters) -> tuple[float, float, float]:
    """Loss, coupling and total rate of the default ring, by hand."""
    light = 299_792_458 / 4.08
    loss, coupling = light * 46.0, light * 0.02 / (2 * math.pi * 50e-6)
    return loss, coupling, loss + 2 * coupling


# --- The linear limit ----------------------------------------------------------------------------


def test_quality_and_lifetime_are_those_of_the_rates() -> None:
    node, total = Microring(1), constants(LINEAR)[2]
    assert isinstance(node, Node)
    assert node.photon_lifetime[0] == pytest.approx(1 / total)
    assert node.quality[0] == pytest.approx(2 * math.pi * 299_792_458 / 1.55e-6 / total)
    assert 5e4 < node.quality[0] < 2e5


@pytest.mark.parametrize("detuning", [-4e9, -0.7e9, 0.0, 2e9])
def test_the_linear_limit_is_a_lorentzian(detuning: float) -> None:
    """And on the way there the field is one exponential, whatever the step."""
    _, coupling, total = constants(LINEAR)
    power, node = 1e-3, Microring(100, parameters=replace(LINEAR, detuning=detuning))
    readings = node.run(np.full((1, 100), power), node.start())[0][0]
    rate = total / 2 - 2j * math.pi * detuning
    times = node.interval * np.arange(1, 101)
    wanted = coupling**2 * power * np.abs((1 - np.exp(-rate * times)) / rate) ** 2
    np.testing.assert_allclose(readings, wanted, rtol=1e-11)
    lorentzian = coupling**2 * power / ((2 * math.pi * detuning) ** 2 + total**2 / 4)
    assert readings[-1] == pytest.approx(lorentzian, rel=1e-9)


def test_little_light_is_linear() -> None:
    """Three regimes, first: the share of the power that is dropped does not depend on it."""
    shares = []
    for power in (1e-9, 1e-8, 1e-7):
        node = Microring(50)
        shares.append(node.run(np.full((300, 50), power), node.start())[0][-1, -1] / power)
    np.testing.assert_allclose(shares, shares[0], rtol=1e-4)
    assert shares[0] < 1


def settled(power: float, detuning: float) -> Values:
    """Dropped shares of the last 0.4 us of 2 us under constant power."""
    node = Microring(50, parameters=MicroringParameters(detuning=detuning))
    return node.run(np.full((1000, 50), power), node.start())[0][800:].ravel() / power


def test_more_light_bends_the_resonance_and_much_more_makes_it_pulse() -> None:
    """Second regime: red shift by heat, still constant. Third: below the resonance it pulses."""
    weak, bent, pulsing = settled(1e-7, -1e9), settled(3e-4, 1e9), settled(5e-3, -1e9)
    assert np.ptp(weak) < 1e-5 * weak.mean()
    assert np.ptp(bent) < 1e-3 * bent.mean()
    assert bent.mean() > 1.03 * settled(1e-7, 1e9).mean()
    assert np.ptp(pulsing) > pulsing.mean()


def test_the_steady_state_is_that_of_the_equations() -> None:
    """Of one energy follow carriers, heat, shift and loss; it must be the energy they leave."""
    loss, coupling, total = constants(LINEAR)
    light, length = 299_792_458 / 4.08, 2 * math.pi * 50e-6
    w, power, detuning = 2 * math.pi * 299_792_458 / 1.55e-6, 3e-4, 1e9

    def excess(u: float) -> float:
        two = 0.75e-11 * light**2 / (0.1289e-12 * length) * u
        pairs = 2 * 1.054571817e-34 * w * (0.116e-12 * length) ** 2
        carriers = 10e-9 * 0.75e-11 * light**2 / pairs * u**2
        more = two + 14.5e-22 * light * carriers
        heat = (0.5 * loss + more) * u * 100e-9 / (2.329e6 * 0.713 * 0.204e-12 * length)
        shift = 4.5e-18 * light / (0.1289e-12 * length) * u + 1.86e-4 * heat
        shift -= 8.8e-22 * carriers * 1e-6 + 8.5e-18 * (carriers * 1e-6) ** 0.8
        off = 2 * math.pi * detuning - w / 4.08 * shift
        return float(coupling * power / (off**2 + (total + more) ** 2 / 4) - u)

    wanted = coupling * brentq(excess, 1e-18, 1e-12, xtol=1e-30, rtol=1e-14)
    node = Microring(50, parameters=MicroringParameters(detuning=detuning))
    last = node.run(np.full((2000, 50), power), node.start())[0][-1, -1]
    assert last == pytest.approx(wanted, rel=1e-8)


# --- Integrators ---------------------------------------------------------------------------------


def test_run_agrees_with_the_reference() -> None:
    """All effects at work, two rings; the bound is that of the default step."""
    nominal = MicroringParameters(detuning=-1e9)
    node = Microring(5, 2, vary(nominal, [Variation("loss", 0.2)], 2, seed=1))
    _, state = node.run(driven(node, 100, seed=2), node.start())
    drives = driven(node, 12)
    fast, slow = node.run(drives, state), node.reference(drives, state)
    assert np.abs(fast[0] - slow[0]).max() < 1e-5 * slow[0].max()
    np.testing.assert_allclose(
        fast[1].reshape(2, 4)[:, 2:], slow[1].reshape(2, 4)[:, 2:], rtol=1e-5
    )


def test_the_order_is_four() -> None:
    """From a ring that is lit already; the finest agrees with scipy to 1e-9."""
    nominal = MicroringParameters(detuning=-1e9)
    first = Microring(10, parameters=nominal)
    drives, found = driven(first, 20), {}
    _, state = first.run(driven(first, 50, seed=2), first.start())
    for halvings in range(6):
        node = Microring(10, parameters=nominal, step=10e-12 / 2**halvings)
        found[halvings] = node.run(drives, state)[0]
    errors = [np.abs(found[n] - found[5]).max() for n in range(4)]
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(slopes, 4, atol=0.2)
    slow = first.reference(drives, state)[0]
    assert np.abs(found[5] - slow).max() < 1e-9 * slow.max()


# --- Laws of a node ------------------------------------------------------------------------------


def test_darkness_lasts_and_what_was_there_decays() -> None:
    node = Microring(10)
    readings, after = node.run(np.zeros((20, 10)), node.start())
    assert not readings.any() and not after.any()
    state = np.array([0.0, 0.0, 1e23, 2.0])
    _, after = node.run(np.zeros((20, 10)), state)
    span = 200 * node.interval
    np.testing.assert_allclose(
        after, [0, 0, 1e23 * math.exp(-span / 10e-9), 2 * math.exp(-span / 100e-9)], rtol=1e-10
    )


def test_chunks_give_the_same_bits() -> None:
    node = Microring(7, 2)
    drives = driven(node, 30)
    whole, end = node.run(drives, node.start())
    for cut in (0, 1, 13):
        first, between = node.run(drives[:cut], node.start())
        second, last = node.run(drives[cut:], between)
        np.testing.assert_array_equal(np.concatenate([first, second]), whole)
        np.testing.assert_array_equal(last, end)


def test_run_changes_no_argument() -> None:
    node = Microring(3)
    drives, state = driven(node, 2), np.array([1e-8, 1e-8, 1e20, 0.1])
    node.run(drives, state)
    node.reference(drives, state)
    np.testing.assert_array_equal(drives, driven(node, 2))
    np.testing.assert_array_equal(state, [1e-8, 1e-8, 1e20, 0.1])


def test_rings_are_independent_and_may_differ() -> None:
    nominal = MicroringParameters()
    spread = [Variation("input_coupling", 0.1), Variation("carrier_lifetime", 0.1)]
    node = Microring(5, 3, vary(nominal, spread, 3, seed=3))
    drives = driven(node, 6).reshape(6, 3, 5)
    together = node.run(drives.reshape(6, 15), node.start())[0].reshape(6, 3, 5)
    p = node.parameters.of_devices(3)
    for d in range(3):
        own = {name: float(p[name][d]) for name in ("input_coupling", "carrier_lifetime")}
        alone = Microring(5, parameters=replace(nominal, **own))
        np.testing.assert_array_equal(alone.run(drives[:, d], alone.start())[0], together[:, d])
    assert np.ptp(p["input_coupling"]) > 0


def test_bad_values_are_refused() -> None:
    words = r"step must be above 0 and at most 1\.57e-11 s, a fifth of the photon lifetime"
    with pytest.raises(DesignError, match=words):
        Microring(5, step=20e-12)
    with pytest.raises(DesignError, match="interval must be a multiple of the step of 1e-11 s"):
        Microring(5, interval=45e-12)
    with pytest.raises(DesignError, match="limit must be finite and above 0, not inf"):
        Microring(5, limit=math.inf)
    with pytest.raises(DesignError, match="virtual nodes must be at least 1, not 0"):
        Microring(0)
    with pytest.raises(DesignError, match="absorbed must be at least 0 and at most 1, not 2"):
        MicroringParameters(absorbed=2.0)
    node = Microring(4)
    with pytest.raises(DesignError, match=r"drives must have shape \(T, 4\), not \(3, 5\)"):
        node.run(np.zeros((3, 5)), node.start())
    for power in (-1e-3, 0.02):
        with pytest.raises(DesignError, match=r"drive must be from 0 to 0\.01 W"):
            node.run(np.full((3, 4), power), node.start())
    with pytest.raises(DesignError, match=r"state must have shape \(4,\), not \(3,\)"):
        node.run(np.zeros((1, 4)), np.zeros(3))
    wild = Microring(4, limit=1e12)
    with pytest.raises(DesignError, match="step must be short enough to stay finite"):
        wild.run(np.full((50, 4), 1e12), wild.start())
