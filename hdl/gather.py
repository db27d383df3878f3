"""States of an earlier layer in the pass of a later one: a memory of its own, any unit by a port.

The earlier layer is through with its pass before the later one begins, so its words are written
once and then read: half of a state memory does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib.memory import Memory
from amaranth.utils import ceil_log2

from rchw.columns import feed_columns
from rchw.hdl.arith import select
from rchw.hdl.counter import countdown, later, place
from rchw.hdl.rom import Fields, memory_attributes, pieces
from rchw.ranges import Interval, state_interval
from rchw.schedule import Schedule
from rchw.stages import Feed, Stage

__all__ = ["Written", "feed_sums", "gather"]


@dataclass(frozen=True)
class Written:
    """Words of a layer as they come out of its pass, the highest first.

    Attributes
    ----------
    words : int
        W.
    data : sequence of P values
        The word; of a layer of one word its states, which stay until the next sample.
    write : Value
        High while `data` is a new word.
    """

    words: int
    data: Sequence[Value]
    write: Value


def gather(
    m: Module,
    name: str,
    source: Written,
    clocks: int,
    address: Value,
    columns: Sequence[Sequence[int]],
) -> list[Value]:
    """Read units of an earlier layer.

    Lanes that read the same words share a memory, which holds only the lanes of the source that
    they take.

    Parameters
    ----------
    m : Module
    name : str
        Of memories and signals.
    source : Written
    clocks : int
        Places that a pass has.
    address : Value
        The place in work, as `rchw.hdl.counter.place` tells.
    columns : sequence of sequences of int
        Of every port the unit that it reads at each place.

    Returns
    -------
    list of Value
        One per port, two clocks after the address.
    """
    lanes, width = len(source.data), len(source.data[0])
    fields = Fields(clocks)
    wanted: dict[tuple[int, ...], list[int]] = {}
    for column in columns:
        banks = wanted.setdefault(tuple(unit // lanes for unit in column), [])
        banks += [bank for bank in dict.fromkeys(u % lanes for u in column) if bank not in banks]
    read: dict[tuple[int, ...], dict[int, Value]] = {}
    where, _ = countdown(m, f"{name}_place", source.words, source.write)
    for number, (words, banks) in enumerate(wanted.items()):
        if source.words == 1:
            read[words] = {bank: source.data[bank] for bank in banks}
            continue
        word = fields.add(f"{name}_word_{number}", [place(w, source.words) for w in words])
        data: list[Value] = []
        written = Cat(*(source.data[bank] for bank in banks))
        for part, piece in pieces(f"states_{name}_{number}", width * len(banks)).items():
            memory: Memory = Memory(
                shape=piece.stop - piece.start,
                depth=1 << ceil_log2(source.words),
                init=[],
                attrs=memory_attributes(source.words, width * len(banks), written=True),
            )
            m.submodules[part] = memory
            port, out = memory.write_port(), memory.read_port()
            m.d.comb += [
                port.addr.eq(where),
                port.en.eq(source.write),
                port.data.eq(written[piece]),
                out.addr.eq(word),
            ]
            data.append(out.data)
        whole = Cat(*data)
        read[words] = {
            bank: whole[k * width : (k + 1) * width].as_signed() for k, bank in enumerate(banks)
        }
    found = []
    for port_number, column in enumerate(columns):
        choices = read[tuple(unit // lanes for unit in column)]
        used = sorted({unit % lanes for unit in column})
        index = fields.add(
            f"{name}_bank_{port_number}", [used.index(unit % lanes) for unit in column]
        )
        found.append(
            select(
                m,
                later(m, index, 1, f"{name}_bank_{port_number}"),
                [choices[bank] for bank in used],
                f"{name}_{port_number}",
            )
        )
    fields.build(m, f"{name}_places", address)
    return found


def feed_sums(
    m: Module,
    number: int,
    feed: Feed,
    source: Written,
    stage: Stage,
    plan: Schedule,
    step: Value,
    over: Value,
    address: Value,
) -> list[Value]:
    """Sums of what an earlier layer feeds, column by column, beside those of the layer's own.

    Parameters
    ----------
    number : int
        Of the feed.
    step, over, address : Value
        As of `rchw.hdl.matrix.MatrixSums`.

    Returns
    -------
    list of P values
        Of a word, four clocks after its last step.
    """
    lanes, columns = stage.layer.lanes, feed_columns(feed)
    name, count = f"feed_{number}", plan.words * plan.steps
    weights = Fields(count)
    taken, factors, ranges = [], [], []
    state = state_interval(feed.layer)
    for lane in range(lanes):
        units, codes, hull = [], [], Interval(0, 0)
        for word in range(plan.words):
            unit = word * lanes + lane
            row = columns[min(unit, stage.n_units - 1)]
            padded = [*row, *[(None, 0)] * (plan.steps - len(row))]
            units += [column or 0 for column, _ in reversed(padded)]
            codes += [weight for _, weight in reversed(padded)]
            parts = [state.scale(weight) for _, weight in row]
            hull = hull.hull(
                Interval(sum(min(p.low, 0) for p in parts), sum(max(p.high, 0) for p in parts))
            )
        taken.append(units)
        ranges.append(hull)
        factors.append(weights.add(f"{name}_weight_{lane}", codes, is_signed=True))
    weights.build(m, f"{name}_weights", address)
    states = gather(m, name, source, count, address, taken)
    begins = Signal(init=1, name=f"{name}_begins")
    with m.If(step):
        m.d.sync += begins.eq(over)
    fresh = later(m, begins & step, 3, f"{name}_fresh")
    live = later(m, step, 3, f"{name}_live")
    sums: list[Value] = []
    for lane in range(lanes):
        value = states[lane] * later(m, factors[lane], 1, f"{name}_factor_{lane}")
        product = Signal(value.shape(), name=f"{name}_product_{lane}", reset_less=True)
        m.d.sync += product.eq(value)
        total = Signal(signed(ranges[lane].width), name=f"{name}_sum_{lane}", reset_less=True)
        with m.If(live):
            m.d.sync += total.eq(Mux(fresh, product, total + product))
        sums.append(total)
    return sums
