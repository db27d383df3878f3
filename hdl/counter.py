"""Counters whose end is a bit of their own, so that no decision waits for a comparison."""

from amaranth.hdl import Cat, Const, Module, Signal, Value, signed
from amaranth.utils import ceil_log2

__all__ = ["countdown", "delayed", "later", "place"]


def place(count: int, clocks: int) -> int:
    """Address under which `countdown` shows a count: ``(count - 1) mod 2**ceil(log2(clocks))``.

    >>> [place(count, 5) for count in range(5)]
    [7, 0, 1, 2, 3]
    """
    return (count - 1) % (1 << ceil_log2(clocks))


def countdown(
    m: Module,
    name: str,
    clocks: int,
    step: Value,
    start: int | None = None,
    *,
    added: bool = False,
) -> tuple[Value, Value]:
    """Count down to 0 with every `step`, then go on from ``clocks - 1``.

    The register holds the count less one, so that its sign is the end, and nothing is compared.

    Parameters
    ----------
    m : Module
    name : str
        Of the register.
    clocks : int
        Period, at least 1.
    step : Value
    start : int, optional
        First count after reset, if not ``clocks - 1``.
    added : bool
        Go on from the end by adding the period. It is so in any case where a restart sets other
        bits of the register than reset does; from 0 either way may be the faster one.

    Returns
    -------
    address, ends : Value
        The count as `place` tells, and whether it is 0. Constants for a period of 1.
    """
    if clocks == 1:
        return Const(0, 1), Const(1, 1)
    first = clocks - 1 if start is None else start
    bits = ceil_log2(clocks)
    counter = Signal(signed(bits + 1), name=name, init=first - 1)
    if added or first not in (0, clocks - 1):
        # Reset and restart have values of their own, so one of them is no set or reset of the
        # registers. A choice behind the sum would share its LUTs, and iCE40 then has to leave the
        # chain of carries and enter it again at every bit.
        ends = counter[-1]
        change = Cat(~ends | bool((clocks - 1) >> bit & 1) for bit in range(bits + 1))
        with m.If(step):
            m.d.sync += counter.eq(counter + change)
        return counter[:bits], ends
    # Not one inside the other: this way it is a synchronous set and reset, shared with `rst`.
    with m.If(step & counter[-1]):
        m.d.sync += counter.eq(clocks - 2)
    with m.Elif(step):
        m.d.sync += counter.eq(counter - 1)
    return counter[:bits], counter[-1]


def delayed(m: Module, bit: Value, clocks: int, name: str) -> list[Value]:
    """The bit itself and its delayed copies: index k is k clocks late."""
    copies = [bit]
    for clock in range(1, clocks + 1):
        copy = Signal(name=f"{name}_{clock}")
        m.d.sync += copy.eq(copies[-1])
        copies.append(copy)
    return copies


def later(m: Module, value: Value, clocks: int, name: str) -> Value:
    """The value, some clocks late; a constant stays one."""
    if isinstance(value, Const):
        return value
    for clock in range(clocks):
        held = Signal(value.shape(), name=f"{name}_{clock}")
        m.d.sync += held.eq(value)
        value = held
    return value
