"""The law of Zhong et al. again in plain arrays, its fixed points, and the refusals."""

from dataclasses import replace

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.nodes.memristive.dynamic import DynamicMemristor, DynamicParameters
from tests.nodes.memristive.laws import Values, assert_promises


def drives(samples: int, width: int, seed: int = 1) -> Values:
    """Voltages of both signs, some of them 0."""
    rng = np.random.default_rng(seed)
    values = rng.uniform(-2.0, 3.0, (samples, width))
    values[rng.random(values.shape) < 0.1] = 0.0
    return values


def by_matrix(node: DynamicMemristor, voltages: Values) -> Values:
    """Both equations, written for all devices at once: a witness that shares no code."""
    p = node.parameters.of_devices(node.n_devices)
    v = voltages.reshape(len(voltages), node.n_devices, node.n_virtual)
    g, found = p["rest"], []
    for sample in v:
        row = np.empty_like(sample)
        for k, now in enumerate(sample.T):
            h = 1 - 1 / (p["sensitivity"] * np.abs(now) + 1)
            g = g + (1 - p["retention"]) * (p["rest"] - g) + h * (np.heaviside(now, 0) - g)
            row[:, k] = g * (
                p["positive"] * np.clip(now, 0, None) ** 3
                + p["negative"] * np.clip(now, None, 0) ** 3
            )
        found.append(row.ravel())
    return np.array(found)


def test_run_is_the_law_and_so_is_the_reference() -> None:
    node = DynamicMemristor(3, 4)
    voltages = drives(200, 12)
    found, after = node.run(voltages, node.start())
    slow, slow_after = node.reference(voltages, node.start())
    scale = np.abs(found).max()
    assert np.abs(found - by_matrix(node, voltages)).max() < 1e-13 * scale
    assert np.abs(found - slow).max() < 1e-13 * scale
    assert np.abs(after - slow_after).max() < 1e-13


def test_promises_of_a_node() -> None:
    assert_promises(DynamicMemristor(3, 4), drives(50, 12))


@pytest.mark.parametrize("voltage", [2.0, 0.5, -1.0])
def test_constant_pulses_reach_the_fixed_point(voltage: float) -> None:
    """Of g = r g + (1 - r) g0 + h (1[V > 0] - g)."""
    h = 0.23 * abs(voltage) / (0.23 * abs(voltage) + 1)
    fixed = (0.01 * 0.5 + h * (voltage > 0)) / (0.01 + h)
    node = DynamicMemristor(1, 1)
    _, after = node.run(np.full((3000, 1), voltage), node.start())
    assert after[0] == pytest.approx(fixed, rel=1e-12)


def test_without_voltage_it_forgets_by_the_retention() -> None:
    node = DynamicMemristor(1, 1)
    _, after = node.run(np.zeros((100, 1)), np.array([0.9]))
    assert after[0] - 0.5 == pytest.approx(0.4 * 0.99**100, rel=1e-12)


def test_current_of_one_pulse_by_hand() -> None:
    """At 2 V h is 0.46 / 1.46; from rest g is 0.5 + 0.5 h, and the current 9.13 uA/V^3 * 8 g."""
    node = DynamicMemristor(1, 1)
    up, _ = node.run(np.array([[2.0]]), node.start())
    down, _ = node.run(np.array([[-2.0]]), node.start())
    h = 0.46 / 1.46
    assert up[0, 0] == pytest.approx(9.13e-6 * 8 * (0.5 + 0.5 * h), rel=1e-14)
    assert down[0, 0] == pytest.approx(-0.32e-6 * 8 * (0.5 - 0.5 * h), rel=1e-14)


def test_devices_differ() -> None:
    """Each device of an array does what a single one with its parameters does."""
    varied = DynamicParameters(retention=(0.9, 0.99), sensitivity=(0.2, 0.3))
    voltages = drives(40, 4)
    both, _ = (node := DynamicMemristor(2, 2, varied)).run(voltages, node.start())
    for d, (retention, sensitivity) in enumerate(((0.9, 0.2), (0.99, 0.3))):
        alone = replace(DynamicParameters(), retention=retention, sensitivity=sensitivity)
        one = DynamicMemristor(1, 2, alone)
        columns = slice(2 * d, 2 * d + 2)
        assert np.array_equal(one.run(voltages[:, columns], one.start())[0], both[:, columns])


def test_interval_is_that_of_the_slowest_device() -> None:
    assert DynamicMemristor(2, 1, DynamicParameters(pulse=(1e-3, 2e-3))).interval == 2e-3
    facts = {fact.name: fact for fact in DynamicParameters.facts()}
    assert facts["pulse"].loose and facts["pulse"].unit == "s"


def test_refusals() -> None:
    node = DynamicMemristor(2, 1)
    with pytest.raises(DesignError, match="devices must be at least 1, not 0"):
        DynamicMemristor(0, 1)
    with pytest.raises(DesignError, match="virtual nodes must be at least 1, not 0"):
        DynamicMemristor(1, 0)
    with pytest.raises(DesignError, match=r"drive must be from -4 to 4 V.*not 5 at sample 0"):
        node.run(np.array([[0.0, 5.0]]), node.start())
    with pytest.raises(DesignError, match=r"drives must have shape \(T, 2\)"):
        node.run(np.zeros((3, 1)), node.start())
    with pytest.raises(DesignError, match=r"state must have shape \(2,\)"):
        node.run(np.zeros((3, 2)), np.zeros(3))
    with pytest.raises(DesignError, match="state must be finite"):
        node.run(np.zeros((3, 2)), np.array([0.5, np.nan]))
    with pytest.raises(DesignError, match="retention must be above 0 and below 1, not 1"):
        DynamicParameters(retention=1.0)
    with pytest.raises(DesignError, match="sensitivity must be one value or 2"):
        DynamicMemristor(2, 1, DynamicParameters(sensitivity=(0.1, 0.2, 0.3)))
