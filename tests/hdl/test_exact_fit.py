"""A sum that fits the state exactly, in front of a clip: emitted Verilog equals the reference.

Nothing is dropped there, and "all of no bits" once meant one thing in Amaranth's simulator and the
other in Verilog.
"""

from pathlib import Path

import pytest

from rchw.activation import Clip
from rchw.design import Design, Features, InputChannel, LinearInput, Output, Readout
from rchw.fixed import QFormat
from rchw.ranges import layer_ranges
from rchw.sim.verify import verify
from tests.examples import small_cycle


@pytest.mark.parametrize("low", [-127, -128, -100])
def test_clip_of_a_sum_that_fits(low: int, tmp_path: Path) -> None:
    drive = LinearInput(QFormat(3, 2), (1, -1, 1, 1, -1, -1))
    layer = small_cycle(2, (drive,), (0,) * 6, Clip(low, 127))
    readout = Readout(
        (Output("y", QFormat(16, 7)),), QFormat(4, 0), ((1, 2, -3, 4, 5, -6, 1),), multipliers=2
    )
    design = Design("fits", (InputChannel("u", layer.state),), (layer,), Features(), readout)
    ranges = layer_ranges(design)
    assert {interval.width for interval in ranges.accumulator} == {8 + 2}  # 8 after the shift
    record = verify(design, tmp_path, samples=60)
    assert record["verdict"] == "pass", record["sentence"]
