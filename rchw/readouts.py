"""The readout of a design: outputs, weights, and when and with what it answers."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.fixed import Overflow, QFormat, Rounding
from rchw.layers import MAX_WEIGHT_WIDTH, check_name, check_range

__all__ = [
    "ACCUMULATES",
    "MAX_CHANNELS",
    "MAX_LENGTH",
    "MAX_SEGMENTS",
    "Output",
    "Readout",
    "Segments",
]

ACCUMULATES = ("each", "last", "sum", "segments")
MAX_CHANNELS = 64
MAX_LENGTH = 1 << 24  # samples of a segment
MAX_SEGMENTS = 64


@dataclass(frozen=True)
class Output:
    """One output: ``value = offset + scale * (code * 2**-frac)`` in IEEE double, in this order."""

    name: str
    format: QFormat
    offset: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        check_name("output name", self.name)
        if not (math.isfinite(self.offset) and math.isfinite(self.scale)):
            raise DesignError(
                f"decoder of output {self.name} must be finite, "
                f"not offset {self.offset} and scale {self.scale}"
            )
        for code in (self.format.min, self.format.max):
            value = self.offset + self.scale * (code * self.format.resolution)
            if not math.isfinite(value):
                raise DesignError(
                    f"decoder of output {self.name} must give finite values, not {value} for code "
                    f"{code} ({self.format})"
                )

    def decode(self, codes: ArrayLike) -> NDArray[np.float64]:
        """Real values of output codes, same shape."""
        return self.offset + self.scale * (
            np.asarray(codes, dtype=np.float64) * self.format.resolution
        )


@dataclass(frozen=True)
class Segments:
    """Which samples of a sequence a readout adds: `count` segments of `length` samples each."""

    length: int
    count: int = 1

    def __post_init__(self) -> None:
        check_range("length of a segment", self.length, 1, MAX_LENGTH)
        check_range("count of segments", self.count, 1, MAX_SEGMENTS)

    @property
    def samples(self) -> int:
        """Samples that are added at most, G C."""
        return self.length * self.count


@dataclass(frozen=True)
class Readout:
    """Integer weights from the features to L outputs.

    Parameters
    ----------
    outputs : tuple of Output, length L
    weight_format : QFormat
    weights : tuple of L tuples of F codes, or of C F with C segments
        In feature order; the constant feature, where present, is the last.
    rounding, overflow
        Of the outputs.
    multipliers : int
        M; see `rchw.schedule` for the values that are possible.
    name : str
    accumulate : str
        ``"each"``: an answer per sample; else one per sequence, of its ``"last"`` sample, of the
        ``"sum"`` over its samples, or of the sum with weights of ``"segments"``.
    segments : Segments or None
        With ``"sum"``, of one segment, and ``"segments"``.
    argmax : bool
        Answer with the index of the greatest output, the lowest of equals.
    """

    outputs: tuple[Output, ...]
    weight_format: QFormat
    weights: tuple[tuple[int, ...], ...]
    rounding: Rounding = Rounding.HALF_UP
    overflow: Overflow = Overflow.SATURATE
    multipliers: int = 1
    name: str = "readout"
    accumulate: str = "each"
    segments: Segments | None = None
    argmax: bool = False

    def __post_init__(self) -> None:
        check_name("readout name", self.name)
        self._check_answers()
        check_range("outputs", len(self.outputs), 1, MAX_CHANNELS)
        check_range("width of readout weights", self.weight_format.width, 1, MAX_WEIGHT_WIDTH)
        if len(self.weights) != len(self.outputs):
            raise DesignError(
                f"readout weights must have one row per output ({len(self.outputs)}), "
                f"not {len(self.weights)}"
            )
        names = [output.name for output in self.outputs]
        if len(set(names)) != len(names):
            raise DesignError(f"output names must be distinct, not {names}")

    def _check_answers(self) -> None:
        if self.accumulate not in ACCUMULATES:
            raise DesignError(
                f"accumulate must be one of {', '.join(ACCUMULATES)}, not {self.accumulate!r}"
            )
        if self.sums != (self.segments is not None):
            raise DesignError(
                f"segments must be {'given' if self.sums else 'left out'} where a readout "
                f"accumulates {self.accumulate!r}"
            )
        if self.accumulate == "sum" and self.n_segments != 1:
            raise DesignError(f"count of segments must be 1 for a sum, not {self.n_segments}")
        formats = list(dict.fromkeys(output.format for output in self.outputs))
        if self.argmax and len(formats) > 1:
            raise DesignError(
                f"outputs must share one format for argmax, not have {formats[0]} and {formats[1]}"
            )

    @property
    def pooled(self) -> bool:
        """Whether a sequence has one answer, with its last sample."""
        return self.accumulate != "each"

    @property
    def sums(self) -> bool:
        """Whether the answer is of a sum over the samples of a sequence."""
        return self.accumulate in ("sum", "segments")

    @property
    def n_segments(self) -> int:
        """C, 1 where there are no segments."""
        return 1 if self.segments is None else self.segments.count

    @cached_property
    def by_segment(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """Weights of each segment: C tuples of L tuples of F codes."""
        size = len(self.weights[0]) // self.n_segments
        starts = range(0, size * self.n_segments, size)
        return tuple(tuple(row[k : k + size] for row in self.weights) for k in starts)

    @cached_property
    def answers(self) -> tuple[Output, ...]:
        """What an output beat holds: the outputs, or the index of the greatest."""
        if not self.argmax:
            return self.outputs
        width = max(1, (len(self.outputs) - 1).bit_length())
        return (Output(self.name, QFormat(width, 0, False)),)
