"""Exponents against closed forms, one another, and the figures of a published comparison."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw import topology
from rchw.errors import DesignError
from rchw.metrics import local_lyapunov, maximum_lyapunov, perturbation_exponent
from rchw.model import DeepModel, EulerModel, FeedbackModel, MatrixModel, RingModel
from rchw.model.scaling import random_dense, scale_radius
from rchw.reference import ReferenceReservoir
from rchw.reservoir import Reservoir
from tests.test_schedule import ring

Values = NDArray[np.float64]


def inputs(samples: int, seed: int = 1) -> Values:
    return np.random.default_rng(seed).uniform(-1, 1, (samples, 1))


def random_network(n: int, radius: float, scale: float, activation: str = "tanh") -> MatrixModel:
    rng = np.random.default_rng(2)
    weights = scale_radius(rng.normal(size=(n, n)), radius)
    return MatrixModel(weights, rng.uniform(-scale, scale, (1, n)), activation=activation)


@pytest.mark.parametrize("leak_rate", [1.0, 0.4])
def test_linear_exponents_are_logarithms_of_eigenvalues(leak_rate: float) -> None:
    """Whatever the input; of the leaky matrix where there is a leak."""
    weights = scale_radius(random_dense(8, np.random.default_rng(3)), 0.9)
    model = MatrixModel(weights, np.ones((1, 8)), leak_rate=leak_rate, activation="linear")
    leaky = (1 - leak_rate) * np.eye(8) + leak_rate * weights
    want = np.sort(np.log(np.abs(np.linalg.eigvals(leaky))))[::-1]
    assert local_lyapunov(model, inputs(200), "eig") == pytest.approx(want, abs=1e-9)
    found = local_lyapunov(model, inputs(4000), "qr", washout=500)
    assert found == pytest.approx(want, abs=3e-3)
    assert perturbation_exponent(model, inputs(2000)) == pytest.approx(want[0], abs=3e-3)


def test_a_linear_cycle_has_one_exponent() -> None:
    model = RingModel(topology.cycle(7, 0.9), np.ones((1, 7)), activation="linear")
    for found in (
        local_lyapunov(model, inputs(150), "qr"),
        local_lyapunov(model, inputs(150), "eig"),
        perturbation_exponent(model, inputs(150)),
    ):
        assert found == pytest.approx(np.log(0.9), abs=1e-9)


def test_the_eigenvalues_of_a_driven_cycle_have_one_modulus() -> None:
    """The geometric mean of all ``r (1 - x**2)``, whose logarithm is also the mean of ``qr``."""
    model = RingModel(topology.cycle(9, 0.95), np.linspace(-1, 1, 9)[None])
    signal = inputs(400)
    found = local_lyapunov(model, signal, "eig")
    states = model.run(signal)[100:]
    want = np.mean(np.log(0.95 * (1 - states**2)))
    assert found == pytest.approx(np.full(9, want), abs=1e-9)
    true = local_lyapunov(model, signal, "qr")
    assert true.mean() == pytest.approx(want, abs=1e-9)
    assert true[0] > want + 0.005 and (np.diff(true) <= 0).all()


def test_the_sum_of_all_exponents_is_that_of_the_volume() -> None:
    model = random_network(10, 1.3, 0.5)
    signal = inputs(300)
    volumes = [np.linalg.slogdet(by_state)[1] for by_state, _ in model.jacobians(signal)]
    for method in ("qr", "eig"):
        assert local_lyapunov(model, signal, method).sum() == pytest.approx(np.mean(volumes[100:]))


def test_the_averaged_eigenvalues_are_not_the_exponent() -> None:
    """100 units: alike for weak input below radius 1, apart above, where chaos is overrated.

    Own figures of the project's fact sheet: -0.107 both at radius 0.9; 0.030 and 0.072 at 2.
    """
    calm = random_network(100, 0.9, 0.1)
    eig = local_lyapunov(calm, inputs(140), "eig")[0]
    assert eig == pytest.approx(-0.107, abs=0.003)
    assert local_lyapunov(calm, inputs(400), n_exponents=1)[0] == pytest.approx(eig, abs=2e-3)
    wild = random_network(100, 2.0, 1.0)
    true = local_lyapunov(wild, inputs(1000), n_exponents=1)[0]
    eig = local_lyapunov(wild, inputs(160), "eig")[0]
    assert 0.01 < true < eig - 0.02
    assert perturbation_exponent(wild, inputs(1000)) == pytest.approx(true, abs=0.01)


def test_euler_steps_expand_without_diffusion() -> None:
    """A step of 0.01 with a diffusion of 0.001 at 100 units: slightly above 0."""
    rng = np.random.default_rng(4)
    weights, into = random_dense(100, rng), rng.uniform(-1, 1, (1, 100))
    expanding = EulerModel(weights, into, step=0.01, diffusion=0.001)
    assert 0 < local_lyapunov(expanding, inputs(400), n_exponents=1)[0] < 0.02
    # Here the flow itself fades faster than a step expands.
    fading = EulerModel(weights, into, step=0.01, diffusion=5.0)
    assert local_lyapunov(fading, inputs(400), n_exponents=1)[0] < 0


def test_exponents_of_layers_are_those_of_each() -> None:
    """A layer that is driven by another has its own, and the whole has all of them."""
    first = random_network(5, 0.9, 0.3)
    second = RingModel(topology.cycle(4, 0.6), np.ones((5, 4)) * 0.1)
    signal = inputs(500)
    drive = first.run(signal)
    for method in ("qr", "eig"):
        alone = np.concatenate(
            [local_lyapunov(first, signal, method), local_lyapunov(second, drive, method)]
        )
        found = local_lyapunov(DeepModel([first, second]), signal, method)
        assert found == pytest.approx(np.sort(alone)[::-1], abs=0.02)


def test_a_delay_line_forgets_entirely() -> None:
    model = RingModel(topology.delay_line(4, 0.9), np.eye(4)[:1], activation="linear")
    for method in ("qr", "eig"):
        assert (local_lyapunov(model, inputs(120), method) == -np.inf).all()
    assert perturbation_exponent(model, inputs(120)) == -np.inf


def test_what_vanishes_among_codes_counts_as_one_code() -> None:
    """A delay line of codes loses all after 4 samples: ``ln(0.5 / 2)`` by 8."""
    design = ring(4, 4, topology.delay_line(4, 1))
    codes = np.random.default_rng(6).integers(-8, 8, (400, 1))
    reservoir = ReferenceReservoir(design)
    found = perturbation_exponent(reservoir, codes, size=2.0, interval=8)
    # Rounding and the rails move it a little from 2.
    assert np.log(0.5 / 2.5) / 8 < found < np.log(0.5 / 1.5) / 8
    assert perturbation_exponent(reservoir, codes, size=2.0, least=2.0, interval=8) > found
    assert perturbation_exponent(reservoir, codes, size=2.0, least=0.0, interval=8) == -np.inf


def test_a_walk_of_codes_that_does_not_meet_a_rail_keeps_its_distance() -> None:
    """A cycle of weight 1 turns a perturbation without changing it: exponent 0, to the bit."""
    reservoir = ReferenceReservoir(ring(4, 4))
    still = np.tile([[1], [0], [-1]], (150, 1))
    assert perturbation_exponent(reservoir, still, size=2.0) == 0.0


def test_a_loop_is_measured_by_its_perturbation() -> None:
    """x(t) = 0.5 x(t-1) + 0.3 y(t-1), y = x: both roads count, ln 0.8."""
    inner = MatrixModel([[0.5]], [[1.0], [0.3]], activation="linear")
    loop = FeedbackModel(inner, lambda states: states, 1)
    assert maximum_lyapunov(loop, inputs(200)) == pytest.approx(np.log(0.8), abs=1e-3)
    assert maximum_lyapunov(inner, np.zeros((110, 2))) == pytest.approx(np.log(0.5))


REFUSED: dict[str, tuple[Callable[[Reservoir], object], str]] = {
    "method": (
        lambda r: local_lyapunov(random_network(2, 1, 1), inputs(9), "svd", washout=1),
        "^method must be one of qr, eig, not 'svd'$",
    ),
    "washout": (
        lambda r: local_lyapunov(random_network(2, 1, 1), inputs(9)),
        "^washout must be from 0 to 8, not 100$",
    ),
    "exponents": (
        lambda r: local_lyapunov(random_network(2, 1, 1), inputs(200), n_exponents=3),
        "^exponents must be from 1 to 2, not 3$",
    ),
    "short": (
        lambda r: perturbation_exponent(r, inputs(9)),
        "^run must have at least 2 samples of washout and one interval more, not 9 with 100 and 1$",
    ),
    "size": (
        lambda r: perturbation_exponent(r, inputs(200), size=0.0),
        "^size must be above 0, not 0$",
    ),
    "least": (
        lambda r: perturbation_exponent(r, inputs(200), least=1.0),
        "^least must be from 0 to 1e-06, not 1$",
    ),
    "still": (
        lambda r: perturbation_exponent(r, np.zeros((200, 1))),
        "^states must vary to have an exponent, not stay where they are$",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call(random_network(3, 0.5, 1))
