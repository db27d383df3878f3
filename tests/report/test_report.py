"""The page holds what the records hold, nothing else, and needs nothing else."""

import json
import re
import shutil
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rchw.cli.console import Screen
from rchw.demo import run_demo
from rchw.document import digest, load
from rchw.errors import DesignError, RchwError
from rchw.plot import THEMES
from rchw.report import write_report
from rchw.report.evidence import collect
from rchw.sim.rtl import run_rtl
from rchw.train import TrainOptions
from tests.cli.command_line import call
from tests.cli.damage import documents_damaged

OPTIONS = TrainOptions(name="tiny", units=6, squares=True, search="none", lanes=3)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run a small demo: everything but a board."""
    out = tmp_path_factory.mktemp("demo")
    record = run_demo(
        out, Screen(True), source="henon", options=OPTIONS, boards=(), samples=48,
        split=(300, 100, 150),
    )  # fmt: skip
    assert record["page"] == str(out / "report.html")
    return out


def board_report(value: str) -> dict[str, Any]:
    """Make what place-and-route would leave."""
    return {
        "report_version": 1,
        "digest": value,
        "board": "icebreaker",
        "device": "iCE40UP5K",
        "core": {"lut": 120, "ff": 99},
        "used": {"cells": 1234, "block_ram": 3, "dsp": 4},
        "capacity": {"cells": 5280, "block_ram": 30, "dsp": 8},
        "clock": {"median_mhz": 41.5, "mhz_per_seed": {"1": 41.5}},
        "clocks_per_sample": 7,
        "samples_per_second": {"at_median_clock": 5928571, "at_board_clock": 1714285},
        "critical_path": {"delay_ns": 24.1, "routing_ns": 12.0},
        "bitstream": {"file": "tiny.bin", "sha256": "b" * 64},
        "tools": {"yosys": "0.65"},
    }


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """Copy the demo, with the report of a board, and without simulators."""
    copy = tmp_path / "copy"
    ignored = shutil.ignore_patterns("simulation", "traced", "report.html")
    shutil.copytree(made, copy, ignore=ignored)
    (copy / "board").mkdir()
    value = digest(load(copy / "tiny.json"))
    (copy / "board" / "report.json").write_text(json.dumps(board_report(value)))
    return copy


class Reader(HTMLParser):
    """Collects text, and checks that elements nest."""

    EMPTY = ("meta", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["style"], ["script"]):
            self.text.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


def text_of(folder: Path) -> str:
    """Words of the page drawn from a folder, separated by single spaces."""
    return " ".join(" ".join(read(write_report(folder).read_text()).text).split())


def test_the_last_two_errors_come_from_two_programs_and_are_equal(made: Path) -> None:
    train = json.loads((made / "tiny.train.json").read_text())
    rtl = json.loads((made / "rtl.json").read_text())
    assert rtl["identical"] and rtl["samples"] == 550 and rtl["test_samples"] == 150
    assert rtl["error"] == train["test"]["errors"]["reference"]
    assert rtl["test_sha256"] == train["task"]["split_sha256"]["test"]


def test_a_wrong_circuit_shows_in_the_error_of_the_rtl(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rchw.demo import measure_rtl
    from rchw.tasks import load_task

    def broken(*arguments: Any, **options: Any) -> Any:
        seen = run_rtl(*arguments, **options)
        seen.outputs[-1, 0] ^= 1
        seen.record["verdict"] = "fail"
        return seen

    monkeypatch.setattr("rchw.demo.run_rtl", broken)
    design = load(made / "tiny.json")
    task = load_task("henon", split=(300, 100, 150))
    simulator = made / "verify" / "simulation"
    record = measure_rtl(design, task, made / "verilog" / "tiny.v", simulator)
    train = json.loads((made / "tiny.train.json").read_text())
    assert not record["identical"]
    assert record["error"] != train["test"]["errors"]["reference"]


def test_the_life_of_a_sample_is_that_of_the_circuit(made: Path) -> None:
    life = json.loads((made / "life.json").read_text())
    check = json.loads((made / "verify" / "verify.json").read_text())
    assert life["clock_out"] - life["clock_in"] == check["latency"]["min"]
    signals = {signal["name"]: signal["values"] for signal in life["signals"]}
    assert len({len(values) for values in signals.values()}) == 1
    first = life["clock_in"] - life["first_clock"]
    assert signals["s_axis_tvalid"][first] == signals["s_axis_tready"][first] == 1
    last = life["clock_out"] - life["first_clock"]
    assert signals["m_axis_tvalid"][last] == 1 and signals["m_axis_tdata"][last] is not None
    code = signals["s_axis_tdata"][first]
    assert -128 <= code <= 127 and signals["inputs"][first + 1] == code
    taken = [place for place, ready in enumerate(signals["s_axis_tready"]) if ready]
    assert check["clocks_formula"] in [b - a for a, b in pairwise(taken)]
    assert {"word", "x0", "x1", "x2"} < set(signals)


def test_the_evidence_of_a_real_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Verified and simulated just now: it holds, and every number is in the record."""
    done = call(capsys, "evidence", folder, "--json")
    assert done.code == 0, done.record["sentence"]
    found = {check["file"]: check for check in done.record["checks"]}
    assert set(found) == {"rtl.json", "verify/verify.json"}
    check = json.loads((folder / "verify" / "verify.json").read_text())
    numbers = found["verify/verify.json"]["numbers"]
    assert None not in numbers.values() and numbers["checked"] == check["checked"]
    assert [entry["file"] for entry in done.record["packages"]] == ["verilog/tiny.v"]
    assert {"train", "life"} <= {entry["kind"] for entry in done.record["others"]}
    assert [entry["kind"] for entry in done.record["missing"]][:2] == ["icarus", "prove"]
    path = folder / "verilog" / "tiny.v"
    path.write_text(path.read_text().replace("1'h0", "1'h1", 1))
    done = call(capsys, "evidence", folder, "--json")
    assert done.code == 1 and done.record["sentence"].startswith("verilog/tiny.v is stale")


def test_the_page_stands_alone(folder: Path) -> None:
    page = write_report(folder).read_text()
    reader = read(page)
    links = [v for k, v in reader.attributes if k in ("href", "src", "xlink:href", "action")]
    assert all(link.startswith("#") for link in links)
    names = [value for key, value in reader.attributes if key == "id"]
    assert len(set(names)) == len(names)
    for outside in ("http://", "https://", "@import", "<script", "<link", "<img"):
        assert outside not in page.replace('xmlns="http://www.w3.org/2000/svg"', "").replace(
            'xmlns:xlink="http://www.w3.org/1999/xlink"', ""
        )
    assert str(folder) not in page and str(Path.home()) not in page and "/tmp" not in page
    assert page == write_report(folder).read_text(), "the same records give the same bytes"


def test_the_page_has_colours_for_light_and_dark(folder: Path) -> None:
    page = write_report(folder).read_text()
    assert "@media(prefers-color-scheme:dark)" in page
    for role, (light, dark) in THEMES.items():
        assert f"--{role}:{light};" in page and f"--{role}:{dark};" in page


def test_the_page_says_what_the_records_say(folder: Path) -> None:
    text = text_of(folder)
    train = json.loads((folder / "tiny.train.json").read_text())
    errors = train["test"]["errors"]
    for value in errors.values():
        assert f"{value:.6g}" in text
    for row in ("integer reference", "RTL"):
        assert f"{row} {errors['reference']:.6g} 1\N{MULTIPLICATION SIGN} this design" in text
    assert text.count(train["digest"]) == 2
    assert "bit for bit" in text and "Pass." in text
    for part in ("1,234 of 5,280", "3 of 30", "4 of 8", "41.5 MHz", "5.93 million", "24.1 ns"):
        assert part in text
    for tool in ("cocotb", "verilator", "numpy", "python", "yosys"):
        assert tool in text
    for value in train["task"]["split_sha256"].values():
        assert value in text
    assert "rchw train henon -o tiny.json --units 6 --squares --lanes 3 --search none" in text
    assert "--split 300,100,150" in text and "--washout" not in text
    assert "rchw verify tiny.json --samples 48 --seed 1 -o verify" in text
    assert "rchw build tiny.json --board icebreaker -o board" in text
    below = [key for key in ("persistence", "linear") if errors["reference"] < errors[key]]
    assert ("The integers are below" in text) is bool(below)


def test_a_changed_record_changes_the_page(folder: Path) -> None:
    path = folder / "verify" / "verify.json"
    record = json.loads(path.read_text())
    record["verdict"] = record["phases"][0]["verdict"] = "fail"
    record["sentence"] = f"output 0 is wrong; waveform in {folder}/verify/run.vcd"
    path.write_text(json.dumps(record))
    text = text_of(folder)
    assert "Fail. output 0 is wrong; waveform in verify/run.vcd" in text and "Pass." not in text


def test_a_floor_that_is_not_beaten_is_called_missed(folder: Path) -> None:
    path = folder / "tiny.train.json"
    record = json.loads(path.read_text())
    record["test"]["errors"] |= {"volterra": 1e-9, "linear": 1e-8, "reference": 0.5}
    path.write_text(json.dumps(record))
    text = text_of(folder)
    assert "Missed:" in text and "linear floor" in text.split("Missed:")[1].split(".")[0]


def test_records_of_another_design_are_left_out(folder: Path) -> None:
    path = folder / "board" / "report.json"
    path.write_text(json.dumps(board_report("0" * 64)))
    text = text_of(folder)
    assert "41.5 MHz" not in text and "No place-and-route report here." in text
    assert "another design: board/report.json." in text


def test_a_series_that_is_not_the_records_is_not_drawn(folder: Path) -> None:
    with (folder / "tiny.test.csv").open("a") as stream:
        stream.write("150,0.0,0.0\n")
    assert "The series of the test samples is not beside its record." in text_of(folder)


def test_a_page_from_each_record_alone(folder: Path, tmp_path: Path) -> None:
    for name in ("tiny.json", "tiny.train.json", "verify/verify.json", "rtl.json", "life.json",
                 "board/report.json"):  # fmt: skip
        alone = tmp_path / name.replace("/", "_")
        alone.mkdir()
        shutil.copy(folder / name, alone)
        assert digest(load(folder / "tiny.json")) in text_of(alone)


def test_names_cannot_break_the_page(folder: Path) -> None:
    path = folder / "tiny.train.json"
    record = json.loads(path.read_text())
    record["task"] |= {"name": "<b>&", "data": "<script>alert(1)</script>", "source": "a b.csv"}
    path.write_text(json.dumps(record))
    page = write_report(folder).read_text()
    assert "<script" not in page and "predicts &lt;b&gt;&amp; with" in page
    assert "rchw train 'a b.csv'" in text_of(folder)


def test_what_is_not_ours_is_passed_over(folder: Path) -> None:
    (folder / "other.json").write_text('{"kind": "verify"}')
    (folder / "broken.json").write_text("{")
    (folder / "list.json").write_text("[1]")
    failed = folder / "x.failed"
    failed.mkdir()
    shutil.copy(folder / "board" / "report.json", failed)
    found = collect(folder)
    assert len(found.builds) == 1 and found.left_out == []


def test_a_folder_without_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match=r"must hold records of rchw, .* but it holds none"):
        write_report(tmp_path)
    (tmp_path / "tiny.json").write_text('{"format": "rchw-design", "version": 1}')
    with pytest.raises(DesignError, match=r"tiny.json: design must have the key"):
        write_report(tmp_path)


@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # drawing pages takes its time
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_damaged_records_are_refused_or_drawn(folder: Path, data: st.DataObject) -> None:
    """Never another error; and a page that is there stays."""
    page = folder / "report.html"
    if not page.exists():
        write_report(folder)
    name = data.draw(st.sampled_from(["tiny.train.json", "verify/verify.json", "life.json",
                                      "board/report.json"]))  # fmt: skip
    path, before = folder / name, page.read_bytes()
    right = path.read_bytes()
    path.write_bytes(documents_damaged(data.draw, json.loads(right)))
    try:
        write_report(folder)
    except RchwError as error:
        assert page.read_bytes() == before and "\n" not in str(error)
    finally:
        path.write_bytes(right)


def test_the_commands_in_the_page_work(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    page = write_report(folder).read_text()
    found = re.search(r"<pre>(.*?)</pre>", page, re.DOTALL)
    assert found is not None
    first, *_, last = found.group(1).splitlines()
    before = (folder / "tiny.json").read_bytes()
    assert call(capsys, *first.split()[1:]).code == 0
    assert (folder / "tiny.json").read_bytes() == before, "the same design, to the byte"
    assert call(capsys, *last.split()[1:]).code == 0
