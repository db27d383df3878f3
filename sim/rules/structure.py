"""What can be told of a circuit without a solver: its reset, and its paths through no register."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rchw.design import Design
from rchw.schedule import schedule
from rchw.sim.prove.circuit import Circuit
from rchw.sim.prove.forms import Forms
from rchw.sim.prove.words import Bit, Words

__all__ = ["CONTROL", "control_registers", "depends", "paths", "reset_state"]

CONTROL = ("s_axis_tready", "m_axis_tvalid")
_RESET = (
    "one clock of reset, from any state and with any inputs, leaves every register that tready and "
    "tvalid depend on at one known value"
)
_PATHS = (
    "no output depends on an input within a clock, but s_axis_tready on m_axis_tready in the "
    "parallel form"
)


def depends(words: Words, roots: Iterable[Bit], later: bool = True) -> set[Bit]:
    """Signals on which others depend, these included.

    Parameters
    ----------
    words : Words
    roots : iterable of Bit
    later : bool
        Whether what went through registers and memories before counts too.
    """
    drivers = _drivers(words, later)
    for held, inputs in words.registers if later else ():
        drivers |= {out: (into,) for out, into in zip(held, inputs, strict=True)}
    return _reached(drivers, roots)


def control_registers(words: Words) -> list[tuple[Bit, ...]]:
    """Registers on which the handshakes of a circuit depend, in this clock or a later one.

    Parameters
    ----------
    words : Words
    """
    reached = depends(words, [bit for name in CONTROL for bit in words.outputs[name]])
    found = (tuple(bit for bit in held if bit in reached) for held, _ in words.registers)
    return [bits for bits in found if bits]


def reset_state(words: Words) -> dict[str, Any]:
    """Entry of the record on the reset: `says`, `proof`, `sentence`, `trace`, `registers`.

    The circuit is run for one clock on unknowns: a bit that is a number afterwards depends on none
    of them.
    """
    circuit = Circuit(words, Forms())
    inputs = {name: circuit.unknown(len(wires)) for name, wires in words.inputs.items()}
    circuit.settle(inputs | {"aresetn": (0,)}, words.logic)
    circuit.clock()
    registers = control_registers(words)
    names = {bits[0]: name for name, bits in reversed(list(words.names.items()))}
    for bits in registers:
        if not all(isinstance(value, int) for value in circuit.at(bits)):
            told = f"register {names.get(bits[0], bits[0])} is unknown after a clock of reset"
            return _told(_RESET, told) | {"registers": len(registers)}
    return _told(_RESET, None) | {"registers": len(registers)}


def paths(words: Words, design: Design) -> dict[str, Any]:
    """Entry of the record on paths through the circuit that meet no register.

    Parameters
    ----------
    words : Words
    design : Design
        Whether it is parallel decides which paths may be.
    """
    allowed = {("s_axis_tready", "m_axis_tready")} if schedule(design).parallel else set()
    for output, bits in words.outputs.items():
        reached = depends(words, bits, later=False)
        for name, wires in words.inputs.items():
            if (output, name) not in allowed and not reached.isdisjoint(wires):
                return _told(_PATHS, f"{output} depends on {name} within the clock")
    return _told(_PATHS, None)


def _drivers(words: Words, stored: bool) -> dict[Bit, tuple[Bit, ...]]:
    """What each bit depends on within the clock; what is written to memories too if `stored`."""
    drivers: dict[Bit, tuple[Bit, ...]] = {}
    for node in words.logic:
        if isinstance(node, tuple):
            memory, port = node
            address, data = memory.reads[port]
            written = [bit for write in memory.writes for pin in write for bit in pin]
            drivers |= {bit: (*address, *written * stored) for bit in data}
            continue
        inputs = tuple(bit for pin, bits in node.pins.items() if pin != "Y" for bit in bits)
        drivers |= {bit: inputs for bit in node.pins["Y"]}
    return drivers


def _reached(drivers: Mapping[Bit, Sequence[Bit]], roots: Iterable[Bit]) -> set[Bit]:
    reached: set[Bit] = set()
    waiting = list(roots)
    while waiting:
        bit = waiting.pop()
        if bit not in reached:
            reached.add(bit)
            waiting += drivers.get(bit, ())
    return reached


def _told(says: str, sentence: str | None) -> dict[str, Any]:
    proof = "refuted" if sentence else "proved"
    return {"says": says, "proof": proof, "sentence": sentence, "trace": None}
