"""The Verilog testbench passes on a right circuit, without Python, and names a wrong beat."""

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rchw import reference
from rchw.activation import Clip
from rchw.design import Design, Features, InputChannel, LinearInput, Output, Readout
from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.hdl.emit import write_verilog
from rchw.process import run_program
from rchw.sim.lanes import unpack
from rchw.sim.testbench import bench_verilog, golden_codes, write_vectors
from rchw.sim.verify import job_for
from rchw.tools import environment_for_verilator, find
from tests.examples import small_cycle


def ring() -> Design:
    """Build a cycle of five units with two inputs of odd widths, squares and two outputs."""
    quarters = QFormat(4, 2)
    inputs = (LinearInput(quarters, (2, -2, 2, 2, -2)), LinearInput(quarters, (1, 1, -1, 1, 1)))
    layer = small_cycle(3, inputs, (1, 0, -3, 0, 2), Clip(-127, 127))
    rng = np.random.default_rng(5)
    rows = tuple(tuple(int(w) for w in rng.integers(-128, 128, 11)) for _ in range(2))
    outputs = (Output("y", QFormat(17, 9)), Output("z", QFormat(3, 2, False)))
    readout = Readout(outputs, QFormat(8, 7), rows, multipliers=2)
    channels = (InputChannel("u", QFormat(9, 7)), InputChannel("v", QFormat(3, 2, False)))
    return Design("bench", channels, (layer,), Features(squares=QFormat(14, 14, False)), readout)


def test_vectors_hold_both_rails_and_are_those_of_the_reference(tmp_path: Path) -> None:
    design = ring()
    codes, last, trace = golden_codes(design, 64, 3)
    assert trace.states.min() == -127
    assert trace.states.max() == 127
    want = reference.run(design, codes, last, compiled=False)
    files = write_vectors(design, tmp_path, 64, 3)
    words = [int(line, 16) for line in files[1].read_text().split()]
    formats = [output.format for output in design.readout.outputs]
    got = unpack([word & (1 << 32) - 1 for word in words], formats)
    assert np.array_equal(got, want.outputs)
    assert [word >> 32 for word in words] == last.tolist()
    table = np.loadtxt(files[2], delimiter=",", skiprows=1, dtype=np.int64)
    assert np.array_equal(table[:, 3:8], want.states)


def test_too_few_samples() -> None:
    with pytest.raises(DesignError, match="samples must be at least 16, not 3"):
        golden_codes(ring(), 3, 1)
    with pytest.raises(DesignError, match="seed must be at least 0, not -3"):
        golden_codes(ring(), 16, -3)
    with pytest.raises(DesignError, match="seed must be at least 0, not -3"):
        job_for(ring(), 48, -3)


def run_bench(folder: Path, name: str) -> str:
    """Build the bench with Verilator alone and return what it prints."""
    verilator = find("verilator")
    assert verilator.path is not None
    run_program(
        "Verilator",
        verilator.path,
        [
            *("--binary", "--timing", "-Wno-WIDTHEXPAND", "-Wno-WIDTHTRUNC", "-j", "2"),
            *("-CFLAGS", "-std=gnu++20 -fcoroutines -O0", "--top-module", f"{name}_tb"),
            *(f"{name}.v", f"{name}_tb.v"),
        ],
        cwd=folder,
        log=folder / "build.log",
        timeout=300,
        env=environment_for_verilator(verilator),
    )
    return simulate(folder, name)


def simulate(folder: Path, name: str) -> str:
    done = subprocess.run(
        [f"obj_dir/V{name}_tb"], cwd=folder, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout


def test_bench_passes_and_fails(tmp_path: Path) -> None:
    """One build; then a vector is broken, and then the circuit is another one."""
    design = ring()
    write_verilog(design, tmp_path)
    _, beats, _ = write_vectors(design, tmp_path, 64)
    count = len(beats.read_text().splitlines())
    (tmp_path / "bench_tb.v").write_text(bench_verilog(design, count))
    assert "PASS bench" in run_bench(tmp_path, "bench")
    lines = beats.read_text().splitlines()
    lines[40] = f"{int(lines[40], 16) ^ 1:09x}"
    beats.write_text("\n".join(lines) + "\n")
    assert "FAIL bench: wrong beat, pass 0, beat 40" in simulate(tmp_path, "bench")
    rows = [list(row) for row in design.readout.weights]
    rows[0][3] ^= 1
    other = replace(
        design, readout=replace(design.readout, weights=tuple(tuple(row) for row in rows))
    )
    write_vectors(other, tmp_path, 64)  # what another readout would answer
    assert "FAIL bench: wrong beat" in simulate(tmp_path, "bench")
