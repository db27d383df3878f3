"""Counters whose end is a register of its own, so that no decision waits for a comparison."""

from amaranth.hdl import Const, Module, Signal, Value

__all__ = ["countdown", "delayed"]


def countdown(
    m: Module, name: str, clocks: int, step: Value, start: int | None = None
) -> tuple[Value, Value]:
    """Count down to 0 with every `step`, then go on from ``clocks - 1``.

    Parameters
    ----------
    m : Module
    name : str
        Of the register; its end is ``NAME_ends``.
    clocks : int
        Period, at least 1.
    step : Value
    start : int, optional
        First count after reset, if not ``clocks - 1``; costs a multiplexer.

    Returns
    -------
    counter, ends : Value
        `ends` is high while the counter is 0. Both are constants for a period of 1.
    """
    if clocks == 1:
        return Const(0, 1), Const(1, 1)
    first = clocks - 1 if start is None else start
    counter = Signal(range(clocks), name=name, init=first)
    ends = Signal(name=f"{name}_ends", init=int(first == 0))
    # Not one inside the other: this way it is a synchronous set and reset, shared with `rst`.
    with m.If(step & ends):
        m.d.sync += counter.eq(clocks - 1)
    with m.Elif(step):
        m.d.sync += counter.eq(counter - 1)
    with m.If(step):
        m.d.sync += ends.eq(counter == 1)
    return counter, ends


def delayed(m: Module, bit: Value, clocks: int, name: str) -> list[Value]:
    """The bit itself and its delayed copies: index k is k clocks late."""
    copies = [bit]
    for clock in range(1, clocks + 1):
        copy = Signal(name=f"{name}_{clock}")
        m.d.sync += copy.eq(copies[-1])
        copies.append(copy)
    return copies
