"""The oscillator array: order, Adler's locking and beats, and its limit without coupling."""

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.spintronic.auto_oscillator import AutoOscillator, AutoOscillatorParameters
from rchw.nodes.spintronic.oscillator_array import OscillatorArray, OscillatorArrayParameters
from tests.nodes.spintronic.shared import currents, obeys_the_contract, slope

Values = NDArray[np.float64]

NODE = OscillatorArray(
    5, 3, OscillatorArrayParameters(frequency=(0, 4e6, -3e6, 1e6, -8e6)), columns=3
)
BIAS = 6e-3
INJECTED = replace(NODE, injection=2e7)
PAIR = OscillatorArrayParameters(nonlinear_shift=0.0)


def amplitudes(state: Values) -> NDArray[np.complex128]:
    """Complex amplitudes of a state."""
    return state.view(np.complex128)


@pytest.mark.parametrize("node", [NODE, INJECTED])
def test_fast_map_is_the_equation(node: OscillatorArray) -> None:
    """Relative 1e-6 over 60 ns, that is 240 steps of at most 0.1 rad."""
    drives = currents(node, 4, 3e-3, 9e-3)
    fast, end = node.run(drives, node.start())
    slow, after = node.reference(drives, node.start())
    assert np.allclose(fast, slow, rtol=1e-6, atol=0)
    assert np.allclose(end, after, rtol=0, atol=1e-6)


@pytest.mark.parametrize("node", [NODE, INJECTED])
def test_order_is_4(node: OscillatorArray) -> None:
    drives = currents(node, 2, 3e-3, 9e-3)
    _, exact = node.reference(drives, node.start())
    steps = [0.0625e-9, 0.125e-9, 0.25e-9]
    errors = [
        float(np.abs(replace(node, step=step).run(drives, node.start())[1] - exact).max())
        for step in steps
    ]
    assert slope(steps, errors) == pytest.approx(4, abs=0.15)


@pytest.mark.parametrize("node", [NODE, INJECTED])
def test_contract(node: OscillatorArray) -> None:
    obeys_the_contract(node, currents(node, 8, 2e-3, 9e-3))


def test_coupling_matrix_by_hand() -> None:
    """A grid of two rows: distances 1, 2, root 2 and root 5, to the power -3."""
    node = replace(NODE, coupling=1e6, phase=0.0)
    expected = [0, 1, 2**-3, 1, 2**-1.5]
    assert np.allclose(node.matrix[0], 1e6 * np.array(expected))
    assert np.allclose(node.matrix[2, 3], 1e6 * 5**-1.5)
    assert np.array_equal(node.matrix, node.matrix.T)
    assert np.allclose(NODE.matrix[0, 1], -1e7j)
    chain = OscillatorArray(3, 1).matrix
    assert np.allclose(np.abs(chain), 1e7 * np.array([[0, 1, 1 / 8], [1, 0, 1], [1 / 8, 1, 0]]))


def test_without_coupling_it_is_the_amplitude_model() -> None:
    """The closed form of another module, whatever the frequencies, within the error of RK4."""
    array = replace(NODE, coupling=0.0)
    alone = AutoOscillator(5, 3, AutoOscillatorParameters(damping=5e7), interval=5e-9)
    drives = currents(array, 6, 2e-3, 9e-3)
    coupled, _ = array.run(drives, array.start())
    exact, _ = alone.run(drives, alone.start())
    assert np.allclose(coupled, exact, rtol=1e-6, atol=0)


def test_an_oscillator_turns_at_its_own_frequency() -> None:
    """By -(2 pi f + N p_inf) per second, p_inf = 1/4 at twice the threshold."""
    node = OscillatorArray(1, 1, OscillatorArrayParameters(frequency=3e6))
    _, end = node.run(np.full((20, 1), BIAS), node.start())
    turned = amplitudes(end)[0] / amplitudes(node.start())[0]
    expected = -(2 * math.pi * 3e6 + 2e8 / 4) * 20 * 5e-9
    assert abs(turned - complex(math.cos(expected), math.sin(expected))) < 1e-6


def pair(delta: float, shift: float, coupling: float, phase: float) -> OscillatorArray:
    """Two oscillators that differ by an angular frequency delta."""
    half = delta / (4 * math.pi)
    parameters = replace(PAIR, frequency=(half, -half), nonlinear_shift=shift)
    return OscillatorArray(2, 100, parameters, coupling, phase)


def difference(node: OscillatorArray, samples: int) -> Values:
    """Phase of the first less that of the second, after each sample of half a microsecond."""
    state, phases = node.start(), []
    for _ in range(samples):
        _, state = node.run(np.full((1, 200), BIAS), state)
        c = amplitudes(state)
        phases.append(float(np.angle(c[0] * c[1].conjugate())))
    return np.unwrap(phases)


@pytest.mark.parametrize(
    ("shift", "phase"), [(0.0, 0.0), (2e8, 0.0), (2e8, -math.pi / 2), (-2e8, -math.pi / 2)]
)
def test_two_oscillators_lock_as_adler_says(shift: float, phase: float) -> None:
    """Below the range they lock at sin(phase) = -delta / range; above they beat at a known rate.

    The coupling is 1 / 500 of the rate at which the power is held, which bounds the error.
    """
    coupling = 4e5
    whole = pair(0.0, shift, coupling, phase).locking_range(BIAS)[0]
    sign = math.copysign(1.0, math.cos(phase) + shift * math.sin(phase) / (5e7 * 4))
    for share in (0.5, 0.9):
        locked = difference(pair(share * whole, shift, coupling, phase), 100)
        assert np.ptp(locked[-10:]) < 1e-3
        assert sign * math.sin(locked[-1]) == pytest.approx(-share, abs=0.02)
        assert math.cos(locked[-1]) * sign > 0
    for share in (1.2, 1.5):
        free = difference(pair(share * whole, shift, coupling, phase), 300)
        beat = abs(free[-1] - free[20]) / (279 * 0.5e-6)
        assert beat == pytest.approx(whole * math.sqrt(share**2 - 1), rel=0.05)


def test_locking_range_by_hand() -> None:
    node = pair(0.0, 2e8, 4e5, -math.pi / 2)
    assert node.locking_range(BIAS)[0] == pytest.approx(2 * 4e5 * 2e8 / (5e7 * 4))
    assert replace(node, phase=0.0).locking_range(BIAS)[0] == pytest.approx(8e5)


def injected(share: float, shift: float, injection: float) -> OscillatorArray:
    """One oscillator, away from the injected signal by a share of the locking range."""
    node = OscillatorArray(
        1, 100, OscillatorArrayParameters(nonlinear_shift=shift), injection=injection
    )
    away = share * node.injection_range(BIAS)[0] - shift / 4
    parameters = replace(node.parameters, frequency=float(away) / (2 * math.pi))
    return replace(node, parameters=parameters)


@pytest.mark.parametrize("shift", [0.0, 2e8, -2e8])
def test_an_oscillator_locks_to_a_weak_injected_signal_as_adler_says(shift: float) -> None:
    """Inside the range the phase stands still, outside it beats at a known rate.

    The injection is 1 / 500 of the rate at which the power is held, which bounds the error.
    """
    injection = 2e5
    whole = injected(0.0, shift, injection).injection_range(BIAS)[0]

    def phases(share: float, samples: int) -> Values:
        node = injected(share, shift, injection)
        state, found = node.start(), []
        for _ in range(samples):
            _, state = node.run(np.full((1, 100), BIAS), state)
            found.append(float(np.angle(amplitudes(state)[0])))
        return np.unwrap(found)

    lag = math.atan(shift / 2e8)  # nu is 1 at 2e8
    for share in (-0.9, 0.5):
        locked = phases(share, 120)
        assert np.ptp(locked[-10:]) < 1e-3
        assert math.sin(locked[-1] + lag) == pytest.approx(-share, abs=0.02)
    for share in (1.2, -1.5):
        free = phases(share, 240)
        beat = abs(free[-1] - free[20]) / (219 * 0.5e-6)
        assert beat == pytest.approx(whole * math.sqrt(share**2 - 1), rel=0.05)


def test_injection_range_by_hand() -> None:
    """At twice the threshold the power is 1 / 4, and nu is 1."""
    node = OscillatorArray(2, 1, injection=-2e7)
    assert node.injection_range(BIAS) == pytest.approx([2e7 * 2 * math.sqrt(2)] * 2)
    plain = OscillatorArrayParameters(nonlinear_shift=0.0)
    assert replace(node, parameters=plain).injection_range(BIAS)[0] == pytest.approx(4e7)
    assert replace(node, injection=0.0).injection_range(BIAS)[0] == 0


def test_neighbours_are_seen() -> None:
    """Another current in one oscillator changes the readings of all others."""
    drives = currents(NODE, 6, 4e-3, 8e-3)
    other = drives.copy()
    other[:, :3] = 4e-3
    changed = NODE.run(drives, NODE.start())[0] != NODE.run(other, NODE.start())[0]
    assert changed[2:].all()


def test_parameters_differ_by_device() -> None:
    varied = OscillatorArrayParameters(damping=(4e7, 6e7), sensitivity=(1e-3, 2e-3))
    node = OscillatorArray(2, 2, varied, coupling=0.0)
    drives = currents(node, 4, 4e-3, 8e-3)
    whole, _ = node.run(drives, node.start())
    second = OscillatorArray(
        1, 2, OscillatorArrayParameters(damping=6e7, sensitivity=2e-3), coupling=0.0
    )
    alone, _ = second.run(drives[:, 2:], second.start())
    assert np.allclose(alone, whole[:, 2:], rtol=1e-12, atol=0)


def test_refusals() -> None:
    node = OscillatorArray(1, 2)
    with pytest.raises(DesignError, match=r"drive must be from 0 to 0.01 A.*not -0.001"):
        node.run(np.array([[-1e-3, 0.0]]), node.start())
    with pytest.raises(DesignError, match=r"^power must be at most 1, .* not 4$"):
        node.run(np.zeros((1, 2)), np.array([2.0, 0.0]))
    with pytest.raises(DesignError, match=r"state must have shape \(2,\)"):
        node.run(np.zeros((1, 2)), np.zeros(4))
    with pytest.raises(
        DesignError, match=r"^step must be at most .* s for these rates, not 2.5e-1"
    ):
        OscillatorArray(1, 1, OscillatorArrayParameters(frequency=1e9))
    with pytest.raises(DesignError, match=r"^step must be at most .* s for these rates"):
        OscillatorArray(2, 1, coupling=1e9)
    with pytest.raises(DesignError, match=r"^bias must be above the threshold, not 0.5 times it$"):
        OscillatorArray(1, 1, OscillatorArrayParameters(bias=1.5e-3))
    with pytest.raises(DesignError, match=r"^columns must be at least 1, not 0$"):
        OscillatorArray(1, 1, columns=0)
    with pytest.raises(DesignError, match=r"^coupling must be finite, not inf$"):
        OscillatorArray(1, 1, coupling=math.inf)
    with pytest.raises(DesignError, match=r"^injection must be finite, not nan$"):
        OscillatorArray(1, 1, injection=math.nan)
    with pytest.raises(DesignError, match=r"^step must be at most .* s for these rates"):
        OscillatorArray(1, 1, injection=-1e9)
    with pytest.raises(DesignError, match=r"^interval must be a multiple of the step"):
        OscillatorArray(1, 1, step=0.3e-9)
    with pytest.raises(DesignError, match=r"^damping must be above 0 1/s, not 0$"):
        OscillatorArrayParameters(damping=0.0)
