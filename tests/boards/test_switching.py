"""Activity of netlists: every net counts once, by what drives it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rchw.boards.switching import activity_of, check_counted, measure_activity, numbered
from rchw.devices import DEVICES
from rchw.document import digest
from rchw.errors import DesignError, ToolError
from rchw.schedule import schedule
from rchw.sim.toggles.count import Toggles
from tests.boards.test_of_design import PLAIN

UP5K = DEVICES["iCE40UP5K"]


def cell(kind: str, outputs: tuple[str, ...], **pins: list[Any]) -> dict[str, Any]:
    return {
        "type": kind, "hide_name": 1, "parameters": {}, "attributes": {}, "connections": pins,
        "port_directions": {pin: "output" if pin in outputs else "input" for pin in pins},
    }  # fmt: skip


MODULE: dict[str, Any] = {
    "ports": {
        "aclk": {"direction": "input", "bits": [2]},
        "s_axis_tdata": {"direction": "input", "bits": [3, 4]},
        "m_axis_tdata": {"direction": "output", "bits": [6, "0"]},
    },
    "cells": {
        "$a$1": cell("SB_LUT4", ("O",), I0=[3], I1=[6], O=[5]),
        "$a$2": cell("SB_DFFE", ("Q",), C=[2], D=[5], Q=[6]),
        "ram": cell("SB_RAM40_4K", ("RDATA",), RE=["1"], RCLKE=[4], WE=[3], WCLKE=["1"],
                    RDATA=[7, 8]),
        "mul": cell("SB_MAC16", ("O",), A=[7, "0"], B=[8], O=[9], OLOADTOP=[5]),
    },
    "netnames": {"x": {"bits": [5]}, "again": {"bits": [5]}, "y": {"bits": [6]}},
}  # fmt: skip
COUNTS = Toggles(
    samples=10, clocks=100,
    changes={f"n{bit}": 10 * bit for bit in range(2, 10)},
    high={f"n{bit}": bit for bit in range(2, 10)},
)  # fmt: skip


def test_every_driven_net_has_one_name() -> None:
    found = numbered(MODULE)
    names = {name: net["bits"] for name, net in found["netnames"].items()}
    assert names == {f"n{bit}": [bit] for bit in range(2, 10)}
    assert [item["type"] for item in found["cells"].values()] == [
        "SB_LUT4", "SB_DFFE", "SB_RAM40_4K", "SB_MAC16",
    ]  # fmt: skip
    assert set(MODULE["netnames"]) == {"x", "again", "y"}  # the given one is left alone


def test_changes_are_summed_by_what_drives_the_net() -> None:
    found = activity_of(MODULE, UP5K, COUNTS, "of the design", "by hand")
    assert found.resources == {"lut": 1, "carry": 0, "ff": 1, "block_ram": 1, "dsp": 1}
    assert found.nets == {"lut": 1, "carry": 0, "ff": 1, "block_ram": 2, "dsp": 1, "input": 2}
    per_clock = {"lut": 0.5, "carry": 0.0, "ff": 0.6, "block_ram": 1.5, "dsp": 0.9, "input": 0.7}
    assert found.changes == pytest.approx(per_clock)
    assert found.dsp_operand_changes == pytest.approx(1.5)  # A and B, not the other pins
    assert found.block_ram_accesses == pytest.approx((4 + 3) / 100)  # read when 4 is high, write: 3
    assert found.pin_changes == pytest.approx(0.7 + 0.6)
    assert found.rate == pytest.approx((0.5 + 0.6) / 2)
    assert (found.samples, found.clocks, found.device) == (10, 100, "iCE40UP5K")


def test_a_net_that_was_not_counted_is_told() -> None:
    check_counted(numbered(MODULE), COUNTS)
    few = replace(COUNTS, changes={net: n for net, n in COUNTS.changes.items() if net != "n5"})
    with pytest.raises(ToolError, match=r"must count all 8 nets .* left out 1, such as n5"):
        check_counted(numbered(MODULE), few)


def test_codes_of_another_shape_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match=r"input codes must be integers of shape \(T, 1\), not"):
        measure_activity(PLAIN, np.zeros((3, 2), dtype=np.int64), UP5K, tmp_path)


@pytest.mark.slow
def test_a_netlist_takes_as_long_as_the_schedule_says_and_reads_its_memories(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(1)
    codes = rng.integers(-127, 128, (60, 1))
    found = measure_activity(PLAIN, codes, UP5K, tmp_path)
    assert found.digest == digest(PLAIN)
    assert found.clocks == found.samples * schedule(PLAIN).clocks
    assert 0 < found.rate < 1 and found.nets["dsp"] and found.dsp_operand_changes > 0
    assert 0 < found.block_ram_accesses <= 2 * found.nets["block_ram"]
    still = measure_activity(PLAIN, np.zeros((60, 1), dtype=np.int64), UP5K, tmp_path)
    assert still.changes["ff"] < found.changes["ff"]  # nothing comes in
