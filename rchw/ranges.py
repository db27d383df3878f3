"""Widths by interval arithmetic from the actual weights: never guessed, never too small.

The circuit takes its accumulator widths from here. The reference does not: it computes in full
integers, so a wrong width shows as a mismatch.
"""

from dataclasses import dataclass

import numpy as np

from rchw.design import Design, ExternalLayer, Layer, LevelInput, LinearInput, Stage, UnitLayer
from rchw.fixed import QFormat, Rounding, requantize

__all__ = [
    "Interval",
    "LayerRanges",
    "ReadoutRanges",
    "dead_band",
    "layer_ranges",
    "readout_ranges",
    "square_interval",
    "state_interval",
]


@dataclass(frozen=True, slots=True)
class Interval:
    """All integers from `low` to `high`."""

    low: int
    high: int

    def __add__(self, other: "Interval") -> "Interval":
        return Interval(self.low + other.low, self.high + other.high)

    def scale(self, factor: int) -> "Interval":
        """Interval of the product with a constant."""
        ends = (self.low * factor, self.high * factor)
        return Interval(min(ends), max(ends))

    def hull(self, other: "Interval") -> "Interval":
        """Smallest interval that holds both."""
        return Interval(min(self.low, other.low), max(self.high, other.high))

    @property
    def width(self) -> int:
        """Bits of the smallest two's complement number that holds every member."""
        return (
            max(
                self.low.bit_length() if self.low >= 0 else (-self.low - 1).bit_length(),
                self.high.bit_length() if self.high >= 0 else (-self.high - 1).bit_length(),
            )
            + 1
        )

    @classmethod
    def of(cls, fmt: QFormat) -> "Interval":
        """All codes of a format."""
        return cls(fmt.min, fmt.max)


ZERO = Interval(0, 0)


def state_interval(layer: Layer) -> Interval:
    """Every state code that can occur, the initial state included."""
    if isinstance(layer, ExternalLayer):
        return Interval.of(layer.state)
    if layer.step is not None:
        return Interval.of(layer.state)
    reached = Interval(*layer.activation.ends)
    return reached.hull(Interval(min(layer.initial_state), max(layer.initial_state)))


def dead_band(layer: UnitLayer, unit: int = 0) -> tuple[int, int]:
    """Differences ``d = f - x`` of target f and state x, in codes, for which a leak moves nothing.

    The state moves by ``R(d / 2**S)`` with the layer's rounding R and leak shift S, so it rests
    where that is zero. Proof, with ``h = 2**(S - 1)`` and S at least 1:

    * truncate: ``floor(d / 2**S) = 0`` means ``0 <= d < 2**S``;
    * half-up: ``floor((d + h) / 2**S) = 0`` means ``0 <= d + h < 2 h``, so ``-h <= d <= h - 1``;
    * half-even: as half-up except at ties, of which ``d = -h`` and ``d = h`` lie halfway to zero,
      the even one, and stay; so ``-h <= d <= h``.

    With S = 0 the state is replaced and only ``d = 0`` rests. The band holds 0 in every case, and
    ``R(d / 2**S)`` never lies outside the interval of 0 and d, so a state never passes its target.

    Parameters
    ----------
    layer : UnitLayer
    unit : int

    Returns
    -------
    (int, int)
        Least and largest difference of the band, both included. Under a constant target the state
        comes to rest in it, and may stay that far away; times ``2**-frac`` of the state format
        the distance is a value. More fraction bits in the state make it smaller.
    """
    shift = layer.leak_shifts[unit]
    if shift == 0:
        return 0, 0
    half = 1 << (shift - 1)
    if layer.rounding is Rounding.TRUNCATE:
        return 0, 2 * half - 1
    if layer.rounding is Rounding.HALF_UP:
        return -half, half - 1
    return -half, half


@dataclass(frozen=True)
class LayerRanges:
    """Intervals of one layer.

    Attributes
    ----------
    frac : int
        Fraction bits of the accumulator, from which the activation is taken.
    tap_shift : int
        Left shift that aligns tap products to the sum of taps and drive.
    input_shifts : tuple of int
        The same for the contribution of each channel, and of each output that is fed back.
    gain_shift, bias_shift : int
        Left shifts that align products with the gain, and bias codes, to the accumulator.
    state : Interval
    feed_shifts : tuple of int
        Those that align what earlier layers feed.
    taps, drive, summed, accumulator : tuple of Interval, one per unit
        Sum of tap products, and of what earlier layers feed; sum of input contributions, and of the
        bias where there is no gain; both together; that times the gain, and the bias.
    """

    frac: int
    tap_shift: int
    input_shifts: tuple[int, ...]
    gain_shift: int
    bias_shift: int
    state: Interval
    taps: tuple[Interval, ...]
    drive: tuple[Interval, ...]
    summed: tuple[Interval, ...]
    accumulator: tuple[Interval, ...]
    feed_shifts: tuple[int, ...] = ()


def layer_ranges(design: Design | Stage) -> LayerRanges:
    """Intervals and alignment of a layer's pre-activation sum.

    Takes a design of one layer, or a layer of several, expanded or not.
    """
    stage = design.stage
    layer = stage.layer
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
    state = state_interval(layer)
    shifts = tuple(inner - value for value in input_fracs)
    bias_shift, gain_shift = frac - layer.bias_format.frac, frac - inner - gain_frac
    taps, drive, summed, total = [], [], [], []
    for unit in range(layer.n_units):
        tap_sum = ZERO
        for _, weight in layer.connections[unit]:
            tap_sum += state.scale(weight << (inner - tap_frac))
        for feed, fraction in zip(stage.feeds, feed_fracs, strict=True):
            fed = state_interval(feed.layer)
            for _, weight in feed.rows[unit]:
                tap_sum += fed.scale(weight << (inner - fraction))
        drive_sum = ZERO
        for channel, entry, shift in zip(stage.inputs, stage.entries, shifts, strict=True):
            if isinstance(entry, LevelInput):
                part = Interval(entry.low[unit], entry.low[unit]).hull(
                    Interval(entry.high[unit], entry.high[unit])
                )
            else:
                part = Interval.of(channel.format).scale(entry.weights[unit])
            drive_sum += part.scale(1 << shift)
        bias = Interval(layer.bias[unit], layer.bias[unit]).scale(1 << bias_shift)
        taps.append(tap_sum)
        if layer.gain is None:
            drive.append(drive_sum + bias)
            summed.append(tap_sum + drive[-1])
            total.append(summed[-1])
        else:
            drive.append(drive_sum)
            summed.append(tap_sum + drive_sum)
            total.append(summed[-1].scale(layer.gain.codes[unit] << gain_shift) + bias)
    return LayerRanges(
        frac, inner - tap_frac, shifts, gain_shift, bias_shift, state,
        tuple(taps), tuple(drive), tuple(summed), tuple(total),
        tuple(inner - value for value in feed_fracs),
    )  # fmt: skip


@dataclass(frozen=True)
class ReadoutRanges:
    """Intervals of the readout.

    Attributes
    ----------
    frac : int
        Fraction bits of the accumulators.
    shifts : dict of str to int
        By the keys of `rchw.design.Block`.
        Left shift of each kind of feature that aligns its products: states, squares, inputs, one.
    features : dict of str to Interval
        Codes of each kind, before that shift.
    accumulators : tuple of Interval, one per output
        Every partial sum that starts from the constant lies inside, in any order of the products;
        of a sum over samples every partial sum that starts from zero, however many are added.
    """

    frac: int
    shifts: dict[str, int]
    features: dict[str, Interval]
    accumulators: tuple[Interval, ...]


def readout_ranges(design: Design) -> ReadoutRanges:
    """Intervals and alignment of the readout's sums."""
    readout = design.readout
    kinds: list[tuple[str, int, Interval, int]] = []  # name, frac, codes, count
    for block in design.blocks:
        codes = Interval.of(block.format)
        if block.kind == "one":
            codes = Interval(1, 1)
        elif block.kind != "inputs":
            codes = state_interval(design.layers[block.layer])
        if block.kind == "squares":
            codes = square_interval(design, codes, block.layer)
        kinds.append((block.key, block.format.frac, codes, block.count))
    weight_frac = readout.weight_format.frac
    frac = weight_frac + max(kind[1] for kind in kinds)
    shifts = {name: frac - weight_frac - fraction for name, fraction, _, _ in kinds}
    length = 1 if readout.segments is None else readout.segments.length
    rows = [row for weights in readout.by_segment for row in weights]
    found = []
    for row in rows:
        low = high = 0
        position = 0
        for name, _, codes, count in kinds:
            weights = np.array(row[position : position + count], dtype=object) << shifts[name]
            position += count
            # A product that is always positive still leaves the earlier partial sum at zero.
            products = [codes.scale(int(weight)) for weight in weights]
            if name == "one" and not readout.sums:
                low += products[0].low
                high += products[0].high
            else:
                low += sum(min(product.low, 0) for product in products)
                high += sum(max(product.high, 0) for product in products)
        found.append(Interval(length * low, length * high))
    outputs = len(readout.outputs)
    accumulators = tuple(sum(found[k::outputs], start=ZERO) for k in range(outputs))
    return ReadoutRanges(frac, shifts, {name: codes for name, _, codes, _ in kinds}, accumulators)


def square_interval(design: Design, state: Interval, number: int = 0) -> Interval:
    """Codes of a layer's squared states after requantising, from the law at the two extremes."""
    features = design.features.of_layers[number]
    assert features.squares is not None
    largest = max(state.low**2, state.high**2)
    smallest = 0 if state.low <= 0 <= state.high else min(state.low**2, state.high**2)
    ends = requantize(
        np.array([smallest, largest], dtype=object),
        2 * design.layers[number].state.frac - features.squares.frac,
        features.squares,
        features.square_rounding,
    )
    return Interval(int(ends[0]), int(ends[1]))
