"""The auto-oscillator: closed forms against an integrator, threshold, relaxation, thermal law."""

from dataclasses import replace

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.nodes.spintronic import auto_oscillator
from rchw.nodes.spintronic.auto_oscillator import AutoOscillator, AutoOscillatorParameters
from tests.nodes.spintronic.shared import currents, obeys_the_contract

THERMAL = AutoOscillatorParameters(thermal_power=1e-3)
SPREAD = AutoOscillatorParameters(
    damping=(1e6, 2e6, 5e6),
    nonlinear_damping=(0.0, 2.0, 3.0),
    threshold=(2e-3, 3e-3, 4e-3),
    sensitivity=(1e-3, 2e-3, 3e-3),
)
NODES = {
    "nominal": AutoOscillator(2, 4),
    "thermal": AutoOscillator(2, 4, THERMAL, seed=3),
    "spread": AutoOscillator(3, 2, SPREAD),
}


@pytest.mark.parametrize("name", NODES)
def test_closed_forms_are_the_equation(name: str) -> None:
    """Relative 1e-9, far above and far below the threshold; the integrator is set to 1e-12."""
    node = NODES[name]
    drives = currents(node, 12, 0.0, 10e-3)
    fast, end = node.run(drives, node.start())
    slow, after = node.reference(drives, node.start())
    assert np.allclose(fast, slow, rtol=1e-9, atol=0)
    assert np.allclose(end, after, rtol=1e-9, atol=0)


@pytest.mark.parametrize("name", NODES)
def test_contract(name: str) -> None:
    obeys_the_contract(NODES[name], currents(NODES[name], 9, 2e-3, 9e-3))


def test_blocks_of_noise_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    node = NODES["thermal"]
    drives = currents(node, 20, 2e-3, 9e-3)
    whole, end = node.run(drives, node.start())
    monkeypatch.setattr(auto_oscillator, "_NOISE", 50)
    parts, after = node.run(drives, node.start())
    assert np.array_equal(parts, whole) and np.array_equal(after, end)


def test_at_the_threshold_the_power_decays_algebraically() -> None:
    """With a = 0 it is p / (1 + 2 b p t); just beside it both closed forms tend to that."""
    node = AutoOscillator(1, 1)
    threshold, state = 3e-3, np.array([0.2, 0.0])
    b = 1.22e6 * (1 + 2)
    expected = 20e-3 * np.sqrt(0.2 / (1 + 2 * b * 0.2 * 100e-9))
    for shift in (0.0, 1e-13, -1e-13):
        reading, _ = node.run(np.array([[threshold * (1 + shift)]]), state)
        assert reading[0, 0] == pytest.approx(expected, rel=1e-12)


def test_intervals_compose() -> None:
    """An exact flow over two times is the flow over their sum, on both sides of the threshold."""
    long, short = AutoOscillator(1, 1, interval=3e-6), AutoOscillator(1, 3, interval=1e-6)
    for current in (0.0, 1e-3, 4e-3, 12e-3):
        one, _ = long.run(np.full((2, 1), current), long.start())
        three, _ = short.run(np.full((2, 3), current), short.start())
        assert np.allclose(one[:, 0], three[:, 2], rtol=1e-12, atol=0)


@pytest.mark.parametrize("ratio", [1.2, 2.0, 3.0])
def test_relaxation_time_is_the_measured_one(ratio: float) -> None:
    """A deviation of 1e-6 falls to 1 / e of itself in T_relax, 410 ns at twice the threshold."""
    current = ratio * 3e-3
    node = AutoOscillator(1, 1, interval=10e-9)
    rest = node.stationary_power(current)[0]
    state = np.array([rest * (1 + 1e-6), 0.0])
    readings, _ = node.run(np.full((200, 1), current), state)
    deviation = (readings[:, 0] / 20e-3) ** 2 - rest
    rate = -np.polyfit(np.arange(200) * 10e-9, np.log(deviation), 1)[0]
    assert 1 / rate == pytest.approx(node.relaxation_time(current)[0], rel=1e-5)
    assert node.relaxation_time(current)[0] == pytest.approx(1 / (2 * 1.22e6 * (ratio - 1)))
    assert node.relaxation_time(6e-3)[0] == pytest.approx(410e-9, rel=1e-3)


def test_far_below_the_threshold_the_power_dies_out() -> None:
    """Without current and nonlinear damping: by exp(-2 G0 t), whatever the power."""
    node = AutoOscillator(1, 10, AutoOscillatorParameters(nonlinear_damping=0.0))
    readings, _ = node.run(np.zeros((5, 10)), node.start())
    expected = readings[0, 0] * np.exp(-1.22e6 * 100e-9 * np.arange(50))
    assert np.allclose(readings.ravel(), expected, rtol=1e-12, atol=0)
    assert node.relaxation_time(0.0)[0] == pytest.approx(1 / (2 * 1.22e6))


def test_threshold() -> None:
    """Just above it every start leads to the stationary power; at the bias nothing moves."""
    node = AutoOscillator(2, 1, interval=1e-3)
    for power in (1e-9, 0.9):
        readings, _ = node.run(np.full((1, 2), 3.3e-3), np.array([power, power, 0.0]))
        assert np.allclose(readings, 20e-3 * np.sqrt(0.1 / 3.1), rtol=1e-12, atol=0)
    quiet, _ = node.run(np.full((3, 2), 6e-3), node.start())
    assert np.allclose(quiet, 20e-3 * np.sqrt(1 / 4), rtol=1e-12, atol=0)


def test_stationary_law_with_noise() -> None:
    """Mean and mean square of exp((a p - b p^2 / 2) / (G0 p_T)), by quadrature.

    The interval is 1/20 of the relaxation time, so the bias of second order is below 1e-3; five
    standard errors of 400 independent devices are about 1.4 %.
    """
    thermal = AutoOscillatorParameters(thermal_power=0.02)
    node = AutoOscillator(400, 1, thermal, interval=20e-9, seed=1)
    drives = np.full((4_000, 400), 6e-3)
    _, state = node.run(drives[:300], node.start())
    powers = (node.run(drives, state)[0] / 20e-3) ** 2
    grid = np.linspace(0, 2, 200_001)
    density = np.exp((grid - 4 * grid**2 / 2) / 0.02)
    for moment in (1, 2):
        exact = (grid**moment * density).sum() / density.sum()
        each = (powers**moment).mean(axis=0)
        assert each.std() / np.sqrt(400) < 0.003 * exact
        assert abs(each.mean() - exact) < 5 * each.std() / np.sqrt(400) + 1e-3 * exact


def test_splitting_is_of_second_order() -> None:
    """Without current the power is that of a linear oscillator, of mean p_T.

    Half a kick, flow, half a kick leads to p_T x coth(x) with x = G0 times the interval, which is
    p_T (1 + x^2 / 3 - ...): an error of second order. Five standard errors are 1 %.
    """
    thermal = AutoOscillatorParameters(thermal_power=1e-3, nonlinear_damping=0.0)
    for x in (0.3, 0.6, 1.2):
        node = AutoOscillator(500, 1, thermal, interval=x / 1.22e6, seed=2)
        powers = (node.run(np.zeros((2_000, 500)), node.start())[0][20:] / 20e-3) ** 2
        each = powers.mean(axis=0)
        error = 5 * each.std() / np.sqrt(500)
        assert error < 0.012e-3
        assert abs(each.mean() - 1e-3 * x / np.tanh(x)) < error


def test_noise_is_of_its_seed() -> None:
    node = NODES["thermal"]
    drives = currents(node, 5, 4e-3, 8e-3)
    other = replace(node, seed=4)
    assert not np.array_equal(node.run(drives, node.start())[0], other.run(drives, node.start())[0])


def test_devices_differ_only_by_their_own_parameters() -> None:
    node = NODES["spread"]
    drives = currents(node, 6, 3e-3, 9e-3)
    whole, _ = node.run(drives, node.start())
    one = AutoOscillatorParameters(
        damping=2e6, nonlinear_damping=2.0, threshold=3e-3, sensitivity=2e-3
    )
    alone, _ = AutoOscillator(1, 2, one).run(drives[:, 2:4], np.array([node.start()[1], 0.0]))
    assert np.array_equal(alone, whole[:, 2:4])


def test_refusals() -> None:
    node = AutoOscillator(1, 2)
    start = node.start()
    with pytest.raises(DesignError, match=r"drive must be from 0 to 0.015 A.*not 0.02"):
        node.run(np.array([[1e-3, 0.02]]), start)
    with pytest.raises(DesignError, match=r"drive must be from 0 to 0.015 A.*not -0.001"):
        node.run(np.array([[-1e-3, 0.0]]), start)
    with pytest.raises(DesignError, match=r"drives must have shape \(T, 2\)"):
        node.run(np.zeros((3, 1)), start)
    with pytest.raises(DesignError, match=r"state must have shape \(2,\)"):
        node.run(np.zeros((3, 2)), np.zeros(3))
    with pytest.raises(DesignError, match=r"^state must be at least 0, not -0.1$"):
        node.run(np.zeros((3, 2)), np.array([-0.1, 0.0]))
    with pytest.raises(DesignError, match=r"^power without thermal noise must be at least 1e-12"):
        node.run(np.zeros((100, 2)), start)
    with pytest.raises(DesignError, match=r"^current must be above the threshold 0.007 A"):
        AutoOscillator(1, 1, AutoOscillatorParameters(threshold=7e-3))
    with pytest.raises(DesignError, match=r"^current must be off the threshold .* not 0.003 A$"):
        node.relaxation_time(3e-3)
    with pytest.raises(DesignError, match=r"^interval must be finite and above 0, not 0.0$"):
        AutoOscillator(1, 1, interval=0.0)
    with pytest.raises(DesignError, match=r"^threshold must be above 0 A, not 0$"):
        AutoOscillatorParameters(threshold=0.0)
    with pytest.raises(DesignError, match=r"^threshold must be one value or 2"):
        AutoOscillator(2, 1, AutoOscillatorParameters(threshold=(1e-3, 2e-3, 3e-3)))
