"""The README: its table is the record's, its Python runs, its links lead somewhere."""

import json
import re
from pathlib import Path

import pytest

from benchmarks.readme import BEGIN, END, RESULTS, ROOT, measure_floors, table
from rchw.errors import DesignError

PAGE = (ROOT / "README.md").read_text(encoding="utf-8")


def test_table_is_that_of_the_record() -> None:
    shown = PAGE.split(BEGIN)[1].split(END)[0]
    record = json.loads(RESULTS.read_text())
    assert shown == table(record)
    assert record["identical"]
    assert record["errors"]["rtl"] == record["errors"]["reference"]


def test_floors_are_measured_again_on_the_same_samples() -> None:
    record = json.loads(RESULTS.read_text())
    blank = dict.fromkeys(("persistence", "linear", "quadratic_ring", "volterra", "nvar"), 1.0)
    again = measure_floors(record | {"errors": record["errors"] | blank})
    assert again["errors"] == pytest.approx(record["errors"], rel=1e-6)
    assert again["errors"]["reference"] == record["errors"]["reference"]
    other = record | {"split_sha256": record["split_sha256"] | {"test": "0" * 64}}
    with pytest.raises(DesignError, match=r"^samples of santa-fe must be those of the demo"):
        measure_floors(other)


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert len(links) > 8
    for link in links:
        assert (ROOT / link).is_file(), link


def test_python_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    monkeypatch.chdir(tmp_path)
    exec(compile(found.group(1), "README.md", "exec"), {})
    error, verdict = capsys.readouterr().out.split()
    assert float(error) < 0.17  # the linear floor of this series
    assert verdict == "pass"
    assert (tmp_path / "laser" / "laser.v").is_file()
