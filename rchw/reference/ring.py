"""One step of a layer of units, written as the equations of `docs/design-format.md`, section 4."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.activation import Clip, PiecewiseLinear
from rchw.design import Design, LinearInput, MatrixLayer, RingLayer, Stage
from rchw.fixed import Rounding, requantize, shift_round

__all__ = ["RingReference"]

Integers = NDArray[Any]


@dataclass(frozen=True)
class RingReference:
    """A layer of units in full integers.

    Parameters
    ----------
    design : Design or Stage
        A design of one layer, or one of several, expanded.
    dtype : numpy dtype
        ``int64``, or ``object`` (unbounded Python integers) where 63 bits might not do.
    """

    design: Design | Stage
    dtype: Any = np.int64

    def initial_state(self) -> Integers:
        """State codes before the first sample, shape (N,)."""
        return np.array(self.design.stage.layer.initial_state, dtype=self.dtype)

    def inner_fraction(self) -> int:
        """Fraction bits of the sum that a gain multiplies: the finest of its terms."""
        stage = self.design.stage
        fractions = [stage.layer.state.frac + stage.layer.connection_format.frac]
        for channel, entry in zip(stage.inputs, stage.entries, strict=True):
            extra = channel.format.frac if isinstance(entry, LinearInput) else 0
            fractions.append(entry.format.frac + extra)
        return max(fractions)

    def fraction(self) -> int:
        """Fraction bits of the pre-activation sum, gain and bias included."""
        layer = self.design.stage.layer
        gain = 0 if layer.gain is None else layer.gain.format.frac
        return max(self.inner_fraction() + gain, layer.bias_format.frac)

    def _codes(self, codes: tuple[int, ...], shift: int) -> Integers:
        return np.array(codes, dtype=self.dtype) * (1 << shift)

    def preactivation(
        self, state: Integers, inputs: Integers, fed: Sequence[Any] | Integers = ()
    ) -> Integers:
        """Exact sum of taps, inputs, fed back outputs and bias; shapes (N,), (K,), (B,) -> (N,)."""
        layer, frac = self.design.stage.layer, self.fraction()
        bias = self._codes(layer.bias, frac - layer.bias_format.frac)
        if layer.gain is None:
            return self._driven(bias, frac, state, inputs, fed)
        inner = self.inner_fraction()
        driven = self._driven(self._codes((0,) * layer.n_units, 0), inner, state, inputs, fed)
        shift = frac - inner - layer.gain.format.frac
        return driven * self._codes(layer.gain.codes, shift) + bias

    def _driven(
        self,
        total: Integers,
        frac: int,
        state: Integers,
        inputs: Integers,
        fed: Sequence[Any] | Integers,
    ) -> Integers:
        """Add taps, inputs and fed back outputs to a sum (N,) of `frac` fraction bits."""
        stage = self.design.stage
        layer = stage.layer
        shift = frac - layer.state.frac - layer.connection_format.frac
        if isinstance(layer, RingLayer):
            for tap in layer.taps:
                total = total + self._codes(tap.weights, shift) * np.roll(state, tap.offset)
        elif isinstance(layer, MatrixLayer):
            weights = layer.matrix.full.astype(self.dtype) * (1 << shift)
            total = total + (state[None, :] @ weights.T)[0]
        for k, entry in enumerate(stage.entries[: stage.n_inputs]):
            if isinstance(entry, LinearInput):
                shift = frac - entry.format.frac - stage.inputs[k].format.frac
                total = total + self._codes(entry.weights, shift) * inputs[k]
            else:
                shift = frac - entry.format.frac
                above = inputs[k] >= np.array(entry.thresholds, dtype=self.dtype)
                total = total + np.where(
                    above, self._codes(entry.high, shift), self._codes(entry.low, shift)
                )
        returned = zip(stage.inputs[stage.n_inputs :], stage.entries[stage.n_inputs :], strict=True)
        for (channel, back), code in zip(returned, fed, strict=True):
            assert isinstance(back, LinearInput)
            shift = frac - back.format.frac - channel.format.frac
            total = total + self._codes(back.weights, shift) * code
        return total

    def activate(self, total: Integers) -> Integers:
        """State codes of pre-activation sums, same shape."""
        layer, frac = self.design.stage.layer, self.fraction()
        activation = layer.activation
        if isinstance(activation, Clip):
            z = shift_round(total, frac - layer.state.frac, layer.rounding)
            return _clip(z, activation.low, activation.high)
        if isinstance(activation, PiecewiseLinear):
            z = shift_round(total, frac - layer.state.frac, layer.rounding)
            return _clip(_segments(z, activation, layer.rounding), activation.low, activation.high)
        index = requantize(total, frac - activation.index.frac, activation.index, layer.rounding)
        entries = np.array(activation.entries, dtype=self.dtype)
        return np.take_along_axis(entries, (index - activation.index.min).astype(np.int64), 0)

    def update(self, state: Integers, target: Integers) -> Integers:
        """States after their targets are known: replaced, part of the way, or one step further.

        Shapes (N,), (N,) -> (N,).
        """
        layer = self.design.stage.layer
        if layer.step is not None:
            products = target * self._codes(layer.step.codes, 0)
            moved = state + shift_round(products, layer.step.format.frac, layer.rounding)
            return _clip(moved, layer.state.min, layer.state.max)
        shifts = layer.leak_shifts
        result = self._leak(state, target, shifts[0])
        for shift in sorted(set(shifts) - {shifts[0]}):
            mine = np.array([s == shift for s in shifts])
            result = np.where(mine, self._leak(state, target, shift), result)
        return result

    def _leak(self, state: Integers, target: Integers, shift: int) -> Integers:
        if shift == 0:
            return target
        return state + shift_round(target - state, shift, self.design.stage.layer.rounding)

    def step(
        self, state: Integers, inputs: Integers, fed: Sequence[Any] | Integers = ()
    ) -> Integers:
        """State after one sample: shapes (N,), (K,), (B,) -> (N,)."""
        return self.update(state, self.activate(self.preactivation(state, inputs, fed)))


def _clip(codes: Integers, low: int, high: int) -> Integers:
    return np.minimum(np.maximum(codes, low), high)


def _segments(z: Integers, activation: PiecewiseLinear, rounding: Rounding) -> Integers:
    _, shift, offset = activation.segments[0]
    result = shift_round(z, shift, rounding) + offset
    for start, shift, offset in activation.segments[1:]:
        result = np.where(z >= start, shift_round(z, shift, rounding) + offset, result)
    return result
