"""Evaluate gates as a function: codes in, codes of every output out."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from amaranth.hdl import Cat, ClockDomain, Const, Module, Shape, Signal, Value
from amaranth.sim import Simulator
from numpy.typing import NDArray

__all__ = ["evaluate"]

_WIDTH = 64  # of one output as it is read; every code fits
_CHUNK = 64  # outputs read at once


def evaluate(
    build: Callable[..., Sequence[Any]],
    formats: Sequence[tuple[int, bool]],
    codes: Sequence[Sequence[int]],
    clocks: int = 0,
) -> NDArray[np.int64]:
    """Outputs of a circuit for every row of input codes.

    Parameters
    ----------
    build : callable
        ``build(m, *inputs)`` adds gates to a module and returns its outputs.
    formats : sequence of (width, signed)
        Of each input.
    codes : sequence of rows of int
        One code per input.
    clocks : int
        Clocks for which a row is held before the outputs are read.

    Returns
    -------
    int64 array (rows, outputs)
    """
    m = Module()
    if clocks:  # gates without any register need it too
        m.domains.sync = ClockDomain()
    inputs = [
        Signal(Shape(width, is_signed), name=f"i{k}")
        for k, (width, is_signed) in enumerate(formats)
    ]
    outputs = [Value.cast(value) for value in build(m, *inputs)]
    chunks = []
    for start in range(0, len(outputs), _CHUNK):
        wide = [_extended(value) for value in outputs[start : start + _CHUNK]]
        chunk = Signal(_WIDTH * len(wide), name=f"chunk_{start}")
        m.d.comb += chunk.eq(Cat(*wide))
        chunks.append(chunk)
    rows = np.empty((len(codes), len(outputs)), dtype=np.int64)

    async def bench(ctx: Any) -> None:
        for place, row in enumerate(codes):
            for signal, code in zip(inputs, row, strict=True):
                ctx.set(signal, code)
            for _ in range(clocks):
                await ctx.tick()
            if not clocks:
                await ctx.delay(1e-9)
            words = [ctx.get(chunk).to_bytes(len(chunk) // 8, "little") for chunk in chunks]
            rows[place] = np.frombuffer(b"".join(words), dtype="<i8")

    simulator = Simulator(m)
    if clocks:
        simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return rows


def _extended(value: Value) -> Value:
    """Adding a zero of the full width extends by the value's own sign."""
    return (value + Const(0, _WIDTH))[:_WIDTH]
