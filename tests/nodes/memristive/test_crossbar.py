"""The crossbar readout: exact when all is off, each step alone, statistics of the cells."""

from dataclasses import replace

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.nodes.memristive.crossbar import Crossbar, CrossbarParameters
from tests.nodes.memristive.laws import Values
from tests.nodes.memristive.test_wires import dense_currents

HIGH = 25e-6
T0 = 20.0


def weights(outputs: int, inputs: int, seed: int = 1) -> Values:
    """Signed."""
    return np.random.default_rng(seed).normal(size=(outputs, inputs))


def states(samples: int, width: int, seed: int = 2) -> Values:
    """From -1 to 1."""
    return np.random.default_rng(seed).uniform(-1, 1, (samples, width))


def uniform_weights(share: float, size: int = 200) -> Values:
    """All positive at one share of the greatest, but for the one that sets the scale."""
    values = np.full((size, size), share)
    values[0, 0] = 1.0
    return values


def plus(bar: Crossbar) -> Values:
    """Conductances of the devices that carry `uniform_weights`, without the first."""
    return np.asarray(bar.conductances[0].ravel()[1:])


def test_with_all_off_it_is_the_exact_product() -> None:
    w, x = weights(3, 40), 5 * states(50, 40)
    bar = Crossbar(w)
    assert np.abs(bar.multiply(x) - x @ w.T).max() < 1e-12 * np.abs(x @ w.T).max()
    lifted = Crossbar(w, CrossbarParameters(low_conductance=1e-6))
    assert np.abs(lifted.multiply(x) - x @ w.T).max() < 1e-12 * np.abs(x @ w.T).max()
    seen = bar.measure(x)
    assert seen.clipped_inputs == 0 and seen.clipped_outputs == 0
    assert np.abs(seen.currents).max() < 40 * 5 * 0.2 * HIGH


def test_pairs_by_hand() -> None:
    """The greatest weight is at the highest conductance, its partner at the lowest."""
    bar = Crossbar(np.array([[2.0, -1.0, 0.0]]), CrossbarParameters(low_conductance=5e-6))
    assert bar.targets[0, :, 0] == pytest.approx([25e-6, 5e-6, 5e-6])
    assert bar.targets[1, :, 0] == pytest.approx([5e-6, 15e-6, 5e-6])


def test_cells_have_levels() -> None:
    """Two bits: 0, 1/3, 2/3, 1 of the highest; a weight moves by half a level at most."""
    w = weights(4, 30)
    bar = Crossbar(w, cell_bits=2)
    levels = np.unique(np.round(bar.conductances / HIGH * 3, 12))
    assert np.array_equal(levels, [0, 1, 2, 3])
    held = (bar.conductances[0] - bar.conductances[1]).T / HIGH * np.abs(w).max()
    assert np.abs(held - w).max() <= np.abs(w).max() / 6 * (1 + 1e-9)
    fine = Crossbar(w, cell_bits=16)
    assert np.abs(fine.multiply(states(5, 30)) - states(5, 30) @ w.T).max() < 1e-3


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_programming_error_of_pcm(share: float) -> None:
    """sigma(uS) = 0.26348 + 1.9650 x - 1.1731 x^2; 40,000 devices, so to 2 %."""
    bar = Crossbar(uniform_weights(share), kind="pcm", seed=3)
    sigma = (0.26348 + 1.9650 * share - 1.1731 * share**2) * 1e-6
    error = plus(bar) - share * HIGH
    assert error.std() == pytest.approx(sigma, rel=0.02)
    assert abs(error.mean()) < 5 * sigma / 200


def test_programming_error_scales_with_the_highest_conductance() -> None:
    p = CrossbarParameters(high_conductance=50e-6)
    bar = Crossbar(uniform_weights(0.5), p, kind="pcm", seed=3)
    assert np.std(plus(bar)) == pytest.approx(2 * (0.26348 + 0.98250 - 0.293275) * 1e-6, rel=0.02)


def test_no_conductance_is_negative() -> None:
    """Devices at 0 keep the upper half of their error: mean sigma / sqrt(2 pi)."""
    bar = Crossbar(uniform_weights(0.5), kind="pcm", seed=4)
    idle = bar.conductances[1]
    assert idle.min() == 0.0
    assert np.mean(idle == 0) == pytest.approx(0.5, abs=0.02)
    assert idle.mean() == pytest.approx(0.26348e-6 / np.sqrt(2 * np.pi), rel=0.03)


@pytest.mark.parametrize(
    ("time", "coefficients"),
    [
        (0.0, (0.348, 16.030, -43.853, 45.393, -16.815)),
        (86_400.0, (0.701, 22.086, -50.773, 47.095, -16.458)),
        (172_800.0, (0.782, 20.274, -43.507, 37.062, -11.934)),
    ],
)
def test_error_of_rram(time: float, coefficients: tuple[float, ...]) -> None:
    """A polynomial in x for each time, at x = 0.6, for 40 uS."""
    p = CrossbarParameters(high_conductance=40e-6)
    bar = Crossbar(uniform_weights(0.6), p, kind="rram", time=time, seed=5)
    sigma = sum(c * 0.6**k for k, c in enumerate(coefficients)) * 1e-6
    assert (plus(bar) - 24e-6).std() == pytest.approx(sigma, rel=0.02)


@pytest.mark.parametrize(
    ("share", "mean", "deviation"),
    [
        (0.5, 0.049, 0.008),  # both at their limits
        (0.1, -0.0155 * np.log(0.1) + 0.0244, -0.0125 * np.log(0.1) - 0.0059),
        (0.04, -0.0155 * np.log(0.04) + 0.0244, -0.0125 * np.log(0.04) - 0.0059),
    ],
)
def test_drift_of_pcm(share: float, mean: float, deviation: float) -> None:
    """g(t) = g(t0) (t / t0)^-nu at two times, with the same nu of each device."""
    exponents = []
    for time in (1e3, 1e6):
        bar = Crossbar(uniform_weights(share), kind="pcm", time=time, seed=6)
        exponents.append(-np.log(plus(bar) / (share * HIGH)) / np.log(time / T0))
    assert np.abs(exponents[0] - exponents[1]).max() < 1e-9
    # |mean + deviation * normal|, at worst a fiftieth of it folded
    assert exponents[0].mean() == pytest.approx(mean, rel=0.02)
    assert exponents[0].std() == pytest.approx(deviation, rel=0.04)


def test_drift_replaces_the_programming_error() -> None:
    """At t0 there is no drift yet, and no error either; levels are kept from before."""
    w = weights(3, 20)
    at_first = Crossbar(w, kind="pcm", time=T0, cell_bits=3)
    assert np.array_equal(at_first.conductances, at_first.targets)
    assert np.abs(Crossbar(w, kind="pcm", cell_bits=3).conductances - at_first.targets).max() > 1e-7
    later = Crossbar(w, kind="pcm", time=1e5, cell_bits=3)
    assert (later.conductances[later.targets > 0] < later.targets[later.targets > 0]).all()


def test_stuck_devices() -> None:
    """They come last: neither error nor drift moves them; shares to 3 standard errors."""
    p = CrossbarParameters(low_conductance=1e-6)
    for time in (0.0, 1e4):
        bar = Crossbar(
            uniform_weights(0.5), p, kind="pcm", time=time,
            stuck_low=0.09, stuck_high=0.0175, stuck_open=0.05, seed=7,
        )  # fmt: skip
        count = bar.conductances.size
        for stays, share in ((1e-6, 0.09), (HIGH, 0.0175)):
            found = np.mean(bar.conductances == stays)
            assert found == pytest.approx(share, abs=3 * np.sqrt(share / count))
        assert np.mean(bar.conductances[0] == 0) == pytest.approx(0.05, abs=0.004)
    every = Crossbar(weights(2, 5), stuck_high=1.0)
    assert (every.conductances == HIGH).all()
    assert np.abs(every.multiply(states(3, 5))).max() < 1e-12


def test_read_noise_is_new_in_each_multiplication() -> None:
    """Its variance is that of the sum over both arrays of (share g V)^2."""
    w = np.array([[1.0, -0.5, 0.25]])
    bar = Crossbar(w, CrossbarParameters(low_conductance=2e-6), read_noise=0.05, seed=8)
    x = np.array([0.3, -0.9, 0.6])
    found = bar.multiply(np.tile(x, (20_000, 1)))[:, 0]
    g = bar.conductances[:, :, 0]
    sigma = 0.05 * np.sqrt(((g * x * 0.2) ** 2).sum()) * bar.scale
    assert found.std() == pytest.approx(sigma, rel=0.02)
    assert found.mean() == pytest.approx(float(x @ w[0]), abs=5 * sigma / np.sqrt(20_000))


def test_flicker_of_pcm() -> None:
    """By the law of `cells`, on currents of single readings at t0 and after a day."""
    w = np.array([[1.0]])
    for time in (0.0, 86_400.0):
        bar = Crossbar(w, kind="pcm", time=time, flicker=True, seed=9)
        g = bar.conductances[0, 0, 0]
        found = bar.measure(np.ones((20_000, 1))).currents[:, 0] / 0.2
        seconds = max(time, T0)
        law = 0.0088 / (g / HIGH) ** 0.65 * np.sqrt(np.log((seconds + 250e-9) / 500e-9))
        partner = bar.conductances[1, 0, 0]
        other = min(0.0088 / max(partner / HIGH, 1e-7) ** 0.65, 0.2) * partner
        other *= np.sqrt(np.log((seconds + 250e-9) / 500e-9))
        assert found.std() == pytest.approx(np.hypot(law * g, other), rel=0.03)


@pytest.mark.parametrize("wire", [0.0, 5.0])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_chunks_give_the_bits_of_the_whole(wire: float, noise: float) -> None:
    p = CrossbarParameters(wire=wire)
    bar, x = Crossbar(weights(2, 9), p, read_noise=noise, adc_bits=8), states(20, 9)
    bar = bar.fitted(x)
    kept, whole = x.copy(), bar.multiply(x, first=100)
    assert np.array_equal(x, kept)
    for cut in (1, 7, 19):
        halves = [bar.multiply(x[:cut], first=100), bar.multiply(x[cut:], first=100 + cut)]
        assert np.array_equal(np.concatenate(halves), whole)
    assert np.array_equal(bar.multiply(x), whole) == (noise == 0)


def test_wires_take_their_share_of_both_arrays() -> None:
    """Against the dense nodal solution, array by array, and less than without."""
    w, x = weights(5, 30), states(4, 30)
    bar = Crossbar(w, CrossbarParameters(wire=2.0))
    for sample, found in zip(x, bar.measure(x).currents, strict=True):
        volts = 0.2 * sample
        both = [dense_currents(g, 2.0, volts) for g in bar.conductances]
        assert np.abs(found - (both[0] - both[1])).max() < 1e-9 * np.abs(both[0]).max()
    error = bar.multiply(x) - x @ w.T
    assert 1e-4 < np.abs(error).max() / np.abs(x @ w.T).max() < 0.1


def test_wires_meet_the_noisy_conductances() -> None:
    """One noisy multiplication is that of a crossbar whose devices are what the noise made them."""
    p = CrossbarParameters(wire=20.0)
    bar = Crossbar(weights(2, 6), p, read_noise=0.3, seed=3)
    ideal = replace(bar, parameters=CrossbarParameters())
    x = np.zeros((6, 6))
    np.fill_diagonal(x, 1.0)
    with_wires = np.array([bar.measure(x[n : n + 1], 5).currents[0] for n in range(6)])
    without = np.array([ideal.measure(x[n : n + 1], 5).currents[0] for n in range(6)])
    assert 0 < np.abs(with_wires / without - 1).max() < 0.05


def test_converters_have_levels_and_ends() -> None:
    """Three bits: seven levels, 0 among them; what lies outside is limited and counted."""
    bar = Crossbar(np.array([[1.0]]), dac_bits=3, input_bound=2.0)
    x = np.linspace(-3, 3, 601)[:, None]
    seen = bar.measure(x)
    assert np.unique(np.round(seen.values * 1.5, 9)) == pytest.approx(np.arange(-3, 4))
    assert seen.clipped_inputs == np.count_nonzero(np.abs(x) > 2)
    inside = np.abs(x) <= 2
    assert np.abs(seen.values - x)[inside].max() <= 2 / 6 + 1e-9
    out = Crossbar(np.array([[1.0]]), adc_bits=3, current_bound=0.2 * HIGH).measure(x)
    assert np.unique(np.round(out.values * 3, 9)) == pytest.approx(np.arange(-3, 4))
    assert out.clipped_outputs == np.count_nonzero(np.abs(x) > 1 + 1e-12)
    assert out.clipped_inputs == 0


def test_more_bits_are_more_exact() -> None:
    w, x = weights(3, 50), states(200, 50)
    errors = []
    for bits in (4, 8, 12):
        bar = Crossbar(w, dac_bits=bits, adc_bits=bits).fitted(x)
        errors.append(np.std(bar.multiply(x) - x @ w.T))
    assert errors[0] > 10 * errors[1] > 100 * errors[2] > 0


def test_fitted_ranges_hold_what_they_were_fitted_to() -> None:
    x = 3 * states(50, 10)
    bar = Crossbar(weights(2, 10), dac_bits=10, adc_bits=10).fitted(x)
    seen = bar.measure(x)
    assert bar.input_bound == np.abs(x).max()
    assert seen.clipped_inputs == 0 and seen.clipped_outputs == 0
    assert bar.measure(2 * x).clipped_inputs > 0


def test_seeds_give_other_devices() -> None:
    w = weights(2, 10)
    one, same, other = (Crossbar(w, kind="pcm", seed=seed).conductances for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert np.abs(one - other).min() >= 0 and not np.array_equal(one, other)


def test_refusals() -> None:
    w = weights(2, 3)
    with pytest.raises(DesignError, match=r"weights must have shape \(L, N\), not \(3,\)"):
        Crossbar(np.ones(3))
    with pytest.raises(DesignError, match="weights must be finite"):
        Crossbar(np.array([[np.nan]]))
    with pytest.raises(DesignError, match="weights must have one that is not 0"):
        Crossbar(np.zeros((2, 2)))
    with pytest.raises(DesignError, match="kind must be one of ideal, pcm, rram, not 'sonos'"):
        Crossbar(w, kind="sonos")
    with pytest.raises(DesignError, match="flicker must be of pcm, not of rram"):
        Crossbar(w, kind="rram", flicker=True)
    with pytest.raises(DesignError, match="cell bits must be from 1 to 24, not 0"):
        Crossbar(w, cell_bits=0)
    with pytest.raises(DesignError, match="ADC bits must be from 2 to 24, not 1"):
        Crossbar(w, adc_bits=1)
    with pytest.raises(DesignError, match="shares of stuck devices must be at least 0 and sum to"):
        Crossbar(w, stuck_low=0.6, stuck_high=0.5)
    with pytest.raises(DesignError, match="read noise must be finite and at least 0, not -1"):
        Crossbar(w, read_noise=-1)
    with pytest.raises(DesignError, match="input bound must be finite and above 0, not 0"):
        Crossbar(w, input_bound=0)
    with pytest.raises(DesignError, match="seed must be at least 0, not -1"):
        Crossbar(w, seed=-1)
    with pytest.raises(DesignError, match="time of pcm must be 0 or at least 20 s, not 5"):
        Crossbar(w, kind="pcm", time=5.0)
    with pytest.raises(DesignError, match="time of rram must be one of 1, 86400, 172800 s"):
        Crossbar(w, kind="rram", time=3600.0)
    with pytest.raises(DesignError, match="high conductance must be above the low one"):
        CrossbarParameters(low_conductance=30e-6)
    with pytest.raises(DesignError, match=r"inputs must have shape \(T, 3\), not \(4, 2\)"):
        Crossbar(w).multiply(np.zeros((4, 2)))
    with pytest.raises(DesignError, match="inputs must be finite, not NaN"):
        Crossbar(w).multiply(np.full((1, 3), np.inf))
    with pytest.raises(DesignError, match="ADC must have a current bound"):
        Crossbar(w, adc_bits=8).multiply(np.zeros((1, 3)))
    with pytest.raises(DesignError, match="inputs must be finite and not all 0 to fit"):
        Crossbar(w).fitted(np.zeros((4, 3)))
