"""Carries of iCE40 are turned where a LUT then shares their cell, and nowhere else."""

import json
from typing import Any

from rchw.boards.carries import align_carries


def lut(*pins: int | str) -> dict[str, Any]:
    return {"type": "SB_LUT4", "connections": {f"I{k}": [bit] for k, bit in enumerate(pins)}}


def carry(a: int, b: int, into: int | str) -> dict[str, Any]:
    return {"type": "SB_CARRY", "connections": {"I0": [a], "I1": [b], "CI": [into]}}


def test_only_a_beginning_whose_lut_has_its_inputs_exchanged_is_turned() -> None:
    cells = {
        "lut": lut("0", 2, 3, 9),
        "other": lut("0", 5, 4, 9),
        "turned": carry(3, 2, "0"),
        "right": carry(5, 4, "1"),
        "alone": carry(6, 7, "0"),
        "inside": carry(3, 2, 8),
    }
    module = {"ports": {}, "netnames": {}, "cells": cells}
    text = json.dumps(module)
    after, turned = align_carries(module)
    assert json.dumps(module) == text, "the argument must not change"
    assert turned == 1
    expected = json.loads(text)
    expected["cells"]["turned"] = carry(2, 3, "0")
    assert after == expected
