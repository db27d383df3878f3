"""Memories hold every constant where its word finds it, and no empty blocks."""

from typing import Any

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib.memory import Memory
from amaranth.sim import Simulator
from amaranth.utils import ceil_log2

from rchw.hdl.counter import countdown
from rchw.hdl.rom import Fields


@pytest.mark.parametrize(
    ("words", "depth"),
    [
        (5, 8),
        (513, 1024),  # the last block of two is needed
        (1537, 2048),
        (1536, 1536),
        (1100, 1100),
        (1025, 1025),
    ],
)
def test_every_word_finds_its_constant(words: int, depth: int) -> None:
    m = Module()
    address, _ = countdown(m, "count", words, Signal(init=1))
    fields = Fields(words)
    column = [(7 * word + 3) % 251 - 125 for word in range(words)]
    found = fields.add("field", column)
    fields.build(m, "constants", address)
    memory = m.submodules["constants"]
    assert isinstance(memory, Memory)
    assert memory.depth == depth
    assert len(address) == ceil_log2(words)
    heard = []

    async def bench(ctx: Any) -> None:
        for _ in range(words):
            await ctx.tick()
            heard.append(ctx.get(found))

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert heard == column[::-1]
