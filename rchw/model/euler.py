"""Euler state networks in floating point: small steps along a flow that neither grows nor fades.

``h(t) = h(t-1) + e f((W - W' - gamma I) h(t-1) + V' u(t) + b)`` with step sizes ``e``, diffusion
``gamma`` and ``f`` tanh, clip to [-1, 1], linear, or fermi. The eigenvalues of ``W - W'`` are
imaginary. That makes the flow stable, not its Euler steps: without saturation they expand unless
``gamma`` is at least about ``e w**2 / 2``, w being the largest eigenvalue. With tanh or clip a
state moves by at most ``e`` per sample, so that ``|h_i(t)| <= |h_i(0)| + e_i t``: a fixed-point
format must hold as much.

Source: C. Gallicchio, "Euler state networks: non-dissipative reservoir computing",
arXiv 2203.09382, and its published code.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.model.matrix import Rows, square_matrix
from rchw.model.recurrence import FloatModel, Update, checked_terms
from rchw.model.ring import Taps
from rchw.topology import euler_ring

__all__ = ["EulerModel", "EulerRingModel", "euler_matrix"]

Values = NDArray[np.float64]


def euler_matrix(weights: ArrayLike, diffusion: float) -> Values:
    """``W - W' - gamma I`` of W (N, N); but for its diagonal antisymmetric to the bit.

    Raises
    ------
    DesignError
        If W is not a square of finite numbers, or gamma is below 0 or not finite.
    """
    matrix = square_matrix(weights)
    _check_diffusion(diffusion)
    return matrix - matrix.T - diffusion * np.eye(len(matrix))


def _check_diffusion(diffusion: float) -> None:
    if not 0 <= diffusion < np.inf:
        raise DesignError(f"diffusion must be at least 0 and finite, not {diffusion}")


@dataclass(frozen=True, eq=False)
class EulerModel(FloatModel):
    """An Euler state network in float64; a `rchw.reservoir.Reservoir`.

    Parameters
    ----------
    weights : array (N, N)
        W, of which ``W - W'`` is taken; any matrix, for instance uniform in an interval about 0.
    input_weights : array (K, N)
        One row per channel.
    bias : array (N,) or float
        Added before the activation.
    step : array (N,) or float
        e, above 0.
    diffusion : float
        gamma, at least 0.
    activation : str
        ``"tanh"``, ``"clip"``, ``"fermi"`` or ``"linear"``; states of the last have no bound.
    compiled : bool
        Use numba if it can be imported. Linear and clip give the same bits either way, tanh the
        same to 1e-12 times the step and the samples.

    Raises
    ------
    DesignError
        If a shape, the step, the diffusion or the activation is out of range.
    """

    weights: ArrayLike
    input_weights: ArrayLike
    bias: ArrayLike = 0.0
    step: ArrayLike = 0.01
    diffusion: float = 0.001
    activation: str = "tanh"
    compiled: bool = True
    _rows: Rows = field(init=False, repr=False)
    _update: Update = field(init=False, repr=False)
    _input_weights: Values = field(init=False, repr=False)
    _bias: Values = field(init=False, repr=False)

    def __post_init__(self) -> None:
        inputs, bias = checked_terms(self.input_weights, self.bias)
        n_units = inputs.shape[1]
        matrix = euler_matrix(square_matrix(self.weights, n_units), self.diffusion)
        object.__setattr__(self, "_rows", Rows.of(matrix))
        object.__setattr__(self, "_update", Update.increment(self.step, n_units, self.activation))
        object.__setattr__(self, "_input_weights", inputs)
        object.__setattr__(self, "_bias", bias)

    @property
    def recurrent_weights(self) -> Values:
        """What unit ``i`` reads of unit ``j``, (N, N)."""
        return self._rows.dense()

    def _fill(self, drive: Values, state: Values) -> None:
        self._rows.fill(drive, state, self._update, self.compiled)


@dataclass(frozen=True, eq=False)
class EulerRingModel(FloatModel):
    """An Euler state network on a ring, ``W - W' = r (P - P')``; a `rchw.reservoir.Reservoir`.

    Its three taps are those of `rchw.topology.euler_ring`: one weight and one diffusion instead of
    ``N (N - 1) / 2`` weights.

    Parameters
    ----------
    feedback : float
        r, the weight of the unit before; that of the unit behind is -r.
    input_weights : array (K, N)
        One row per channel; N at least 3.
    bias, step, diffusion, activation, compiled
        As of `EulerModel`.

    Raises
    ------
    DesignError
        If a shape, the step, the diffusion or the activation is out of range.
    """

    feedback: float
    input_weights: ArrayLike
    bias: ArrayLike = 0.0
    step: ArrayLike = 0.01
    diffusion: float = 0.001
    activation: str = "tanh"
    compiled: bool = True
    _taps: Taps = field(init=False, repr=False)
    _update: Update = field(init=False, repr=False)
    _input_weights: Values = field(init=False, repr=False)
    _bias: Values = field(init=False, repr=False)

    def __post_init__(self) -> None:
        inputs, bias = checked_terms(self.input_weights, self.bias)
        n_units = inputs.shape[1]
        _check_diffusion(self.diffusion)
        taps = Taps.of(euler_ring(n_units, self.feedback, self.diffusion), n_units)
        object.__setattr__(self, "_taps", taps)
        object.__setattr__(self, "_update", Update.increment(self.step, n_units, self.activation))
        object.__setattr__(self, "_input_weights", inputs)
        object.__setattr__(self, "_bias", bias)

    @property
    def recurrent_weights(self) -> Values:
        """What unit ``i`` reads of unit ``j``, (N, N)."""
        return self._taps.dense()

    def _fill(self, drive: Values, state: Values) -> None:
        self._taps.fill(drive, state, self._update, self.compiled)
