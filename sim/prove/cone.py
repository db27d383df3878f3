"""Which part of a circuit data can reach, and which part only its handshakes decide."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rchw.design import Design
from rchw.sim.prove.words import Bit, Cell, Memory, Words

__all__ = ["Split", "carriers", "data_inputs", "holders", "split"]

Node = Cell | tuple[Memory, int]


@dataclass(frozen=True)
class Split:
    """A circuit in two parts.

    Attributes
    ----------
    control, data : tuple of nodes
        Combinational cells and reads that data cannot reach, and the others, in order.
    registers : tuple of bits
        Outputs of the registers that data cannot reach.
    seen : tuple of bits
        Signals of the first part that the second reads.
    """

    control: tuple[Node, ...]
    data: tuple[Node, ...]
    registers: tuple[tuple[Bit, ...], ...]
    seen: tuple[Bit, ...]


def _pins(node: Node) -> tuple[set[Bit], tuple[Bit, ...]]:
    """Bits that a node reads, and those that it drives."""
    if isinstance(node, Cell):
        return {b for pin, bits in node.pins.items() if pin != "Y" for b in bits}, node.pins["Y"]
    memory, port = node
    address, data = memory.reads[port]
    return set(address), data


def data_inputs(design: Design) -> tuple[str, ...]:
    """Names of the inputs that decide nothing but codes and flags of the output."""
    return ("s_axis_tdata",) if design.readout.pooled else ("s_axis_tdata", "s_axis_tlast")


def split(words: Words, inputs: Iterable[str]) -> Split:
    """Follow data from these inputs, and from every memory that can be written.

    Parameters
    ----------
    words : Words
    inputs : iterable of str
        Names of the inputs that carry data.
    """
    reached: set[Bit] = {bit for name in inputs for bit in words.inputs[name]}
    for memory in words.memories:
        if memory.writes:
            reached.update(bit for _, data in memory.reads for bit in data)
    pins = [_pins(node) for node in words.logic]
    count = -1
    while count != len(reached):
        count = len(reached)
        for sources, driven in pins:  # each after its sources
            if not reached.isdisjoint(sources):
                reached.update(driven)
        for outputs, held in words.registers:
            if not reached.isdisjoint(held):
                reached.update(outputs)
    control, data, seen = [], [], set[Bit]()
    for node, (sources, driven) in zip(words.logic, pins, strict=True):
        if reached.isdisjoint(driven):
            control.append(node)
        else:
            data.append(node)
            seen |= sources - reached
    registers = []
    for outputs, held in words.registers:
        if reached.isdisjoint(outputs):
            registers.append(outputs)
        else:
            seen |= set(held) - reached
    for memory in words.memories:
        for write in memory.writes:
            seen |= {bit for bits in write for bit in bits} - reached
    wires = tuple(bit for bit in seen if isinstance(bit, int))
    return Split(tuple(control), tuple(data), tuple(registers), wires)


def carriers(words: Words) -> set[Bit]:
    """First bits of the registers that are written into memories, as they are or by choice."""
    data = {bit for memory in words.memories for _, _, data in memory.writes for bit in data}
    seen = _unchanged(words, data, {})
    return {outputs[0] for outputs, _ in words.registers if not seen.isdisjoint(outputs)}


def holders(words: Words, output: str) -> set[str]:
    """Names, as in `Circuit.contents`, of what an output shows, now or later, unchanged.

    Where the output is the place of the greatest code, the codes that are compared are there too.
    """
    stored: dict[Bit, tuple[Bit, ...]] = {}
    for outputs, held in words.registers:
        stored |= {bit: (source,) for bit, source in zip(outputs, held, strict=True)}
    for memory in words.memories:
        for _, data in memory.reads:
            for place, bit in enumerate(data):
                stored[bit] = tuple(written[place] for _, _, written in memory.writes)
    seen = _unchanged(words, set(words.outputs[output]), stored)
    found = {str(outputs[0]) for outputs, _ in words.registers if not seen.isdisjoint(outputs)}
    scores = [bits for name, bits in words.names.items() if ".score_0_" in name]
    found |= {str(bits[0]) for bits in scores}
    for memory in words.memories:
        if any(not seen.isdisjoint(data) for _, data in memory.reads):
            found |= {f"{memory.name}[{row}]" for row in range(len(memory.rows))}
    return found


def _unchanged(words: Words, waiting: set[Bit], stored: Mapping[Bit, tuple[Bit, ...]]) -> set[Bit]:
    """Bits that come out at others through choices, and through what is stored."""
    sources = dict(stored) | {
        bit: (cell.pins["A"][k], cell.pins["B"][k])
        for cell in words.logic
        if isinstance(cell, Cell) and cell.kind == "mux"
        for k, bit in enumerate(cell.pins["Y"])
    }
    seen: set[Bit] = set()
    while waiting:
        bit = waiting.pop()
        if bit not in seen:
            seen.add(bit)
            waiting.update(sources.get(bit, ()))
    return seen
