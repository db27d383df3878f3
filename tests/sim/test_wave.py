"""Reading a VCD and cutting out a sample."""

from pathlib import Path

import numpy as np
import pytest

from rchw.errors import ToolError
from rchw.sim.wave import read_vcd, sample_life

HEADER = """\
$timescale 1ps $end
$scope module TOP $end
 $var wire 1 ! d0_aclk $end
 $var wire 1 " d0_aresetn $end
 $scope module d0 $end
  $var wire 8 # s_axis_tdata [7:0] $end
  $var wire 1 $ s_axis_tvalid $end
  $var wire 1 % s_axis_tready $end
  $var wire 1 & s_axis_tlast $end
  $var wire 8 ' m_axis_tdata [7:0] $end
  $var wire 1 ( m_axis_tvalid $end
  $var wire 1 ) m_axis_tready $end
  $var wire 1 * m_axis_tlast $end
  $scope module core $end
   $var wire 4 + x [3:0] $end
  $upscope $end
 $upscope $end
$upscope $end
$enddefinitions $end
"""


def vcd(clocks: int = 8, transfer: int = 2, answer: int = 5) -> str:
    """One sample goes in at clock `transfer` and comes out at clock `answer`."""
    lines = ["#0", "0!", '0"', "bxxxxxxxx '", "b1010 #", "0$", "1%", "0&", "0(", "1)", "0*", "b0 +"]
    for clock in range(clocks):
        lines += [f"#{10 * clock + 5}", "1!"]
        lines += [f"#{10 * clock + 7}"]
        lines += ['1"'] if clock == 0 else []
        lines += ["1$"] if clock == transfer - 1 else ["0$"] if clock == transfer else []
        lines += ["1(", "b11110000 '"] if clock == answer - 1 else []
        lines += ["0("] if clock == answer else []
        lines += [f"b{clock:b} +"]
        lines += [f"#{10 * clock + 10}", "0!"]
    return HEADER + "\n".join(lines) + "\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "wave.vcd"
    path.write_text(vcd())
    return path


def test_signals_and_values(file: Path) -> None:
    wave = read_vcd(file)
    assert wave.signal("d0.s_axis_tdata").width == 8
    assert wave.signal("core.x") is wave.signal("d0.core.x") is wave.signal("x")
    assert wave.signal("x").at(np.array([0, 8, 18, 19, 80])).tolist() == [-1, 0, 1, 1, 7]
    assert wave.signal("m_axis_tdata").values.tolist() == [-1, 0xF0]
    with pytest.raises(ToolError, match="waveform must hold the signal 'z', but it does not"):
        wave.signal("z")


def test_life_is_what_the_circuit_sees_at_each_edge(file: Path) -> None:
    life = sample_life(read_vcd(file), 0, 0, extra=["core.x"])
    assert (life["clock_in"], life["clock_out"]) == (2, 5)
    assert life["clock"].tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert life["s_axis_tvalid"].tolist() == [0, 0, 1, 0, 0, 0, 0, 0]
    assert life["m_axis_tvalid"].tolist() == [0, 0, 0, 0, 0, 1, 0, 0]
    assert life["core.x"].tolist() == [0, 0, 1, 2, 3, 4, 5, 6]
    short = sample_life(read_vcd(file), 0, 0, margin=0)
    assert short["clock"].tolist() == [2, 3, 4, 5]


def test_sample_beyond_the_end(file: Path) -> None:
    with pytest.raises(ToolError, match="waveform must hold sample 1, but it ends before"):
        sample_life(read_vcd(file), 0, 1)


def test_no_vcd(tmp_path: Path) -> None:
    (tmp_path / "no.vcd").write_text("nothing\n")
    with pytest.raises(ToolError, match=r"no\.vcd must be a VCD with signals, but it has none"):
        read_vcd(tmp_path / "no.vcd")
