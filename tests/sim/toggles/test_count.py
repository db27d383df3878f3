"""Changes of nets, against a circuit whose changes can be counted by hand."""

import re
from pathlib import Path

import numpy as np
import pytest

from rchw.errors import DesignError, ToolError
from rchw.sim.toggles.count import count_toggles, read_saif

BITS = 6
COUNTER = f"""module counter (input aclk, input aresetn,
  input s_axis_tvalid, output s_axis_tready, input [39:0] s_axis_tdata, input s_axis_tlast,
  output m_axis_tvalid, input m_axis_tready, output [7:0] m_axis_tdata, output m_axis_tlast);
reg [{BITS - 1}:0] count; reg half;
always @(posedge aclk) if (!aresetn) begin count <= 0; half <= 0; end
  else begin count <= count + 1; half <= !half; end
assign s_axis_tready = half; assign m_axis_tvalid = 0; assign m_axis_tlast = 0;
assign m_axis_tdata = 0;
wire still = 1; wire sent = s_axis_tdata[33]; wire ends = s_axis_tlast;
""" + "".join(f"wire n{bit} = count[{bit}];\n" for bit in range(BITS))


def test_every_bit_of_a_counter_changes_half_as_often_as_the_one_below(tmp_path: Path) -> None:
    """A beat goes in every second clock, so that 96 beats are three rounds of the counter."""
    (tmp_path / "counter.v").write_text(COUNTER + "endmodule\n")
    words = [(beat & 1) << 33 for beat in range(100)]
    last = np.arange(100) % 4 == 3
    skip = 4
    found = count_toggles([tmp_path / "counter.v"], "counter", words, last, tmp_path, skip=skip)
    assert (found.samples, found.clocks) == (96, 192)
    assert [found.changes[f"n{bit}"] for bit in range(BITS)] == [192, 96, 48, 24, 12, 6]
    assert [found.high[f"n{bit}"] for bit in range(BITS)] == [96] * BITS
    assert (found.changes["still"], found.high["still"]) == (
        0,
        192,
    )  # high from the start: no change
    assert found.changes["sent"] == 96  # the odd beats
    assert found.changes["ends"] == 48


def test_too_few_beats_are_refused(tmp_path: Path) -> None:
    for skip in (0, 4):
        with pytest.raises(DesignError, match=f"washout must be from 1 to 3 samples, not {skip}"):
            count_toggles([], "top", [0] * 4, np.zeros(4, bool), tmp_path, skip=skip)


def test_counts_that_are_cut_short_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="did not write"):
        read_saif(tmp_path / "none.saif")
    (tmp_path / "cut.saif").write_text("(SAIFILE (DURATION 3)\n(INSTANCE top (NET\n(n1 (T0 1")
    with pytest.raises(ToolError, match="cut short"):
        read_saif(tmp_path / "cut.saif")


def test_a_line_that_is_not_understood_is_refused(tmp_path: Path) -> None:
    """It would count as no change: a net that was unknown, that lacks its count, or of a bus."""
    frame = "// by hand\n(SAIFILE\n(DIVIDER / )\n(DURATION 3)\n(INSTANCE top\n(NET\n{}\n)\n)\n)\n"
    known = "(n1 (T0 1) (T1 2) (TZ 0) (TX 0) (TB 0) (TC 7))"
    path = tmp_path / "planted.saif"
    path.write_text(
        frame.format(known + "\n\n  (d\\[0\\] (T0 3) (T1 0) (TZ 0) (TX 0) (TB 0) (TC 1))")
    )
    assert read_saif(path) == {"n1": (2, 7), "d\\[0\\]": (0, 1)}
    inner = "(INSTANCE top\n(NET\n(n3 (T0 0) (T1 3) (TZ 0) (TX 0) (TB 0) (TC 1))\n)\n"
    cell = "(INSTANCE c1\n(NET\n(n1 (T0 0) (T1 3) (TZ 0) (TX 0) (TB 0) (TC 9))\n)\n)\n)"
    path.write_text(frame.format(known).replace("\n)\n)\n)\n", f"\n)\n{inner}{cell}\n)\n)\n"))
    assert read_saif(path) == {"n1": (2, 7), "n3": (3, 1)}, "a cell may call its own net so"
    for planted in (
        "(n2 (T0 1) (T1 1) (TZ 0) (TX 1) (TB 0) (TC 2))",
        "(n2 (T0 1) (T1 2) (TZ 0) (TX 0) (TB 0))",
        "(n2 (T0 1) (T1 2) (TZ 0) (TX 0) (TB 0) (TC 2) (IG 1))",
        "(n2 (TC 2))",
        "n2 2",
    ):
        path.write_text(frame.format(f"{known}\n{planted}"))
        wanted = re.escape(f"line 8 of {path} must be a net of 0 and 1, not {planted}")
        with pytest.raises(ToolError, match=wanted):
            read_saif(path)
