"""State memory of the folded ring: every tap reads its own bank and address, without conflicts.

Unit ``w P + l`` lives in lane l of word w. A tap of offset k asks, for lane l of word w, for unit
``w P + l - k``: a fixed lane, and a word that lies a fixed distance below w. Where the ring wraps,
the same holds with ``k - N``. So a tap is one read port with a fixed rotation of the lanes, and a
second one for its wrapped units where P does not divide N. Two halves alternate between samples:
a pass reads the states of the sample before and writes those of the next.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Signal, Value, signed
from amaranth.lib.memory import Memory
from amaranth.utils import ceil_log2

from rchw.hdl.counter import countdown, place
from rchw.hdl.rom import memory_attributes, pieces

__all__ = ["ReadPlan", "StateMemory", "plan_reads"]


@dataclass(frozen=True)
class ReadPlan:
    """One port: lane l takes bank ``banks[l]``, at the word ``deltas[l]`` below its own."""

    offset: int
    wrapped: bool
    banks: tuple[int, ...]
    deltas: tuple[int, ...]


def _plan(n_units: int, lanes: int, words: int, offset: int, wrapped: bool) -> ReadPlan:
    shift = offset - n_units if wrapped else offset
    banks = tuple((lane - shift) % lanes for lane in range(lanes))
    deltas = tuple((shift - lane + bank) // lanes for lane, bank in enumerate(banks))
    return ReadPlan(offset, wrapped, banks, tuple(delta % words for delta in deltas))


def plan_reads(
    n_units: int, lanes: int, taps: Sequence[tuple[int, Sequence[int]]]
) -> dict[tuple[int, bool], ReadPlan]:
    """Ports that the taps need: (offset, wrapped) to plan.

    Where P divides N the wrapped units are found at the same bank and word modulo W, so that the
    direct plan serves both; else a wrapped plan is added if a wrapped unit has a weight.
    """
    words = -(-n_units // lanes)
    plans = {}
    for offset, weights in taps:
        direct = any(weights[i] for i in range(offset, n_units))
        wraps = any(weights[i] for i in range(offset))
        if n_units % lanes == 0:
            direct, wraps = direct or wraps, False
        if direct:
            plans[offset, False] = _plan(n_units, lanes, words, offset, False)
        if wraps:
            plans[offset, True] = _plan(n_units, lanes, words, offset, True)
    return plans


class StateMemory:
    """P banks of two halves of W words, one write port, one read port per plan.

    Parameters
    ----------
    words, lanes, width : int
        W, P and the bits of a state.
    plans : dict
        As from `plan_reads`.
    """

    def __init__(
        self, words: int, lanes: int, width: int, plans: dict[tuple[int, bool], ReadPlan]
    ) -> None:
        self._words, self._lanes, self._width = words, lanes, width
        self._plans = plans
        deltas = Counter(delta for plan in plans.values() for delta in plan.deltas)
        # Words are stored `base` higher, so the commonest distance needs no counter of its own.
        self._base = deltas.most_common(1)[0][0] if deltas else 0

    def build(
        self,
        m: Module,
        *,
        word: Value,
        step: Value,
        half: Value,
        write: Value,
        data: Sequence[Value],
        registered: bool,
    ) -> dict[tuple[int, bool], list[Value]]:
        """Connect the memory; returns the data of each plan, lane by lane.

        Parameters
        ----------
        word : Value
            Word in work, W - 1 down to 0, as `rchw.hdl.counter.place` tells.
        step : Value
            `word` goes on to the next at the next clock.
        half : Value
            Half that is read.
        write : Value
            Store `data` as the next word of the pass that is being written, highest first.
        registered : bool
            A register follows the memory.

        Latency
        -------
        1 clock after `word`, 2 if `registered`.
        """
        if self._words == 1:
            return {key: [data[bank] for bank in plan.banks] for key, plan in self._plans.items()}
        addresses = self._read_addresses(m, word, step)
        where = self._write_address(m, write)
        return self._banks(m, addresses, half, where, write, data, registered)

    def _read_addresses(self, m: Module, word: Value, step: Value) -> dict[int, Value]:
        addresses: dict[int, Value] = {self._base: word}
        for plan in self._plans.values():
            for delta in plan.deltas:
                if delta not in addresses:
                    start = (self._words - 1 - delta + self._base) % self._words
                    addresses[delta], _ = countdown(
                        m, f"word_{delta}", self._words, step, start=start, added=True
                    )
        return addresses

    def _write_address(self, m: Module, write: Value) -> Value:
        """Word, and above it the half."""
        start = (self._words - 1 + self._base) % self._words
        where, ends = countdown(m, "write_word", self._words, write, start=start)
        over = ends  # the clock of the pass's last write
        if start != self._words - 1:
            over = Signal(name="write_over")
            with m.If(write):
                m.d.sync += over.eq(where == place((start + 2) % self._words, self._words))
        half = Signal(name="write_half")
        with m.If(write & over):
            m.d.sync += half.eq(~half)
        return Cat(where, half)

    def _banks(
        self,
        m: Module,
        addresses: dict[int, Value],
        half: Value,
        where: Value,
        write: Value,
        data: Sequence[Value],
        registered: bool,
    ) -> dict[tuple[int, bool], list[Value]]:
        """Together what every plan reads at the same distances, in pieces that a block holds."""
        keys = list(self._plans)
        groups: dict[tuple[int, ...], list[int]] = {}
        for bank in range(self._lanes):
            distances = tuple(
                self._plans[key].deltas[self._plans[key].banks.index(bank)] for key in keys
            )
            groups.setdefault(distances, []).append(bank)
        results: dict[tuple[int, bool], list[Value]] = {
            key: [data[0]] * self._lanes for key in keys
        }
        bits = ceil_log2(self._words)
        for number, (distances, banks) in enumerate(groups.items()):
            width = self._width * len(banks)
            written = Cat(*(data[bank] for bank in banks))
            words: list[list[Value]] = [[] for _ in keys]
            for part, piece in pieces(f"states_{number}", width).items():
                memory: Memory = Memory(
                    shape=piece.stop - piece.start,
                    depth=2 << bits,
                    init=[],
                    attrs=memory_attributes(2 * self._words, width, written=True),
                )
                m.submodules[part] = memory
                port = memory.write_port()
                m.d.comb += [
                    port.addr.eq(where),
                    port.en.eq(write),
                    port.data.eq(written[piece]),
                ]
                for word, delta in zip(words, distances, strict=True):
                    read = memory.read_port()
                    m.d.comb += read.addr.eq(Cat(addresses[delta], half))
                    word.append(read.data)
            for key, word in zip(keys, words, strict=True):
                for position, bank in enumerate(banks):
                    lane = self._plans[key].banks.index(bank)
                    field = Cat(*word)[position * self._width : (position + 1) * self._width]
                    name = f"read_{key[0]}_{key[1]:d}_{lane}"
                    value = Signal(signed(self._width), name=name, reset_less=True)
                    m.d["sync" if registered else "comb"] += value.eq(field)
                    results[key][lane] = value
        return results
