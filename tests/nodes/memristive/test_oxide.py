"""The tungsten-oxide memristor: exact update against its equation, stops, relaxation, refusals."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from rchw.errors import DesignError
from rchw.nodes.memristive.oxide import OxideMemristor, OxideParameters
from tests.nodes.memristive.laws import Values, assert_promises


def drives(samples: int, width: int, low: float = -1.0, high: float = 1.5) -> Values:
    """Seeded voltages."""
    return np.random.default_rng(2).uniform(low, high, (samples, width))


@pytest.mark.parametrize("read_voltage", [None, 0.6])
@pytest.mark.parametrize("high", [1.4, 2.0])
def test_exact_update_is_the_equation(read_voltage: float | None, high: float) -> None:
    """To rounding, with w inside and (at 2 V, where lambda sinh is 4400 per second) on the stop."""
    node = OxideMemristor(2, 3, read_voltage=read_voltage)
    voltages = drives(12, 6, high=high)
    fast, after = node.run(voltages, node.start())
    slow, slow_after = node.reference(voltages, node.start())
    assert np.abs(fast - slow).max() < 1e-9 * np.abs(slow).max()
    assert np.abs(after - slow_after).max() < 1e-11


def test_one_pulse_against_another_integrator() -> None:
    p = OxideParameters(pulse=20e-3, pause=0.0)
    node = OxideMemristor(1, 1, p)

    def slope(_: float, w: Values) -> Values:
        return np.asarray(1e-3 * math.sinh(8.0 * 1.1) - (w - 0.1) / 50e-3)

    found = solve_ivp(slope, (0, 20e-3), [0.3], method="DOP853", rtol=1e-12, atol=1e-14)
    _, after = node.run(np.array([[1.1]]), np.array([0.3]))
    assert after[0] == pytest.approx(found.y[0, -1], rel=1e-10)


def test_it_relaxes_with_its_time_constant() -> None:
    """Ten frames of 3 ms without voltage."""
    node = OxideMemristor(1, 1)
    _, after = node.run(np.zeros((10, 1)), np.array([0.6]))
    assert after[0] - 0.1 == pytest.approx(0.5 * math.exp(-30e-3 / 50e-3), rel=1e-12)


def test_current_by_hand() -> None:
    """At rest, w = 0.1, read at 0.6 V after a pulse of 0 V; both terms."""
    node = OxideMemristor(1, 1, read_voltage=0.6)
    current, _ = node.run(np.zeros((1, 1)), node.start())
    schottky = 0.9 * 1e-8 * (1 - math.exp(-0.3))
    assert current[0, 0] == pytest.approx(schottky + 0.1 * 1e-5 * math.sinh(2.4), rel=1e-12)


def test_loop_is_pinched() -> None:
    """No voltage, no current, whatever the state: what makes it a memristor."""
    node = OxideMemristor(1, 1)
    for w in (0.0, 0.4, 1.0):
        current, _ = node.run(np.zeros((1, 1)), np.array([w]))
        assert current[0, 0] == 0.0


def test_stop_holds_and_lets_go() -> None:
    """At the stop w is 1, and it leaves with the next pause as an inner trajectory does."""
    p = OxideParameters(pause=50e-3)
    node = OxideMemristor(1, 1, p)
    _, after = node.run(np.full((20, 1), 2.0), node.start())
    assert after[0] == pytest.approx(0.1 + 0.9 * math.exp(-1), rel=1e-12)
    _, low = node.run(np.full((20, 1), -2.0), node.start())
    assert low[0] == pytest.approx(0.1 - 0.1 * math.exp(-1), rel=1e-12)


def test_without_stops_such_drives_are_refused() -> None:
    node = OxideMemristor(1, 1, stops=False)
    inner = drives(20, 1, 0.0, 1.0)
    assert np.array_equal(
        node.run(inner, node.start())[0], OxideMemristor(1, 1).run(inner, node.start())[0]
    )
    for method in (node.run, node.reference):
        with pytest.raises(DesignError, match="drives must leave w between 0 and 1"):
            method(np.full((5, 1), 2.0), node.start())


def test_promises_of_a_node() -> None:
    assert_promises(OxideMemristor(2, 3), drives(30, 6, high=2.0))
    assert_promises(OxideMemristor(2, 3, read_voltage=0.6), drives(30, 6))


def test_devices_differ() -> None:
    varied = OxideParameters(relaxation=(5e-3, 50e-3), pulse=(0.5e-3, 1e-3))
    voltages = drives(20, 4)
    node = OxideMemristor(2, 2, varied)
    both, _ = node.run(voltages, node.start())
    assert node.interval == pytest.approx(3.5e-3)
    for d, (tau, pulse) in enumerate(((5e-3, 0.5e-3), (50e-3, 1e-3))):
        one = OxideMemristor(1, 2, replace(OxideParameters(), relaxation=tau, pulse=pulse))
        columns = slice(2 * d, 2 * d + 2)
        assert np.array_equal(one.run(voltages[:, columns], one.start())[0], both[:, columns])


def test_what_is_not_confirmed_says_so() -> None:
    assert all(fact.loose and "not confirmed" in fact.source for fact in OxideParameters.facts())


def test_refusals() -> None:
    node = OxideMemristor(1, 1)
    with pytest.raises(DesignError, match="devices must be at least 1, not 0"):
        OxideMemristor(0, 1)
    with pytest.raises(DesignError, match="limit must be finite and above 0 V"):
        OxideMemristor(1, 1, limit=math.inf)
    with pytest.raises(DesignError, match="read voltage must be from -2 to 2 V, not 3"):
        OxideMemristor(1, 1, read_voltage=3.0)
    with pytest.raises(DesignError, match="drive must be from -2 to 2 V"):
        node.run(np.array([[2.1]]), node.start())
    with pytest.raises(DesignError, match="state must be from 0 to 1"):
        node.run(np.zeros((1, 1)), np.array([1.2]))
    with pytest.raises(DesignError, match="relaxation must be above 0 s, not 0"):
        OxideParameters(relaxation=0.0)
