"""Magnitudes that no sum of the reference exceeds: they choose its integer type, never a result.

They are computed from formats and weights in unbounded integers, apart from `rchw.ranges`, whose
intervals give the circuit its widths.
"""

from typing import Any

import numpy as np

from rchw.activation import Clip, Table
from rchw.design import Design, LinearInput, Stage
from rchw.fixed import QFormat
from rchw.reference.ring import RingReference

__all__ = ["feature_bound", "integer_type", "readout_bound", "ring_bound"]


def integer_type(bound: int) -> Any:
    """Return int64 where it holds `bound` with a bit to spare, else object: Python's integers."""
    return np.int64 if bound < 1 << 62 else object


def ring_bound(design: Design | Stage) -> int:
    """Bound every number in a step of a layer, shifted and rounded."""
    stage = design.stage
    layer = stage.layer
    frac = RingReference(design).fraction()
    state = _magnitude(layer.state)
    rows = (sum(abs(weight) for _, weight in row) for row in layer.connections)
    total = max(rows) * state << (frac - layer.state.frac - layer.connection_format.frac)
    for channel, entry in zip(stage.inputs, stage.entries, strict=True):
        shift = frac - entry.format.frac
        if isinstance(entry, LinearInput):
            part = max(abs(w) for w in entry.weights) * _magnitude(channel.format)
            total += part << (shift - channel.format.frac)
        else:
            total += max(abs(w) for w in (*entry.low, *entry.high)) << shift
    if layer.gain is not None:
        # The terms were shifted as far as the accumulator already: more than they will be.
        total *= max(1, max(abs(g) for g in layer.gain.codes))
    total += max(abs(b) for b in layer.bias) << (frac - layer.bias_format.frac)
    if layer.step is not None:
        total += state * max(1, max(abs(e) for e in layer.step.codes))
        total += 1 << layer.step.format.frac
    activation = layer.activation
    if isinstance(activation, Table):
        total <<= max(0, activation.index.frac - frac)
    # Half a step of any rounding, an offset of a segment, and a state in the leak.
    return total + (1 << max(frac, 24)) + (1 << 27) * (not isinstance(activation, Clip)) + state


def _magnitude(fmt: QFormat) -> int:
    return max(fmt.max, -fmt.min)


def _features(design: Design) -> list[tuple[int, int, int]]:
    """Fraction bits, magnitude and number of the features of each kind."""
    return [
        (block.format.frac, 1 if block.kind == "one" else _magnitude(block.format), block.count)
        for block in design.blocks
    ]


def feature_bound(design: Design) -> int:
    """Bound every feature at the finest fraction, and the squares before they are rounded."""
    kinds = _features(design)
    finest = max(frac for frac, _, _ in kinds)
    largest = max(magnitude << (finest - frac) for frac, magnitude, _ in kinds)
    for block in design.blocks:
        if block.kind == "squares":
            state = design.layers[block.layer].state
            shift = 2 * state.frac - block.format.frac
            squared = (_magnitude(state) ** 2 << max(-shift, 0)) + (1 << max(shift, 0))
            largest = max(largest, squared)
    return largest


def readout_bound(design: Design) -> int:
    """Bound every number in the readout, the features and the shifts to the outputs included."""
    kinds, readout = _features(design), design.readout
    finest = max(frac for frac, _, _ in kinds)
    values = [m << (finest - frac) for frac, m, count in kinds for _ in range(count)]
    largest = feature_bound(design)
    length = 1 if readout.segments is None else readout.segments.length
    for k, output in enumerate(readout.outputs):
        rows = (weights[k] for weights in readout.by_segment)
        total = length * sum(
            value * abs(w) for row in rows for value, w in zip(values, row, strict=True)
        )
        shift = readout.weight_format.frac + finest - output.format.frac
        largest = max(largest, (total << max(-shift, 0)) + (1 << max(shift, 0)))
    return largest
