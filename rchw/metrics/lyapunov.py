"""Lyapunov exponents of a driven reservoir: how fast a small change of its state grows or fades.

All are natural logarithms per sample, along one run on one input: below 0 where states forget,
above 0 where they are chaotic. Three numbers bear this name, and differ:

* ``"qr"``, the Lyapunov exponents: growth of the product of the Jacobians along the run;
* ``"eig"``, which the literature of echo state networks calls local: logarithms of the moduli of
  the eigenvalues of each Jacobian, averaged. They are the exponents only where all Jacobians share
  their eigenvectors, nearly so for weak inputs;
* `perturbation_exponent`, for whatever has no Jacobian: codes, circuits, devices. It moves a state
  by a finite distance.

Source: G. Benettin, L. Galgani, A. Giorgilli, J.-M. Strelcyn, Meccanica 15 (1980) 9 (``qr``);
C. Gallicchio, A. Micheli, L. Silvestri, "Local Lyapunov exponents of deep echo state networks",
Neurocomputing 298 (2018) 34 (``eig``); E. Aurell, G. Boffetta, A. Crisanti, G. Paladin,
A. Vulpiani, J. Phys. A 30 (1997) 1 (finite distances).
"""

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.reservoir import Reservoir

__all__ = [
    "Differentiable",
    "local_lyapunov",
    "maximum_lyapunov",
    "perturbation_exponent",
]

Values = NDArray[np.float64]
_METHODS = ("qr", "eig")


@runtime_checkable
class Differentiable(Protocol):
    """A reservoir that knows its Jacobians, as all models in `rchw.model` but those of loops do."""

    @property
    def n_units(self) -> int:
        """Number of units N."""
        ...

    def jacobians(
        self, inputs: ArrayLike, state: ArrayLike | None = None
    ) -> Iterator[tuple[Values, Values]]:
        """Derivatives of each state by the one before, (N, N), and by its input, (N, K)."""
        ...


def local_lyapunov(
    model: Differentiable,
    inputs: ArrayLike,
    method: str = "qr",
    *,
    washout: int = 100,
    n_exponents: int | None = None,
    state: ArrayLike | None = None,
) -> Values:
    """Exponents of a model in floating point, by its own derivatives.

    Parameters
    ----------
    model : Differentiable
    inputs : array (T, K)
        A run of it; the exponents depend on the input.
    method : str
        ``"qr"`` or ``"eig"``, see above. With ``"eig"`` the eigenvalues are sorted by modulus
        sample by sample before they are averaged.
    washout : int
        First samples that count for nothing; with ``"qr"`` directions align in them.
    n_exponents : int, optional
        The largest ones only, which is cheaper with ``"qr"``; all N by default.
    state : array (N,), optional
        Before the first sample; that of the model by default.

    Returns
    -------
    float64 array (`n_exponents`,)
        From the largest; ``-inf`` of directions that are lost entirely, as in a delay line.

    Raises
    ------
    DesignError
        If the model knows no Jacobians, or an argument is out of range.
    """
    if method not in _METHODS:
        raise DesignError(f"method must be one of {', '.join(_METHODS)}, not {method!r}")
    if not isinstance(model, Differentiable):
        raise DesignError(
            f"model must know its Jacobians to have exponents by {method}, as models in floating "
            f"point do, not be a {type(model).__name__}"
        )
    samples = len(np.asarray(inputs))
    if not 0 <= washout < samples:
        raise DesignError(f"washout must be from 0 to {samples - 1}, not {washout}")
    count = model.n_units if n_exponents is None else n_exponents
    if not 1 <= count <= model.n_units:
        raise DesignError(f"exponents must be from 1 to {model.n_units}, not {count}")
    matrices = (by_state for by_state, _ in model.jacobians(inputs, state))
    rates = _products(matrices, count) if method == "qr" else _eigenvalues(matrices)
    total = np.zeros(count)
    with np.errstate(divide="ignore"):
        for t, rate in enumerate(rates):
            if t >= washout:
                total += np.log(rate[:count])
    mean = total / (samples - washout)
    return np.sort(mean)[::-1] if method == "qr" else mean


def _products(matrices: Iterator[Values], count: int) -> Iterator[Values]:
    """By what each of `count` orthogonal directions is stretched, sample by sample."""
    directions: Values | None = None
    for matrix in matrices:
        if directions is None:
            # Any start aligns, if it lies across none of the directions of growth.
            start = np.random.default_rng(0).normal(size=(len(matrix), count))
            directions = np.linalg.qr(start)[0]
        directions, stretched = np.linalg.qr(matrix @ directions)
        yield np.abs(np.diag(stretched))


def _eigenvalues(matrices: Iterator[Values]) -> Iterator[Values]:
    """Moduli of the eigenvalues from the largest, sample by sample."""
    for matrix in matrices:
        yield np.sort(np.abs(np.linalg.eigvals(matrix)))[::-1]


def perturbation_exponent(
    reservoir: Reservoir,
    inputs: ArrayLike,
    *,
    size: float | None = None,
    least: float | None = None,
    interval: int = 1,
    washout: int = 100,
    rng: np.random.Generator | None = None,
) -> float:
    """Largest exponent of anything that runs, by moving its state a finite distance.

    Two runs on the same inputs start from states some distance apart. After every `interval`
    samples the logarithm of the growth of that distance is taken, and the second state set back to
    the first distance, in the direction in which it has moved.

    What goes on from sample to sample, as `advance` gives it, is moved in all its numbers that the
    washout has found to vary. Distances are root mean squares over these: of values each in units
    of its deviation over the washout, of codes in codes. The starting direction comes from another
    run, on the inputs of the washout backwards, so that no state is moved to where none lies.

    For codes this is no limit of small distances: nothing is smaller than one code. It says how the
    rounded system treats a distance of `size` codes. Such a distance can vanish in all units; it
    then counts as `least`, so that strong fading is underestimated. At a distance of a few codes
    rounding hides exponents near 0.

    Parameters
    ----------
    reservoir : Reservoir
        Of any kind.
    inputs : array (T, K)
        Values or codes, as it takes them; more than `washout` and `interval`.
    size : float, optional
        The distance; 1e-6 deviations of values, 8 codes of codes by default. A device whose state
        has few bits needs a size well above one of its steps.
    least : float, optional
        What a distance counts as that has vanished, at most `size`; one code in one unit by default
        of codes, 0 of values, whose exponent then is ``-inf``.
    interval : int
        Samples between two measurements; the more, the fewer runs.
    washout : int
        At least 2 samples, for the scale of the states.
    rng : numpy.random.Generator, optional
        Draws a direction where a distance has vanished; seed 0 by default.

    Returns
    -------
    float
        ``-inf`` if nothing is left of a perturbation after some interval and counts as nothing.

    Raises
    ------
    DesignError
        If an argument is out of range, or states do not vary.
    """
    signal = np.asarray(inputs)
    if not 2 <= washout <= len(signal) - interval or interval < 1:
        raise DesignError(
            f"run must have at least 2 samples of washout and one interval more, not "
            f"{len(signal)} with {washout} and {interval}"
        )
    draw = np.random.default_rng(0) if rng is None else rng
    pair = _Pair(reservoir, signal[:washout], size, least, draw)
    total, count = 0.0, 0
    for first in range(washout, len(signal) - interval + 1, interval):
        total += pair.growth(signal[first : first + interval])
        count += interval
    return total / count


class _Pair:
    """Two states on the way, some distance apart."""

    def __init__(
        self,
        reservoir: Reservoir,
        washout: NDArray[Any],
        size: float | None,
        least: float | None,
        rng: np.random.Generator,
    ) -> None:
        self.reservoir, self.rng = reservoir, rng
        rows, now = [], None
        for chunk in np.array_split(washout, min(len(washout), 50)):
            _, now = reservoir.advance(chunk, now)
            rows.append(now)
        trail = np.asarray(rows)
        self.integer = trail.dtype.kind in "iu"
        self.size = (8.0 if self.integer else 1e-6) if size is None else float(size)
        if not self.size > 0 or (self.integer and self.size < 1):
            rule = "at least 1 code" if self.integer else "above 0"
            raise DesignError(f"size must be {rule}, not {self.size:g}")
        self.now = trail[-1]
        other = reservoir.advance(washout[::-1])[1]
        moves = other - self.now
        # A number of the sample, as a device counts it, is the same in both runs.
        self.moved = (np.ptp(trail, axis=0) > 0) & ((moves != 0) | self.integer)
        if not self.moved.any():
            raise DesignError("states must vary to have an exponent, not stay where they are")
        self.low, self.high = trail.min(axis=0), trail.max(axis=0)
        spread = trail.std(axis=0) if not self.integer else np.ones(trail.shape[1])
        self.scale = np.where(self.moved, spread, 1.0)
        code = 1 / float(np.sqrt(self.moved.sum())) if self.integer else 0.0
        self.least = code if least is None else float(least)
        if not 0 <= self.least <= self.size:
            raise DesignError(f"least must be from 0 to {self.size:g}, not {self.least:g}")
        if not moves.any():
            moves = self.rng.normal(size=moves.shape)
        self.other = self._placed(moves.astype(np.float64))

    def distance(self) -> float:
        """Root mean square over what is moved, in units of the scale."""
        apart = (self.other - self.now)[self.moved] / self.scale[self.moved]
        return float(np.sqrt(np.mean(apart**2)))

    def growth(self, inputs: NDArray[Any]) -> float:
        """Logarithm of by how much the distance grows over these inputs."""
        before = self.distance()
        self.now = self.reservoir.advance(inputs, self.now)[1]
        self.other = self.reservoir.advance(inputs, self.other)[1]
        after, moves = self.distance(), (self.other - self.now).astype(np.float64)
        if after == 0.0:
            moves = self.rng.normal(size=moves.shape) * self.scale
            after = self.least
        self.other = self._placed(moves)
        with np.errstate(divide="ignore"):
            return float(np.log(after) - np.log(before))

    def _placed(self, moves: Values) -> NDArray[Any]:
        """State at the chosen distance from the present one, in the direction of `moves`."""
        moves = np.where(self.moved, moves, 0.0)
        length = float(np.sqrt(np.mean((moves / self.scale)[self.moved] ** 2)))
        moves = moves * (self.size / length)
        if not self.integer:
            return np.asarray(self.now + moves)
        codes = np.rint(moves).astype(np.int64)
        if not codes.any():
            largest = int(np.argmax(np.abs(moves)))
            codes[largest] = 1 if moves[largest] > 0 else -1
        # Codes stay where the washout has been: beyond it may lie no code of the format.
        low, high = np.minimum(self.low, self.now), np.maximum(self.high, self.now)
        there, back = (np.clip(self.now + sign * codes, low, high) for sign in (1, -1))
        nearer = np.abs(there - self.now) < np.abs(back - self.now)
        return np.asarray(np.where(nearer, back, there), dtype=np.int64)


def maximum_lyapunov(
    reservoir: Reservoir,
    inputs: ArrayLike,
    *,
    washout: int = 100,
    size: float | None = None,
    least: float | None = None,
    interval: int = 1,
) -> float:
    """Largest exponent: by ``"qr"`` where there are Jacobians, else by `perturbation_exponent`.

    `size`, `least` and `interval` are those of the latter; Jacobians need none.
    """
    if isinstance(reservoir, Differentiable):
        return float(local_lyapunov(reservoir, inputs, washout=washout, n_exponents=1)[0])
    return perturbation_exponent(
        reservoir, inputs, size=size, least=least, interval=interval, washout=washout
    )
