"""Ion drift: the flux law, order of the map, windows and their locks, the step guard, refusals."""

from dataclasses import replace

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.nodes.memristive.drift import WINDOWS, DriftMemristor, DriftParameters
from tests.nodes.memristive.laws import Values, assert_promises, ratio_of_orders

# a = mobility Ron (Roff - Ron) / D^2, in ohm^2/(V s)
LAW = 1e-14 * 100 * (16e3 - 100) / 1e-16


def drives(samples: int, width: int, seed: int = 4) -> Values:
    """Seeded voltages of both signs, none near 0, so that v / i is the memristance."""
    rng = np.random.default_rng(seed)
    return rng.choice([-1.0, 1.0], (samples, width)) * rng.uniform(0.2, 1.0, (samples, width))


@pytest.mark.parametrize("window", WINDOWS)
def test_map_is_the_equation(window: str) -> None:
    """In the middle of the film, where no device meets an end."""
    p = DriftParameters(initial=(0.3, 0.6), exponent=2.0, height=0.8, step=5e-3)
    node = DriftMemristor(2, 2, p, window, substeps=40)
    voltages = drives(6, 4)
    fast, after = node.run(voltages, node.start())
    slow, slow_after = node.reference(voltages, node.start())
    assert np.abs(fast - slow).max() < 1e-9 * np.abs(slow).max()
    assert np.abs(after - slow_after).max() < 1e-10
    assert np.abs(after - node.start()).max() > 1e-4


def test_flux_law_without_window() -> None:
    """M^2 = M0^2 - 2 a phi on every reading, to 1e-9."""
    node = DriftMemristor(1, 1, window="none", substeps=8)
    voltages = drives(500, 1)
    currents, _ = node.run(voltages, node.start())
    flux = np.cumsum(voltages) * 1e-3
    assert pytest.approx(1.59e8) == LAW
    exact = np.sqrt(11e3**2 - 2 * LAW * flux)
    assert np.abs(voltages[:, 0] / currents[:, 0] / exact - 1).max() < 1e-9
    assert np.ptp(exact) > 100


def test_full_switching_takes_080_volt_seconds() -> None:
    """(Roff^2 - Ron^2) / (2 a), between the last reading before the stop and the first on it."""
    node = DriftMemristor(1, 1, DriftParameters(initial=0.0), "none", substeps=128)
    currents, after = node.run(np.ones((900, 1)), node.start())
    first = int(np.argmax(currents[:, 0] >= (1 - 1e-9) / 100))
    assert after[0] == 1.0
    exact = (16e3**2 - 100**2) / (2 * LAW)
    assert exact == pytest.approx(0.80, abs=0.01)
    assert first * 1e-3 <= exact <= (first + 1) * 1e-3


@pytest.mark.parametrize("way", [1.0, -1.0])
def test_stop_without_window_is_that_of_the_reference(way: float) -> None:
    """Into the stop, on it, and back out."""
    p = DriftParameters(initial=0.999 if way > 0 else 0.002, step=2e-3)
    node = DriftMemristor(1, 1, p, "none", substeps=400)
    voltages = way * np.array([[1.0], [1.0], [1.0], [1.0], [-0.5], [-0.5]])
    fast, after = node.run(voltages, node.start())
    slow, slow_after = node.reference(voltages, node.start())
    assert fast[3, 0] == pytest.approx(way / (100 if way > 0 else 16e3), rel=1e-12)
    assert np.abs(fast / slow - 1).max() < 1e-8
    assert after[0] == pytest.approx(slow_after[0], rel=1e-8)


@pytest.mark.parametrize("window", WINDOWS)
def test_order_is_four(window: str) -> None:
    p = DriftParameters(initial=0.35, exponent=2.0, step=0.06)
    voltages = np.array([[1.0], [1.0], [-0.7], [1.0]])
    exact = DriftMemristor(1, 1, p, window, substeps=512, largest=0.1)
    truth = exact.run(voltages, exact.start())[1][0]
    counts = [1, 2, 4, 8]
    errors = [
        abs(replace(exact, substeps=count).run(voltages, exact.start())[1][0] - truth)
        for count in counts
    ]
    slopes = ratio_of_orders(counts, errors)
    assert slopes[-1] == pytest.approx(4.0, abs=0.2)
    assert slopes.min() > 3.2


@pytest.mark.parametrize("window", ["strukov", "joglekar", "prodromakis"])
@pytest.mark.parametrize("end", [0.0, 1.0])
def test_terminal_state_lock(window: str, end: float) -> None:
    """A device at an end never leaves, whichever way it is driven: these windows are 0 there."""
    node = DriftMemristor(1, 1, DriftParameters(initial=end), window)
    for sign in (-1.0, 1.0):
        _, after = node.run(np.full((100, 1), sign), node.start())
        assert after[0] == end


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_no_lock_with_biolek(end: float) -> None:
    """Driven away from the end it leaves; driven against it, it stays."""
    node = DriftMemristor(1, 1, DriftParameters(initial=end), "biolek", substeps=200)
    away = -1.0 if end else 1.0
    _, after = node.run(np.full((100, 1), away), node.start())
    assert 0.01 < abs(after[0] - end) < 1
    _, stays = node.run(np.full((100, 1), -away), node.start())
    assert stays[0] == end


def test_windows_by_hand() -> None:
    """Ratios of first moves at x = 1/4, p = 2, to that without window, for a tiny step."""
    p = DriftParameters(initial=0.25, exponent=2.0, height=0.5, step=1e-6)
    moves = {}
    for window in WINDOWS:
        for v in (1.0, -1.0):
            node = DriftMemristor(1, 1, p, window)
            moves[window, v] = node.run(np.array([[v]]), node.start())[1][0] - 0.25
    free = moves["none", 1.0]
    assert free == pytest.approx(1e-6 * 1e4 / (25 + 12e3), rel=1e-5)
    for (window, v), move in moves.items():
        shares = {
            "none": 1.0,
            "strukov": 3 / 16,
            "joglekar": 1 - 0.5**4,
            "biolek": 1 - (0.25**4 if v > 0 else 0.75**4),
            "prodromakis": 0.5 * (1 - (0.0625 + 0.75) ** 2),
        }
        assert move / free == pytest.approx(v * shares[window], rel=1e-4)


def test_steps_that_are_too_long_are_refused() -> None:
    """At 1 V and x = 0.9, dx/dt is 6 per second: 5 ms in one step is a move of 0.03."""
    p = DriftParameters(initial=0.9, step=5e-3)
    node = DriftMemristor(1, 1, p, "none", substeps=1)
    with pytest.raises(DesignError, match=r"move of x in a Runge-Kutta step must be at most 0.001"):
        node.run(np.ones((1, 1)), node.start())
    # At x = 0 the first move is 1e4 V / 16e3 ohm times the step: just below and above 1e-3.
    for seconds, refused in ((1.59e-3, False), (1.61e-3, True)):
        edge = replace(node, parameters=DriftParameters(initial=0.0, step=seconds))
        if refused:
            with pytest.raises(DesignError, match="move of x in a Runge-Kutta step"):
                edge.run(np.ones((1, 1)), edge.start())
        else:
            assert edge.run(np.ones((1, 1)), edge.start())[1][0] < 1e-3
    fine = replace(node, substeps=80)
    assert fine.run(np.ones((1, 1)), fine.start())[1][0] > 0.92


def test_promises_of_a_node() -> None:
    for window in WINDOWS:
        assert_promises(DriftMemristor(2, 3, window=window), drives(30, 6))


def test_devices_differ() -> None:
    varied = DriftParameters(high_resistance=(16e3, 12e3), exponent=(1.0, 3.0))
    node, voltages = DriftMemristor(2, 2, varied), drives(20, 4)
    both, _ = node.run(voltages, node.start())
    for d, (high, p) in enumerate(((16e3, 1.0), (12e3, 3.0))):
        one = DriftMemristor(1, 2, replace(DriftParameters(), high_resistance=high, exponent=p))
        columns = slice(2 * d, 2 * d + 2)
        assert np.array_equal(one.run(voltages[:, columns], one.start())[0], both[:, columns])


def test_refusals() -> None:
    node = DriftMemristor(1, 1)
    with pytest.raises(DesignError, match="window must be one of none, strukov"):
        DriftMemristor(1, 1, window="kvatinsky")
    with pytest.raises(DesignError, match="substeps must be at least 1, not 0"):
        DriftMemristor(1, 1, substeps=0)
    with pytest.raises(DesignError, match=r"largest move must be above 0 and at most 0\.1, not 1"):
        DriftMemristor(1, 1, largest=1.0)
    with pytest.raises(DesignError, match="limit must be finite and above 0 V, not -1"):
        DriftMemristor(1, 1, limit=-1.0)
    with pytest.raises(DesignError, match="drive must be from -2 to 2 V"):
        node.run(np.array([[2.1]]), node.start())
    with pytest.raises(DesignError, match="state must be from 0 to 1"):
        node.run(np.zeros((1, 1)), np.array([1.5]))
    with pytest.raises(DesignError, match="high resistance must be above the low one"):
        DriftParameters(low_resistance=20e3)
    with pytest.raises(DesignError, match=r"exponent must be at least 1, not 0\.5"):
        DriftParameters(exponent=0.5)
