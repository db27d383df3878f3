"""A soft arm against Lagrange's equations, the elastica, the vibrating beam and its energy."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.metrics import memory_capacity
from rchw.nodes import Node, Variation, vary
from rchw.nodes.mechanical import ArmParameters, SoftArm

Values = NDArray[np.float64]
LENGTH = 0.45


def of_segments(n_segments: int, steps: int, interval: float = 0.1, **more: float) -> SoftArm:
    """The same arm in other numbers of segments, one sensor each."""
    parameters = ArmParameters(length=LENGTH / n_segments, **more)
    return SoftArm(n_segments, n_segments, parameters, interval=interval, steps=steps)


def commands(samples: int, size: float = 1.0, seed: int = 0) -> Values:
    """Base angles in radians, (T, 1)."""
    return np.random.default_rng(seed).uniform(-size, size, (samples, 1))


def bent(arm: SoftArm, size: float = 0.3) -> Values:
    """State at rest in a random bend."""
    state = arm.start()
    steps = np.random.default_rng(4).normal(size=arm.n_segments) * size / np.sqrt(arm.n_segments)
    state[: arm.n_segments] = np.cumsum(steps)
    return state


def test_the_fast_map_is_lagranges_equations() -> None:
    """Pulls of rods that do not stretch, or a matrix of inertia of angles: the same motion."""
    arm = SoftArm(steps=800)
    inputs = commands(8)
    curvatures, state = arm.run(inputs, bent(arm))
    exact, exact_state = arm.reference(inputs, bent(arm))
    assert np.abs(exact).max() > 10
    # A step is 4 % to 8 % of the shortest time 1/630 s; its fourth power is 4e-5 at most, and the
    # factor 1/120, of the motions that are that fast alone.
    assert np.abs(curvatures - exact).max() < 3e-8 * np.abs(exact).max()
    assert np.abs(state - exact_state).max() < 3e-8 * np.abs(exact_state).max()


@pytest.mark.parametrize(("steps", "bound"), [(50, 1e-4), (40, 2e-4)])
def test_steps_are_as_exact_as_is_said(steps: int, bound: float) -> None:
    """The default of 2 ms, and the 2.5 ms of the preset."""
    arm = SoftArm(steps=steps)
    inputs = commands(8)
    exact = arm.reference(inputs, arm.start())[0]
    apart = np.abs(arm.run(inputs, arm.start())[0] - exact).max()
    assert apart < bound * np.abs(exact).max()


def test_angles_of_many_turns() -> None:
    """Sine and cosine are as good after ten thousand turns: the same motion, but for rounding."""
    arm = SoftArm(limit=1e5)
    inputs, turns, n = commands(5), 2e4 * np.pi, arm.n_segments
    plain, _ = arm.run(inputs, arm.start())
    turned = arm.start()
    turned[:n] += turns
    turned[-1] += turns
    assert np.abs(arm.run(inputs + turns, turned)[0] - plain).max() < 1e-8 * np.abs(plain).max()


def test_order() -> None:
    """Halving the step divides the error by 16."""
    arm = of_segments(5, 10)
    inputs, state = commands(4), bent(arm)
    exact = arm.reference(inputs, state)[1]
    counts = np.array([10, 20, 40, 80])
    errors = [
        float(np.abs(replace(arm, steps=int(n)).run(inputs, state)[1] - exact).max())
        for n in counts
    ]
    slope = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert slope == pytest.approx(4, abs=0.3)


def test_chunks_give_the_same_bits() -> None:
    """The state holds the last command: the motor starts from it."""
    arm = SoftArm()
    inputs = commands(30)
    whole, last = arm.run(inputs, arm.start())
    first, state = arm.run(inputs[:13], arm.start())
    assert state[-1] == inputs[12, 0]
    second, end = arm.run(inputs[13:], state)
    assert np.concatenate([first, second]).tobytes() == whole.tobytes()
    assert end.tobytes() == last.tobytes()


def test_run_changes_nothing_that_it_is_given() -> None:
    arm = SoftArm()
    inputs, state = commands(4), bent(arm)
    before = inputs.copy(), state.copy()
    first, again = arm.run(inputs, state), arm.run(inputs, state)
    assert (inputs == before[0]).all() and (state == before[1]).all()
    assert first[0].tobytes() == again[0].tobytes() and first[1].tobytes() == again[1].tobytes()


def test_it_is_a_node() -> None:
    arm = SoftArm()
    assert isinstance(arm, Node)
    assert (arm.n_devices, arm.n_virtual, arm.n_drives, arm.n_state) == (10, 1, 1, 41)
    assert (arm.drive_unit, arm.reading_unit) == ("rad", "1/m")


@pytest.mark.parametrize("still", ["viscous", "quadratic", "damping"])
def test_energy_falls_while_the_base_rests(still: str) -> None:
    """With any one of the three losses alone."""
    losses = dict.fromkeys(("viscous", "quadratic", "damping"), 0.0)
    losses[still] = {"viscous": 0.5, "quadratic": 10.0, "damping": 7.9e-6}[still]
    arm = of_segments(8, 20, interval=0.05, **losses)
    state, base = bent(arm, 1.0), np.zeros((1, 1))
    energies = [arm.energy(state)]
    for _ in range(40):
        state = arm.run(base, state)[1]
        energies.append(arm.energy(state))
    lowest = arm.energy(arm.start())
    assert (np.diff(energies) < 1e-12 * abs(lowest)).all()
    assert energies[-1] - lowest < 0.95 * (energies[0] - lowest)


def test_energy_stays_without_losses() -> None:
    arm = of_segments(8, 400, viscous=0.0, quadratic=0.0, damping=0.0)
    state = bent(arm, 1.0)
    energy, lowest = arm.energy(state), arm.energy(arm.start())
    after = arm.run(np.zeros((10, 1)), state)[1]
    assert np.abs(after - state).max() > 0.5
    # The method loses (step * fastest)^6 / 72 per step, 2e-9 in all of the fastest motion.
    assert arm.energy(after) - lowest == pytest.approx(energy - lowest, rel=1e-7)


def test_static_shape_is_the_heavy_elastica() -> None:
    """EI q'' = weight (L - s) sin q, q(0) = base, q'(L) = 0; the error is of second order."""
    from scipy.integrate import solve_bvp

    base, weight, rigidity = 1.2, 0.22, 7.9e-4

    def slope(s: Values, y: Values) -> Values:
        return np.vstack([y[1], weight * (LENGTH - s) * np.sin(y[0]) / rigidity])

    def ends(a: Values, b: Values) -> Values:
        return np.array([a[0] - base, b[1]])

    grid = np.linspace(0, LENGTH, 50)
    guess = np.vstack([base * np.exp(-grid / 0.1), -base / 0.1 * np.exp(-grid / 0.1)])
    shape = solve_bvp(slope, ends, grid, guess, tol=1e-9).sol
    apart = []
    for n_segments, steps in ((10, 20), (20, 40), (40, 100)):
        arm = of_segments(n_segments, steps, viscous=2.0, damping=0.0)
        state = arm.run(np.full((400, 1), base), arm.start())[1]
        assert np.abs(state[n_segments:-1]).max() < 1e-7
        middles = (np.arange(n_segments) + 0.5) * LENGTH / n_segments
        apart.append(float(np.abs(state[:n_segments] - shape(middles)[0]).max()))
    assert apart[2] < 2e-3 * base
    assert -np.polyfit(np.log([10, 20, 40]), np.log(apart), 1)[0] == pytest.approx(2, abs=0.2)


def test_small_motions_are_those_of_a_cantilever() -> None:
    """Without water and weight the two lowest frequencies are 3.5160 and 22.0345 sqrt(EI/m)/L^2."""
    n_segments = 40
    free = {"viscous": 0.0, "quadratic": 0.0, "damping": 0.0, "weight": 0.0}
    arm = of_segments(n_segments, 200, **free)
    rates = np.sort(np.linalg.eigvals(arm.linear()).imag)[n_segments : n_segments + 2]
    beam = np.array([3.5160, 22.0345]) * np.sqrt(7.9e-4 / 0.65) / LENGTH**2
    assert rates == pytest.approx(beam, rel=3e-3)


def test_linear_limit() -> None:
    """A bend of 1e-4 unbends as the exponential of the matrix says."""
    from scipy.linalg import expm

    arm = SoftArm(parameters=ArmParameters(quadratic=0.0), steps=200)
    for size in (1e-3, 1e-4):
        state = bent(arm, size)
        after = arm.run(np.zeros((5, 1)), state)[1][:-1]
        linear = expm(arm.linear() * 5 * arm.interval) @ state[:-1]
        # What is left is of third order in the angles, for the arm is symmetric.
        assert np.abs(after - linear).max() < max(50 * size**2, 1e-6) * np.abs(linear).max()


def test_a_washout_forgets_the_start() -> None:
    arm = SoftArm()
    inputs = commands(arm.washout, 0.2)
    one, other = arm.run(inputs, arm.start())[0], arm.run(inputs, bent(arm))[0]
    assert arm.washout == np.ceil(5 * arm.slowest / arm.interval)
    assert np.abs(one[-1] - other[-1]).max() < 0.02 * np.abs(one[0] - other[0]).max()


def test_memory_falls_with_the_period_of_the_input() -> None:
    """Qualitative: a slower input is forgotten in fewer samples."""
    found = []
    for interval, steps in ((0.05, 25), (0.2, 100), (0.8, 400)):
        arm = SoftArm(interval=interval, steps=steps)
        inputs = commands(500, 0.5)
        readings = arm.run(inputs, arm.start())[0][100:]
        noise = np.random.default_rng(1).normal(size=readings.shape) * 1e-3 * readings.std()
        capacity = memory_capacity(readings + noise, inputs[100:, 0], range(1, 16))
        found.append(capacity.total)
    assert found[0] > found[1] + 0.5 > found[2] + 1


def test_readings_are_bends_over_lengths() -> None:
    """Five sensors of two segments; the first stretch ends in the middle of the third segment."""
    arm = SoftArm(10, 2)
    state = bent(arm)
    state[-1] = 0.2
    angles = state[:10]
    expected = [(angles[4] - 0.2) / (4.5 * 0.0225), (angles[9] - angles[4]) / (5 * 0.0225)]
    assert arm.curvatures(state) == pytest.approx(expected, rel=1e-12)
    quick = SoftArm(10, 2)
    readings, after = quick.run(np.array([[0.3]]), state)
    assert readings[0].tobytes() == quick.curvatures(after).tobytes()


def test_segments_differ() -> None:
    """An arm that is softer at its base bends more there; all may differ by a distribution."""
    base = of_segments(10, 200)
    inputs = commands(10)
    plain = base.run(inputs, base.start())[0]
    same = replace(base, parameters=replace(base.parameters, rigidity=(7.9e-4,) * 10))
    assert same.run(inputs, base.start())[0].tobytes() == plain.tobytes()
    soft = replace(base, parameters=replace(base.parameters, rigidity=(4e-4, *(7.9e-4,) * 9)))
    held = np.full((200, 1), 1.0)
    bends = [arm.run(held, arm.start())[0][-1, 0] for arm in (base, soft)]
    assert bends[1] < 1.2 * bends[0] < 0
    spread = vary(base.parameters, [Variation("mass", 0.1), Variation("length", 0.1)], 10, seed=1)
    varied = replace(base, parameters=spread)
    exact = varied.reference(inputs, base.start())[0]
    assert np.abs(varied.run(inputs, base.start())[0] - exact).max() < 1e-6 * np.abs(exact).max()


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "segments": (lambda: SoftArm(1, 1), r"segments must be at least 2, not 1"),
    "sensors": (lambda: SoftArm(20, 3), r"sensors must divide the 20 segments, not be 3"),
    "no sensors": (lambda: SoftArm(20, 0), r"sensors must divide the 20 segments, not be 0"),
    "interval": (
        lambda: SoftArm(interval=-1.0),
        r"interval must be finite and above 0 s, not -1\.0",
    ),
    "steps": (lambda: SoftArm(steps=0), r"steps must be at least 1, not 0"),
    "step": (lambda: SoftArm(steps=25), r"step must be at most 0\.00317 s here, not 0\.004"),
    "parameter": (lambda: ArmParameters(rigidity=0.0), r"rigidity must be above 0 N m\^2, not 0"),
    "count": (
        lambda: SoftArm(parameters=ArmParameters(mass=(1.0, 1.0))),
        r"mass must be one value or 20, one per device, not 2",
    ),
    "drag": (
        lambda: SoftArm().run(np.zeros((1, 1)), np.append(np.full(40, 200.0), 0.0)),
        r"drag times step over mass must be below 1 for a stable step, not \S+ at sample 0",
    ),
    "command": (
        lambda: SoftArm().run(np.array([[0.0], [1.6]]), SoftArm().start()),
        r"drive must be from -1\.5 to 1\.5 rad, where the model is valid, not 1\.6 at sample 1",
    ),
    "state": (
        lambda: SoftArm().run(np.zeros((1, 1)), np.zeros(40)),
        r"state must have shape \(41,\), not \(40,\)",
    ),
    "nan": (
        lambda: SoftArm().energy(np.full(41, np.nan)),
        r"state must be finite, not NaN or infinite",
    ),
    "undamped": (
        lambda: of_segments(4, 50, viscous=0.0, damping=0.0).slowest,
        r"damping must make every mode fade, not leave a rate of",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()
