"""Stimulus that goes where faults hide: corner codes, held rails, slow ramps, both clip rails."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.design import (
    Design,
    ExternalLayer,
    Layer,
    LevelInput,
    LinearInput,
    MatrixLayer,
    RingLayer,
    Segments,
    Stage,
    UnitLayer,
)
from rchw.fixed import QFormat
from rchw.stages import Feed

__all__ = [
    "RailDrive",
    "output_drive",
    "pushes",
    "rail_drive",
    "rails_of",
    "sequence_lengths",
    "stimulus",
    "unit_drive",
]

Codes = NDArray[np.int64]
_CANDIDATES = 128  # units tried when the design has more


def corners(fmt: QFormat) -> list[int]:
    """Min, max, 0 and plus and minus one step, as far as the format has them."""
    return sorted({fmt.min, fmt.max, 0, min(1, fmt.max), max(-1, fmt.min)})


def stimulus(
    design: Design, samples: int, rng: np.random.Generator
) -> tuple[Codes, NDArray[np.bool_]]:
    """Input codes and last flags, in blocks of different character.

    Parameters
    ----------
    design : Design
    samples : int
    rng : Generator

    Returns
    -------
    codes : int64 array (samples, K)
        Uniform at random, corners, rails held for long, slow ramps, slow waves with noise.
    last : bool array (samples,)
        One in forty, two in a row and the very last among them; none while a rail is held. Where
        sequences are summed up, their lengths are those of `sequence_lengths`.
    """
    kinds = (_uniform, _corners, _held, _ramp, _waves, _uniform)
    bounds = np.linspace(0, samples, len(kinds) + 1).astype(int)
    formats = [channel.format for channel in design.beat]
    codes = np.empty((samples, len(formats)), dtype=np.int64)
    last = rng.random(samples) < 1 / 40
    for kind, start, stop in zip(kinds, bounds, bounds[1:], strict=False):
        for k, fmt in enumerate(formats):
            codes[start:stop, k] = kind(fmt, stop - start, rng)
        if kind is _held:
            last[start:stop] = False
    for place in (samples // 12, samples // 12 + 1, samples - 1):
        last[place] = True
    if design.readout.segments is not None:
        ends = np.cumsum(sequence_lengths(design.readout.segments, samples, rng)) - 1
        last[:-1] = False
        last[ends[ends < samples]] = True
    return codes, last


def sequence_lengths(
    segments: Segments, samples: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Lengths of sequences, `samples` of them: those that counters may get wrong, and others.

    One and two samples, a segment and all of them, one less and one more, and any up to twice that;
    what is longer than an eighth of the samples is left out.
    """
    length, total = segments.length, segments.samples
    near = [k + d for k in (length, total) for d in (-1, 0, 1)]
    any_of = rng.integers(1, 2 * total + 1, 4).tolist()
    fitting = [k for k in (1, 1, 2, *near, *any_of) if 1 <= k <= max(1, samples // 8)]
    return rng.choice(np.array(fitting, dtype=np.int64), samples)


def _uniform(fmt: QFormat, length: int, rng: np.random.Generator) -> Codes:
    return rng.integers(fmt.min, fmt.max + 1, length)


def _corners(fmt: QFormat, length: int, rng: np.random.Generator) -> Codes:
    return rng.choice(np.array(corners(fmt), dtype=np.int64), length)


def _held(fmt: QFormat, length: int, rng: np.random.Generator) -> Codes:
    levels = rng.permutation(np.array([fmt.min, fmt.max], dtype=np.int64))
    return levels[np.arange(length) * 2 // max(length, 1)]


def _ramp(fmt: QFormat, length: int, rng: np.random.Generator) -> Codes:
    turn = np.abs((2 * np.arange(length) / max(length, 1) + rng.random()) % 2 - 1)
    return _rounded(fmt, fmt.min + turn * (fmt.max - fmt.min))


def _waves(fmt: QFormat, length: int, rng: np.random.Generator) -> Codes:
    time = np.arange(length)
    wave = sum(np.sin(2 * np.pi * (time / rng.uniform(8, 60) + rng.random())) for _ in range(3)) / 3
    noise = rng.normal(0, 0.02, length)
    middle, half = (fmt.max + fmt.min) / 2, (fmt.max - fmt.min) / 2
    return _rounded(fmt, middle + half * (wave + noise))


def _rounded(fmt: QFormat, codes: NDArray[np.float64]) -> Codes:
    return np.clip(np.floor(codes + 0.5), fmt.min, fmt.max).astype(np.int64)


def rails_of(layer: Layer) -> tuple[int, int]:
    """Least and greatest code that the law gives a state, or that may come from outside."""
    if isinstance(layer, ExternalLayer) or layer.step is not None:
        return layer.state.min, layer.state.max
    return layer.activation.ends


@dataclass(frozen=True)
class RailDrive:
    """An input that pushes one unit toward a rail as hard as a linear ring could be pushed.

    Attributes
    ----------
    codes : int64 array (H, K)
        To be applied from the initial state.
    unit : int
    bound : float
        What the unit would reach, in state codes, if nothing clipped.
    proven : bool
        Whether no unit can exceed `bound`, so that a rail beyond it is unreachable.
    """

    codes: Codes
    unit: int
    bound: float
    proven: bool


def _effect(stage: Stage, n_inputs: int, upper: bool) -> NDArray[np.float64]:
    """Contribution of each channel at its greatest or least code, in values, shape (K, N)."""
    rows = np.zeros((n_inputs, stage.n_units))
    pairs = zip(stage.inputs, stage.entries, strict=True)
    for place, (channel, entry) in zip(
        stage.places, pairs, strict=False
    ):  # what is fed back is last
        code = channel.format.max if upper else channel.format.min
        if isinstance(entry, LinearInput):
            weights = np.array(entry.weights, dtype=np.float64)
            rows[place] += weights * entry.format.resolution * code * channel.format.resolution
        else:
            rows[place] += _level(entry, code)
    return rows


def _level(entry: LevelInput, code: int) -> NDArray[np.float64]:
    above = code >= np.array(entry.thresholds)
    chosen: NDArray[Any] = np.where(above, np.array(entry.high), np.array(entry.low))
    return chosen * entry.format.resolution


def rail_drive(design: Design, upper: bool, horizon: int = 400) -> RailDrive:
    """Bang-bang input that pushes the unit that goes furthest, as without the activation.

    Parameters
    ----------
    design : Design
    upper : bool
        Which rail.
    horizon : int
        Samples, at most; N samples pass before a ring has closed.
    """
    if isinstance(design.layers[0], ExternalLayer):
        end = rails_of(design.layers[0])[upper]
        return RailDrive(_beat(design, np.full(design.n_lanes, upper)), 0, float(end), True)
    units = _candidates(design)
    choices, reached, settled = _driven(design, np.eye(design.n_units)[units], upper, horizon)
    best = int(np.argmax(reached))
    codes = _chosen(design, choices[:, best])
    resolutions = [
        stage.layer.state.resolution for stage in design.stages for _ in range(stage.n_units)
    ]
    bound = (1.0 if upper else -1.0) * float(reached[best]) / resolutions[units[best]]
    return RailDrive(codes, int(units[best]), bound, settled and len(units) == design.n_units)


def unit_drive(design: Design, unit: int, upper: bool, horizon: int = 400) -> Codes:
    """Bang-bang input (H, K) that pushes one unit, to be applied from the initial state."""
    if isinstance(design.layers[0], ExternalLayer):
        return _beat(design, np.full(design.n_lanes, upper))
    choices, _, _ = _driven(design, np.eye(design.n_units)[[unit]], upper, horizon)
    return _chosen(design, choices[:, 0])


def output_drive(design: Design, output: int, upper: bool, horizon: int = 400) -> Codes:
    """Bang-bang input (H, K) that pushes an output; of its squares nothing is known to it."""
    row = design.readout.weights[output]
    blocks: dict[int, list[int]] = {}
    for block in reversed(design.blocks):
        # States come before the squares, whose weights are taken where a layer has no other.
        if block.kind in ("states", "squares"):
            blocks[block.layer] = list(row[block.start : block.start + block.count])
    columns = [
        code
        for number, layer in enumerate(design.layers)
        for code in blocks.get(number, [0] * layer.n_units)
    ]
    weights = np.array([columns], dtype=np.float64)
    if isinstance(design.layers[0], ExternalLayer):
        channels = np.zeros(design.n_inputs)
        if design.features.inputs:
            start = design.n_units * design.features.per_unit
            channels[:] = design.readout.weights[output][start : start + design.n_inputs]
        return _beat(design, (np.append(channels, weights) >= 0) == upper)
    response = weights / max(1.0, np.abs(weights).max())
    choices, _, _ = _driven(design, response, upper, horizon)
    return _chosen(design, choices[:, 0])


def pushes(
    design: Design, horizon: int = 400, most: int | None = None
) -> tuple[Codes, NDArray[np.bool_]]:
    """Codes (T, K) that push every output and every unit both ways, and last flags (T,).

    Each push is a sequence of its own, of at most `horizon` samples. Of more than 128 units so many
    are pushed, and none any more that would be beyond `most` samples.
    """
    units: list[int] = _candidates(design).tolist()
    both = (True, False)
    parts = [output_drive(design, k, up, horizon) for k in range(design.n_outputs) for up in both]
    parts += [unit_drive(design, unit, up, horizon) for unit in units for up in both]
    ends = np.cumsum([*map(len, parts)])
    ends = ends[: max(1, len(ends) if most is None else int(np.searchsorted(ends, most, "right")))]
    last = np.zeros(ends[-1], dtype=bool)
    last[ends - 1] = True
    return np.concatenate(parts)[: len(last)], last


def _beat(design: Design, greatest: NDArray[np.bool_]) -> Codes:
    """One beat (1, K + N) of greatest and least codes: states from outside remember nothing."""
    ends = [
        channel.format.max if up else channel.format.min
        for channel, up in zip(design.beat, greatest, strict=True)
    ]
    return np.array([ends], dtype=np.int64)


def _candidates(design: Design) -> NDArray[np.int64]:
    n = design.n_units
    return np.unique(np.linspace(0, n - 1, min(n, _CANDIDATES)).astype(int))


def _joined(layer: UnitLayer) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """What weights of the new sums (S, N) make of the old states: (S, N)."""
    unit = layer.connection_format.resolution
    if isinstance(layer, MatrixLayer):
        matrix = layer.matrix.full * unit
        return lambda weights: weights @ matrix
    assert isinstance(layer, RingLayer)
    taps = [(tap.offset, np.array(tap.weights) * unit) for tap in layer.taps]

    def rolled(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        rows = (np.roll(weights * row, -offset, axis=1) for offset, row in taps)
        return sum(rows, start=np.zeros_like(weights))

    return rolled


def _driven(
    design: Design, response: NDArray[np.float64], upper: bool, horizon: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64], bool]:
    """Choices of the greatest code that push sums of the states, whose weights are given (S, N).

    Returns
    -------
    bool array (H, S, K)
        The last choice first.
    float64 array (S,)
        What the sums reach, in the direction of the push.
    bool
        Whether what comes before these choices no longer counts.
    """
    sign = 1.0 if upper else -1.0
    parts = [_Linear(stage, design.n_inputs) for stage in design.stages]
    ends = np.cumsum([len(part.pull) for part in parts]).tolist()
    pull = np.concatenate([part.pull for part in parts])
    reached, choices = np.zeros(len(response)), []
    widest = max(layer.state.width for layer in design.layers)
    for _ in range(horizon):
        rows = np.split(response, ends[:-1], axis=1)
        at_high: Any = 0.0
        at_low: Any = 0.0
        pushed: Any = 0.0
        # A layer that feeds a later one counts in the same sample.
        for number in reversed(range(len(parts))):
            part = parts[number]
            pulled = rows[number] * part.pull
            inner = pulled * part.gain
            at_high = at_high + sign * (inner @ part.high)
            at_low = at_low + sign * (inner @ part.low)
            pushed = pushed + sign * (pulled @ part.bias)
            for source, fed in part.feeds:
                rows[source] = rows[source] + inner @ fed
            rows[number] = part.keep * rows[number] + part.joined(inner)
        choices.append(at_high > at_low)
        reached += np.maximum(at_high, at_low).sum(axis=1) + pushed
        response = np.concatenate(rows, axis=1)
        peak = np.abs(response * pull).max()
        # A ring that grows without end, and that no input reaches, would leave the doubles.
        if not 1e-4 <= peak <= 1e200 or reached.max() > 64.0 * 2.0**widest:
            break
    # A clipped increment can pass what the sum without a clip would reach, and so can an output
    # that is fed back.
    plain = all(stage.layer.step is None and not stage.fed for stage in design.stages)
    settled = plain and bool(np.abs(response * pull).max() < 1e-4)
    return np.stack(choices), reached, settled


class _Linear:
    """A layer of N units without its activation, in values: what pushes its states."""

    def __init__(self, stage: Stage, n_inputs: int) -> None:
        layer = stage.layer
        # Of a target on a new state.
        self.pull = 2.0 ** -np.array(layer.leak_shifts, dtype=np.float64)
        self.keep, self.gain = 1.0 - self.pull, np.ones(layer.n_units)
        if layer.step is not None:
            self.pull = np.array(layer.step.codes) * layer.step.format.resolution
            self.keep = np.ones(layer.n_units)
        if layer.gain is not None:
            self.gain = np.array(layer.gain.codes) * layer.gain.format.resolution
        self.high, self.low = (_effect(stage, n_inputs, up).T for up in (True, False))
        self.bias = np.array(layer.bias) * layer.bias_format.resolution
        self.joined = _joined(layer)
        self.feeds = [(feed.source, _fed(feed, layer.n_units)) for feed in stage.feeds]


def _fed(feed: Feed, n_units: int) -> NDArray[np.float64]:
    """Weights of an earlier layer (N, N')."""
    found = np.zeros((n_units, feed.layer.n_units))
    for unit, row in enumerate(feed.rows):
        for column, weight in row:
            found[unit, column] += weight * feed.format.resolution
    return found


def _chosen(design: Design, choices: NDArray[np.bool_]) -> Codes:
    """Beats (H, n_lanes) in the order in which they are applied; the teachers say nothing."""
    formats = [channel.format for channel in design.inputs]
    greatest, least = [f.max for f in formats], [f.min for f in formats]
    codes = np.where(choices[::-1], greatest, least).astype(np.int64)
    rest = design.n_lanes - design.n_inputs
    return np.concatenate([codes, np.zeros((len(codes), rest), dtype=np.int64)], axis=1)
