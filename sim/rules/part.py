"""The part of a circuit that the stream rules are about, and what it is after a reset."""

from collections.abc import Collection
from dataclasses import replace

from rchw.sim.prove.circuit import Circuit
from rchw.sim.prove.forms import Forms
from rchw.sim.prove.words import Bit, Cell, Memory, Words
from rchw.sim.rules.structure import CONTROL, depends

__all__ = ["Register", "after_reset", "name_of", "needed"]

Register = tuple[Bit, ...]  # its outputs


def after_reset(words: Words) -> Circuit:
    """A circuit after one clock of reset, whatever it held before."""
    circuit = Circuit(words, Forms())
    inputs = {name: circuit.unknown(len(bits)) for name, bits in words.inputs.items()}
    circuit.settle(inputs | {"aresetn": (0,)}, words.logic)
    circuit.clock()
    return circuit


def needed(words: Words, control: Collection[Register]) -> Words:
    """What decides tready, tvalid and tlast, and when tdata changes; the rest of a circuit is left.

    Parameters
    ----------
    words : Words
    control : collection of Register
        That data cannot reach.
    """
    shown = depends(words, words.outputs["m_axis_tdata"], later=False)
    writes = [
        bit
        for memory in words.memories
        if any(not shown.isdisjoint(data) for _, data in memory.reads)
        for pins in memory.writes
        for pin in pins
        for bit in pin
    ]
    held = [
        bit
        for outputs, inputs in words.registers
        for output, bit in zip(outputs, inputs, strict=True)
        if output in shown
    ]
    changes = shown | depends(words, writes + held, later=False)
    roots = [bit for name in (*CONTROL, "m_axis_tlast") for bit in words.outputs[name]]
    roots += [bit for outputs in control for bit in outputs if bit in changes]
    found, count = depends(words, roots), 0
    while len(found) != count:  # registers as a whole, for they have their names as such
        count = len(found)
        touched = [held for held, _ in words.registers if not found.isdisjoint(held)]
        found = depends(words, [*found, *(bit for held in touched for bit in held)])
    return replace(
        words,
        registers=tuple(r for r in words.registers if not found.isdisjoint(r[0])),
        memories=tuple(
            memory
            for memory in words.memories
            if any(not found.isdisjoint(data) for _, data in memory.reads)
        ),
        logic=tuple(node for node in words.logic if not found.isdisjoint(_driven(node))),
    )


def _driven(node: Cell | tuple[Memory, int]) -> tuple[Bit, ...]:
    if isinstance(node, Cell):
        return node.pins["Y"]
    memory, port = node
    return memory.reads[port][1]


def name_of(words: Words, held: Register) -> str | None:
    """Path of a register; of several names one that its author gave, and the shortest of them.

    None if it has no name inside of the top.
    """
    names = [name for name, bits in words.names.items() if bits == held and "." in name]
    if not names:
        return None
    hidden = {
        name: name.split(".")[-1].startswith("_") + 2 * ("$flatten" in name) for name in names
    }
    return min(names, key=lambda name: (hidden[name], len(name), name))
