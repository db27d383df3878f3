"""The rules in Python, each broken by hand, on streams written out clock by clock."""

import pytest

from rchw.schedule import latency, schedule
from rchw.sim.rules.checker import RULES, bounds
from rchw.sim.rules.replay import Offer, Seen, broken_rule
from tests.boards.test_of_design import ring

FOLDED = ring("folded", 4, lanes=2, multipliers=2)
PARALLEL = ring("parallel", 3, lanes=3, multipliers=3)
LATENCY, CLOCKS = latency(FOLDED), schedule(FOLDED).clocks
Clock = tuple[Offer, Seen]
RESET: Clock = (Offer(0, 0, 0, 0, 1), Seen(0, 0, 0, 0))


def clock(
    valid: int = 0, ready: int | None = 0, given: int | None = 0, *, last: int = 0, data: int = 0,
    out: int = 1,
) -> Clock:  # fmt: skip
    """One clock: tvalid and tready of the input, tvalid of the output, tready of the sink."""
    return Offer(1, valid, last, 0, out), Seen(ready, given, last, data)


def told(*clocks: Clock, parallel: bool = False) -> str | None:
    run = [RESET, *clocks]
    return broken_rule(
        PARALLEL if parallel else FOLDED, [offer for offer, _ in run], [seen for _, seen in run]
    )


TAKEN, QUIET, GIVEN = clock(1, 1), clock(), clock(0, 0, 1)
WAY = [TAKEN, *[QUIET] * (LATENCY - 1)]


def test_a_right_run() -> None:
    assert told(*WAY, GIVEN, QUIET) is None
    assert told(*WAY, clock(0, 0, 1, out=0), GIVEN, QUIET) is None
    stream = [clock(1, int(n % CLOCKS == 0), int(n >= LATENCY and (n - LATENCY) % CLOCKS == 0))
              for n in range(5 * LATENCY)]  # fmt: skip
    assert told(*stream) is None
    assert told(TAKEN, RESET, *[QUIET] * LATENCY) is None


BROKEN = {
    "stays: m_axis_tdata": [*WAY, clock(0, 0, 1, out=0), clock(0, 0, 1, data=1)],
    "stays: m_axis_tvalid": [*WAY, clock(0, 0, 1, out=0), QUIET],
    "stays: m_axis_tlast": [*WAY, clock(0, 0, 1, out=0), clock(0, 0, 1, last=1)],
    "once: a beat is offered that did not go in": [*WAY, GIVEN, GIVEN],
    "once: s_axis_tready or m_axis_tvalid is unknown": [clock(0, None)],
    f"once: {bounds(FOLDED).room + 1} beats": [clock(1, 1, out=0)] * 9,
    "order": [*WAY, clock(0, 0, 1, last=1)],
    "answers": [clock(1, 1, out=0), *[QUIET] * LATENCY],
    "takes": [clock(1, 0)] * bounds(FOLDED).wait,
    f"latency: a beat took {LATENCY - 1} clocks": [*WAY[:-1], GIVEN],
    "period: tready is 1 after 1": [TAKEN, TAKEN],
    f"period: tready is 0 after {CLOCKS}": [TAKEN, *[clock(1, 0)] * CLOCKS],
}


@pytest.mark.parametrize("sentence", BROKEN)
def test_each_rule_broken(sentence: str) -> None:
    found = told(*BROKEN[sentence])
    assert found is not None and found.startswith(sentence) and sentence.split(":")[0] in RULES
    assert found.endswith(f" at clock {len(BROKEN[sentence])}") or "once" in found


def test_the_belt() -> None:
    steps = latency(PARALLEL)
    way = [clock(1, 1), *[clock(0, 1)] * (steps - 1)]
    give, hold = clock(0, 1, 1), clock(0, 0, 1, out=0)
    assert told(*way, hold, hold, give, clock(0, 1), parallel=True) is None
    assert told(clock(1, 1, out=0), *way[1:], give, parallel=True) is None
    early = told(*way[:-1], give, parallel=True)
    assert early is not None and early.startswith("once")
    late = told(*way, clock(0, 1), parallel=True)
    assert late is not None and late.startswith("once")
    stuck = told(*way, clock(0, 1, 1, out=0), parallel=True)
    assert stuck is not None and stuck.startswith("takes")
    wrong = told(*way, clock(0, 1, 1, last=1), parallel=True)
    assert wrong is not None and wrong.startswith("order")
