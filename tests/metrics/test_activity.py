"""How units use their range: by hand, and entropies against closed forms."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rchw.activation import Clip
from rchw.errors import DesignError
from rchw.metrics import average_state_entropy, echo_index, saturation_fraction, unit_entropy
from rchw.reference import ReferenceReservoir
from tests.test_schedule import ring


def test_saturation_by_hand() -> None:
    assert saturation_fraction([[-8, 7], [6, 9]], -8, 7) == 0.75


def test_entropy_across_gaussian_units_is_that_of_a_gaussian() -> None:
    """Blurred by the kernel: ``ln sqrt(4 pi (s^2 + k^2 s^2))``."""
    for kernel, spread in ((0.3, 1.0), (0.1, 5.0)):
        states = spread * np.random.default_rng(0).normal(size=(200, 100))
        want = 0.5 * np.log(4 * np.pi * spread**2 * (1 + kernel**2))
        assert average_state_entropy(states, kernel) == pytest.approx(want, abs=0.01)


def test_entropy_knows_scale_but_not_origin() -> None:
    states = np.random.default_rng(1).uniform(-1, 1, (30, 20))
    found = average_state_entropy(states)
    assert average_state_entropy(7 * states) == pytest.approx(found + np.log(7))
    assert average_state_entropy(states + 3) == pytest.approx(found)


def test_units_that_say_the_same_have_less_entropy() -> None:
    signal = np.random.default_rng(2).normal(size=(100, 1))
    same = average_state_entropy(np.repeat(signal, 20, axis=1))
    different = average_state_entropy(np.random.default_rng(3).normal(size=(100, 20)))
    assert same < different - 0.5


def test_units_that_are_far_apart_once_have_a_finite_entropy() -> None:
    """Exponentials of their distance alone would be 0."""
    states = np.tile([0.0, 1e-6], (1000, 1))
    states[500] = -1.0, 1.0
    width = 2 * (0.3 * states.std()) ** 2
    near, far = (1e-12 / (2 * width), 4.0 / (2 * width))
    want = (999 * near + far) / 1000 + 0.5 * np.log(2 * np.pi * width)
    assert average_state_entropy(states) == pytest.approx(want)


def test_bits_that_a_unit_uses() -> None:
    """Every code once, two codes, one code, and all beyond the rails."""
    states = np.stack([np.arange(16) - 8, np.tile([0, 3], 8), np.full(16, 5), np.full(16, 99)], 1)
    assert unit_entropy(states, -8.5, 7.5, 16) == pytest.approx([4, 1, 0, 0], abs=1e-12)
    assert unit_entropy(np.array([[0.1], [0.9], [0.9], [0.9]]), 0, 1, 2) == pytest.approx(
        [-(0.25 * np.log2(0.25) + 0.75 * np.log2(0.75))]
    )


@pytest.mark.parametrize("k", [1, 3, 7])
def test_a_clipped_cycle_of_integers_uses_all_its_codes_alike(k: int) -> None:
    """With inputs of 1 or -1 a code walks between -k and k: uniform, k (k + 1) / 3 its square.

    So it has ``log2(2 k + 1)`` bits, and is at a rail in 2 of 2 k + 1 samples. All units get the
    same steps, so that runs from any states meet, to the last code.
    """
    design = ring(3, 3)
    layer = replace(design.ring, activation=Clip(-k, k))
    reservoir = ReferenceReservoir(replace(design, layers=(layer,)))
    steps = np.random.default_rng(5).choice([-1, 1], (40_000, 1))
    states = reservoir.run(steps)
    bins = 2 * k + 1
    bits = unit_entropy(states, -k - 0.5, k + 0.5, bins)
    assert bits == pytest.approx(np.full(3, np.log2(bins)), abs=0.01)
    assert saturation_fraction(states, -k, k) == pytest.approx(2 / bins, rel=0.1)
    assert np.mean(states**2) == pytest.approx(k * (k + 1) / 3, rel=0.1)
    starts = np.array([[-k, 0, k], [k, k, k], [0, 0, 0]])
    index = echo_index(reservoir, steps[:3000], starts)
    assert index.count == 1 and index.distance == 0


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "rails": (lambda: saturation_fraction([1], 3, 3), r"low must be below high, not \(1,\), 3, 3"),
    "no states": (lambda: saturation_fraction([], 0, 1), r"states must not be empty"),
    "shape": (
        lambda: average_state_entropy([1.0]),
        r"^states must have shape \(T, N\), not \(1,\)$",
    ),
    "nan": (lambda: unit_entropy([[np.nan]], 0, 1, 2), "^states must be finite, not NaN"),
    "one unit": (
        lambda: average_state_entropy([[1.0], [2.0]]),
        "^units must be at least 2 for an entropy across them, not 1$",
    ),
    "kernel": (
        lambda: average_state_entropy(np.eye(2), 0.0),
        r"^kernel must be above 0 and finite, not 0\.0$",
    ),
    "still": (
        lambda: average_state_entropy(np.ones((3, 2))),
        "^states must vary for an entropy, not be one number$",
    ),
    "bins": (
        lambda: unit_entropy(np.eye(2), 1, 0, 2),
        "^low must be below high and bins at least 1, not 1, 0, 2$",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()
