"""Rules that learn sample by sample: each is the closed form that it claims to be."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rchw.errors import DesignError
from rchw.train import rls
from rchw.train.directional import DirectionalForgetting
from rchw.train.lms import LeastMeanSquares
from rchw.train.online import GrowingReadout, OnlineReadout
from rchw.train.rls import RecursiveLeastSquares
from tests.train.online import Values, driven

RULES: dict[str, Callable[[int, int], OnlineReadout]] = {
    "lms": lambda f, n: LeastMeanSquares(f, n, rate=0.01, normalised=False),
    "nlms": lambda f, n: LeastMeanSquares(f, n),
    "rls": lambda f, n: RecursiveLeastSquares(f, n, forget=0.99),
    "directional": lambda f, n: DirectionalForgetting(f, n),
}


@pytest.mark.parametrize("rule", RULES)
def test_chunks_change_nothing(rule: str) -> None:
    """Sample by sample, in chunks or at once: the same bits, and the same as predicted before."""
    x, y = driven(8, 120, outputs=2)
    whole, parts = RULES[rule](8, 2), RULES[rule](8, 2)
    before = whole.update(x, y)
    pieces = [parts.update(x[k : k + 17], y[k : k + 17]) for k in range(0, 120, 17)]
    assert np.array_equal(np.concatenate(pieces), before)
    assert np.array_equal(parts.weights, whole.weights) and parts.weights.any()
    assert not before[0].any()
    again = RULES[rule](8, 2)
    again.update(x[:60], y[:60])
    assert np.array_equal(again.predict(x[60:61]), before[60:61])


@pytest.mark.parametrize("rule", ["lms", "nlms", "rls"])
def test_outputs_learn_as_if_alone(rule: str) -> None:
    x, y = driven(8, 200, outputs=3)
    together = RULES[rule](8, 3)
    together.update(x, y)
    for k in range(3):
        alone = RULES[rule](8, 1)
        alone.update(x, y[:, [k]])
        assert alone.weights[:, 0] == pytest.approx(together.weights[:, k], rel=1e-9, abs=1e-12)


# --- Least mean squares --------------------------------------------------------------------------


@given(st.floats(0.01, 1.95), st.floats(0.1, 10.0))
def test_an_error_shrinks_by_the_same_factor_each_time(step: float, length: float) -> None:
    """Of one direction that repeats, by ``1 - rate |x|**2``: so above 2 over the power it grows."""
    x = length * np.array([[0.6, 0.8]])
    plain = LeastMeanSquares(2, rate=step / length**2, normalised=False)
    normal = LeastMeanSquares(2, rate=step)
    for rule in (plain, normal):
        errors = 1.0 - rule.update(np.repeat(x, 6, axis=0), np.ones((6, 1)))[:, 0]
        assert errors == pytest.approx((1 - step) ** np.arange(6), rel=1e-9, abs=1e-12)


def test_weak_directions_are_learnt_late() -> None:
    """Orthogonal features of powers 1 and 1/100: time constants in that ratio."""
    x = np.tile(np.diag([1.0, 0.1]), (50, 1))
    y = x @ np.array([[1.0], [1.0]])
    rule = LeastMeanSquares(2, rate=0.1, normalised=False)
    rule.update(x, y)
    left = 1 - rule.weights[:, 0]
    assert left == pytest.approx([(1 - 0.1) ** 50, (1 - 0.001) ** 50])


def test_beyond_the_largest_rate_it_diverges_and_says_so() -> None:
    x, y = driven(8, 400)
    power = float(np.linalg.eigvalsh(x.T @ x / len(x))[-1])
    LeastMeanSquares(8, rate=0.2 / power, normalised=False).update(x, y)
    wild = LeastMeanSquares(8, rate=1e6 / power, normalised=False)
    with pytest.raises(DesignError, match=r"^weights must stay finite over 400 samples, not div"):
        wild.update(x, y)


def test_the_last_sample_may_be_the_one_that_diverges() -> None:
    y = np.array([[0.0], [0.0], [1e200]])
    with pytest.raises(DesignError, match=r"over 3 samples, not diverge by sample 2$"):
        LeastMeanSquares(1, normalised=False).update(np.full((3, 1), 1e200), y)


def test_features_of_zero_teach_nothing() -> None:
    for rule in (LeastMeanSquares(3), DirectionalForgetting(3), RecursiveLeastSquares(3)):
        rule.update(np.zeros((5, 3)), np.ones((5, 1)))
        assert not rule.weights.any()


# --- Recursive least squares ---------------------------------------------------------------------


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(0.9, 1.0), st.floats(1e-3, 10.0))
def test_recursive_least_squares_is_the_ridge(seed: int, forget: float, ridge: float) -> None:
    """``(sum f**(T-t) x x' + f**T ridge I)**-1 sum f**(T-t) x y``; with f = 1 the plain ridge."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(40, 5)), rng.normal(size=(40, 2))
    for factor in (forget, 1.0):
        rule = RecursiveLeastSquares(5, 2, forget=factor, ridge=ridge)
        rule.update(x, y)
        counts = factor ** np.arange(39, -1, -1.0)[:, None]
        gram = x.T @ (counts * x) + factor**40 * ridge * np.eye(5)
        assert rule.weights == pytest.approx(np.linalg.solve(gram, x.T @ (counts * y)), rel=1e-7)
        assert rule.inverse == pytest.approx(np.linalg.inv(gram), rel=1e-7, abs=1e-12)


def last_error(rule: OnlineReadout, x: Values, y: Values) -> float:
    """Root mean square of the last quarter, before it is learnt."""
    return float(np.sqrt(np.mean((rule.update(x, y) - y)[-len(x) // 4 :] ** 2)))


def test_without_the_mirror_it_diverges(monkeypatch: pytest.MonkeyPatch) -> None:
    """4000 samples of 30 states, forgetting 0.99: finite with one triangle, not with both."""
    x, y = driven(30, 4000)
    rule = RecursiveLeastSquares(30, forget=0.99)
    kept = last_error(rule, x, y)
    assert kept < 1.5 * float(y.std())
    assert np.array_equal(rule.inverse, rule.inverse.T)
    assert np.linalg.eigvalsh(rule.inverse)[0] > 0
    monkeypatch.setattr(rls, "mirror", lambda matrix: None)
    bare = RecursiveLeastSquares(30, forget=0.99)
    assert last_error(bare, x, y) > 10 * kept
    assert np.abs(bare.inverse).max() > 1e6 * np.abs(rule.inverse).max()


# --- Directional forgetting ----------------------------------------------------------------------


def sid(x: Values, y: Values, ridge: float) -> tuple[Values, Values]:
    """Weights and P by the equations as they are printed, with numpy's inverse of epsilon."""
    p, w = np.eye(x.shape[1]) / ridge, np.zeros((x.shape[1], 1))
    scatter, samples, rho = 1e-3, 1e-6, 0.99
    for row, target in zip(x, y, strict=True):
        d = row[:, None]
        xi, e = float((d.T @ p @ d)[0, 0]), float(target[0] - (w.T @ d)[0, 0])
        w = w + p @ d / (1 + xi) * e
        eta = e * e / scatter
        grown = np.log(1 + xi) + ((samples + 1) * eta / (1 + xi + eta) - 1) * xi / (1 + xi)
        phi = 1 / (1 + (1 + rho) * grown)
        epsilon = phi - (1 - phi) / xi
        p = p - p @ d @ d.T @ p / (1 / epsilon + xi)
        scatter, samples = phi * (scatter + e * e / (1 + xi)), phi * (samples + 1)
    return w, p


def test_directional_forgetting_is_that_of_the_source() -> None:
    x, y = driven(6, 300)
    rule = DirectionalForgetting(6, ridge=1e-3, rho=0.99)
    rule.update(x, y)
    weights, inverse = sid(x, y, 1e-3)
    assert rule.weights == pytest.approx(weights, rel=1e-6)
    assert rule.inverse == pytest.approx(inverse, rel=1e-6)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100.0), st.floats(-0.9, 3.0))
def test_information_changes_along_the_sample_alone(seed: int, error: float, rho: float) -> None:
    """``1 / P`` by ``epsilon x x'``; along x it becomes ``phi (1 / xi + 1)``."""
    rng = np.random.default_rng(seed)
    rule = DirectionalForgetting(4, ridge=0.5, rho=rho)
    rule.update(rng.normal(size=(6, 4)), rng.normal(size=(6, 1)))
    x, before = rng.normal(size=(1, 4)), rule.inverse.copy()
    xi = float((x @ before @ x.T)[0, 0])
    rule.update(x, rule.predict(x) + error)
    assert 0 < rule.phi <= 1
    epsilon = rule.phi - (1 - rule.phi) / xi
    added = np.linalg.inv(rule.inverse) - np.linalg.inv(before)
    scale = np.abs(np.linalg.inv(before)).max()
    assert added == pytest.approx(epsilon * x.T @ x, rel=1e-6, abs=1e-8 * scale)
    after = float((x @ rule.inverse @ x.T)[0, 0])
    assert 1 / after == pytest.approx(rule.phi * (1 / xi + 1), rel=1e-6)


def test_without_an_error_next_to_nothing_is_forgotten() -> None:
    """1 - phi is of the second order in xi; with rho on the logarithm alone of the first."""
    for xi in (1e-2, 1e-3, 1e-4):
        rule = DirectionalForgetting(1, ridge=1.0, rho=0.99)
        rule.update(np.array([[np.sqrt(xi)]]), np.zeros((1, 1)))
        assert 1 - rule.phi == pytest.approx(1.99 * xi**2 / 2, rel=2 * xi)


def test_what_is_not_excited_does_not_wind_up() -> None:
    """One feature comes for 50 samples only: plain forgetting winds P up, this does not."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1050, 3))
    x[50:, 2] = 0
    y = x @ np.array([[1.0], [-2.0], [3.0]]) + 0.1 * rng.normal(size=(1050, 1))
    plain, directional = RecursiveLeastSquares(3, forget=0.98), DirectionalForgetting(3)
    for rule in (plain, directional):
        rule.update(x[:50], y[:50])
    known = [float(rule.inverse[2, 2]) for rule in (plain, directional)]
    for rule in (plain, directional):
        rule.update(x[50:], y[50:])
    grown = [float(rule.inverse[2, 2]) for rule in (plain, directional)]
    assert grown[0] / known[0] > 0.5 * 0.98**-1000
    assert grown[1] / known[1] <= 1 + 1e-9
    assert directional.weights[:, 0] == pytest.approx([1, -2, 3], abs=0.5)


def test_rho_decides_how_long_is_remembered() -> None:
    """One weight, 1, with noise: ``1 / P`` counts the samples that are remembered of it.

    Near xi = 0 what is forgotten on average, ``(1 + rho) ln(1 + xi)``, exceeds what a sample
    brings from rho = 0 on: so 0.99 remembers less than one sample, and below 0 far more.
    """
    rng = np.random.default_rng(0)
    y = 1 + 0.1 * rng.normal(size=(3000, 1))
    remembered = []
    for rho in (0.99, 0.1, -0.5):
        rule, inverses = DirectionalForgetting(1, rho=rho, ridge=1.0), []
        for k in range(len(y)):
            rule.update([[1.0]], y[k : k + 1])
            inverses.append(float(rule.inverse[0, 0]))
        remembered.append(1 / np.mean(inverses[1500:]))
    assert remembered[0] < 1 < 10 < remembered[1] < 100 < 500 < remembered[2] < 3000


def test_after_a_jump_it_forgets() -> None:
    """The target changes sign: what forgets nothing is left behind; a larger rho comes first."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(700, 3))
    y = x @ np.array([[1.0], [-2.0], [3.0]]) * np.where(np.arange(700) < 500, 1, -1)[:, None]
    y += 0.1 * rng.normal(size=y.shape)
    errors = []
    for rule in (
        DirectionalForgetting(3, rho=0.99),
        DirectionalForgetting(3, rho=0.1),
        DirectionalForgetting(3, rho=-0.5),
        RecursiveLeastSquares(3),
    ):
        missed = rule.update(x, y) - y
        assert missed[400:500].std() < 0.13
        errors.append(float(missed[550:600].std()))
    assert errors[0] < 0.2 < 2 * errors[1] < errors[2] < errors[3]


# --- What is refused -----------------------------------------------------------------------------

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "features": (lambda: LeastMeanSquares(0), r"^features must be at least 1, not 0$"),
    "outputs": (lambda: RecursiveLeastSquares(1, 0), r"^outputs must be at least 1, not 0$"),
    "rate": (lambda: LeastMeanSquares(1, rate=2.0), r"^rate must be above 0 and below 2, not 2$"),
    "plain rate": (
        lambda: LeastMeanSquares(1, rate=0.0, normalised=False),
        r"^rate must be above 0 and finite, not 0$",
    ),
    "forget": (
        lambda: RecursiveLeastSquares(1, forget=1.1),
        r"^forget must be above 0 and at most 1, not 1\.1$",
    ),
    "ridge": (
        lambda: RecursiveLeastSquares(1, ridge=0.0),
        r"^ridge must be above 0 and finite, not 0$",
    ),
    "scatter": (
        lambda: DirectionalForgetting(1, scatter=-1.0),
        r"^scatter must be above 0 and finite, not -1$",
    ),
    "rho": (
        lambda: DirectionalForgetting(1, rho=-1.0),
        r"^rho must be above -1 and finite, not -1$",
    ),
    "shapes": (
        lambda: LeastMeanSquares(2).update(np.ones((3, 2)), np.ones((3, 2))),
        r"^features and targets must have shapes \(T, 2\) and \(T, 1\), not \(3, 2\), \(3, 2\)$",
    ),
    "values": (
        lambda: LeastMeanSquares(1).update([[np.nan]], [[1.0]]),
        r"^features and targets must be finite, not NaN or infinite$",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()


def test_all_have_one_shape() -> None:
    """What is typed to take any growing readout takes all of these."""
    readouts: list[GrowingReadout] = [make(2, 1) for make in RULES.values()]
    for readout in readouts:
        readout.update(np.eye(2), np.ones((2, 1)))
        assert readout.predict(np.eye(2)).shape == (2, 1) and readout.weights.shape == (2, 1)
