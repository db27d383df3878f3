"""One triangle of an antisymmetric matrix is stored, half of its bits, and read both ways."""

import re
from pathlib import Path

import numpy as np
import pytest

from rchw.activation import Clip
from rchw.design import (
    Design,
    Features,
    InputChannel,
    LinearInput,
    Matrix,
    MatrixLayer,
    Output,
    Readout,
    UnitCodes,
)
from rchw.errors import RchwError
from rchw.fixed import QFormat
from rchw.hdl import triangle
from rchw.hdl.emit import to_rtlil, write_verilog
from rchw.schedule import latency, schedule
from rchw.tools import environment_for_verilator, find, run
from tests.hdl.test_generated import check

FORMAT = QFormat(4, 3)


def euler(n_units: int, lanes: int, same: bool = False) -> Design:
    """Any codes, the least among them; on the diagonal one for all units, or any."""
    rng = np.random.default_rng(100 * n_units + lanes)
    rows = [rng.integers(FORMAT.min, FORMAT.max + 1, i).tolist() for i in range(n_units)]
    for row in rows[1:]:
        row[0] = FORMAT.min
    diagonal = [-3] * n_units if same else rng.integers(FORMAT.min, 1, n_units).tolist()
    layer = MatrixLayer(
        n_units=n_units,
        state=QFormat(9, 6),
        matrix=Matrix(FORMAT, "antisymmetric", tuple(map(tuple, rows)), diagonal=tuple(diagonal)),
        inputs=(LinearInput(QFormat(3, 2), tuple(rng.integers(-4, 4, n_units).tolist())),),
        bias_format=QFormat(3, 3),
        bias=tuple(rng.integers(-4, 4, n_units).tolist()),
        activation=Clip(-64, 63),
        step=UnitCodes(QFormat(3, 2), (3,) * n_units),
        lanes=lanes,
    )
    weights = tuple(rng.integers(-8, 8, n_units + 1).tolist())
    readout = Readout((Output("y", QFormat(14, 6)),), QFormat(4, 3), (weights,), multipliers=1)
    return Design("euler", (InputChannel("u", QFormat(6, 5)),), (layer,), Features(), readout)


def bits_of_memories(design: Design) -> dict[str, int]:
    """Bits of the memories of the module that reads the triangle, pieces of one together."""
    (module,) = re.findall(r"module \S+\.triangle\n.*?\nend\n", to_rtlil(design), re.DOTALL)
    found: dict[str, int] = {}
    for width, size, name in re.findall(r"memory width (\d+) size (\d+) \\(\w+)", module):
        whole = name.split("_")[0]
        found[whole] = found.get(whole, 0) + int(width) * int(size)
    return found


@pytest.mark.parametrize("lanes, words", [(1, 121), (2, 64), (3, 51), (8, 16), (16, 8)])
def test_half_of_the_bits_are_stored(lanes: int, words: int) -> None:
    """Of 16 units, with one code on the diagonal; exactly half where the lanes are even."""
    if lanes % 2 == 0:
        assert words * lanes == 16 * 16 // 2
    assert bits_of_memories(euler(16, lanes, same=True)) == {"weights": words * lanes * 4}
    assert bits_of_memories(euler(16, lanes))["weights"] == words * lanes * 4


@pytest.mark.parametrize(
    "n_units, lanes",
    [(2, 1), (5, 2), (7, 3), (8, 8), (11, 4), (12, 4), (12, 1)],
)
def test_codes_and_clocks(n_units: int, lanes: int) -> None:
    """With and without places that have no unit, and steps that take no column."""
    design = euler(n_units, lanes, same=n_units % 2 == 0)
    plan = schedule(design)
    columns = -(-n_units // lanes) * lanes
    assert plan.steps == max(columns, plan.loop_latency, plan.word_clocks, plan.top_clocks)
    trace = check(design, n_units, "never", "never")
    assert set(np.diff(trace.clocks_in).tolist()) == {plan.clocks}
    assert set(np.subtract(trace.clocks_out, trace.clocks_in).tolist()) == {latency(design)}


@pytest.mark.parametrize("n_units, lanes", [(3, 3), (4, 2)])
def test_lint_is_clean(n_units: int, lanes: int, tmp_path: Path) -> None:
    """Where a counter, an address or a comparison is constant."""
    verilator = find("verilator")
    path = write_verilog(euler(n_units, lanes), tmp_path)
    run(
        verilator,
        [
            "--lint-only",
            "--language",
            "1364-2005",
            "-Wno-WIDTHEXPAND",
            "-Wno-WIDTHTRUNC",
            path.name,
        ],
        cwd=tmp_path,
        log=tmp_path / "lint.log",
        env=environment_for_verilator(verilator),
    )
    assert "%Warning" not in (tmp_path / "lint.log").read_text()


def test_gaps_and_stalls() -> None:
    for n_units, lanes in ((6, 4), (12, 2)):
        check(euler(n_units, lanes), lanes, "random:50:4", "bursts:2:3")


def test_banks_that_do_not_turn_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triangle, "_rotated", lambda values, places: values)
    with pytest.raises(RchwError, match="output"):
        check(euler(6, 3), 1, "never", "never")
