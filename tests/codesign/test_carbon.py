"""Energy of computations on processors, and their emissions."""

from pathlib import Path
from typing import Any

import pytest

from rchw.codesign.carbon import INTENSITY, footprint
from rchw.codesign.processor import CORE_WATTS, on_processor, rapl_joules
from rchw.errors import DesignError


def test_the_calculators_example() -> None:
    """250 W for 100 hours at 432 g/kWh are 10.8 kg: the formula as their page prints it."""
    found = footprint(100 * 3600, watts=250, grams_per_kwh=432)
    assert found.kwh == pytest.approx(25.0)
    assert found.grams == pytest.approx(10800.0)
    assert (found.region, found.source, found.pue) == ("", "given", 1.0)


def test_emissions_are_the_product_of_four_factors() -> None:
    base = footprint(1000.0)
    assert base.watts == CORE_WATTS and base.grams_per_kwh == INTENSITY["world"][0]
    assert footprint(2000.0).grams == pytest.approx(2 * base.grams)
    assert footprint(1000.0, pue=1.5).grams == pytest.approx(1.5 * base.grams)
    assert footprint(1000.0, watts=2 * CORE_WATTS).grams == pytest.approx(2 * base.grams)
    france, world = INTENSITY["france"][0], INTENSITY["world"][0]
    assert footprint(1000.0, region="france").grams == pytest.approx(base.grams * france / world)
    facts = base.facts()
    assert facts["grams"] == base.grams and facts["kwh"] == base.kwh
    assert facts["label"] == "model, not a measurement"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"processor_seconds": -1.0}, "processor seconds must be at least 0 and finite, not -1"),
        ({"processor_seconds": 1.0, "pue": 0.9}, "PUE must be at least 1 and finite, not 0.9"),
        ({"processor_seconds": 1.0, "watts": float("nan")}, "watts must be at least 0"),
        (
            {"processor_seconds": 1.0, "region": "atlantis"},
            "region must be one of world, .*atlantis",
        ),
    ],
)
def test_figures_that_cannot_be_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(DesignError, match=said):
        footprint(**options)


def packages(folder: Path, *readings: int) -> None:
    """Counters of packages in microjoules, each with a part of its own."""
    for number, reading in enumerate(readings):
        for name in (f"intel-rapl:{number}", f"intel-rapl:{number}:0"):
            (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / name / "energy_uj").write_text(f"{reading}\n")


def test_counters_of_packages_are_read_where_there_are_any(tmp_path: Path) -> None:
    assert rapl_joules(tmp_path) is None
    packages(tmp_path, 3_000_000, 500_000)
    assert rapl_joules(tmp_path) == pytest.approx(3.5)
    spent = on_processor(lambda: packages(tmp_path, 5_000_000, 500_000), 10, rounds=1,
                         powercap=tmp_path)  # fmt: skip
    assert spent.measured and spent.joules == pytest.approx(0.2)
    back = on_processor(lambda: packages(tmp_path, 1, 1), 10, rounds=1, powercap=tmp_path)
    assert not back.measured  # the counter started anew
    (tmp_path / "intel-rapl:0" / "energy_uj").unlink()
    assert rapl_joules(tmp_path) is None


def test_elsewhere_time_counts_as_that_of_a_busy_core(tmp_path: Path) -> None:
    calls = []
    spent = on_processor(
        lambda: calls.append(sum(range(100_000))), 50, rounds=3, watts=10.0, powercap=tmp_path
    )
    assert len(calls) == 3 and not spent.measured
    assert spent.joules == pytest.approx(spent.seconds * 10.0) and spent.seconds > 0
    assert "model" in spent.source
    with pytest.raises(DesignError, match="samples must be above 0, not 0"):
        on_processor(lambda: None, 0)
