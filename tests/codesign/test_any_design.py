"""The estimator on any design that can be written, not only on those that training makes."""

from dataclasses import replace
from math import isfinite

from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.size import circuit
from rchw.codesign.estimate import estimate
from rchw.codesign.sums import layer_sums
from rchw.design import Design, Tap
from rchw.devices import BOARDS
from rchw.fixed import QFormat
from rchw.ranges import layer_ranges
from rchw.schedule import latency, schedule
from tests.designs import deep_designs, designs, external_designs, matrix_designs
from tests.loops import feedback_designs
from tests.sequences import sequence_designs

ANY = st.one_of(
    designs(), matrix_designs(), deep_designs(), external_designs(), feedback_designs(),
    sequence_designs(),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(ANY)
def test_every_design_has_an_estimate_with_its_own_clocks(design: Design) -> None:
    found = estimate(design)
    assert [one.board for one in found] == list(BOARDS)
    for one in found:
        assert (one.clocks, one.latency_clocks) == (schedule(design).clocks, latency(design))
        assert one.cells > 0 and one.block_rams >= 0 and isfinite(one.clock_hz)
        assert one.fits == (not one.why_not)
        assert one.multipliers == 0 or one.board != "hx8k"


@settings(max_examples=60, deadline=None)
@given(ANY)
def test_sums_of_every_layer_are_those_of_the_ranges(design: Design) -> None:
    for stage in design.stages:
        ranges, sums = layer_ranges(stage), layer_sums(stage)
        for name in ("taps", "drive", "summed", "accumulator"):
            ends, intervals = getattr(sums, name), getattr(ranges, name)
            assert ends.low.tolist() == [interval.low for interval in intervals]
            assert ends.high.tolist() == [interval.high for interval in intervals]


def test_sums_beyond_64_bits_are_exact_too() -> None:
    design = circuit(20, 2)
    taps = (Tap(1, (1 << 22,) * 20),)
    layer = replace(design.ring, bias_format=QFormat(2, 48), tap_format=QFormat(24, 0), taps=taps)
    design = replace(design, layers=(layer,))
    ranges, sums = layer_ranges(design.stage), layer_sums(design.stage)
    assert max(interval.width for interval in ranges.summed) > 64
    assert sums.summed.high.tolist() == [interval.high for interval in ranges.summed]
    assert estimate(design, "ulx3s").cells > estimate(circuit(20, 2), "ulx3s").cells
