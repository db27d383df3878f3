"""Edges in rate balance: exact update against the equation, time constants, balance, refusals."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from rchw.errors import DesignError
from rchw.nodes.memristive.balance import (
    GRID_FIT,
    TWO_TERMINAL_FIT,
    BalanceMemristor,
    BalanceParameters,
)
from tests.nodes.memristive.laws import Values, assert_promises


def drives(samples: int, width: int, limit: float) -> Values:
    """Seeded voltages of both signs."""
    return np.random.default_rng(3).uniform(-limit, limit, (samples, width))


@pytest.mark.parametrize(
    ("parameters", "limit"),
    [(BalanceParameters(), 1.2), (GRID_FIT, 0.5), (TWO_TERMINAL_FIT, 0.5)],
)
def test_exact_update_is_the_equation(parameters: BalanceParameters, limit: float) -> None:
    node = BalanceMemristor(2, 2, parameters, limit=limit)
    voltages = drives(15, 4, limit)
    fast, after = node.run(voltages, node.start())
    slow, slow_after = node.reference(voltages, node.start())
    assert np.abs(fast - slow).max() < 1e-9 * np.abs(slow).max()
    assert np.abs(after - slow_after).max() < 1e-9
    assert np.ptp(after) > 0


def test_one_step_against_another_integrator() -> None:
    build, decay = 1e-4 * np.exp(8.0), 0.5 * np.exp(-0.8)

    def slope(_: float, g: Values) -> Values:
        return np.asarray(build * (1 - g) - decay * g)

    found = solve_ivp(slope, (0, 0.05), [0.2], method="DOP853", rtol=1e-12, atol=1e-14)
    node = BalanceMemristor(1, 1)
    _, after = node.run(np.array([[-0.8]]), np.array([0.2]))
    assert after[0] == pytest.approx(found.y[0, -1], rel=1e-10)


@pytest.mark.parametrize(
    ("voltage", "seconds", "balance"),
    [(0.0, 2.0, 2.0e-4), (0.5, 3.1, 0.047), (1.0, 0.42, 0.92), (1.5, 3.0e-3, 0.9997)],
)
def test_time_constants_and_balance_of_the_connectome(
    voltage: float, seconds: float, balance: float
) -> None:
    """As tabulated in physical.md, to the digits given there; measured on the trajectory."""
    short = 1e-3 * seconds
    node = BalanceMemristor(1, 1, BalanceParameters(step=short))
    _, after = node.run(np.full((20_000, 1), voltage), np.zeros(1))
    assert after[0] == pytest.approx(balance, rel=0.02)
    _, once = node.run(np.full((1, 1), voltage), np.zeros(1))
    _, twice = node.run(np.full((1, 1), voltage), once)
    measured = -short / np.log((after[0] - twice[0]) / (after[0] - once[0]))
    assert measured == pytest.approx(seconds, rel=0.03)


def test_rest_is_a_fixed_point() -> None:
    node = BalanceMemristor(2, 1, BalanceParameters(build_rate=(1e-4, 2e-3)))
    _, after = node.run(np.zeros((50, 2)), node.start())
    assert np.abs(after - node.start()).max() < 1e-15


def test_halving_the_step_changes_nothing() -> None:
    """Exact: two halves of a step under one voltage are the whole."""
    whole = BalanceMemristor(1, 1)
    halves = BalanceMemristor(1, 1, BalanceParameters(step=0.025))
    voltages = drives(30, 1, 1.5)
    _, one = whole.run(voltages, whole.start())
    _, two = halves.run(np.repeat(voltages, 2, axis=0), halves.start())
    assert two[0] == pytest.approx(one[0], rel=1e-12)


def test_current_by_hand() -> None:
    """In balance at 1 V: g = 2.2026 / (2.2026 + 0.18394)."""
    node = BalanceMemristor(1, 1)
    g = 1e-4 * np.exp(10.0) / (1e-4 * np.exp(10.0) + 0.5 * np.exp(-1.0))
    current, _ = node.run(np.ones((1, 1)), np.array([g]))
    assert current[0, 0] == pytest.approx(1e-3 * (1 - g) + 0.1 * g, rel=1e-12)
    mirrored, _ = node.run(-np.ones((1, 1)), np.array([g]))
    assert mirrored[0, 0] == -current[0, 0]


def test_promises_of_a_node() -> None:
    assert_promises(BalanceMemristor(3, 2), drives(40, 6, 2.0))


def test_devices_differ() -> None:
    varied = BalanceParameters(build_rate=(1e-4, 1e-3), step=(0.05, 0.1))
    voltages = drives(20, 4, 1.0)
    node = BalanceMemristor(2, 2, varied)
    both, _ = node.run(voltages, node.start())
    assert node.interval == 0.1
    for d, (rate, step) in enumerate(((1e-4, 0.05), (1e-3, 0.1))):
        one = BalanceMemristor(1, 2, replace(BalanceParameters(), build_rate=rate, step=step))
        columns = slice(2 * d, 2 * d + 2)
        assert np.array_equal(one.run(voltages[:, columns], one.start())[0], both[:, columns])


def test_refusals() -> None:
    node = BalanceMemristor(1, 1)
    with pytest.raises(DesignError, match="virtual nodes must be at least 1, not 0"):
        BalanceMemristor(1, 0)
    with pytest.raises(DesignError, match="limit must be above 0 and at most 50 V"):
        BalanceMemristor(1, 1, limit=60.0)
    with pytest.raises(DesignError, match="drive must be from -2 to 2 V"):
        node.run(np.array([[2.1]]), node.start())
    with pytest.raises(DesignError, match="state must be from 0 to 1"):
        node.run(np.zeros((1, 1)), np.array([-0.1]))
    with pytest.raises(DesignError, match="high conductance must be above the low one"):
        BalanceParameters(low_conductance=0.2)
    with pytest.raises(DesignError, match="build rate must be above 0 1/s, not 0"):
        BalanceParameters(build_rate=0.0)
