"""Circuits broken on purpose: each fault is found, named, and shown in a waveform."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rchw.activation import Clip
from rchw.design import Design, Features, InputChannel, LinearInput, Output, Readout, RingLayer, Tap
from rchw.fixed import QFormat, Rounding
from rchw.hdl.emit import emit
from rchw.sim.runner import build
from rchw.sim.top import top_of
from rchw.sim.verify import job_for
from rchw.sim.wave import read_vcd

LANES = 3
FAULTS = ["weight_bit", "rounding_mode", "shift_by_one", "lane_order", "stream_lanes"]
Records = dict[str, dict[str, Any]]


def ring() -> Design:
    """Build seven units in three lanes, which do not divide them, with squares and two outputs."""
    rng = np.random.default_rng(3)
    n = 7
    layer = RingLayer(
        n_units=n,
        state=QFormat(8, 7),
        tap_format=QFormat(4, 2),
        taps=(Tap(1, (3,) * n),),
        inputs=(LinearInput(QFormat(4, 2), (2, -2, 1, 2, -1, -2, 2)),),
        bias_format=QFormat(5, 7),
        bias=tuple(int(b) for b in rng.integers(-16, 16, n)),
        activation=Clip(-127, 127),
        rounding=Rounding.HALF_UP,
        lanes=LANES,
    )
    rows = tuple(tuple(int(w) for w in rng.integers(-2048, 2048, 2 * n + 1)) for _ in range(2))
    outputs = (Output("slow", QFormat(16, 8)), Output("fast", QFormat(16, 8)))
    readout = Readout(outputs, QFormat(12, 8), rows, rounding=Rounding.HALF_EVEN, multipliers=2)
    squares = Features(squares=QFormat(8, 8, False))
    return Design("right", (InputChannel("u", QFormat(10, 7)),), (layer,), squares, readout)


def flipped(text: str) -> str:
    """Flip the lowest bit of the first word of the readout's weights."""
    found = re.search(r"(weights\w*)\[0\] = (\d+)'h([0-9a-f]+);", text)
    assert found is not None
    memory, width, word = found.groups()
    other = f"{int(word, 16) ^ 1:0{len(word)}x}"
    return text.replace(found.group(), f"{memory}[0] = {width}'h{other};")


def reversed_lanes(design: Design) -> Design:
    """Take the weights of each word's units in the opposite order."""
    n, rows = design.n_units, []
    order = [word * LANES + lane for word in range(n // LANES) for lane in reversed(range(LANES))]
    order += range(len(order), n)
    for row in design.readout.weights:
        rows.append(tuple(row[unit] for unit in order) + row[n:])
    return replace(design, readout=replace(design.readout, weights=tuple(rows)))


def broken(fault: str) -> str:
    """Verilog of the ring with one fault, its modules named after it."""
    design = replace(ring(), name=fault)
    layer, readout = design.ring, design.readout
    if fault == "weight_bit":
        return flipped(emit(design))
    if fault == "rounding_mode":
        design = replace(design, layers=(replace(layer, rounding=Rounding.HALF_EVEN),))
    if fault == "shift_by_one":
        design = replace(design, layers=(replace(layer, tap_format=QFormat(4, 3)),))
    if fault == "lane_order":
        design = reversed_lanes(design)
    if fault == "stream_lanes":
        design = replace(
            design,
            readout=replace(readout, outputs=readout.outputs[::-1], weights=readout.weights[::-1]),
        )
    return emit(design)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Records:
    """All of them, and the right one, in one simulator program, held against the right design."""
    folder = tmp_path_factory.mktemp("broken")
    jobs, files = [], []
    for fault in ["right", *FAULTS]:
        files.append(folder / f"{fault}.v")
        files[-1].write_text(broken(fault))
        jobs.append(job_for(ring(), 240, 2, name=fault)[0])
    tops = [top_of(ring(), fault) for fault in ["right", *FAULTS]]
    made = build(files, tops, folder / "build", optimize="-O0")
    return {record["design"]: record for record in made.run_all(jobs)}


def test_the_right_one_passes(records: Records) -> None:
    assert records["right"]["verdict"] == "pass", records["right"]["sentence"]
    assert records["right"]["waves"] is None


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_found_named_and_shown(records: Records, fault: str) -> None:
    """The sentence has sample, output, both codes and both values; the waveform is there."""
    record = records[fault]
    assert record["verdict"] == "fail"
    found = re.match(
        r"output ([01]) \((slow|fast)\) at sample (\d+) must be code (-?\d+) \(value (\S+)\), "
        r"not (-?\d+) \(value (\S+), sfix16_en8\)",
        record["sentence"],
    )
    assert found is not None, record["sentence"]
    column, name, sample, want, want_value, got, got_value = found.groups()
    assert ring().readout.outputs[int(column)].name == name
    assert (want_value, got_value) == (f"{int(want) / 256:.9g}", f"{int(got) / 256:.9g}")
    assert want != got
    assert f"[design {fault}, phase " in record["sentence"]
    assert record["waves"] in record["sentence"]
    assert record["reproduced"]
    index = 1 + FAULTS.index(fault)
    shown = read_vcd(Path(record["waves"])).signal(f"d{index}_m_count").values.max()
    assert shown > int(sample)
