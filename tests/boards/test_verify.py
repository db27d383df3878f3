"""Netlists of every family equal the reference, gate by gate; wrong ones are told from it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rchw import tools
from rchw.activation import Clip, tanh_table
from rchw.boards.check import Netlist
from rchw.boards.netlist import netlist_sources
from rchw.boards.of_design import circuit_needs
from rchw.boards.verify import FAMILIES, netlist_device, verify_netlist
from rchw.design import Design
from rchw.devices import DEVICES
from rchw.document import digest
from rchw.errors import DesignError, ToolError
from rchw.files import sha256_of
from rchw.fixed import QFormat
from rchw.hdl.emit import emit, write_verilog
from rchw.schedule import schedule
from tests.boards.faults import DESIGN_FAULTS, block_rams, luts, turned, verdicts
from tests.boards.test_of_design import PAIRED, PLAIN, SQUARED, STATE, ring
from tests.examples import EXAMPLE
from tests.hdl.kinds import kinds, made_parallel

TABLE = tanh_table(STATE, 9)[0]


def leaky(design: Design) -> Design:
    return replace(design, layers=(replace(design.ring, leak_shift=2),))


def of_20_bits(design: Design) -> Design:
    """States and weights so wide that memories take two blocks and products large multipliers."""
    state, readout = QFormat(20, 19), design.readout
    layer = replace(design.ring, state=state, activation=Clip(state.min, state.max))
    weights = tuple(tuple(code << 8 for code in row) for row in readout.weights)
    wide = replace(readout, weight_format=QFormat(20, 19), weights=weights)
    return replace(design, layers=(layer,), readout=wide)


SMALL = leaky(ring("little", 33, squares=True, activation=TABLE))
DESIGNS = {
    design.name: design
    for design in (
        SMALL,
        PLAIN,
        SQUARED,
        PAIRED,
        ring("shared", outputs=3),
        of_20_bits(ring("wide")),
        replace(EXAMPLE, name="folded"),  # piecewise-linear, leak, two lanes, nothing in block RAM
        replace(made_parallel(EXAMPLE), name="parallel"),
        leaky(made_parallel(ring("curved", 8, activation=TABLE))),
        ring("hundred", 100, lanes=4, multipliers=8, squares=True, activation=TABLE),
        made_parallel(ring("hundred_parallel", 100)),
    )
}


def check_netlist(name: str, family: str, out: Path) -> None:
    """Run one, and look at all that its record says."""
    design, device = DESIGNS[name], netlist_device(family)
    record = verify_netlist(design, family, out, samples=120)
    assert record["verdict"] == "pass", record["sentence"]
    assert record == json.loads((out / f"netlist-{family}.json").read_text())
    assert record["kind"] == "netlist" and record["digest"] == digest(design)
    assert (record["family"], record["device"]) == (family, device.name)
    assert (out / record["verilog"]).read_text() == emit(design)
    assert record["verilog_sha256"] == sha256_of(out / record["verilog"])
    place = out / f"netlist-{family}"
    assert record["netlist_sha256"] == sha256_of(place / record["netlist"])
    assert f"{family}_cells.v" in record["models"]
    assert record["command"].startswith(f"synth_{family}") and record["tools"]["yosys"]
    needs = circuit_needs(emit(design), device)
    assert record["needs"] == needs and record["capacity"] == device.capacity
    assert all(record["resources"][kind] >= least for kind, least in needs.items())
    assert sum(record["cells"].values()) > sum(record["resources"].values()) > 0
    clocks = schedule(design).clocks
    assert record["clocks_per_sample"] == {"min": clocks, "max": clocks, "mean": clocks}
    assert [phase["resets"] for phase in record["phases"]] == [0] * 8 + [8, 8]
    assert record["checked"] > 350


@pytest.mark.parametrize(
    "family",
    ["ice40", *(pytest.param(f, marks=pytest.mark.slow) for f in FAMILIES if f != "ice40")],
)
def test_netlist_equals_reference(family: str, tmp_path: Path) -> None:
    """Folded, with block RAM, multipliers, squares, a table and a leak."""
    needs = circuit_needs(emit(SMALL), netlist_device(family))
    assert needs["block_ram"] >= 3 and needs["dsp"] == 2
    check_netlist("little", family, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in DESIGNS if name != "little"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_kind_of_netlist(family: str, name: str, tmp_path: Path) -> None:
    check_netlist(name, family, tmp_path)


def test_the_designs_are_of_every_kind() -> None:
    met = {kind for design in DESIGNS.values() for kind, member in kinds(design).items() if member}
    assert met >= {
        "parallel", "one lane", "lanes divide units", "lanes do not divide units", "squares",
        "state and square together", "leak", "table", "piecewise-linear", "clip", "level input",
        "several clocks per feature", "several features per clock",
    }  # fmt: skip
    assert any(isinstance(design.ring.activation, Clip) for design in DESIGNS.values())


@pytest.mark.slow
def test_without_multipliers(tmp_path: Path) -> None:
    record = verify_netlist(PLAIN, "iCE40HX8K", tmp_path, samples=120)
    assert record["verdict"] == "pass", record["sentence"]
    assert record["resources"]["dsp"] == 0 and record["command"] == "synth_ice40 -device hx"
    assert record == json.loads((tmp_path / "netlist-iCE40HX8K.json").read_text())


def lut(share: float) -> Callable[[Netlist], Netlist]:
    """Turn the bit of a LUT at some share of all."""

    def turn(module: Netlist) -> Netlist:
        bits = luts(module)
        return turned(module, *bits[int(share * len(bits))])

    return turn


def ram(part: str, bit: int) -> Callable[[Netlist], Netlist]:
    """Turn a bit of the first word of a memory."""
    return lambda module: turned(module, block_rams(module, part)[0], bit)


def test_a_fault_is_caught(tmp_path: Path) -> None:
    """One of each kind: before synthesis, in a LUT, and in a block RAM."""
    design = ring("right", 33, activation=TABLE)
    changed = {"entry": DESIGN_FAULTS["entry"]}
    wrong = {"lut": lut(0.3), "ram": ram("weights", 4)}
    found = verdicts(design, "ecp5", wrong, changed, tmp_path, samples=60)
    assert found.pop("right") is None
    for name, sentence in found.items():
        assert sentence is not None, name
        assert sentence.startswith("output 0 (y0) at sample "), sentence
        assert f"[design case_{name}, phase " in sentence


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_faults_are_caught(family: str, tmp_path: Path) -> None:
    """Of LUTs some bits are never used: no code of the stimulus comes there."""
    design = leaky(ring("right", 36, lanes=2, multipliers=2, activation=TABLE))
    wrong = {f"lut{k}": lut((k + 0.2) / 8) for k in range(8)}
    wrong |= {"weights": ram("weights", 4), "units": ram("units", 1), "table": ram("table", 2)}
    found = verdicts(design, family, wrong, DESIGN_FAULTS, tmp_path)
    assert found.pop("right") is None
    missed = [name for name, sentence in found.items() if sentence is None]
    assert all(name.startswith("lut") for name in missed), missed
    assert len(missed) <= 3, missed


@pytest.mark.slow
def test_a_wrong_netlist_fails(tmp_path: Path) -> None:
    """Its record takes the place of an earlier one, with the first difference and a waveform."""
    design = ring("tiny", 6)
    wrong = DESIGN_FAULTS["weight"](design)
    source = write_verilog(wrong, tmp_path / "wrong")
    out = tmp_path / "out"
    (out / "netlist-ecp5").mkdir(parents=True)
    (out / "netlist-ecp5.json").write_text("earlier")
    record = verify_netlist(design, "ecp5", out, samples=48, verilog=source)
    assert record["verdict"] == "fail"
    assert record["sentence"].startswith("output 0 (y0) at sample ")
    assert "must be code" in record["sentence"] and record["unit"] is None
    assert Path(record["waves"]).stat().st_size > 0 and str(out) in record["waves"]
    assert record == json.loads((out / "netlist-ecp5.json").read_text())


def test_a_cell_without_a_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After synthesis, before anything is compiled; what was there stays."""
    (tmp_path / "netlist-gowin.json").write_text("earlier")
    monkeypatch.setattr("rchw.boards.verify.modelled_cells", lambda text: {"GND", "VCC"})
    monkeypatch.setattr("rchw.boards.verify.compare", None)
    with pytest.raises(
        ToolError, match=r"^the netlist of little cannot be simulated: no model cov"
    ):
        verify_netlist(SMALL, "gowin", tmp_path)
    assert (tmp_path / "netlist-gowin.json").read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["netlist-gowin.json"]


def test_bad_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any work."""
    monkeypatch.setattr("rchw.boards.verify.write_verilog", None)
    names = r"ice40, ecp5, gowin or a device \(GW2A-18, LFE5U-25F, LFE5U-85F, iCE40HX8K, iCE40UP5K"
    with pytest.raises(DesignError, match=rf"^netlist must be one of {names}\), not 'spartan'$"):
        verify_netlist(SMALL, "spartan", tmp_path / "out")
    with pytest.raises(DesignError, match="samples must be at least 48, not 3"):
        verify_netlist(SMALL, "ecp5", tmp_path / "out", samples=3)
    usual = tools.find

    def without(name: str, *, native: bool = False) -> tools.ToolStatus:
        if name == "verilator":
            raise ToolError("verilator (simulation) is missing")
        return usual(name, native=native)

    monkeypatch.setattr(tools, "find", without)
    with pytest.raises(ToolError, match=r"^verilator \(simulation\) is missing$"):
        verify_netlist(SMALL, "ecp5", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_every_family_has_a_device_with_multipliers() -> None:
    assert {DEVICES[name].family for name in FAMILIES.values()} == set(FAMILIES)
    assert all(DEVICES[name].dsps for name in FAMILIES.values())


def test_models_of_ours_take_the_place_of_empty_boxes(tmp_path: Path) -> None:
    """Each module is there once, whoever wrote it."""
    (tmp_path / "core.v").write_text("module core; endmodule\n")
    for family in FAMILIES:
        made = netlist_sources(tmp_path / "core.v", "core", family, tmp_path)
        text = "".join(path.read_text() for path in made.sources)
        for name in ("SB_MAC16", "DP16KD", "MULT18X18D", "SPX9", "SDPB", "DPX9B", "MULT9X9"):
            assert text.count(f"module {name} ") + text.count(f"module {name}(") <= 1
