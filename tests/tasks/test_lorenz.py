"""Coupled Lorenz systems against their equations, laws, and the order of the integrator."""

import math
from collections.abc import Callable
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.tasks.lorenz import coupled_lorenz

Values = NDArray[np.float64]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_it_solves_its_equations() -> None:
    """Central differences of a finely sampled run, with constants that are all different."""
    h = 1e-4
    s = coupled_lorenz(
        3000, rng(), interval=h, steps=1, a=9.0, b=2.5, c=8.0, slow=27.0, fast=40.0,
        to_slow=0.02, to_fast=7.0,
    )  # fmt: skip
    slopes = (8 * (s[3:-1] - s[1:-3]) - (s[4:] - s[:-4])) / (12 * h)
    big_x, big_y, big_z, x, y, z = s[2:-2].T
    wanted = [
        9 * (big_y - big_x),
        27 * big_x - big_x * big_z - big_y - 0.02 * x * y,
        big_x * big_y - 2.5 * big_z,
        72 * (y - x),
        8 * (40 * x - x * z - y) + 7 * big_y * x,
        8 * (x * y - 2.5 * z),
    ]
    assert np.allclose(slopes.T, wanted, rtol=0, atol=1e-4)
    assert np.abs(wanted).max(axis=1).min() > 5


def test_steps_are_of_fourth_order() -> None:
    """Half the step, a sixteenth of the error."""
    fine, half, whole = (coupled_lorenz(11, rng(1), steps=steps)[-1] for steps in (800, 80, 40))
    errors = np.abs(half - fine).max(), np.abs(whole - fine).max()
    assert 3.5 < math.log2(errors[1] / errors[0]) < 4.5


def test_alone_each_is_a_lorenz_system() -> None:
    """Without coupling the fast one is c times as fast, and both rest where Lorenz says."""
    still = coupled_lorenz(4000, rng(2), slow=14.0, fast=14.0, to_slow=0.0, to_fast=0.0)
    for rest in (still[-1, :3], still[-1, 3:]):
        root = math.sqrt(8 / 3 * 13)
        assert np.allclose(np.abs(rest), [root, root, 13], rtol=0, atol=1e-3)

    def last(drawn: np.random.Generator, interval: float) -> Values:
        found = coupled_lorenz(
            2, drawn, interval=interval, steps=2000, fast=28.0, to_slow=0.0, to_fast=0.0
        )
        return np.asarray(found[-1])

    far = last(rng(3), 0.2)[:3]
    near = last(cast(np.random.Generator, Swapped()), 0.02)[3:]
    assert np.allclose(far, near, rtol=0, atol=1e-9)


class Swapped:
    """Draws as `rng(3)`, the fast system's numbers first."""

    def standard_normal(self, size: int) -> Values:
        return np.asarray(np.roll(rng(3).standard_normal(size), 3))


def test_each_drives_the_other() -> None:
    """A coupling of 0 leaves the other system alone, to the bit."""
    alone = coupled_lorenz(50, rng(4), to_slow=0.0, to_fast=0.0)
    down, up = coupled_lorenz(50, rng(4), to_fast=0.0), coupled_lorenz(50, rng(4), to_slow=0.0)
    assert np.array_equal(down[:, 3:], alone[:, 3:]) and not np.allclose(down[:, :3], alone[:, :3])
    assert np.array_equal(up[:, :3], alone[:, :3]) and not np.allclose(up[:, 3:], alone[:, 3:])


def test_the_attractor() -> None:
    """Bounded, about 0 in four variables, and the fast one turns ten times as often."""
    s = coupled_lorenz(6000, rng(5))[1000:]
    assert s.shape == (5000, 6) and np.abs(s).max() < 150
    turns = [int((np.diff(np.sign(np.diff(s[:, k]))) < 0).sum()) for k in (2, 5)]
    assert 50 < turns[0] < 90 and turns[1] > 6 * turns[0]


def test_longer_runs_begin_like_shorter_ones() -> None:
    assert np.array_equal(coupled_lorenz(80, rng(6))[:30], coupled_lorenz(30, rng(6)))
    assert not np.allclose(coupled_lorenz(2, rng(6)), coupled_lorenz(2, rng(7)))


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "length": (lambda: coupled_lorenz(0, rng()), r"^length must be at least 1, not 0$"),
    "steps": (lambda: coupled_lorenz(5, rng(), steps=0), r"^steps must be at least 1, not 0$"),
    "interval": (
        lambda: coupled_lorenz(5, rng(), interval=0.0),
        r"^interval must be above 0 and finite, not 0\.0$",
    ),
    "far too long": (
        lambda: coupled_lorenz(50, rng(), interval=1.0, steps=1),
        r"^interval must be short enough for 1 steps to stay finite, not 1\.0$",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()
