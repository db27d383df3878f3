"""Meshes: decompositions to rounding, an oracle, errors against the figures measured before."""

from collections.abc import Callable

import numpy as np
import pytest
from interferometer import square_decomposition, triangle_decomposition
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.photonic import MziMesh, fidelity, rectangle, triangle, weights_in_light

Complexes = NDArray[np.complex128]
Decompose = Callable[[Complexes], MziMesh]
BOTH = pytest.mark.parametrize("decompose", [rectangle, triangle])


def haar(n: int, seed: int) -> Complexes:
    """A random unitary matrix: the Q of a normal one, with the phases of the diagonal of R."""
    rng = np.random.default_rng(seed)
    q, r = np.linalg.qr(rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n)))
    return np.asarray(q * (np.diag(r) / np.abs(np.diag(r))))


@BOTH
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 16])
def test_a_unitary_matrix_comes_back(decompose: Decompose, n: int) -> None:
    wanted = haar(n, n)
    mesh = decompose(wanted)
    np.testing.assert_allclose(mesh.matrix(), wanted, rtol=0, atol=1e-13)
    assert len(mesh.upper) == n * (n - 1) // 2


@BOTH
@pytest.mark.parametrize(
    "wanted",
    [np.eye(5), np.eye(5)[::-1], np.eye(5)[[2, 0, 4, 1, 3]], np.diag([1, -1, 1j, 1, -1j])],
)
def test_matrices_with_zeros_come_back(decompose: Decompose, wanted: Complexes) -> None:
    np.testing.assert_allclose(decompose(wanted).matrix(), wanted, rtol=0, atol=1e-13)


@pytest.mark.parametrize("n", [3, 4, 8, 16])
def test_depths_are_those_of_the_shapes(n: int) -> None:
    assert rectangle(haar(n, 1)).depth == n
    assert triangle(haar(n, 1)).depth == 2 * n - 3


@BOTH
def test_any_phases_are_unitary(decompose: Decompose) -> None:
    """Also with wrong phases and couplers: only loss takes power."""
    mesh = decompose(haar(8, 3)).disturbed(1, phase=1.0, coupler=0.3).quantised(3)
    found = mesh.matrix()
    np.testing.assert_allclose(found.conj().T @ found, np.eye(8), atol=1e-13)


@pytest.mark.parametrize("seed", range(3))
def test_both_agree_with_the_package_interferometer(seed: int) -> None:
    """Same matrices; of the rectangle also the same places and powers, one by one."""
    wanted = haar(8, seed)
    theirs, mine = square_decomposition(wanted.copy()), rectangle(wanted)
    np.testing.assert_allclose(mine.matrix(), theirs.calculate_transformation(), rtol=0, atol=1e-12)
    assert [splitter.mode1 - 1 for splitter in theirs.BS_list] == list(mine.upper)
    powers = [np.cos(splitter.theta) ** 2 for splitter in theirs.BS_list]
    np.testing.assert_allclose(np.sin(np.array(mine.inner) / 2) ** 2, powers, atol=1e-12)
    theirs = triangle_decomposition(wanted.copy())
    np.testing.assert_allclose(
        triangle(wanted).matrix(), theirs.calculate_transformation(), rtol=0, atol=1e-12
    )


def test_one_interferometer_by_hand() -> None:
    """T = i exp(i x) [[exp(i o) sin x, cos x], [exp(i o) cos x, -sin x]], inner = 2 x."""
    x, o = 0.4, 0.7
    s, c, turn = np.sin(x), np.cos(x), np.exp(1j * o)
    wanted = 1j * np.exp(1j * x) * np.array([[turn * s, c], [turn * c, -s]])
    found = MziMesh(2, (0,), (2 * x,), (o,), (0.0, 0.0)).matrix()
    np.testing.assert_allclose(found, wanted, atol=1e-15)


# --- Errors --------------------------------------------------------------------------------------

Spoil = Callable[[MziMesh, int], MziMesh]
SPOILS: dict[str, Spoil] = {
    "4 bits": lambda mesh, seed: mesh.quantised(4),
    "6 bits": lambda mesh, seed: mesh.quantised(6),
    "8 bits": lambda mesh, seed: mesh.quantised(8),
    "phase 0.01": lambda mesh, seed: mesh.disturbed(seed, phase=0.01),
    "phase 0.05": lambda mesh, seed: mesh.disturbed(seed, phase=0.05),
    "coupler 0.05": lambda mesh, seed: mesh.disturbed(seed, coupler=0.05),
}
FIGURES = [
    (8, "4 bits", 0.887, 0.05),
    (8, "6 bits", 0.995, 0.003),
    (8, "8 bits", 0.9997, 0.0002),
    (8, "phase 0.01", 0.9995, 0.0003),
    (8, "phase 0.05", 0.987, 0.005),
    (8, "coupler 0.05", 0.966, 0.015),
    (16, "4 bits", 0.79, 0.06),
    (16, "6 bits", 0.982, 0.009),
    (16, "8 bits", 0.9994, 0.0003),
    (16, "phase 0.05", 0.966, 0.006),
    (16, "coupler 0.05", 0.929, 0.015),
]


@pytest.mark.parametrize(("n", "spoil", "figure", "room"), FIGURES)
def test_fidelities_are_those_measured_before(
    n: int, spoil: str, figure: float, room: float
) -> None:
    """Means over 20 random matrices; the figures are means over 10, of another program."""
    found = []
    for seed in range(20):
        wanted = haar(n, seed)
        found.append(fidelity(wanted, SPOILS[spoil](rectangle(wanted), seed).matrix()))
    assert np.mean(found) == pytest.approx(figure, abs=room)


@BOTH
def test_the_infidelity_of_small_phase_errors_is_that_of_perturbation(
    decompose: Decompose,
) -> None:
    """Each phase error turns a projector: to second order 1 - F is a sum over the phases."""
    wanted, n = haar(6, 2), 6
    mesh, deviation = decompose(wanted), 1e-3
    worse = [1 - fidelity(wanted, mesh.disturbed(s, phase=deviation).matrix()) for s in range(300)]
    # A phase on one of n ways: tr = n - 1 + exp(i d), so 1 - F is d^2 (1 / n - 1 / n^2).
    phases = 2 * len(mesh.upper)
    assert np.mean(worse) == pytest.approx(phases * deviation**2 * (1 / n - 1 / n**2), rel=0.15)


def test_more_bits_err_less() -> None:
    wanted = haar(8, 5)
    errors = [
        np.linalg.norm(rectangle(wanted).quantised(bits).matrix() - wanted)
        for bits in (4, 6, 8, 10, 12)
    ]
    ratios = np.array(errors[:-1]) / errors[1:]
    np.testing.assert_allclose(ratios, 4, rtol=0.5)
    levels = np.array(rectangle(wanted).quantised(6).inner) * 64 / (2 * np.pi)
    np.testing.assert_allclose(levels, np.round(levels), atol=1e-12)


def test_loss_is_that_of_the_interferometers_on_the_way() -> None:
    """In a rectangle of even size no way is longer than n, and a triangle is uneven."""
    wanted = haar(4, 1)
    mesh = rectangle(wanted)
    lossy = MziMesh(4, mesh.upper, mesh.inner, mesh.outer, mesh.output, loss=0.5)
    powers = np.linalg.svd(lossy.matrix(), compute_uv=False) ** 2
    assert powers.max() < 1 and powers.min() > 10 ** (-0.05 * 4)
    one = MziMesh(2, (0,), (1.0,), (0.3,), (0.0, 0.0), loss=3.0)
    np.testing.assert_allclose(
        one.matrix().conj().T @ one.matrix(), np.eye(2) * 10**-0.3, atol=1e-15
    )


def test_errors_of_phases_and_couplers_are_drawn_apart() -> None:
    mesh = rectangle(haar(5, 1))
    phases, both = mesh.disturbed(3, phase=0.1), mesh.disturbed(3, phase=0.1, coupler=0.1)
    assert phases.inner == both.inner and both.couplers != phases.couplers
    assert mesh.disturbed(3, phase=0.1) == phases != mesh.disturbed(4, phase=0.1)
    again = both.disturbed(3, coupler=0.1)
    np.testing.assert_allclose(again.couplers, 2 * np.array(both.couplers))


# --- Real matrices -------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 6), (6, 3), (5, 5), (1, 4), (1, 1)])
def test_a_real_matrix_comes_back(shape: tuple[int, int]) -> None:
    wanted = np.random.default_rng(4).normal(size=shape)
    found = weights_in_light(wanted)
    np.testing.assert_allclose(found.matrix(), wanted, rtol=0, atol=1e-13)
    assert found.scale == pytest.approx(np.linalg.norm(wanted, 2))
    assert max(found.attenuation) == 1 and min(found.attenuation) >= 0
    coarse = np.abs(found.quantised(6).matrix() - wanted).max()
    assert 0 < np.abs(found.quantised(14).matrix() - wanted).max() < coarse or shape == (1, 1)


# --- Refusals ------------------------------------------------------------------------------------


@BOTH
def test_what_is_not_unitary_is_refused(decompose: Decompose) -> None:
    with pytest.raises(DesignError, match=r"matrix must be unitary to 1e-09, not to 0\.21"):
        decompose(np.diag(np.full(3, 1.1 + 0j)))
    with pytest.raises(DesignError, match=r"matrix must be square, not of shape \(2, 3\)"):
        decompose(np.ones((2, 3), np.complex128))
    with pytest.raises(DesignError, match="matrix must be unitary to 1e-09, not to nan"):
        decompose(np.full((2, 2), np.nan, np.complex128))


def test_bad_values_are_refused() -> None:
    with pytest.raises(DesignError, match="phases must be 1 inner, 1 outer and 2 at the output"):
        MziMesh(2, (0,), (0.0,), (), (0.0, 0.0))
    with pytest.raises(DesignError, match="upper waveguide must be from 0 to 0, not 1"):
        MziMesh(2, (1,), (0.0,), (0.0,), (0.0, 0.0))
    with pytest.raises(DesignError, match="phases must be finite, not nan"):
        MziMesh(2, (0,), (np.nan,), (0.0,), (0.0, 0.0))
    with pytest.raises(DesignError, match="coupler errors must be none or 1, not 2"):
        MziMesh(2, (0,), (0.0,), (0.0,), (0.0, 0.0), ((0.0, 0.0), (0.0, 0.0)))
    with pytest.raises(DesignError, match="loss must be finite and at least 0 dB, not -1"):
        MziMesh(2, (0,), (0.0,), (0.0,), (0.0, 0.0), loss=-1.0)
    mesh = rectangle(haar(2, 1))
    with pytest.raises(DesignError, match="phase bits must be from 1 to 24, not 0"):
        mesh.quantised(0)
    with pytest.raises(DesignError, match="deviations must be finite and at least 0, not -1"):
        mesh.disturbed(0, phase=-1.0)
    for bad in (np.zeros((2, 2)), np.array([1.0]), np.array([[np.inf]])):
        with pytest.raises(DesignError, match="weights must be a matrix of finite numbers"):
            weights_in_light(bad)
