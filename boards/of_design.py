"""From a design to a board: what its circuit needs, what is refused, and the build."""

import re
import tempfile
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any

from rchw.boards.build import build
from rchw.boards.self_test import self_test_verilog
from rchw.design import Design
from rchw.devices import Board, Device, board, check_fits
from rchw.document import digest
from rchw.hdl.emit import write_verilog
from rchw.process import Progress
from rchw.schedule import schedule
from rchw.sim.soak.signature import plan_test

__all__ = ["build_design", "circuit_needs"]

_MEMORY = re.compile(
    r'\(\* ram_style = "block" \*\)\s*(?:\(\*[^*]*\*\)\s*)*reg \[(\d+):0\] \S+ \[(\d+):0\];'
)
_PRODUCT = re.compile(r"assign (\S+) {1,2}= \$signed\((\S+) ?\) \* \$signed\((\S+) ?\);")
_WIDTH = re.compile(r"(?:wire|reg) \[(\d+):0\] (\S+) ?(?:=|;)")
_LEAST_OPERAND, _LEAST_PRODUCT = 4, 12  # below, Yosys may prefer LUTs to a DSP


def circuit_needs(verilog: str, device: Device) -> dict[str, int]:
    """Least counts of ``block_ram`` and ``dsp`` that synthesis of an emitted file must infer.

    Each memory marked for block RAM takes at least one block, more if its bits do not fit; each
    product of two variables takes at least one multiplier (how many more where an operand is wider
    than the device's is for synthesis to say). Products are counted only where there are
    multipliers and the operands are wide enough that no synthesis would choose LUTs, and once for
    the same operands: in the parallel form the rounding of a square has its product several times.

    Parameters
    ----------
    verilog : str
        From `rchw.hdl.emit.emit`.
    device : Device
    """
    blocks = 0
    for width, depth in ((int(w) + 1, int(d) + 1) for w, d in _MEMORY.findall(verilog)):
        blocks += max(
            ceil(width * depth / device.block_ram_bits), ceil(width / device.block_ram_width)
        )
    multipliers = 0
    for module in verilog.split("\nendmodule"):
        widths = {name: int(top) + 1 for top, name in _WIDTH.findall(module)}
        distinct = set()
        for product, left, right in _PRODUCT.findall(module):
            a, b = widths.get(left, 1), widths.get(right, 1)
            if widths.get(product, 1) >= _LEAST_PRODUCT and min(a, b) >= _LEAST_OPERAND:
                distinct.add(frozenset((left, right)))
        multipliers += len(distinct)
    return {"block_ram": blocks, "dsp": multipliers if device.dsps else 0}


def build_design(
    design: Design,
    board_name: str,
    out: Path,
    *,
    seeds: Sequence[int] = (1,),
    self_test: bool = False,
    native: bool = False,
    timeout: float = 600.0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Emit, synthesise, place, route and pack a design; see `rchw.boards.build.build`.

    Parameters
    ----------
    design : Design
    board_name : str
        A key of `rchw.devices.BOARDS`.
    out : Path
        Folder for the results; an earlier one survives any failure.
    seeds : sequence of int
        Of the placer.
    self_test : bool
        With the wrapper of `rchw.boards.self_test`, so that the board tests the design by itself.
    native, timeout, progress
        As for `rchw.boards.build.build`.

    Returns
    -------
    dict
        What ``report.json`` holds.

    Raises
    ------
    DesignError
        If the board is unknown or lacks multipliers, memory or cells.
    ToolError
        If a tool is missing, fails, or gives a netlist that does not pass the checks.
    """
    target: Board = board(board_name)
    wrapper = self_test_verilog(design, plan_test(design)) if self_test else None
    with tempfile.TemporaryDirectory(prefix="rchw-") as folder:
        verilog = write_verilog(design, Path(folder))
        needs: Mapping[str, int] = circuit_needs(verilog.read_text(encoding="utf-8"), target.device)
        check_fits(needs, target)
        return build(
            verilog,
            design.name,
            board_name,
            out,
            digest=digest(design),
            seeds=seeds,
            expected=needs,
            clocks_per_sample=schedule(design).clocks,
            wrapper=wrapper,
            native=native,
            timeout=timeout,
            progress=progress,
        )
