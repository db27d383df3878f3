"""Telegraph switches: the master equation, dwell times, stationary law, autocorrelation."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.spintronic import superparamagnetic
from rchw.nodes.spintronic.superparamagnetic import Superparamagnetic, SuperparamagneticParameters
from tests.nodes.spintronic.shared import currents, obeys_the_contract

Values = NDArray[np.float64]

PLAIN = SuperparamagneticParameters(parallel=1.0, antiparallel=2.0)
SPREAD = SuperparamagneticParameters(
    attempt_time=(1e-9, 5e-9), barrier=(6.0, 3.0), critical=(0.5, 0.8), parallel=(1e-4, 2e-4)
)
NODES = {
    "mean": Superparamagnetic(2, 3),
    "mean, spread": Superparamagnetic(2, 3, None, SPREAD),
    "one": Superparamagnetic(4, 2, 1, seed=3),
    "ensemble": Superparamagnetic(2, 3, 7, SPREAD, seed=4),
    "many": Superparamagnetic(1, 3, 1000, seed=2),
}


def antiparallel(node: Superparamagnetic, readings: Values) -> Values:
    """Share of antiparallel junctions behind conductances of 1 S to 2 S."""
    assert node.parameters is PLAIN
    return readings - 1


@pytest.mark.parametrize("name", NODES)
def test_closed_form_is_the_master_equation(name: str) -> None:
    """Relative 1e-9 for the mean; the very same switches where there is chance."""
    node = NODES[name]
    drives = currents(node, 4, -0.5, 0.5)
    fast, end = node.run(drives, node.start())
    slow, after = node.reference(drives, node.start())
    if node.members is None:
        assert np.allclose(fast, slow, rtol=1e-9, atol=0)
        assert np.allclose(end, after, rtol=1e-9, atol=1e-12)
    else:
        assert np.array_equal(fast, slow) and np.array_equal(end, after)
        assert np.ptp(fast) > 0 and (np.ptp(fast, axis=0) > 0).any()


@pytest.mark.parametrize("name", NODES)
def test_contract(name: str) -> None:
    obeys_the_contract(NODES[name], currents(NODES[name], 9, -0.5, 0.5))


def test_blocks_of_numbers_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    node = NODES["ensemble"]
    drives = currents(node, 20, -0.5, 0.5)
    whole, end = node.run(drives, node.start())
    monkeypatch.setattr(superparamagnetic, "_NUMBERS", 50)
    parts, after = node.run(drives, node.start())
    assert np.array_equal(parts, whole) and np.array_equal(after, end)


def test_intervals_compose() -> None:
    """An exact flow over two times is the flow over their sum."""
    long, short = Superparamagnetic(1, 1, interval=600e-9), Superparamagnetic(1, 3, interval=2e-7)
    for voltage in (-0.5, 0.1, 0.4):
        one, _ = long.run(np.full((2, 1), voltage), long.start())
        three, _ = short.run(np.full((2, 3), voltage), short.start())
        assert np.allclose(one[:, 0], three[:, 2], rtol=1e-12, atol=0)


def test_mean_dwell_times_by_hand() -> None:
    """22 us at a barrier of 10, 0.49 s at 20; at the critical voltage the attempt time."""
    for barrier, time in ((10.0, 22e-6), (20.0, 0.49)):
        node = Superparamagnetic(1, 1, parameters=SuperparamagneticParameters(barrier=barrier))
        assert node.dwell_times(0.0) == pytest.approx(np.full((2, 1), time), rel=0.01)
        assert node.dwell_times(0.5)[0, 0] == pytest.approx(1e-9)
        assert node.dwell_times(0.25)[1, 0] == pytest.approx(1e-9 * math.exp(1.5 * barrier))
    assert node.correlation_time(0.0)[0] == pytest.approx(node.dwell_times(0.0)[0, 0] / 2)


@pytest.mark.parametrize("voltage", [0.0, 0.05])
def test_measured_dwell_times(voltage: float) -> None:
    """Mean and survival of the dwell times of 200 single junctions, read 100 times per dwell.

    A dwell of k readings is geometric, with the chance to leave of the exact law; what the readings
    miss makes the mean longer than the law of Neel and Brown by less than 1.5 %.
    """
    probe = Superparamagnetic(200, 1, 1, PLAIN)
    times = probe.dwell_times(voltage)[:, 0]
    node = replace(probe, interval=float(times.min()) / 100, seed=7)
    share = antiparallel(node, node.run(np.full((40_000, 200), voltage), node.start())[0])
    rest = probe.antiparallel_probability(voltage)[0]
    faded = 1 - math.exp(-node.interval / probe.correlation_time(voltage)[0])
    for level, leaving in ((0, rest * faded), (1, (1 - rest) * faded)):
        lengths: list[int] = []
        for column in share.T:
            edges = np.flatnonzero(np.diff(column)) + 1
            inner = np.diff(edges)  # first and last dwell are cut, and are left out
            lengths += list(inner[column[edges[:-1]] == level])
        dwell = np.array(lengths)
        error = dwell.std() / math.sqrt(len(dwell))
        assert len(dwell) > 5_000 and error < 0.015 * dwell.mean()
        assert abs(dwell.mean() - 1 / leaving) < 5 * error
        assert node.interval / leaving == pytest.approx(times[level], rel=0.015)
        for count in (20, 100, 200):
            expected = (1 - leaving) ** count
            spread = math.sqrt(expected * (1 - expected) / len(dwell))
            assert abs((dwell > count).mean() - expected) < 5 * spread


@pytest.mark.parametrize("voltage", [-0.2, 0.0, 0.05, 0.3])
def test_stationary_probability(voltage: float) -> None:
    """The mean moment is tanh(Delta V / Vc), that of a p-bit; the spread that of a binomial law."""
    members = 10
    node = Superparamagnetic(400, 1, members, PLAIN, interval=4e-6, seed=5)
    share = antiparallel(node, node.run(np.full((30, 400), voltage), node.start())[0][5:])
    rest = node.antiparallel_probability(voltage)[0]
    assert 2 * rest - 1 == pytest.approx(math.tanh(6 * voltage / 0.5))
    variance = rest * (1 - rest) / members
    assert abs(share.mean() - rest) < 5 * math.sqrt(variance / share.size)
    assert share.var() == pytest.approx(variance, rel=0.12)


@pytest.mark.parametrize("voltage", [0.0, 0.1])
def test_autocorrelation_time(voltage: float) -> None:
    """It decays by exp(-t / T) with 1 / T = 1 / tau_p + 1 / tau_ap; 4 x 10^6 readings, 3 %."""
    probe = Superparamagnetic(200, 1, 1, PLAIN, seed=6)
    exact = probe.correlation_time(voltage)[0]
    node = replace(probe, interval=exact / 5)
    share = antiparallel(node, node.run(np.full((20_100, 200), voltage), node.start())[0][100:])
    moment = share - node.antiparallel_probability(voltage)[0]
    lags = np.arange(11)
    products = [(moment[: len(moment) - lag] * moment[lag:]).mean() for lag in lags]
    rate = -np.polyfit(lags * node.interval, np.log(np.array(products)), 1)[0]
    assert 1 / rate == pytest.approx(exact, rel=0.03)


def test_a_large_ensemble_follows_its_mean() -> None:
    """10,000 junctions driven by the same voltages, sample by sample, within 5 standard errors."""
    mean, many = Superparamagnetic(1, 5), Superparamagnetic(1, 5, 10_000, seed=8)
    drives = currents(mean, 20, -0.5, 0.5)
    expected, _ = mean.run(drives, mean.start())
    found, _ = many.run(drives, many.start())
    assert np.ptp(expected) > 0.5e-4
    assert np.abs(found - expected).max() < 5 * 1e-4 * 0.5 / math.sqrt(10_000)


def test_noise_is_of_its_seed() -> None:
    node = NODES["one"]
    drives = np.zeros((50, 8))
    other = replace(node, seed=4)
    assert not np.array_equal(node.run(drives, node.start())[0], other.run(drives, node.start())[0])


def test_devices_differ_only_by_their_own_parameters() -> None:
    node = NODES["mean, spread"]
    drives = currents(node, 6, -0.5, 0.5)
    whole, _ = node.run(drives, node.start())
    one = SuperparamagneticParameters(attempt_time=5e-9, barrier=3.0, critical=0.8, parallel=2e-4)
    second = Superparamagnetic(1, 3, None, one)
    assert np.array_equal(second.run(drives[:, 3:], second.start())[0], whole[:, 3:])


def test_refusals() -> None:
    mean, one = NODES["mean"], Superparamagnetic(1, 1, 1)
    with pytest.raises(DesignError, match=r"drive must be from -0.5 to 0.5 V.*not 0.6"):
        mean.run(np.full((1, 6), 0.6), mean.start())
    with pytest.raises(DesignError, match=r"drives must have shape \(T, 6\)"):
        mean.run(np.zeros((1, 5)), mean.start())
    with pytest.raises(DesignError, match=r"state must have shape \(3,\)"):
        mean.run(np.zeros((1, 6)), np.zeros(2))
    with pytest.raises(DesignError, match=r"^probabilities must be from 0 to 1, not 1.5$"):
        mean.run(np.zeros((1, 6)), np.array([0.5, 1.5, 0.0]))
    for wrong in (0.5, -1.0, 2.0):
        with pytest.raises(
            DesignError,
            match=rf"^antiparallel junctions must be whole .* from 0 to 1, not {wrong:g}$",
        ):
            one.run(np.zeros((1, 1)), np.array([wrong, 0.0]))
    with pytest.raises(DesignError, match=r"^number of the sample must be at least 0, not -1$"):
        one.run(np.zeros((1, 1)), np.array([0.0, -1.0]))
    with pytest.raises(DesignError, match=r"^members must be at least 1, not 0$"):
        Superparamagnetic(1, 1, 0)
    with pytest.raises(DesignError, match=r"^barrier must leave a finite dwell time"):
        Superparamagnetic(1, 1, parameters=SuperparamagneticParameters(barrier=400.0))
    with pytest.raises(DesignError, match=r"^attempt time must be above 0 s, not 0$"):
        SuperparamagneticParameters(attempt_time=0.0)
    with pytest.raises(DesignError, match=r"^attempt time must be one value or 1, one per device"):
        Superparamagnetic(1, 1, parameters=SPREAD)
