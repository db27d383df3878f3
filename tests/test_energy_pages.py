"""Pages and figures of energy are those of their records."""

import json
from typing import Any

import pytest

from benchmarks import energy, energy_page, power
from rchw.boards.activity import Activity
from rchw.codesign.energy import USUAL
from rchw.codesign.power import POWER
from rchw.devices import board


def record(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((power.FOLDER / "results" / f"{name}.json").read_text())
    return found


def test_pages_are_those_of_the_records() -> None:
    for name, page in (("power", power.page), ("energy", energy_page.markdown)):
        written = (power.FOLDER / f"{name}.md").read_text(encoding="utf-8")
        assert written == page(record(name)), f"python -m benchmarks.{name} --page"


def test_figures_of_the_device_are_those_of_the_counts() -> None:
    found = power.figures(record("power")["circuits"])
    for name, values in found.items():
        figure = getattr(POWER["iCE40UP5K"], name)
        assert [figure.low, figure.typical, figure.high] == pytest.approx(list(values), rel=6e-3)


def test_ecp5_is_scaled_by_what_its_registers_were_measured_to_take() -> None:
    up5k, seen = POWER["iCE40UP5K"].net, [POWER[name].net for name in ("LFE5U-25F", "LFE5U-85F")]
    for net in seen:
        assert net.typical / up5k.typical == pytest.approx(power.ecp5_factor(), rel=5e-3)
    assert 0.8 < power.ecp5_factor() / (1.1 / 1.2) ** 2 < 1.25, "the same silicon, by V^2"
    for name, (*_, reset) in power.CHAINS.items():
        if name in POWER:
            assert POWER[name].static.typical < reset / 1000, "a device takes less than its board"


def test_a_counter_changes_as_it_must() -> None:
    """Over all of its low 16 bits: the sum of 2**-k for flip-flops and what comes before them."""
    facts = record("power")["circuits"]["counter"]
    wanted = 2 - 2**-15
    assert facts["changes"]["ff"] == pytest.approx(wanted, abs=3 / power.CLOCKS)
    assert facts["changes"]["lut"] == pytest.approx(wanted, abs=3 / power.CLOCKS)


def test_usual_activity_is_that_of_the_measured_designs() -> None:
    rows = list(record("energy")["rows"].values())
    found = energy_page.usual([row for row in rows if "board" in row])
    assert {name: getattr(USUAL, name) for name in found} == found
    assert set(found) == {"lut", "flip_flop", "dsp", "block_ram"}


def test_every_row_has_items_that_sum_up_to_what_the_model_says_now() -> None:
    rows = record("energy")["rows"]
    assert set(rows) == set(energy.jobs())
    for row in rows.values():
        for entry in row.get("energy", {}).values():
            figures = POWER[board(row["board"]).device.name]
            counted = Activity.from_facts(row["activity"])
            nets = sum(counted.changes[kind] for kind in ("lut", "carry", "ff"))
            nets *= counted.clocks / counted.samples
            joules = {item["name"]: item["joules"] for item in entry["items"]}
            assert joules["switching"] == pytest.approx(nets * figures.net.typical)
            assert joules["static"] == pytest.approx(figures.static.typical / entry["rate"])
            parts = sum(item["joules"] for item in entry["items"])
            assert entry["joules"] == pytest.approx(parts)
            assert entry["low"] <= entry["joules"] <= entry["high"]
