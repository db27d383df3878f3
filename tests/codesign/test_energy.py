"""Energy per sample: sums, scaling laws, and what is refused."""

from dataclasses import replace

import pytest

from rchw.boards.activity import KINDS, Activity
from rchw.codesign.energy import USUAL, energy
from rchw.codesign.estimate import estimate
from rchw.codesign.power import POWER, Figure, power_of
from rchw.devices import BOARDS, DEVICES, board
from rchw.document import digest
from rchw.errors import DesignError
from rchw.schedule import schedule
from tests.boards.test_of_design import PLAIN

BOARD = board("icebreaker")
RESOURCES = {"lut": 300, "ff": 280, "block_ram": 5, "dsp": 1}
CLOCK = 24e6
COUNTED = Activity(
    digest=digest(PLAIN), device=BOARD.device.name, samples=100, clocks=4000,
    changes=dict.fromkeys(KINDS, 0.0) | {"lut": 50.0, "carry": 20.0, "ff": 30.0, "block_ram": 9.0},
    nets=dict.fromkeys(KINDS, 100), resources=RESOURCES, dsp_operand_changes=4.0,
    block_ram_accesses=5.0, pin_changes=0.5, source="by hand",
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(BOARDS))
@pytest.mark.parametrize("activity", [None, COUNTED], ids=["usual", "counted"])
def test_items_sum_up_and_the_range_holds_the_figure(name: str, activity: Activity | None) -> None:
    target = board(name)
    if activity is not None:
        activity = replace(activity, device=target.device.name)
    found = energy(PLAIN, target, RESOURCES, clock_hz=CLOCK, activity=activity)
    names = ["static", "clock", "switching", "multipliers", "memory", "I/O"]
    assert [item.name for item in found.items] == names
    assert all(item.low <= item.joules <= item.high for item in found.items)
    assert found.joules == pytest.approx(sum(found.item(name).joules for name in names), rel=1e-12)
    assert found.low < found.joules < found.high
    facts = found.facts()
    assert facts["label"] == "model, not a measurement"
    assert sum(item["joules"] for item in facts["items"]) == pytest.approx(facts["joules"])
    assert found.watts == pytest.approx(found.joules * found.rate)


def test_only_the_static_item_depends_on_the_rate() -> None:
    fast = energy(PLAIN, BOARD, RESOURCES, clock_hz=CLOCK)
    assert fast.rate == pytest.approx(CLOCK / schedule(PLAIN).clocks)
    for rate in (1e3, 1e4):
        slow = energy(PLAIN, BOARD, RESOURCES, clock_hz=CLOCK, rate=rate)
        assert slow.item("static").joules * rate == pytest.approx(POWER["iCE40UP5K"].static.typical)
        for name in ("clock", "switching", "multipliers", "memory", "I/O"):
            assert slow.item(name) == fast.item(name)
        assert slow.clock_hz == pytest.approx(rate * schedule(PLAIN).clocks)


def test_a_clock_that_runs_on_costs_by_the_period() -> None:
    at = {rate: energy(PLAIN, BOARD, RESOURCES, clock_hz=CLOCK, rate=rate, free_running=True)
          for rate in (1e3, 2e3)}  # fmt: skip
    clock = {rate: found.item("clock").joules for rate, found in at.items()}
    assert clock[1e3] == pytest.approx(2 * clock[2e3])
    assert at[1e3].item("switching") == at[2e3].item("switching")
    assert at[1e3].clock_hz == pytest.approx(CLOCK)
    fast = energy(PLAIN, BOARD, RESOURCES, clock_hz=CLOCK)
    rate = fast.rate
    same = energy(PLAIN, BOARD, RESOURCES, clock_hz=CLOCK, rate=rate, free_running=True)
    assert same.joules == pytest.approx(fast.joules)


def test_counted_changes_cost_what_the_device_takes_for_each() -> None:
    found = energy(PLAIN, BOARD, RESOURCES, clock_hz=CLOCK, activity=COUNTED)
    power, clocks = POWER["iCE40UP5K"], 40
    for name, count, figure in (
        ("switching", 100 * clocks, power.net),
        ("multipliers", 4 * clocks, power.operand),
        ("memory", 5 * clocks, power.block_ram),
        ("I/O", 0.5 * clocks, power.pin),
    ):
        item = found.item(name)
        wanted = [count * value for value in (figure.low, figure.typical, figure.high)]
        assert [item.low, item.joules, item.high] == pytest.approx(wanted)
    tree = clocks * (power.clock_tree.typical + RESOURCES["ff"] * power.flip_flop.typical)
    assert found.item("clock").joules == pytest.approx(tree)


def test_more_of_anything_costs_more() -> None:
    base = energy(PLAIN, BOARD, RESOURCES, clock_hz=CLOCK).joules
    for kind, count in RESOURCES.items():
        more = energy(PLAIN, BOARD, RESOURCES | {kind: 2 * count}, clock_hz=CLOCK)
        assert more.joules > base


def test_an_estimate_has_the_energy_of_what_it_predicts() -> None:
    found = estimate(PLAIN, "icebreaker")
    resources = {"lut": found.luts, "ff": found.flip_flops, "block_ram": found.block_rams,
                 "dsp": found.multipliers}  # fmt: skip
    fast = energy(PLAIN, BOARD, resources, clock_hz=found.clock_hz)
    assert found.energy_per_sample == pytest.approx(fast.joules)
    slow = energy(PLAIN, BOARD, resources, clock_hz=found.clock_hz, rate=1000.0)
    assert found.energy_when_slow == pytest.approx(slow.joules)
    assert all(each.energy_per_sample is not None for each in estimate(PLAIN))


def test_usual_rates_are_ranges() -> None:
    for low, typical, high in (USUAL.lut, USUAL.flip_flop, USUAL.dsp, USUAL.block_ram):
        assert 0 <= low <= typical <= high


def test_what_does_not_belong_together_is_refused() -> None:
    other = replace(COUNTED, digest="0" * 64)
    with pytest.raises(DesignError, match=f"activity must be of design {digest(PLAIN)[:12]}, not"):
        energy(PLAIN, BOARD, RESOURCES, clock_hz=CLOCK, activity=other)
    with pytest.raises(DesignError, match="activity must be of LFE5U-25F, not of iCE40UP5K"):
        energy(PLAIN, board("ulx3s"), RESOURCES, clock_hz=CLOCK, activity=COUNTED)
    with pytest.raises(DesignError, match="rate must be above 0 and at most 600000 samples"):
        energy(PLAIN, BOARD, RESOURCES, clock_hz=CLOCK, rate=1e6)
    with pytest.raises(DesignError, match="clock must be above 0 Hz, not 0"):
        energy(PLAIN, BOARD, RESOURCES, clock_hz=0.0)
    with pytest.raises(
        DesignError, match=r"is known .*, not GW2A-18, of which no source of the st"
    ):
        power_of(DEVICES["GW2A-18"])
    with pytest.raises(DesignError, match="figure must ascend from 0"):
        Figure(1.0, 0.5, 2.0, "assumed", "")
    with pytest.raises(DesignError, match=r"basis must be one of .*, not 'guessed'"):
        Figure(0.0, 0.5, 2.0, "guessed", "")


def test_an_activity_is_read_as_it_was_written() -> None:
    assert Activity.from_facts(COUNTED.facts()) == COUNTED
    assert COUNTED.rate == pytest.approx(1 / 3)
    with pytest.raises(
        DesignError, match=r"activity must have block_ram_accesses, .* nothing else"
    ):
        Activity.from_facts({"digest": ""})
