"""The countdown, at every period and from every start."""

from typing import Any

import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from rchw.hdl.counter import countdown, place

CASES = [(clocks, start) for clocks in (2, 3, 4, 5, 8, 11) for start in range(clocks)]


@pytest.mark.parametrize("added", [False, True])
@pytest.mark.parametrize(("clocks", "start"), CASES)
def test_counts_down_and_waits_without_a_step(clocks: int, start: int, added: bool) -> None:
    m, step = Module(), Signal()
    address, ends = countdown(m, "count", clocks, step, start=start, added=added)
    heard, wanted = [], []

    async def bench(ctx: Any) -> None:
        count = start
        for clock in range(3 * clocks):
            ctx.set(step, clock % 3 > 0)
            heard.append((ctx.get(address), ctx.get(ends)))
            wanted.append((place(count, clocks), int(count == 0)))
            count = (count - (clock % 3 > 0)) % clocks
            await ctx.tick()

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert heard == wanted
