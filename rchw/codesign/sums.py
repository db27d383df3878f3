"""Widths of the sums of a layer as arrays: `rchw.ranges` in numpy, fast enough for a search."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.design import LevelInput, LinearInput, MatrixLayer, RingLayer, Stage
from rchw.matrix import Matrix
from rchw.ranges import Interval, state_interval
from rchw.stages import Feed

__all__ = ["Ends", "LayerSums", "layer_sums", "matrix_codes"]

Codes = NDArray[Any]  # int64, or object: Python integers without bound
_SUMMED, _INTEGER = 16, 62  # bits that sums of 4096 units and some channels add; bits of int64


def matrix_codes(matrix: Matrix, columns: int) -> Codes:
    """All entries of a matrix, int64 array (rows, columns)."""
    rows = len(matrix.codes)
    if matrix.kind == "dense":
        return np.array(matrix.codes, dtype=np.int64)
    full = np.zeros((rows, columns), dtype=np.int64)
    if matrix.kind == "sparse":
        counts = [len(row) for row in matrix.codes]
        place = np.repeat(np.arange(rows), counts)
        flat = [column for row in matrix.columns for column in row]
        full[place, np.array(flat, dtype=np.int64)] = [code for row in matrix.codes for code in row]
        return full
    full[np.tril_indices(rows, -1)] = [code for row in matrix.codes for code in row]
    full -= full.T
    full[np.arange(rows), np.arange(rows)] = matrix.diagonal
    return full


@dataclass(frozen=True)
class Ends:
    """Least and greatest code of every unit, int64 arrays (N,)."""

    low: Codes
    high: Codes

    def __add__(self, other: "Ends") -> "Ends":
        return Ends(self.low + other.low, self.high + other.high)

    def scaled(self, factors: Codes | int) -> "Ends":
        """Of the products with one factor per unit."""
        one, other = self.low * factors, self.high * factors
        return Ends(np.minimum(one, other), np.maximum(one, other))

    def hull(self, other: "Ends") -> "Ends":
        """Smallest that holds both."""
        return Ends(np.minimum(self.low, other.low), np.maximum(self.high, other.high))

    def whole(self) -> "Ends":
        """The same in Python integers, which have no end."""
        return Ends(self.low.astype(object), self.high.astype(object))

    def of(self, units: Codes) -> tuple[int, int]:
        """Hull over some units."""
        return int(self.low[units].min()), int(self.high[units].max())

    @classmethod
    def zero(cls, n_units: int) -> "Ends":
        """Nothing but 0."""
        return cls(np.zeros(n_units, dtype=np.int64), np.zeros(n_units, dtype=np.int64))


@dataclass(frozen=True)
class LayerSums:
    """Fraction bits, alignments and ends; the names are those of `rchw.ranges.LayerRanges`."""

    frac: int
    tap_shift: int
    input_shifts: tuple[int, ...]
    gain_shift: int
    bias_shift: int
    taps: Ends
    drive: Ends
    summed: Ends
    accumulator: Ends
    matrix: Codes | None
    fed: tuple[Codes | None, ...]


def _products(codes: Codes, state: Interval) -> Ends:
    """Of sums of products of the codes of a row with states."""
    positive, negative = np.maximum(codes, 0).sum(axis=1), np.minimum(codes, 0).sum(axis=1)
    low = positive * state.low + negative * state.high
    return Ends(low, positive * state.high + negative * state.low)


def _taps(layer_taps: Any, n_units: int, state: Interval) -> Ends:
    codes = np.array([tap.weights for tap in layer_taps], dtype=np.int64).reshape(-1, n_units)
    return _products(codes.T, state)


def _feed(feed: Feed, n_units: int) -> tuple[Ends, Codes | None]:
    state = state_interval(feed.layer)
    matrix = getattr(feed.entry, "matrix", None)
    if matrix is None:
        return _taps(getattr(feed.entry, "taps", ()), n_units, state), None
    codes = matrix_codes(matrix, feed.layer.n_units)
    return _products(codes, state), codes


def layer_sums(stage: Stage) -> LayerSums:
    """Ends and alignment of a layer's pre-activation sums, unit by unit."""
    layer, n = stage.layer, stage.layer.n_units
    tap_frac = layer.state.frac + layer.connection_format.frac
    input_fracs = [
        entry.format.frac + (channel.format.frac if isinstance(entry, LinearInput) else 0)
        for channel, entry in zip(stage.inputs, stage.entries, strict=True)
    ]
    feed_fracs = [feed.format.frac + feed.layer.state.frac for feed in stage.feeds]
    inner = max(tap_frac, *input_fracs, *feed_fracs)
    gain_frac = 0 if layer.gain is None else layer.gain.format.frac
    frac = max(inner + gain_frac, layer.bias_format.frac)
    if layer.gain is None:
        inner = frac
    shifts = tuple(inner - value for value in input_fracs)
    gain_shift, bias_shift = frac - inner - gain_frac, frac - layer.bias_format.frac
    state, matrix = state_interval(layer), None
    gain_bits = 0 if layer.gain is None else layer.gain.format.width
    operands = [layer.state.width + layer.connection_format.width, layer.bias_format.width]
    operands += [
        c.format.width + e.format.width for c, e in zip(stage.inputs, stage.entries, strict=True)
    ]
    operands += [feed.layer.state.width + feed.format.width for feed in stage.feeds]
    wide = max(operands) + _SUMMED + gain_bits + frac > _INTEGER
    if isinstance(layer, MatrixLayer):
        matrix = matrix_codes(layer.matrix, n)
        taps = _products(matrix, state)
    else:
        assert isinstance(layer, RingLayer)
        taps = _taps(layer.taps, n, state)
    taps = (taps.whole() if wide else taps).scaled(1 << (inner - tap_frac))
    fed = []
    for feed, fraction in zip(stage.feeds, feed_fracs, strict=True):
        ends, codes = _feed(feed, n)
        taps += (ends.whole() if wide else ends).scaled(1 << (inner - fraction))
        fed.append(codes)
    drive = Ends.zero(n)
    for channel, entry, shift in zip(stage.inputs, stage.entries, shifts, strict=True):
        if isinstance(entry, LevelInput):
            low, high = np.array(entry.low, dtype=np.int64), np.array(entry.high, dtype=np.int64)
            part = Ends(np.minimum(low, high), np.maximum(low, high))
        else:
            weights = np.array(entry.weights, dtype=np.int64)
            ones = np.ones(n, dtype=np.int64)
            part = Ends(ones * channel.format.min, ones * channel.format.max).scaled(weights)
        drive += (part.whole() if wide else part).scaled(1 << shift)
    bias = np.array(layer.bias, dtype=object if wide else np.int64) * (1 << bias_shift)
    if layer.gain is None:
        drive += Ends(bias, bias)
        summed = total = taps + drive
    else:
        summed = taps + drive
        gains = np.array(layer.gain.codes, dtype=bias.dtype) * (1 << gain_shift)
        total = summed.scaled(gains) + Ends(bias, bias)
    return LayerSums(
        frac, inner - tap_frac, shifts, gain_shift, bias_shift,
        taps, drive, summed, total, matrix, tuple(fed),
    )  # fmt: skip
