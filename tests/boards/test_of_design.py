"""Designs on boards: the netlist equals the reference, and what is too large is refused at once."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rchw.activation import Activation, Clip, tanh_table
from rchw.boards import build as build_module
from rchw.boards.netlist import VERILATOR_WAIVERS, netlist_sources
from rchw.boards.of_design import build_design, circuit_needs
from rchw.design import Design, Features, InputChannel, LinearInput, Output, Readout, RingLayer, Tap
from rchw.devices import BOARDS, board
from rchw.document import digest
from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.hdl.emit import emit
from rchw.schedule import schedule
from rchw.sim.verify import verify
from tests.examples import EXAMPLE
from tests.hdl.kinds import made_parallel

STATE = QFormat(8, 7)


def ring(
    name: str,
    n_units: int = 40,
    *,
    lanes: int = 1,
    outputs: int = 1,
    multipliers: int = 1,
    squares: bool = False,
    activation: Activation | None = None,
) -> Design:
    """Build a cycle of 8-bit states with a bias and 12-bit readout weights."""
    rng = np.random.default_rng(4)
    signs = np.resize([1, -1, -1, 1, -1], n_units)
    layer = RingLayer(
        n_units=n_units,
        state=STATE,
        tap_format=QFormat(3, 2),
        taps=(Tap(1, (3,) * n_units),),
        inputs=(LinearInput(QFormat(5, 3), tuple(int(8 * sign) for sign in signs)),),
        bias_format=QFormat(6, 7),
        bias=tuple(int(code) for code in rng.integers(-20, 20, n_units)),
        activation=activation or Clip(-127, 127),
        lanes=lanes,
    )
    features = Features(squares=QFormat(8, 8, False) if squares else None)
    count = n_units * features.per_unit + 1
    readout = Readout(
        tuple(Output(f"y{k}", QFormat(16, 10)) for k in range(outputs)),
        QFormat(12, 11),
        tuple(tuple(int(w) for w in rng.integers(-2048, 2048, count)) for _ in range(outputs)),
        multipliers=multipliers,
    )
    return Design(name, (InputChannel("u", QFormat(8, 7)),), (layer,), features, readout)


PLAIN = ring("plain", outputs=2, multipliers=2)
SQUARED = ring("squared", squares=True)
PAIRED = ring(
    "paired", 44, lanes=2, multipliers=4, squares=True, activation=tanh_table(STATE, 9)[0]
)  # states and squares together: four products a clock, two squares, three tables


def evidence(design: Design, family: str, netlist: Path, out: Path) -> dict[str, Any]:
    """Hold a netlist against the reference with the benches of the source."""
    out.mkdir(exist_ok=True)
    sources = netlist_sources(netlist, design.name, family, out)
    waived = [argument.removeprefix("-Wno-") for argument in VERILATOR_WAIVERS]
    return verify(
        design, out, samples=300, verilog=netlist, libraries=sources.sources[1:], allow=waived
    )


def check_evidence(design: Design, record: dict[str, Any]) -> None:
    assert record["verdict"] == "pass", record["sentence"]
    if isinstance(design.ring.activation, Clip):
        assert record["state_rails"] == {"low": "hit", "high": "hit"}
    clocks = schedule(design).clocks
    assert record["clocks_per_sample"] == {"min": clocks, "max": clocks, "mean": clocks}
    assert record["checked"] > 600


def test_design_to_bitstream(tmp_path: Path) -> None:
    """The report speaks of the design, and the netlist that was placed is the one that is right."""
    steps: list[str] = []
    out = tmp_path / "out"
    report = build_design(SQUARED, "icebreaker", out, progress=steps.append)
    assert report["digest"] == digest(SQUARED)
    assert report["clocks_per_sample"] == schedule(SQUARED).clocks == 80
    assert report["samples_per_second"]["at_board_clock"] == 12e6 / 80
    assert report["core"]["block_ram"] == 3  # states, weights, what differs between units
    assert report["core"]["dsp"] == 2
    assert (out / report["bitstream"]["file"]).stat().st_size > 30_000
    assert emit(SQUARED) == (out / "squared.v").read_text()
    assert steps
    check_evidence(SQUARED, evidence(SQUARED, "ice40", out / "squared_netlist.v", out / "sim"))


@pytest.mark.parametrize(
    ("design", "name", "sentence"),
    [
        (
            ring("many", 32, lanes=16, multipliers=16),
            "icebreaker",
            r"the design needs \d+ DSP multipliers, but icebreaker \(iCE40UP5K\) has 8",
        ),
        (
            ring("wide", 800, outputs=16, multipliers=16),
            "hx8k",
            r"the design needs \d+ block RAMs, but hx8k \(iCE40HX8K\) has 32",
        ),
    ],
    ids=["multipliers", "block-ram"],
)
def test_too_large_before_synthesis(
    design: Design, name: str, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(DesignError, match=f"^{sentence}$"):
        build_design(design, name, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_too_many_cells_before_placing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(board("icebreaker").device, luts=90)
    monkeypatch.setitem(BOARDS, "icebreaker", replace(board("icebreaker"), device=small))
    steps: list[str] = []
    with pytest.raises(
        DesignError, match=r"^the design needs \d+ LUTs, but icebreaker \(iCE40UP5K\) has 90$"
    ):
        build_design(ring("tight", 5), "icebreaker", tmp_path / "out", progress=steps.append)
    assert not (tmp_path / "out").exists()
    assert not [step for step in steps if "nextpnr" in step]


def test_earlier_result_survives_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.json").write_text("earlier")

    def never(*args: object, **options: object) -> None:
        raise AssertionError("synthesis must not begin")

    monkeypatch.setattr(build_module, "synthesize_core", never)
    with pytest.raises(DesignError, match="DSP multipliers"):
        build_design(ring("many", 32, lanes=16, multipliers=16), "icebreaker", out)
    assert (out / "report.json").read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_products_of_the_same_operands_are_one() -> None:
    """In the parallel form a square that is rounded half to even has its product three times."""
    text = emit(made_parallel(EXAMPLE))
    assert text.count("$signed(x0) * $signed(x0)") > 1
    assert circuit_needs(text, board("icebreaker").device)["dsp"] == 5


def test_unknown_board(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match="board must be one of hx8k, icebreaker"):
        build_design(PLAIN, "nexys", tmp_path / "out")


def test_needs_count_what_the_text_says() -> None:
    """Two lanes of states in one bank each or together, the weights, and a table per lane."""
    text = emit(PAIRED)
    needs = circuit_needs(text, board("icebreaker").device)
    assert needs["dsp"] == 6
    assert circuit_needs(text, board("hx8k").device) == {**needs, "dsp": 0}
    assert circuit_needs("module empty;\nendmodule\n", board("ulx3s").device) == {
        "block_ram": 0,
        "dsp": 0,
    }
