"""VTEAM: thresholds, straight lines with stops, a closed form with windows, order, refusals."""

from dataclasses import replace

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.nodes.memristive.vteam import LAWS, VteamMemristor, VteamParameters
from tests.nodes.memristive.laws import Values, assert_promises, ratio_of_orders

# Both ways of the default device differ by orders of magnitude; this one moves alike.
EVEN = VteamParameters(on_speed=-1e-3, on_power=2.0, off_speed=2e-4, off_power=1.0, step=1e-8)


def drives(samples: int, width: int, limit: float = 0.5) -> Values:
    """Seeded voltages of both signs."""
    return np.random.default_rng(5).uniform(-limit, limit, (samples, width))


@pytest.mark.parametrize("law", LAWS)
def test_windowed_map_is_the_equation(law: str) -> None:
    p = replace(EVEN, exponent=(1.0, 3.0))
    node = VteamMemristor(2, 2, p, law, "biolek", substeps=16)
    voltages = drives(12, 4)
    fast, after = node.run(voltages, node.start())
    slow, slow_after = node.reference(voltages, node.start())
    assert np.abs(fast - slow).max() < 1e-7 * np.abs(slow).max()
    assert np.abs(after - slow_after).max() < 1e-8
    assert np.abs(after - node.start()).max() > 0.01


@pytest.mark.parametrize("law", LAWS)
def test_straight_line_is_the_equation(law: str) -> None:
    """Exact where no stop is met, with the constants of MemTorch."""
    node = VteamMemristor(2, 2, VteamParameters(initial=(0.4, 0.8)), law, limit=0.3)
    voltages = drives(15, 4, 0.25)
    fast, after = node.run(voltages, node.start())
    slow, slow_after = node.reference(voltages, node.start())
    assert np.abs(fast - slow).max() < 1e-9 * np.abs(slow).max()
    assert np.abs(after - slow_after).max() < 1e-10
    assert np.abs(after - node.start()).min() > 1e-3


def test_stop_is_where_the_reference_stops() -> None:
    node = VteamMemristor(1, 1, replace(EVEN, step=1e-6))
    voltages = np.array([[0.5], [0.5], [-0.25], [-0.5], [-0.5], [0.3]])
    fast, after = node.run(voltages, node.start())
    slow, _ = node.reference(voltages, node.start())
    assert fast[1, 0] == pytest.approx(0.5 / 1000, rel=1e-12)
    assert fast[4, 0] == pytest.approx(-0.5 / 50, rel=1e-12)
    assert np.abs(fast / slow - 1).max() < 1e-9
    assert 0 < after[0] < 1


def test_constants_by_hand() -> None:
    """0.1 ns: at 0.06 V, 5e-4 * 2 m/s; at -0.3 V, -10 * 0.5^3 m/s; of 3 nm."""
    node = VteamMemristor(1, 1)
    _, off = node.run(np.array([[0.06]]), np.array([0.5]))
    _, on = node.run(np.array([[-0.3]]), np.array([0.5]))
    assert off[0] - 0.5 == pytest.approx(1e-3 * 1e-10 / 3e-9, rel=1e-9)
    assert on[0] - 0.5 == pytest.approx(-1.25 * 1e-10 / 3e-9, rel=1e-9)


@pytest.mark.parametrize("window", ["none", "biolek"])
def test_nothing_moves_between_the_thresholds(window: str) -> None:
    """Bit for bit, the thresholds themselves included; and a little beyond them it moves."""
    node = VteamMemristor(1, 1, window=window)
    inside = np.linspace(-0.2, 0.02, 200)[:, None]
    currents, after = node.run(inside, np.array([0.3]))
    assert after[0] == 0.3
    assert np.abs(currents - inside / (50 + 950 * 0.3)).max() < 1e-18
    for beyond in (-0.21, 0.021):
        assert node.run(np.array([[beyond]]), np.array([0.3]))[1][0] != 0.3


def test_laws_of_the_resistance() -> None:
    """They meet at both ends; half-way one is the mean, the other the geometric mean."""
    for x, linear, exponential in ((0.0, 50, 50), (1.0, 1000, 1000), (0.5, 525, 50000**0.5)):
        for law, ohm in (("linear", linear), ("exponential", exponential)):
            node = VteamMemristor(1, 1, law=law)
            current, _ = node.run(np.array([[0.01]]), np.array([x]))
            assert 0.01 / current[0, 0] == pytest.approx(ohm, rel=1e-12)


def test_closed_form_with_window() -> None:
    """With p = 1 upwards, dx/dt = c (1 - x^2), so that artanh x grows as c t."""
    node = VteamMemristor(1, 1, EVEN, window="biolek", substeps=64)
    speed = 2e-4 * (0.4 / 0.02 - 1) / 3e-9
    _, after = node.run(np.full((40, 1), 0.4), np.array([0.2]))
    assert np.arctanh(after[0]) == pytest.approx(np.arctanh(0.2) + 40 * speed * 1e-8, rel=1e-9)


def test_order_is_four_with_window() -> None:
    p = replace(EVEN, exponent=2.0, step=5e-8)
    exact = VteamMemristor(1, 1, p, window="biolek", substeps=512, largest=0.1)
    voltages = np.array([[0.5], [0.45], [-0.4]])
    truth = exact.run(voltages, exact.start())[1][0]
    counts = [1, 2, 4, 8]
    errors = [
        abs(replace(exact, substeps=count).run(voltages, exact.start())[1][0] - truth)
        for count in counts
    ]
    assert ratio_of_orders(counts, errors)[-1] == pytest.approx(4.0, abs=0.2)


def test_window_leaves_both_ends() -> None:
    """There is no lock: Biolek's window is 0 at an end only towards it."""
    node = VteamMemristor(1, 1, EVEN, window="biolek", substeps=16)
    for end, away in ((0.0, 0.3), (1.0, -0.5)):
        assert abs(node.run(np.full((5, 1), away), np.array([end]))[1][0] - end) > 0.01
        assert node.run(np.full((5, 1), -away), np.array([end]))[1][0] == end


def test_steps_that_are_too_long_are_refused() -> None:
    node = VteamMemristor(1, 1, window="biolek")
    with pytest.raises(DesignError, match=r"move of x in a Runge-Kutta step must be at most 0\.02"):
        node.run(np.array([[-0.9]]), node.start())
    # From x = 0 upwards the window is 1: in 25 ns, 2e-4 * 19 m/s of 3 nm moves it by 0.0317.
    edge = VteamMemristor(1, 1, replace(EVEN, initial=0.0, step=25e-9), window="biolek", substeps=1)
    near = replace(edge, largest=0.0316)
    with pytest.raises(DesignError, match=r"at most 0\.0316, not 0\.0317"):
        near.run(np.array([[0.4]]), near.start())
    assert 0.03 < replace(edge, largest=0.0317).run(np.array([[0.4]]), edge.start())[1][0] < 0.0317


def test_promises_of_a_node() -> None:
    assert_promises(VteamMemristor(2, 3), drives(30, 6))
    assert_promises(VteamMemristor(2, 3, EVEN, "exponential", "biolek", substeps=16), drives(30, 6))


def test_devices_differ() -> None:
    varied = replace(EVEN, off_threshold=(0.02, 0.05), low_resistance=(50.0, 80.0))
    node, voltages = VteamMemristor(2, 2, varied), drives(20, 4)
    both, _ = node.run(voltages, node.start())
    for d, (threshold, low) in enumerate(((0.02, 50.0), (0.05, 80.0))):
        one = VteamMemristor(1, 2, replace(EVEN, off_threshold=threshold, low_resistance=low))
        columns = slice(2 * d, 2 * d + 2)
        assert np.array_equal(one.run(voltages[:, columns], one.start())[0], both[:, columns])


def test_refusals() -> None:
    node = VteamMemristor(1, 1)
    with pytest.raises(DesignError, match="law must be one of linear, exponential, not 'log'"):
        VteamMemristor(1, 1, law="log")
    with pytest.raises(DesignError, match="window must be one of none, biolek, not 'joglekar'"):
        VteamMemristor(1, 1, window="joglekar")
    with pytest.raises(DesignError, match="substeps must be at least 1, not 0"):
        VteamMemristor(1, 1, substeps=0)
    with pytest.raises(DesignError, match=r"largest move must be above 0 and at most 0\.1, not 0"):
        VteamMemristor(1, 1, largest=0)
    with pytest.raises(DesignError, match="limit must be finite and above 0 V, not 0"):
        VteamMemristor(1, 1, limit=0)
    with pytest.raises(DesignError, match="drive must be from -1 to 1 V"):
        node.run(np.array([[1.1]]), node.start())
    with pytest.raises(DesignError, match="state must be from 0 to 1"):
        node.run(np.zeros((1, 1)), np.array([1.5]))
    with pytest.raises(DesignError, match=r"on threshold must be below 0 V, not 0\.2"):
        VteamParameters(on_threshold=0.2)
    with pytest.raises(DesignError, match="high resistance must be above the low one"):
        VteamParameters(high_resistance=40.0)
