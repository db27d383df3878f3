"""When the folded circuit does what: words, clocks within a word, waiting for a free output."""

from dataclasses import replace

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rchw.hdl.counter import countdown
from rchw.schedule import Schedule

__all__ = ["Sequencer"]


class Sequencer(wiring.Component):
    """Counts one sample period; holds in it until the output has room for its result.

    It holds in the last clock in which a word is in work, if the readout has nothing to do in the
    clocks behind it: from a later one the result would be on its way already. Else it holds in the
    last clock of the period.

    Every counter ends where it began, so nothing is loaded at the start of a sample, and every
    decision is made from registered ends: at most one level of logic in front of the counters.

    Members
    -------
    available : In(1)
        An input waits; it will be taken when it is needed, a fixed time later.
    begin : Out(1)
        A sample begins with the next clock.
    free : In(1)
        The output has room for the result of this sample.
    reserve : Out(1)
        Takes that room, where it would have held.
    word : Out(range(W))
        Word in work, W - 1 down to 0, as `rchw.hdl.counter.place` tells.
    issue : Out(1)
        First clock of a word.
    product : Out(1)
        A clock in which the readout will multiply.
    next_word : Out(1)
        The word counter goes on at the next clock.
    half : Out(1)
        Half of the state memory that is read.
    done : Out(1)
        The last clock of the period; only there where layers take turns.
    """

    available: Signal
    begin: Signal
    free: Signal
    reserve: Signal
    word: Signal
    issue: Signal
    product: Signal
    next_word: Signal
    half: Signal
    done: Signal

    def __init__(self, plan: Schedule, chained: bool = False) -> None:
        if plan.steps:
            # A step of a matrix is what a word is of a ring; the readout has a pace of its own.
            plan = replace(
                plan, words=plan.words * plan.steps, word_clocks=1, top_clocks=1, input_clocks=0
            )
        self._plan, self._chained = plan, chained
        super().__init__(
            {
                "available": In(1),
                "begin": Out(1),
                "free": In(1),
                "reserve": Out(1),
                "word": Out(range(max(plan.words, 2))),
                "issue": Out(1),
                "product": Out(1),
                "next_word": Out(1),
                # Writing begins with the other half.
                "half": Out(1, init=1),  # type: ignore[call-arg]  # by its old name in the stubs
                **({"done": Out(1)} if chained else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the circuit."""
        m = Module()
        plan = self._plan
        running, ready, go, final = Signal(), Signal(), Signal(), Signal()
        tail_clocks = plan.pass_clocks - plan.busy + plan.input_clocks
        in_words: Value = Signal(init=1, name="in_words") if tail_clocks else Const(1)
        word, word_ends = countdown(m, "word", plan.words, self.next_word)
        first_clock, last_clock = self._clocks_of_word(m, go & in_words, word_ends)
        words_end = Signal()
        m.d.comb += words_end.eq(in_words & last_clock & word_ends)
        multiplies: Value = in_words
        if tail_clocks:
            tail, tail_ends = countdown(m, "tail", tail_clocks, go & ~in_words)
            m.d.comb += final.eq(~in_words & tail_ends)
            with m.If(go & (words_end | final)):
                m.d.sync += in_words.eq(final)
            multiplies = self._multiplies(m, in_words, go, final, tail)
        else:
            m.d.comb += final.eq(words_end)
        hold = words_end if plan.waits else final
        m.d.comb += [
            go.eq(running & ~(hold & ~self.free)),
            ready.eq(~running | (final & (1 if plan.waits else self.free))),
            self.begin.eq(ready & self.available),
            self.reserve.eq(running & hold & self.free),
            self.word.eq(word),
            self.issue.eq(go & in_words & first_clock),
            self.next_word.eq(go & in_words & last_clock),
            self.product.eq(go & multiplies),
        ]
        if self._chained:
            m.d.comb += self.done.eq(running & final)
        with m.If(ready):
            m.d.sync += running.eq(self.available)
        with m.If(go & words_end):
            m.d.sync += self.half.eq(~self.half)
        return m

    def _clocks_of_word(self, m: Module, step: Value, top_next: Value) -> tuple[Value, Value]:
        """First and last clock of a word; after the word of `top_next` follows the top word."""
        plan = self._plan
        top, clocks = plan.top_clocks, plan.word_clocks
        if plan.words == 1:
            clocks = top
        if top == clocks == 1:
            return Const(1), Const(1)
        first = Signal(init=1, name="word_begins")
        last = Signal(init=int(top == 1), name="word_over")
        left = Signal(range(max(top, clocks)), init=top - 1, name="clocks_left")
        with m.If(step):
            m.d.sync += [first.eq(last), left.eq(left - 1), last.eq(left == 1)]
            with m.If(last):
                m.d.sync += [
                    left.eq(Mux(top_next, top - 1, clocks - 1)),
                    last.eq(Mux(top_next, int(top == 1), int(clocks == 1))),
                ]
        return first, last

    def _multiplies(
        self, m: Module, in_words: Value, go: Value, final: Value, tail: Value
    ) -> Value:
        """The tail's first clocks carry the input features, the others only wait."""
        plan = self._plan
        waiting = plan.pass_clocks - plan.busy
        if not plan.input_clocks:
            return in_words
        if not waiting:
            return Const(1)
        multiplies = Signal(init=1)
        # The tail shows its clocks less one; in its last clock, where it shows all ones, `final`.
        more = tail >= waiting if plan.input_clocks > 1 else Const(0)
        with m.If(go & ~in_words):
            m.d.sync += multiplies.eq(more | final)
        return multiplies
