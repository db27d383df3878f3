"""When the folded ring does what: words, clocks within a word, waiting for a free output."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rchw.schedule import Schedule

__all__ = ["Sequencer"]


class Sequencer(wiring.Component):
    """Counts one sample period; holds in its last clock until the output has room.

    Members
    -------
    available, ready : In(1), Out(1)
        Input handshake; `ready` does not depend on `available`.
    free : In(1)
        The output has room for the result of this sample.
    reserve : Out(1)
        Takes that room, in the last clock of the period.
    word : Out(range(W))
        Word in work, W - 1 down to 0.
    issue : Out(1)
        First clock of a word.
    product : Out(1)
        A clock in which the readout will multiply, `loop_latency` - 1 clocks later.
    next_word, restart : Out(1)
        The word counter goes on, or starts again, at the next clock.
    half : Out(1)
        Half of the state memory that is read.
    """

    def __init__(self, plan: Schedule) -> None:
        self._plan = plan
        super().__init__(
            {
                "available": In(1),
                "ready": Out(1),
                "free": In(1),
                "reserve": Out(1),
                "word": Out(range(max(plan.words, 2))),
                "issue": Out(1),
                "product": Out(1),
                "next_word": Out(1),
                "restart": Out(1),
                "half": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the circuit."""
        m = Module()
        plan = self._plan
        running = Signal()
        fresh = Signal(init=1)
        sub = Signal(range(max(plan.word_clocks, plan.top_clocks, 2)), init=plan.top_clocks - 1)
        tail_clocks = plan.clocks - plan.busy + plan.input_clocks
        tail = Signal(range(max(tail_clocks + 1, 2)))  # clocks left after the words
        in_words = tail == 0
        word_ends = running & in_words & (sub == 0)
        words_end = word_ends & (self.word == 0)
        final = Signal()
        if tail_clocks:
            m.d.comb += final.eq(running & (tail == 1))
        else:
            m.d.comb += final.eq(words_end)
        advance = Signal()
        m.d.comb += [
            advance.eq(running & (~final | self.free)),
            self.ready.eq(~running | (final & self.free)),
            self.reserve.eq(final & self.free),
            self.issue.eq(advance & fresh & in_words),
            self.product.eq(advance & (in_words | self._multiplies(tail))),
            self.restart.eq(self.ready & self.available),
            self.next_word.eq(advance & word_ends & (self.word != 0)),
        ]
        with m.If(advance):
            m.d.sync += [fresh.eq(word_ends), sub.eq(sub - 1)]
            with m.If(word_ends):
                m.d.sync += [self.word.eq(self.word - 1), sub.eq(plan.word_clocks - 1)]
            if tail_clocks:
                with m.If(words_end):
                    m.d.sync += tail.eq(tail_clocks)
                with m.Elif(tail != 0):
                    m.d.sync += tail.eq(tail - 1)
        with m.If(self.ready):
            m.d.sync += running.eq(self.available)
        with m.If(self.restart):
            m.d.sync += [
                self.half.eq(~self.half),
                self.word.eq(plan.words - 1),
                sub.eq(plan.top_clocks - 1),
                fresh.eq(1),
                tail.eq(0),
            ]
        return m

    def _multiplies(self, tail: Signal) -> object:
        """The tail's first clocks carry the input features, the others only wait."""
        plan = self._plan
        waiting = plan.clocks - plan.busy
        return (tail > waiting) if plan.input_clocks else 0
