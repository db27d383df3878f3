"""A network that somebody else has made: float matrices, checked, and what they compute."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.layers import MAX_UNITS
from rchw.model.matrix import Rows
from rchw.model.recurrence import FloatModel, Update

__all__ = ["KEYS", "Network", "NetworkModel", "expanded"]

Values = NDArray[np.float64]

KEYS = (
    "W", "W_data", "W_indices", "W_indptr", "W_shape", "W_in", "bias", "leak_rate", "step",
    "activation", "W_out", "W_out_inputs", "b_out", "input_offset", "input_scaling",
    "output_offset", "output_scaling",
)  # fmt: skip
_ACTIVATIONS = ("tanh", "clip", "linear")  # those that integers come near to
_SPARSE = ("W_data", "W_indices", "W_indptr", "W_shape")
_READOUT = ("W_out_inputs", "b_out", "output_offset", "output_scaling")  # nothing without W_out


@dataclass(frozen=True, eq=False)
class Network:
    """An echo state network, or an Euler state network, in floating point.

    ``x(t) = (1 - a) x(t-1) + a f(s(t))``, or ``x(t) = x(t-1) + e f(s(t))`` where there is a step,
    with ``s(t) = W x(t-1) + W_in u(t) + b``; then
    ``y(t) = W_out x(t) + W_out_inputs u(t) + b_out``. States begin at 0.

    Attributes
    ----------
    weights : float64 array (N, N)
        W: unit ``i`` reads unit ``j`` times ``W[i, j]``.
    input_weights : float64 array (N, K)
    bias : float64 array (N,)
    leak_rate : float64 array (N,)
        a; 1 where there is a step.
    step : float64 array (N,) or None
        e.
    activation : str
        f: ``"tanh"``, ``"clip"`` (to -1 and 1) or ``"linear"``.
    output_weights : float64 array (L, N) or None
        Without it the readout has to be trained.
    output_input_weights : float64 array (L, K) or None
        Of a readout that sees the inputs too.
    output_bias : float64 array (L,)
    left_out : tuple of str
        What the source held besides, and does not become part of a design.
    """

    weights: Values
    input_weights: Values
    bias: Values
    leak_rate: Values
    step: Values | None
    activation: str
    output_weights: Values | None
    output_input_weights: Values | None
    output_bias: Values
    left_out: tuple[str, ...] = ()

    @classmethod
    def of(cls, arrays: Mapping[str, Any], left_out: tuple[str, ...] = ()) -> "Network":
        """Check arrays by the names of `KEYS`, and bring them into one form.

        Parameters
        ----------
        arrays : mapping
            ``W`` (N, N), or its compressed rows ``W_data``, ``W_indices``, ``W_indptr`` and
            ``W_shape``; ``W_in`` (N, K) or (N,). All others may be missing: ``bias`` (N,) or one
            number, 0; ``leak_rate`` (N,) or one number, 1; ``step`` instead of it;
            ``activation``, a text; ``W_out`` (L, N) or (N,), ``W_out_inputs`` (L, K) or (K,),
            ``b_out`` (L,) or one number, 0; ``input_offset`` and ``input_scaling``, (K,) or one
            number: the network sees ``(u - offset) * scaling``; ``output_offset`` and
            ``output_scaling``, (L,) or one number: of its output y is made
            ``y * scaling + offset``.
        left_out : tuple of str
            See the attribute.

        Raises
        ------
        DesignError
            If a name is unknown or missing, or an array is not of finite numbers or has another
            shape.
        """
        wrong = [name for name in arrays if name not in KEYS]
        if wrong:
            raise DesignError(f"arrays must be named {', '.join(KEYS)}, not {wrong[0]!r}")
        weights = _square(arrays)
        n_units = len(weights)
        input_weights = _table(arrays, "W_in", n_units, columns=True)
        n_inputs = input_weights.shape[1]
        leak_rate = _vector(arrays, "leak_rate", n_units, 1.0)
        step = _vector(arrays, "step", n_units, 0.0) if "step" in arrays else None
        _check_update(leak_rate, step)
        offset = _vector(arrays, "input_offset", n_inputs, 0.0)
        bias = _vector(arrays, "bias", n_units, 0.0)
        with np.errstate(over="ignore", invalid="ignore"):
            input_weights = input_weights * _vector(arrays, "input_scaling", n_inputs, 1.0)
            bias = bias - input_weights @ offset
            readout = _readout(arrays, n_units, n_inputs, offset)
        found = cls(
            weights, input_weights, bias, leak_rate, step, _activation(arrays), *readout, left_out
        )  # fmt: skip
        found.check_finite()
        return found

    def check_finite(self) -> None:
        """Refuse products of scalings and weights that are beyond the doubles."""
        for table in (self.input_weights, self.bias, self.output_weights, self.output_bias):
            if table is not None and not np.isfinite(table).all():
                raise DesignError("weights times their scaling must be finite, not infinite")

    @property
    def n_units(self) -> int:
        """Number of units N."""
        return len(self.weights)

    @property
    def n_inputs(self) -> int:
        """Number of input channels K."""
        return int(self.input_weights.shape[1])

    @property
    def n_outputs(self) -> int | None:
        """Number of outputs L, where there is a readout."""
        return None if self.output_weights is None else len(self.output_weights)

    @property
    def density(self) -> float:
        """Fraction of the entries of W that are not 0."""
        return float(np.count_nonzero(self.weights) / self.weights.size)

    def outputs(self, states: Values, inputs: Values) -> Values:
        """Outputs (T, L) of states (T, N) and inputs (T, K).

        Raises
        ------
        DesignError
            If there is no readout.
        """
        if self.output_weights is None:
            raise DesignError("network must have a readout, W_out, to give outputs")
        total = states @ self.output_weights.T + self.output_bias
        if self.output_input_weights is not None:
            total = total + inputs @ self.output_input_weights.T
        return total


@dataclass(frozen=True, eq=False)
class NetworkModel(FloatModel):
    """The states of a network in float64; a `rchw.reservoir.Reservoir`."""

    network: Network
    compiled: bool = True
    _rows: Rows = field(init=False, repr=False)
    _update: Update = field(init=False, repr=False)
    _input_weights: Values = field(init=False, repr=False)
    _bias: Values = field(init=False, repr=False)

    def __post_init__(self) -> None:
        network, n = self.network, self.network.n_units
        if network.step is None:
            update = Update.leaky(network.leak_rate, n, network.activation)
        else:
            update = Update.increment(network.step, n, network.activation)
        object.__setattr__(self, "_rows", Rows.of(network.weights))
        object.__setattr__(self, "_update", update)
        object.__setattr__(self, "_input_weights", np.ascontiguousarray(network.input_weights.T))
        object.__setattr__(self, "_bias", network.bias)

    @property
    def recurrent_weights(self) -> Values:
        """What unit ``i`` reads of unit ``j``, (N, N)."""
        return self._rows.dense()

    def _fill(self, drive: Values, state: Values) -> None:
        self._rows.fill(drive, state, self._update, self.compiled)


def _numbers(arrays: Mapping[str, Any], name: str) -> Values:
    """One array of finite real numbers."""
    array = np.asarray(arrays[name])
    if array.dtype.kind not in "biuf":
        raise DesignError(f"{name} must hold real numbers, not {array.dtype}")
    values = array.astype(np.float64)
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        place = tuple(wrong[0].tolist())
        where = f" at {place}" if place else ""
        raise DesignError(f"{name} must be finite, not {values[place]}{where}")
    return values


def _square(arrays: Mapping[str, Any]) -> Values:
    parts = [name for name in _SPARSE if name in arrays]
    if "W" in arrays and parts:
        raise DesignError(f"W must be given once, not beside {parts[0]}")
    if parts and len(parts) < len(_SPARSE):
        missing = next(name for name in _SPARSE if name not in arrays)
        raise DesignError(f"{missing} must be given beside {parts[0]}, not left out")
    if not parts and "W" not in arrays:
        raise DesignError("W must be given, not left out")
    weights = _numbers(arrays, "W") if "W" in arrays else _expanded(arrays)
    if weights.ndim != 2 or weights.shape[0] != weights.shape[1] or not weights.size:
        raise DesignError(f"W must be square, not of shape {weights.shape}")
    if len(weights) > MAX_UNITS:
        raise DesignError(f"W must have at most {MAX_UNITS} units, not {len(weights)}")
    return weights


def _expanded(arrays: Mapping[str, Any]) -> Values:
    """A matrix of its compressed rows."""
    rows, columns = (_whole(arrays, name) for name in ("W_indptr", "W_indices"))
    shape = tuple(_whole(arrays, "W_shape").tolist())
    if len(shape) != 2 or not 0 < shape[0] == shape[1] <= MAX_UNITS:
        raise DesignError(f"W must be square of at most {MAX_UNITS} units, not of shape {shape}")
    return expanded(_numbers(arrays, "W_data"), columns, rows, (shape[0], shape[1]), "W")


def expanded(
    data: NDArray[Any],
    indices: NDArray[Any],
    ends: NDArray[Any],
    shape: tuple[int, int],
    name: str,
) -> Values:
    """A matrix of its compressed rows, as scipy has them; entries named twice are added.

    Parameters
    ----------
    data : array (Z,)
        The entries, row by row.
    indices : integer array (Z,)
        Their columns.
    ends : integer array (rows + 1,)
        Where each row begins, and where the last one ends.
    shape : (int, int)
    name : str
        In messages.

    Raises
    ------
    DesignError
        If they do not fit.
    """
    steps = np.diff(ends)
    fits = (
        data.shape == indices.shape == (len(indices),)
        and ends.shape == (shape[0] + 1,)
        and ends[0] == 0
        and ends[-1] == len(indices)
        and bool((steps >= 0).all())
        and bool(((indices >= 0) & (indices < shape[1])).all())
    )
    if not fits:
        raise DesignError(f"{name} must have rows that are compressed as scipy does it, not others")
    matrix = np.zeros(shape)
    np.add.at(matrix, (np.repeat(np.arange(shape[0]), steps), indices), data)
    return matrix


def _whole(arrays: Mapping[str, Any], name: str) -> NDArray[np.int64]:
    array = np.asarray(arrays[name])
    if array.dtype.kind not in "iu" or array.ndim != 1 or not array.size:
        raise DesignError(f"{name} must hold integers in one row, not {array.dtype} {array.shape}")
    return array.astype(np.int64)


def _table(
    arrays: Mapping[str, Any], name: str, size: int, *, columns: bool, rows: int | None = None
) -> Values:
    """A table with `size` rows, or columns; one row of numbers is one channel, or one output."""
    if name not in arrays:
        raise DesignError(f"{name} must be given, not left out")
    table = _numbers(arrays, name)
    if table.shape == (size,):
        table = table[:, None] if columns else table[None, :]
    fits = table.ndim == 2 and table.size and table.shape[0 if columns else 1] == size
    if not fits or (rows is not None and len(table) != rows):
        wanted = f"({size}, K)" if columns else f"({'L' if rows is None else rows}, {size})"
        raise DesignError(f"{name} must have shape {wanted}, not {table.shape}")
    return table


def _vector(arrays: Mapping[str, Any], name: str, size: int, default: float) -> Values:
    """One number for each unit or channel, of so many, of one, or of none; as a row or a column."""
    if name not in arrays:
        return np.full(size, default)
    values = _numbers(arrays, name)
    if values.shape not in ((), (1,), (1, 1), (size,), (size, 1), (1, size)):
        raise DesignError(f"{name} must have shape () or ({size},), not {values.shape}")
    return np.broadcast_to(values.ravel(), (size,)).copy()


def _check_update(leak_rate: Values, step: Values | None) -> None:
    wrong = leak_rate[~((leak_rate > 0) & (leak_rate <= 1))]
    if wrong.size:
        raise DesignError(f"leak_rate must be above 0 and at most 1, not {wrong[0]:g}")
    if step is None:
        return
    if (leak_rate != 1.0).any():
        raise DesignError("leak_rate must be left out beside step")
    if not (step > 0).all():
        raise DesignError(f"step must be above 0, not {step[~(step > 0)][0]:g}")


def _activation(arrays: Mapping[str, Any]) -> str:
    name = arrays.get("activation", "tanh")
    if isinstance(name, np.ndarray) and name.dtype.kind in "US" and name.size == 1:
        name = name.ravel()[0]
    name = name.decode("utf-8", "replace") if isinstance(name, bytes) else name
    if not isinstance(name, str) or name not in _ACTIVATIONS:
        raise DesignError(f"activation must be one of {', '.join(_ACTIVATIONS)}, not {name!r}")
    return str(name)


def _readout(
    arrays: Mapping[str, Any], n_units: int, n_inputs: int, offset: Values
) -> tuple[Values | None, Values | None, Values]:
    """Weights of states, weights of inputs, bias; input offset and output scaling taken in."""
    if "W_out" not in arrays:
        stray = [name for name in _READOUT if name in arrays]
        if stray:
            raise DesignError(f"{stray[0]} must be left out where there is no W_out")
        return None, None, np.zeros(0)
    weights = _table(arrays, "W_out", n_units, columns=False)
    n_outputs = len(weights)
    scaling = _vector(arrays, "output_scaling", n_outputs, 1.0)
    bias = _vector(arrays, "b_out", n_outputs, 0.0) * scaling
    bias = bias + _vector(arrays, "output_offset", n_outputs, 0.0)
    inner = None
    if "W_out_inputs" in arrays:
        inner = _table(arrays, "W_out_inputs", n_inputs, columns=False, rows=n_outputs)
        inner = inner * _vector(arrays, "input_scaling", n_inputs, 1.0) * scaling[:, None]
        bias = bias - inner @ offset
    return weights * scaling[:, None], inner, bias
