"""Device data and the refusal of what does not fit."""

import pytest

from rchw.devices import BOARDS, DEVICES, board, check_fits
from rchw.errors import DesignError


def test_unknown_board() -> None:
    with pytest.raises(DesignError, match=r"board must be one of hx8k, icebreaker.*not 'arty'"):
        board("arty")


@pytest.mark.parametrize("name", sorted(BOARDS))
def test_boards_are_complete(name: str) -> None:
    target = board(name)
    assert target.name == name
    assert set(target.pins) == {"clk", "reset_n", "serial_in", "serial_out", "led"}
    assert len(set(target.pins.values())) == len(target.pins)
    assert set(target.pulls_up) <= set(target.pins)
    assert target.device is DEVICES[target.device.name]
    assert target.clock < target.target


@pytest.mark.parametrize(
    ("needs", "words"),
    [
        ({"lut": 6000, "dsp": 1}, "the design needs 6000 LUTs, but icebreaker .* has 5280"),
        ({"lut": 5281, "dsp": 16}, "needs 16 DSP multipliers, but icebreaker .* has 8"),
        ({"block_ram": 31}, "needs 31 block RAMs, but icebreaker .* has 30"),
        ({"ff": 9999}, "needs 9999 flip-flops"),
    ],
)
def test_too_large(needs: dict[str, int], words: str) -> None:
    with pytest.raises(DesignError, match=words):
        check_fits(needs, board("icebreaker"))


def test_what_fits() -> None:
    check_fits({"lut": 5280, "ff": 5280, "block_ram": 30, "dsp": 8}, board("icebreaker"))
    with pytest.raises(DesignError, match="needs 1 DSP multipliers, but hx8k"):
        check_fits({"dsp": 1}, board("hx8k"))
