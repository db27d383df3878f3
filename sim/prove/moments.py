"""States of a folded circuit's control with the samples in work, and what follows them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rchw.schedule import latency, schedule
from rchw.sim.prove.circuit import Bits
from rchw.sim.prove.expected import Expected
from rchw.sim.prove.matching import Sample

__all__ = ["Edge", "Following", "Handshake", "Moment"]

# s_axis_tvalid, m_axis_tready, and s_axis_tlast where more than data depend on it, else 0
Handshake = tuple[int, int, int]
_MORE = 4  # clocks: a sample may be taken as much sooner, or come out as much later


@dataclass(frozen=True)
class Moment:
    """What distinguishes a state of the control.

    Attributes
    ----------
    control : tuple of Bits
        Of the registers that data cannot reach.
    samples : tuple of Sample
        Taken, and not yet given out; the oldest first. Where a sequence has one answer, those too
        that have none, as long as they may be in work.
    begins : int or None
        Whether the next sample is the first of a sequence; None if the last flag tells.
    place : int or None
        Of the next sample, where samples are summed up.
    offered : bool
        Whether an input beat waits: the source must not take it back. What is proved holds even if
        it changes the last flag.
    """

    control: tuple[Bits, ...]
    samples: tuple[Sample, ...]
    begins: int | None
    place: int | None
    offered: bool

    @property
    def owed(self) -> tuple[Sample, ...]:
        """Samples of which an output beat will come, the oldest first."""
        return tuple(sample for sample in self.samples if sample.answers)


@dataclass(frozen=True)
class Edge:
    """A way from one moment to another.

    Attributes
    ----------
    handshakes : tuple of Handshake
        All that lead this way.
    taken, given : bool
        Whether an input beat was taken, and an output beat given out.
    valid : bool
        ``m_axis_tvalid``.
    """

    handshakes: tuple[Handshake, ...]
    taken: bool
    given: bool
    valid: bool
    to: Moment


class Following:
    """Which samples there are after a clock.

    Where a sequence has one answer, a sample without one is forgotten when nothing of it can be in
    work any more; and of an answer that waits then, no more is known than its outputs by their
    names. So the moments stay few.

    Parameters
    ----------
    expected : Expected
    """

    def __init__(self, expected: Expected) -> None:
        self._expected, self._design = expected, expected.design
        plan = schedule(self._design)
        # Once the next is taken, a sample only has to come out of the readout.
        self._work = max(latency(self._design) - plan.clocks, 0) + _MORE
        self._loop = plan.loop_latency + 1  # and its states come out of their loop

    def after(
        self, moment: Moment, control: tuple[Bits, ...], taken: bool, given: bool, last: int
    ) -> Moment:
        """The moment after a clock, with what the control is then; no beat waits at the input."""
        samples, begins, place = moment.samples, moment.begins, moment.place
        pooled, resets = self._design.readout.pooled, self._design.reset_on_last
        if given:
            samples = samples[samples.index(moment.owed[0]) + 1 :]
        if taken or pooled:
            kept = self.kept(moment.samples)
            samples = tuple(self._older_samples(samples, taken, kept))
        if taken:
            answers = not pooled or bool(last)
            samples = (*samples, Sample(0, begins, place, answers, self._work if pooled else 0))
            begins = 0
            if resets:
                begins = last if pooled else None
            if place is not None and self._expected.spans is not None:
                place = 0 if last else min(place + 1, self._expected.spans.cap)
        return Moment(control, samples, begins, place, False)

    def _older_samples(
        self, samples: Sequence[Sample], taken: bool, kept: bool
    ) -> Iterator[Sample]:
        """Samples a clock later, without those of which nothing will be asked any more."""
        for sample in samples:
            age = self._expected.aged(sample.age, kept) if taken else sample.age
            left = max(sample.left - (age != 0), 0)
            if age is None or not (sample.answers or left):
                continue
            if not self._design.readout.pooled:
                yield sample._replace(age=age)
            elif left:
                first = sample.first if left > self._work - self._loop else None
                yield sample._replace(age=age, first=first, left=left)
            else:
                yield Sample(age, None, None)

    def found(self, moment: Moment, taken: bool, kept: bool) -> list[Sample]:
        """Samples as they were whose outputs are found now, with their ages a clock later."""
        ages = [
            self._expected.aged(sample.age, kept) if taken else sample.age
            for sample in moment.samples
        ]
        return [
            sample._replace(age=age)
            for age, sample in zip(ages, moment.samples, strict=True)
            if age and sample.answers and sample.left == 1
        ]

    def kept(self, samples: Sequence[Sample]) -> bool:
        """Whether the sample that is about to leave the window has an answer that waits."""
        return any(sample.age == self._expected.window and sample.answers for sample in samples)
