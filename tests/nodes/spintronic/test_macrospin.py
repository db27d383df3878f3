"""The macrospin against cmtj, against Gilbert's implicit form, and against laws of physics."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from cmtj import (
    AxialDriver,
    CVector,
    Junction,
    Layer,
    ScalarDriver,
    constantDriver,
)
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.spintronic import macrospin
from rchw.nodes.spintronic.macrospin import Macrospin, MacrospinParameters
from tests.nodes.spintronic.shared import currents, obeys_the_contract, slope

Values = NDArray[np.float64]

FREE = MacrospinParameters(anisotropy=0.0, demag_z=0.0, field_z=0.0)
TILTED = MacrospinParameters(
    demag_x=0.01,
    demag_y=0.03,
    demag_z=0.96,
    field_x=1e4,
    field_y=-2e4,
    field_like=0.3,
    damping=0.02,
)
HOT = replace(TILTED, temperature=300.0)
NODES = {
    "cold": Macrospin(2, 3, TILTED, interval=0.1e-9),
    "cold, Heun": Macrospin(2, 3, TILTED, interval=0.1e-9, solver="heun"),
    "cold, order 8": Macrospin(2, 3, TILTED, interval=0.1e-9, step=10e-12, solver="dop853"),
    "hot": Macrospin(2, 3, HOT, interval=0.1e-9, seed=5),
}


def along(node: Macrospin, readings: Values) -> Values:
    """The component m.p behind resistances of 1 ohm (parallel) to 3 ohm."""
    assert (node.parameters.parallel, node.parameters.antiparallel) == (1.0, 3.0)
    return 2 - readings


# --- Another package -----------------------------------------------------------------------------

MU0, G0, CHARGE = 12.566e-7, 2.2088e5, 1.60217662e-19  # what cmtj computes with


@pytest.mark.parametrize("step", [1e-13, 1e-12])
@pytest.mark.parametrize(
    ("density", "asymmetry", "field_like"),
    [(0.0, 1.0, 0.0), (2e11, 1.0, 0.0), (-2e11, 1.4, 0.3), (4e11, 0.8, -0.2)],
)
def test_cmtj(step: float, density: float, asymmetry: float, field_like: float) -> None:
    """A thousand steps within 1e-12, step by step; entry k of its log is after step k + 1.

    Its Ms is in tesla, its constants are rounded, and its charge of the electron is of 2014.
    """
    tesla, area, start = 1.2, 1e-14, (0.3, 0.2, 1.0)
    demag = [CVector(0.01, 0, 0), CVector(0, 0.03, 0), CVector(0, 0, 0.96)]
    length = math.hypot(*start)
    layer = Layer.createSTTLayer(
        "free", CVector(*(c / length for c in start)), CVector(0, 0, 1), tesla, 1.5e-9, area, demag,
        0.02, asymmetry, field_like, 0.5,
    )  # fmt: skip
    layer.setReferenceLayer(CVector(0.6, 0, 0.8))
    junction = Junction([layer])
    junction.setLayerAnisotropyDriver("free", ScalarDriver.getConstantDriver(5e5))
    outside = AxialDriver(constantDriver(1e4), constantDriver(-2e4), constantDriver(3e4))
    junction.setLayerExternalFieldDriver("free", outside)
    ratio = CHARGE / 1.602176634e-19
    junction.setLayerCurrentDriver("free", constantDriver(density * ratio))
    junction.runSimulation(1000 * step, step, step)  # by RK4, its default
    log = junction.getLog()
    theirs = np.stack([log[f"free_m{name}"] for name in "xyz"], axis=1)
    parameters = MacrospinParameters(
        saturation=tesla / MU0, anisotropy=5e5, demag_x=0.01, demag_y=0.03, demag_z=0.96,
        field_x=1e4, field_y=-2e4, field_z=3e4, damping=0.02, polarisation=0.5,
        asymmetry=asymmetry, field_like=field_like, area=area, thickness=1.5e-9,
        gyromagnetic=G0, permeability=MU0,
    )  # fmt: skip
    node = Macrospin(
        1, 1000, replace(parameters, parallel=1.0, antiparallel=3.0), interval=step, step=step,
        polariser=(0.6, 0, 0.8), initial=start,
    )  # fmt: skip
    readings, end = node.run(np.full((1, 1000), density * area), node.start())
    assert theirs.shape == (1000, 3) and np.ptp(theirs, axis=0).max() > 0.05
    assert np.abs(end[:3] - theirs[-1]).max() < 1e-12
    assert np.abs(along(node, readings[0]) - theirs @ [0.6, 0, 0.8]).max() < 1e-12


# --- The integrators -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NODES)
def test_contract(name: str) -> None:
    obeys_the_contract(NODES[name], currents(NODES[name], 7, -3e-3, 3e-3))


def test_blocks_of_noise_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    node = NODES["hot"]
    drives = currents(node, 5, -3e-3, 3e-3)
    whole, end = node.run(drives, node.start())
    monkeypatch.setattr(macrospin, "_NOISE", 1300)
    parts, after = node.run(drives, node.start())
    assert np.array_equal(parts, whole) and np.array_equal(after, end)


@pytest.mark.parametrize(
    ("solver", "order", "apart", "bound", "steps"),
    [
        ("heun", 2, 0.15, 2e-3, [1e-12, 0.5e-12, 2e-12, 2.5e-12]),
        ("rk4", 4, 0.15, 1e-6, [1e-12, 0.5e-12, 2e-12, 2.5e-12]),
        ("dop853", 8, 0.3, 1e-8, [10e-12, 5e-12, 6.25e-12, 12.5e-12]),
    ],
)
def test_order(solver: str, order: int, apart: float, bound: float, steps: list[float]) -> None:
    """Slope of the error against the step; the bound is that of the first step, over 1 ns.

    All scale the length back, which takes nothing from their order.
    """
    node = Macrospin(1, 1, TILTED, step=steps[0], solver=solver)
    drives = np.array([[-2e-3]])
    _, exact = node.reference(drives, node.start())
    errors = []
    for step in steps:
        _, end = replace(node, step=step).run(drives, node.start())
        errors.append(float(np.abs(end - exact).max()))
    assert slope(steps, errors) == pytest.approx(order, abs=apart)
    assert errors[0] < bound


def test_heun_follows_the_held_noise() -> None:
    """Against Gilbert's form with the field of each step held, over 300 steps at room temperature.

    A step leaves errors of third order in its angle, here 0.01 rad.
    """
    node = Macrospin(3, 3, HOT, interval=0.1e-9, seed=2)
    drives = currents(node, 1, -2e-3, 2e-3)
    fast, end = node.run(drives, node.start())
    slow, after = node.reference(drives, node.start())
    assert np.abs(end - after).max() < 1e-3
    assert np.abs(fast - slow).max() < 300 * 1e-3
    cold, _ = replace(node, parameters=TILTED).run(drives, node.start())
    assert np.abs(fast - cold).max() > 1  # what the noise itself does


@pytest.mark.parametrize("name", NODES)
def test_length_stays_1(name: str) -> None:
    node = NODES[name]
    _, end = node.run(currents(node, 50, -3e-3, 3e-3), node.start())
    assert np.abs(np.linalg.norm(end[:-1].reshape(-1, 3), axis=1) - 1).max() < 4e-16


# --- Laws ----------------------------------------------------------------------------------------


def test_precession_in_a_field_is_in_closed_form() -> None:
    """Along the field m is tanh of a straight line, and it turns at g0 H / (1 + al^2)."""
    parameters = replace(FREE, field_z=1e5, damping=0.1)
    node = Macrospin(1, 20, parameters, interval=0.05e-9, initial=(1, 0, -0.5))
    state = node.start()
    rate = 2.21276147e5 * 1e5 / (1 + 0.1**2)
    for sample in range(1, 11):
        _, state = node.run(np.zeros((1, 20)), state)
        time = sample * 1e-9
        along_field = math.tanh(math.atanh(-0.5 / math.hypot(1, 0.5)) + 0.1 * rate * time)
        across = math.sqrt(1 - along_field**2)
        turned = [across * math.cos(rate * time), across * math.sin(rate * time), along_field]
        assert np.abs(state[:3] - turned).max() < 1e-7


def test_without_current_the_energy_falls() -> None:
    node = Macrospin(1, 1, TILTED, interval=10e-12, initial=(1, 0.3, -0.8))
    state, energies = node.start(), []
    for _ in range(1000):
        m = state[:3]
        energies.append(float(-node.external_field()[0] @ m - m @ node.stiffness()[0] @ m / 2))
        _, state = node.run(np.zeros((1, 1)), state)
    assert (np.diff(energies) < 0).all()
    assert energies[0] - energies[-1] > 1e4


def swings(current: float) -> tuple[float, float]:
    """Deviation of m.p about its mean in the first and in the last of ten times 10 ns."""
    parameters = MacrospinParameters(parallel=1.0, antiparallel=3.0)
    node = Macrospin(1, 200, parameters, 50e-12, step=2e-12, initial=(0.02, 0.0, 1.0))
    readings, _ = node.run(np.full((10, 200), current), node.start())
    deviations = along(node, readings).std(axis=1)
    return float(deviations[0]), float(deviations[-1])


def test_threshold_of_the_oscillation() -> None:
    """The published formula 4 al e mu0 Ms V (H_ext + Hk - Ms) / (hbar x^3), x = 0.54: 1.5 mA.

    It is that of a polariser across the axis, in the same public code as the parameters. The sign
    is that of this convention: a current away from the polariser excites.
    """
    volume, tesla = math.pi * 60e-9**2 * 2e-9, 1.448e6 * 1.25663706212e-6
    field = (1.86 + 0.20) / 1.25663706212e-6 - 1.448e6
    top = 4 * 0.005 * 1.602176634e-19 * tesla * volume * field
    critical = -top / (1.054571817e-34 * 0.54**3)
    assert critical == pytest.approx(-1.5e-3, rel=0.03)
    first, last = swings(0.9 * critical)
    assert last < first / 3
    first, last = swings(1.1 * critical)
    assert last > 3 * first


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_threshold_along_the_axis(factor: float) -> None:
    """With the polariser along the axis, m is left at aj P / 2 = -al (H_ext + Hk)."""
    parameters = replace(FREE, anisotropy=5e4, field_z=2e4, damping=0.02, asymmetry=1.0)
    node = Macrospin(1, 1, parameters, 100e-9, polariser=(0, 0, 1), initial=(1e-4, 0, 1))
    strength = 0.02 * (2e4 + 2 * 5e4 / (1.448e6 * 1.25663706212e-6))
    critical = -strength / (node.torque_field()[0] * 0.41808 / 2)
    _, state = node.run(np.array([[factor * critical]]), node.start())
    growth = math.hypot(state[0], state[1]) / node.start()[0]
    rate = 2.21276147e5 * strength * (factor - 1) / (1 + 0.02**2) * 100e-9
    assert math.log(growth) == pytest.approx(rate, rel=0.01)


@pytest.mark.parametrize("delta", [2.0, 5.0])
def test_boltzmann(delta: float, record_property: Callable[[str, object], None]) -> None:
    """The mean of mz^2 of 2,000 independent spins is that of exp(Delta mz^2), within 1 %.

    The standard error, from the spread of the spins, is asserted to be below a third of that. In
    longer runs with Delta 2 the mean is 0.3 % too great at this step and less at a shorter one:
    Heun's scheme is of first order in the law.
    """
    thermal = 1.380649e-23 * 300
    parameters = MacrospinParameters(
        saturation=1e6, anisotropy=5e4, demag_z=0.0, field_z=0.0, damping=0.2, temperature=300.0,
        thickness=1e-9, area=delta * thermal / (5e4 * 1e-9), parallel=1.0, antiparallel=3.0,
    )  # fmt: skip
    node = Macrospin(
        2_000, 1, parameters, interval=20e-12, step=2e-12, polariser=(0, 0, 1), initial=(1, 0, 1),
        limit=1e-9, seed=1,
    )  # fmt: skip
    drives = np.zeros((600, 2_000))
    squares = along(node, node.run(drives, node.start())[0][100:]) ** 2
    each = squares.mean(axis=0)
    grid = np.linspace(-1, 1, 20_001)
    weights = np.exp(delta * grid**2)
    exact = (grid**2 * weights).sum() / weights.sum()
    error = each.std() / math.sqrt(each.size)
    record_property("mean", f"{each.mean():.5f} +- {error:.5f}, exact {exact:.5f}")
    assert error < 0.0033 * exact
    assert each.mean() == pytest.approx(exact, rel=0.01)


# --- Parameters and refusals ---------------------------------------------------------------------


def test_devices_differ_only_by_their_own_parameters() -> None:
    varied = replace(TILTED, damping=(0.02, 0.05), field_z=(1e5, 2e5))
    node = Macrospin(2, 2, varied)
    drives = currents(node, 3, -2e-3, 2e-3)
    whole, _ = node.run(drives, node.start())
    alone = Macrospin(1, 2, replace(TILTED, damping=0.05, field_z=2e5))
    assert np.array_equal(alone.run(drives[:, 2:], alone.start())[0], whole[:, 2:])
    assert np.abs(whole[:, :2] - whole[:, 2:]).max() > 1


def test_noise_is_of_its_seed() -> None:
    node = NODES["hot"]
    drives = np.zeros((1, 6))
    other = replace(node, seed=6)
    assert not np.array_equal(node.run(drives, node.start())[0], other.run(drives, node.start())[0])


def test_bad_steps_are_refused() -> None:
    with pytest.raises(DesignError, match=r"^step must be at most .* s for these fields and curr"):
        Macrospin(1, 1, MacrospinParameters(anisotropy=0.0))
    with pytest.raises(
        DesignError, match=r"^step must be at most .* for these fields and currents"
    ):
        Macrospin(1, 1, limit=1.0)
    with pytest.raises(DesignError, match=r"^step must be at most .* s for this temperature"):
        Macrospin(1, 1, MacrospinParameters(temperature=300.0, area=1e-18, damping=0.5), limit=1e-9)
    with pytest.raises(DesignError, match=r"^interval must be a multiple of the step 3e-12 s"):
        Macrospin(1, 1, step=3e-12)


def test_refusals() -> None:
    node = Macrospin(1, 2)
    start = node.start()
    with pytest.raises(DesignError, match=r"drive must be from -0.01 to 0.01 A.*not 0.02"):
        node.run(np.array([[0.0, 0.02]]), start)
    with pytest.raises(DesignError, match=r"^length of m must be 1, not 2$"):
        node.run(np.zeros((1, 2)), np.array([0, 0, 2.0, 0]))
    with pytest.raises(DesignError, match=r"^number of the sample must be at least 0, not -1$"):
        node.run(np.zeros((1, 2)), np.array([0, 0, 1.0, -1]))
    with pytest.raises(DesignError, match=r"state must have shape \(4,\)"):
        node.run(np.zeros((1, 2)), np.zeros(3))
    for solver in ("rk4", "dop853"):
        with pytest.raises(
            DesignError, match=rf"^solver must be one of auto, heun, not '{solver}'$"
        ):
            Macrospin(1, 1, MacrospinParameters(temperature=1.0), solver=solver)
    with pytest.raises(DesignError, match=r"^solver must be one of .*, dop853, not 'euler'$"):
        Macrospin(1, 1, solver="euler")
    with pytest.raises(DesignError, match=r"^polariser must be 3 finite numbers, not all 0"):
        Macrospin(1, 1, polariser=(0, 0, 0))
    with pytest.raises(DesignError, match=r"^temperature must be at least 0 K, not -1$"):
        MacrospinParameters(temperature=-1.0)
