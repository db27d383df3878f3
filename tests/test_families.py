"""The pages of the families: one for each, with the table that its command writes."""

import json
from pathlib import Path

import pytest

from benchmarks import families
from rchw.design import UnitLayer
from rchw.schedule import schedule

FOLDER = Path(__file__).parents[1] / "docs" / "families"


def test_every_family_has_a_page() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == set(families.FAMILIES)
    built = {
        layer.family
        for layer in (layer for design in families.designs() for layer in design.layers)
        if isinstance(layer, UnitLayer)
    }
    assert built == {"ring", "euler-ring", "leaky", "euler"}
    assert max(len(design.layers) for design in families.designs()) > 1
    assert len({design.name for design in families.designs()}) == len(families.designs())


@pytest.mark.parametrize("name", families.FAMILIES)
def test_the_table_is_that_of_the_command(name: str) -> None:
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    assert families.page(name, text) == text, "python -m benchmarks.families --page"
    clocks = schedule(families.FAMILIES[name].design(4)).clocks
    assert f"one sample in {clocks} clocks with P = 4" in text


def test_a_figure_of_the_record_is_in_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"board": "ulx3s", "lanes": 4, "lut": 12345, "ff": 1, "block_ram": 2, "dsp": 3}
    row |= {"mhz": 99.6, "samples_per_second": 4_000_000}
    record = {"rows": {"ring 4 ulx3s": row, "ring 1 ulx3s": {**row, "missing": "does not fit"}}}
    (tmp_path / "families.json").write_text(json.dumps(record))
    monkeypatch.setattr(families, "RESULTS", tmp_path / "families.json")
    made = families.page("ring", (FOLDER / "ring.md").read_text(encoding="utf-8"))
    assert "12345 LUT, 1 FF, 2 block RAM, 3 multipliers, 100 MHz, 4 million samples/s" in made
    assert "does not fit" in made
