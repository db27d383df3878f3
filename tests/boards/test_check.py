"""Every way in which a netlist has been seen to be wrong is caught with its sentence."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from rchw.boards.check import (
    check_drivers,
    check_expected,
    check_log,
    load_netlist,
    module_ports,
    resources,
)
from rchw.boards.join import join, write_netlist
from rchw.boards.wrapper import StreamPorts, stream_ports
from rchw.errors import DesignError, ToolError


def cell(kind: str, inputs: dict[str, int], outputs: dict[str, Any]) -> dict[str, Any]:
    """Return a cell as Yosys writes it."""
    return {
        "type": kind,
        "parameters": {},
        "attributes": {},
        "port_directions": {**dict.fromkeys(inputs, "input"), **dict.fromkeys(outputs, "output")},
        "connections": {pin: [bit] for pin, bit in {**inputs, **outputs}.items()},
    }


@pytest.fixture
def module() -> dict[str, Any]:
    """Return a LUT and a flip-flop behind it."""
    return {
        "attributes": {},
        "ports": {
            "clk": {"direction": "input", "bits": [2]},
            "a": {"direction": "input", "bits": [3]},
            "q": {"direction": "output", "bits": [5]},
        },
        "cells": {
            "lut": cell("SB_LUT4", {"I0": 3}, {"O": 4}),
            "ff": cell("SB_DFF", {"C": 2, "D": 4}, {"Q": 5}),
        },
        "netnames": {},
    }


def test_a_sound_netlist_passes(module: dict[str, Any], tmp_path: Path) -> None:
    write_netlist(tmp_path / "m.json", "m", module)
    loaded = load_netlist(tmp_path / "m.json", "m")
    check_drivers(loaded, "m")
    assert module_ports(loaded)["q"] == ("output", 1)
    assert resources(loaded, "ice40") == {"lut": 1, "carry": 0, "ff": 1, "block_ram": 0, "dsp": 0}


def test_a_bit_with_two_drivers(module: dict[str, Any]) -> None:
    module["cells"]["ff2"] = cell("SB_DFF", {"C": 2, "D": 3}, {"Q": 5})
    with pytest.raises(ToolError, match=r"m is wrong: bit 5 is driven by ff\.Q and ff2\.Q"):
        check_drivers(module, "m")


def test_a_cell_against_an_input(module: dict[str, Any]) -> None:
    module["cells"]["lut2"] = cell("SB_LUT4", {"I0": 4}, {"O": 3})
    with pytest.raises(ToolError, match=r"bit 3 is driven by port a and lut2\.O"):
        check_drivers(module, "m")


def test_a_bit_without_driver(module: dict[str, Any]) -> None:
    del module["cells"]["lut"]
    with pytest.raises(ToolError, match=r"bit 4 at ff\.D has no driver"):
        check_drivers(module, "m")


def test_a_driven_constant(module: dict[str, Any]) -> None:
    module["cells"]["lut2"] = cell("SB_LUT4", {"I0": 3}, {"O": "0"})
    with pytest.raises(ToolError, match=r"lut2\.O drives the constant 0"):
        check_drivers(module, "m")


def test_a_missing_block_ram(module: dict[str, Any]) -> None:
    with pytest.raises(ToolError, match="block_ram must be at least 3, not 0"):
        check_expected(resources(module, "ice40"), {"block_ram": 3}, "m")


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_truncated_netlist(kept: float, module: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    write_netlist(path, "m", module)
    text = path.read_text()
    path.write_text(text[: int(kept * len(text))])
    with pytest.raises(ToolError, match=r"the netlist m\.json of yosys is incomplete"):
        load_netlist(path, "m")


def test_a_missing_or_empty_netlist(module: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    with pytest.raises(ToolError, match=r"yosys wrote no netlist m\.json"):
        load_netlist(path, "m")
    write_netlist(path, "m", module)
    with pytest.raises(ToolError, match="has no cells in module other"):
        load_netlist(path, "other")
    path.write_text(json.dumps({"modules": {"m": {**module, "cells": {}}}}))
    with pytest.raises(ToolError, match="has no cells in module m"):
        load_netlist(path, "m")


def test_the_log() -> None:
    check_log("...\nEnd of script. Logfile hash: 1\n", "m")
    with pytest.raises(ToolError, match="stopped in the middle of m without a message"):
        check_log("Running ABC command\n", "m")
    line = "Warning: Driver-driver conflict for \\p [0] between cell $mul.O and constant 1'x"
    with pytest.raises(ToolError, match=r"yosys miscompiled m: Warning: Driver-driver conflict"):
        check_log(f"{line}\nEnd of script.\n", "m")


def test_ports() -> None:
    ports = StreamPorts(16, 24).directions
    assert stream_ports(ports, "m") == StreamPorts(16, 24)
    with pytest.raises(DesignError, match="m must have an input s_axis_tlast, and has none"):
        stream_ports({k: v for k, v in ports.items() if k != "s_axis_tlast"}, "m")
    with pytest.raises(DesignError, match="the stream ports only, not debug"):
        stream_ports({**ports, "debug": ("output", 1)}, "m")
    with pytest.raises(DesignError, match="s_axis_tdata must be whole bytes wide, not 13 bits"):
        stream_ports({**ports, "s_axis_tdata": ("input", 13)}, "m")
    with pytest.raises(DesignError, match="aclk must be an input of 1 bits, not an output of 1"):
        stream_ports({**ports, "aclk": ("output", 1)}, "m")


def test_join(module: dict[str, Any]) -> None:
    """Also with a constant, and an input passed straight through, on an output of the core."""
    core = copy.deepcopy(module)
    core["ports"]["one"] = {"direction": "output", "bits": ["1"]}
    core["ports"]["same"] = {"direction": "output", "bits": [3]}
    core["ports"]["again"] = {"direction": "output", "bits": [5]}
    wrapper: dict[str, Any] = {
        "attributes": {},
        "ports": {
            "clk": {"direction": "input", "bits": [2]},
            "a": {"direction": "input", "bits": [3]},
            "q": {"direction": "output", "bits": [4]},
        },
        "cells": {
            "core": cell("m", {"clk": 2, "a": 3}, {"q": 5, "one": 6, "same": 7, "again": 8}),
            "lut": cell("SB_LUT4", {"I0": 5, "I1": 6, "I2": 7, "I3": 8}, {"O": 4}),
        },
        "netnames": {},
    }
    joined = join(wrapper, core, "m")
    check_drivers(joined, "joined")
    assert set(joined["cells"]) == {"lut", "m.lut", "m.ff"}
    assert joined["cells"]["lut"]["connections"] == {
        "I0": [5],
        "I1": ["1"],
        "I2": [3],
        "I3": [5],
        "O": [4],
    }
    with pytest.raises(ToolError, match="must hold other once, not 0 times"):
        join(wrapper, core, "other")
    with pytest.raises(ToolError, match="must connect every port of m"):
        join(wrapper, module, "m")
