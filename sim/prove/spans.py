"""Sums over the samples of a sequence: which of them count, and what the sums can be."""

from collections.abc import Callable
from dataclasses import dataclass

from rchw.design import Segments
from rchw.sim.prove.forms import Form, Forms

__all__ = ["Spans"]


@dataclass(frozen=True)
class Spans:
    """What is added up over a sequence; places count from 0, and end with that of all who follow.

    Parameters
    ----------
    forms : Forms
    segments : Segments
    added : callable
        Sums of one sample with the weights of a segment, one per output.
    """

    forms: Forms
    segments: Segments
    added: Callable[[int], list[Form]]

    @property
    def cap(self) -> int:
        """Place of every sample that does not count any more."""
        return self.segments.samples

    def segment(self, place: int) -> int:
        """Segment of a sample; the last one of those that do not count."""
        return min(place // self.segments.length, self.segments.count - 1)

    def silent(self, output: int, place: int) -> bool:
        """Whether a sample adds nothing to an output but a number."""
        return place >= self.cap or self.added(self.segment(place))[output].number is not None

    def twin(self, output: int, place: int) -> int:
        """First output with the same sum up to the sample of a place."""
        rows = [self.added(segment) for segment in range(self.segment(place) + 1)]
        return next(k for k in range(output + 1) if all(row[k] == row[output] for row in rows))

    def reach(self, output: int) -> tuple[int, int]:
        """Least and greatest of 0, all sums, and what single samples add."""
        length = self.segments.length
        ends = [0, *(length * (segment + 1) - 1 for segment in range(self.segments.count))]
        found = [(0, 0), *(self.of(output, place)[:2] for place in ends)]
        found += [self.forms.bounds(self.added(g)[output]) for g in range(self.segments.count)]
        lows, highs = zip(*found, strict=True)
        return min(lows), max(highs)

    def of(self, output: int, place: int) -> tuple[int, int, int]:
        """Least and greatest sum up to the sample of a place, and the constants in it."""
        low = high = constant = 0
        for segment in range(self.segments.count):
            count = max(0, min(place + 1 - segment * self.segments.length, self.segments.length))
            form = self.added(segment)[output]
            bounds = self.forms.bounds(form)
            low, high = low + count * bounds[0], high + count * bounds[1]
            constant += count * form.constant
        return low, high, constant
