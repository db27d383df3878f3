"""Faults for the prover to find: a data register one bit of which is stuck."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from rchw.sim.prove.cone import split
from rchw.sim.prove.words import Words

__all__ = ["stuck_bits"]


def stuck_bits(words: Words, inputs: Iterable[str], seed: int) -> Iterator[tuple[str, Words]]:
    """Copies of a circuit with a bit of a register stuck at zero or one, and what was done.

    Parameters
    ----------
    words : Words
    inputs : iterable of str
        That carry data: only registers that these can reach are taken.
    seed : int
        Of their order.
    """
    rng = np.random.default_rng(seed)
    names: dict[object, str] = {}
    for name, bits in words.names.items():
        names.setdefault(bits[0], name)
    control = set(split(words, inputs).registers)
    for index in rng.permutation(len(words.registers)).tolist():
        outputs, held = words.registers[index]
        if outputs in control:
            continue
        bit, value = int(rng.integers(len(outputs))), "01"[int(rng.integers(2))]
        stuck = (*held[:bit], value, *held[bit + 1 :])
        registers = list(words.registers)
        registers[index] = (outputs, stuck)
        told = f"bit {bit} of {names.get(outputs[0], outputs[0])} stuck at {value}"
        yield told, replace(words, registers=tuple(registers))
