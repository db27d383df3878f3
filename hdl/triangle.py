"""Weights of an antisymmetric matrix, of which one triangle is stored and read both ways.

The matrix is cut into tiles of P rows and columns, and a word of units takes P turns for each tile.
In turn t lane r takes the column that stands t places behind its own, ``(r + t) mod P``, so that
the states of a tile go round by one place from turn to turn. A tile below the diagonal is stored as
one word for each turn, with the weight of row r in bank r. A tile above it is one below, read
across: in turn t lane r needs what row ``(r + t) mod P`` takes in turn ``-t mod P``. This is one
word again; its banks are rotated by t places and negated. So all lanes share one address both ways.

A tile on the diagonal mirrors itself: its words of turns 1 to P // 2 serve for the others too, and
every lane negates what is right of the diagonal. The diagonal itself, turn 0, is antisymmetric to
nothing and stands with the constants of the words.
"""

from collections.abc import Sequence
from itertools import chain

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from rchw.design import MatrixLayer
from rchw.hdl.arith import times
from rchw.hdl.counter import countdown, later
from rchw.hdl.rom import Fields, stored
from rchw.ranges import Interval

__all__ = ["Triangle", "circled", "stored_words"]


def stored_words(layer: MatrixLayer) -> list[list[int]]:
    """Words of P codes of the triangle: by rows of tiles, turns 1 to P - 1 and then 0 of each tile.

    Of the tile on the diagonal, which is the last of its row, turns 1 to P // 2 only. With W words
    of units these are ``W (W - 1) / 2 * P + W * (P // 2)``: for an even P half of the square.
    """
    lanes, words, found = layer.lanes, -(-layer.n_units // layer.lanes), []
    for row in range(words):
        for tile in range(row + 1):
            for turn in range(1, (lanes // 2 if tile == row else lanes) + 1):
                places = [
                    (row * lanes + k, tile * lanes + (k + turn) % lanes) for k in range(lanes)
                ]
                found.append([_code(layer, max(place), min(place)) for place in places])
    return found


def _code(layer: MatrixLayer, row: int, column: int) -> int:
    """Of the lower triangle; 0 where the last word has no unit."""
    return layer.matrix.codes[row][column] if row < layer.n_units else 0


class Triangle(wiring.Component):
    """Weights for all lanes, and the word of states that they belong to.

    Members
    -------
    step : In(1)
        A turn begins; after all turns of a word as many steps may follow as it lasts longer.
    over : In(1)
        The step is the last of its word.
    live : Out(1)
        The step is a turn.
    tile : Out(range(W))
        Word of the states, as `rchw.hdl.counter.place` tells, one clock after the step.
    first : Out(1)
        The step is the first turn of its tile, two clocks after it.
    factors : P signals
        Two clocks after the step.
    """

    step: Signal
    over: Signal
    live: Signal
    tile: Signal
    first: Signal

    def __init__(self, layer: MatrixLayer, words: int, steps: int) -> None:
        self._layer, self._words = layer, words
        self._idles = steps > words * layer.lanes
        self._stored = stored_words(layer)
        if layer.lanes == 1:
            self._stored.append([0])  # the last tile on the diagonal has no word, but an address
        rows = [layer.matrix.full[lane :: layer.lanes].tolist() for lane in range(layer.lanes)]
        self.factors: list[Value] = [
            Signal(signed(_hull(codes).width), name=f"factor_{lane}", reset_less=True)
            for lane, codes in enumerate(rows)
        ]
        super().__init__(
            {
                "step": In(1),
                "over": In(1),
                "live": Out(1),
                "tile": Out(range(max(words, 2))),
                "first": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the circuit."""
        m = Module()
        lanes, words = self._layer.lanes, self._words
        turn, begins, ends = self._turns(m)
        moves = self.live & ends
        tile, last = countdown(m, "tile_left", words, moves)
        row, rows_end = countdown(m, "row_left", words, moves & last)
        active: Value = Const(1)
        if self._idles:
            active = Signal(init=1, name="active")
            with m.If(self.over):
                m.d.sync += active.eq(1)
            with m.Elif(moves & last):
                m.d.sync += active.eq(0)
        m.d.comb += [
            self.live.eq(self.step & active),
            self.tile.eq(later(m, tile, 1, "tile_read")),
            self.first.eq(later(m, begins, 2, "begins")),
        ]
        # Tiles come from the right: those above the diagonal, that on it, those below it.
        on, below = Signal(name="on"), Signal(name="below")
        m.d.comb += on.eq(tile == row if words > 1 else 1)
        with m.If(moves):
            m.d.sync += below.eq((on | below) & ~last)
        across, itself = Signal(name="across"), Signal(name="itself")
        # No comparison may be constant, which lint refuses.
        beyond = turn > lanes // 2 if lanes > 2 else Const(0)
        m.d.comb += [across.eq(Mux(on, beyond, ~below)), itself.eq(on & begins)]

        base = self._base(m, moves, last, rows_end, tile, row, on | below)
        index = Mux(across, lanes - 1 - turn, Mux(begins, lanes - 1, turn - 1))
        banks = self._banks(m, (base + Mux(itself, 0, index))[: ceil_log2(len(self._stored))])
        codes = Fields(words)
        diagonal = [
            codes.add(f"diagonal_{lane}", self._diagonal(lane), is_signed=True)
            for lane in range(lanes)
        ]
        codes.build(m, "diagonal", row)
        places = later(m, Mux(across, turn, 0), 1, "places")
        chosen = later(m, itself, 1, "chosen")
        for lane, bank in enumerate(_rotated(banks, places)):
            right = turn < lanes - lane if lane else Const(1)
            negative = later(m, Mux(on, right, ~below), 1, f"negative_{lane}")
            # The complement and one more, which is a bit longer: the least code has no negative.
            weight = (bank.as_unsigned() ^ negative.replicate(len(bank))).as_signed() + negative
            m.d.sync += self.factors[lane].eq(Mux(chosen, diagonal[lane], weight))
        return m

    def _turns(self, m: Module) -> tuple[Value, Value, Value]:
        """The turn, and whether it is the first and the last of its tile."""
        lanes = self._layer.lanes
        if lanes == 1:
            return Const(0, 1), Const(1, 1), Const(1, 1)
        turn, begins, ends = Signal(range(lanes), name="turn"), Signal(), Signal()
        m.d.comb += [begins.eq(turn == 0), ends.eq(turn == lanes - 1)]
        with m.If(self.live):
            m.d.sync += turn.eq(Mux(ends, 0, turn + 1))
        return turn, begins, ends

    def _diagonal(self, lane: int) -> list[int]:
        """Codes of the lane's units; where there is none, that of the unit before."""
        layer, codes = self._layer, list[int]()
        for unit in range(lane, self._words * layer.lanes, layer.lanes):
            codes.append(layer.matrix.diagonal[unit] if unit < layer.n_units else codes[-1])
        return codes

    def _base(
        self,
        m: Module,
        moves: Value,
        last: Value,
        rows_end: Value,
        tile: Value,
        row: Value,
        left: Value,
    ) -> Value:
        """First word of the stored tile: that of the tile itself, or of its mirror image.

        Row k of tiles begins after ``k (k - 1) / 2`` tiles and k halves. To the left it goes on by
        one tile; up the column above the diagonal, which is a row of the mirror, by one row.
        """
        lanes, half, top = self._layer.lanes, self._layer.lanes // 2, self._words - 1
        if not top:
            return Const(0, 1)
        highest = top * (top - 1) // 2 * lanes + half * top
        first = highest + top * lanes
        base = Signal(range(len(self._stored)), init=first, name="base")
        start = Mux(rows_end, first, highest + times(row, lanes))
        back = Mux(left, lanes, times(tile, lanes) + half)
        with m.If(moves):
            m.d.sync += base.eq(Mux(last, start, base - back))
        return base

    def _banks(self, m: Module, address: Value) -> list[Value]:
        """What is stored for each lane, one clock after the address."""
        lanes, width = self._layer.lanes, _hull(self._stored).width
        rows = [
            sum((code & ((1 << width) - 1)) << (lane * width) for lane, code in enumerate(word))
            for word in self._stored
        ]
        if len(rows) == 1:
            data: Value = Const(rows[0], lanes * width)
        else:
            data = stored(m, "weights", rows, lanes * width, address)
        return [data[lane * width : (lane + 1) * width].as_signed() for lane in range(lanes)]


def _hull(codes: Sequence[Sequence[int]]) -> Interval:
    """Of all codes and 0."""
    found = [0, *chain.from_iterable(codes)]
    return Interval(min(found), max(found))


def _rotated(values: Sequence[Value], places: Value) -> list[Value]:
    """Value ``(k + places) mod P`` in place k."""
    found = list(values)
    for bit, choice in enumerate(places if len(found) > 1 else ()):
        found = [
            Mux(choice, found[(k + (1 << bit)) % len(found)], here) for k, here in enumerate(found)
        ]
    return found


def circled(m: Module, values: Sequence[Value], first: Value, live: Value) -> list[Value]:
    """The values where `first`, and in every live clock after it those one place further on."""
    if len(values) == 1:
        return list(values)
    width = len(values[0])
    ring = [
        Signal(signed(width), name=f"ring_{lane}", reset_less=True) for lane in range(len(values))
    ]
    shown = [Mux(first, value, held) for value, held in zip(values, ring, strict=True)]
    with m.If(live):
        m.d.sync += [held.eq(shown[(k + 1) % len(ring)]) for k, held in enumerate(ring)]
    return shown
