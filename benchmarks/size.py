"""Cells, memory, multipliers, clock and samples per second of rings on three devices.

``python -m benchmarks.size`` merges its rows into ``benchmarks/results/size.json`` and writes
``benchmarks/size.md`` from it; ``--units``, ``--lanes`` and ``--boards`` choose a part.

Every design is a cycle of N units with 8-bit states, feedback 3/4, one 8-bit input, a bias, a
clip, and a linear readout of 12-bit weights with a constant; its weights are drawn from a seed,
since size depends on how many there are and not on what they predict. Rows of kind ``ring`` read
one unit only, so that what is left is the ring itself, and the cells of a unit are the difference
between two sizes divided by the units between them.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from rchw import topology
from rchw.activation import Clip
from rchw.boards.of_design import circuit_needs
from rchw.boards.place import place_seeds
from rchw.boards.synth import synthesize_core, synthesize_wrapper
from rchw.design import Design, Features, InputChannel, LinearInput, Output, Readout, RingLayer, Tap
from rchw.devices import board as find_board
from rchw.devices import check_fits
from rchw.document import digest
from rchw.errors import RchwError
from rchw.files import write_atomic
from rchw.fixed import QFormat, Rounding
from rchw.hdl.arith import digits
from rchw.hdl.emit import write_verilog
from rchw.ranges import layer_ranges
from rchw.schedule import schedule

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results" / "size.json"
STATE = QFormat(8, 7)

# One seed each, wrapper included; from the trial that came before this project.
TRIALS = {
    "full/100/1/icebreaker": {"cells": 321, "mhz": 79.8},
    "full/100/1/ulx3s": {"cells": 245, "mhz": 235.0},
    "ring 3/4/50/50/hx8k": {"cells_per_unit": 29.0, "mhz": 124.0},
    "ring 1 and 1/2/50/50/hx8k": {"cells_per_unit": 13.0, "mhz": 146.0},
}


def cycle(units: int, lanes: int, kind: str) -> Design:
    """Design of one row.

    Parameters
    ----------
    units, lanes : int
    kind : str
        ``full`` or ``symmetric`` (the clip at -128 or at -127, with bias and readout),
        ``squares`` (symmetric, squared features too), ``ring 3/4`` or ``ring 1 and 1/2`` (feedback;
        no bias, and a readout of one unit).
    """
    signs = topology.auto_signs(units, 1)[0] if units != 2 else np.array([1, 1])
    ring_only = kind.startswith("ring")
    taps = (3,) * units
    if kind == "ring 1 and 1/2":
        taps = tuple(4 if unit % 2 else 2 for unit in range(units))
    layer = RingLayer(
        n_units=units,
        state=STATE,
        tap_format=QFormat(4, 2),
        taps=(Tap(1 % units, taps),),
        inputs=(LinearInput(QFormat(2, 1), tuple(int(s) for s in signs)),),
        bias_format=QFormat(2, 3),
        bias=(0,) * units if ring_only else tuple(int(s) for s in signs),
        activation=Clip(-127 if kind in ("symmetric", "squares") else -128, 127),
        lanes=lanes,
    )
    channel = InputChannel("u0", QFormat(8, 7))
    name = f"size_{'ring' if ring_only else kind}"
    if ring_only:
        weights = (0,) * (units - 1) + (1,)
        readout = Readout(
            (Output("y0", STATE),), QFormat(2, 0), (weights,), Rounding.TRUNCATE, multipliers=units
        )
        return Design(name, (channel,), layer, Features(one=None), readout)
    features = Features(squares=QFormat(14, 14, False) if kind == "squares" else None)
    count = units * features.per_unit + 1
    drawn = np.random.default_rng(units).integers(-2047, 2048, count)
    multipliers = count - 1 if lanes == units else lanes * features.per_unit
    readout = Readout(
        (Output("y0", QFormat(16, 15)),), QFormat(12, 10), (tuple(int(w) for w in drawn),),
        multipliers=multipliers,
    )  # fmt: skip
    return Design(name, (channel,), layer, features, readout)


def lower_bound(design: Design) -> dict[str, int]:
    """Least LUTs and flip-flops of the units in work, by counting; no control and no readout.

    Per unit: one LUT for every bit of every addition that its shift-add terms need (each tap of n
    signed powers of two needs n - 1, and as many more as join taps and drive), one LUT for every
    bit of the clip, one flip-flop for every state bit. Folded designs hold states in memory and
    have `lanes` units in work.
    """
    layer, ranges = design.layer, layer_ranges(design)
    parallel = schedule(design).parallel
    luts = 0
    for unit in range(layer.n_units) if parallel else range(layer.lanes):
        terms = [len(digits(tap.weights[unit])) for tap in layer.taps if tap.weights[unit]]
        additions = sum(terms)  # all terms and the shared drive, in one sum
        luts += additions * layer.state.width + layer.state.width
        assert ranges.accumulator[unit].width >= layer.state.width
    flip_flops = layer.n_units * layer.state.width if parallel else 0
    return {"lut": luts, "ff": flip_flops}


def measure(key: str, seeds: Sequence[int], timeout: float) -> dict[str, Any]:
    """Build one row; a design that does not fit, or does not end, says so in ``refused``."""
    kind, units, lanes, board_name = key.rsplit("/", 3)
    design = cycle(int(units), int(lanes), kind)
    board, clocks = find_board(board_name), schedule(design).clocks
    row: dict[str, Any] = {
        "digest": digest(design), "clocks_per_sample": clocks, "bound": lower_bound(design)
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="rchw-") as name:
        folder = Path(name)
        try:
            verilog = write_verilog(design, folder)
            needs = circuit_needs(verilog.read_text(), board.device)
            check_fits(needs, board)
            core = synthesize_core(
                design.name, board.device, folder, expected=needs, timeout=timeout
            )
            check_fits(core.resources, board)
            synthesize_wrapper(core, board.device, folder)
            placed = place_seeds(
                f"{design.name}_board", board, folder, seeds, needs=core.resources, timeout=timeout
            )
        except RchwError as error:
            return row | {"refused": str(error).replace(name, "").split(" (log")[0]}
    clock = median(p.clock for p in placed)
    return row | {
        "core": core.resources,
        "used": placed[0].used,
        "mhz": [round(p.clock / 1e6, 1) for p in placed],
        "median_mhz": round(clock / 1e6, 1),
        "samples_per_second": round(clock / clocks),
        "absorbed": core.absorbed,
        "command": core.command,
    }


def _order(key: str) -> tuple[str, str, int, int]:
    kind, units, lanes, board = key.rsplit("/", 3)
    return kind, board, int(units), int(lanes)


def _trial_lines(rows: dict[str, Any]) -> list[str]:
    lines = ["| row | trial | here | |", "|---|---|---|---|"]
    for key, trial in TRIALS.items():
        row = rows.get(key)
        if row is None or "refused" in row:
            continue
        if "cells" in trial:
            cells: float = row["used"]["cells"]
            what, limit = f"{cells} cells", f"{trial['cells']:g} cells"
            small = cells <= trial["cells"]
        else:
            half = rows.get(key.replace("/50/50/", "/26/26/"), row)
            cells = (row["used"]["cells"] - half["used"]["cells"]) / 24
            what, limit = f"{cells:.1f} cells per unit", f"{trial['cells_per_unit']:g} per unit"
            small = cells <= trial["cells_per_unit"]
        fast = row["median_mhz"] >= trial["mhz"]
        verdict = "met" if small and fast else "**missed**"
        lines.append(
            f"| {key} | {limit}, {trial['mhz']:g} MHz | {what}, {row['median_mhz']:g} MHz | "
            f"{verdict} |"
        )
    return lines


def markdown(record: dict[str, Any]) -> str:
    """Tables of a record."""
    rows = record["rows"]
    lines = [
        "# Size and clock",
        "",
        f"Made by `{record['command']}`. Cells, block RAM and DSP are as placed, wrapper included;",
        "the clock is the median over the placer's seeds; the bound was computed before measuring",
        "(`lower_bound` in `benchmarks/size.py`): adders, clip and state of the units in work, no",
        "control and no readout. Kinds: `full` clips at -128, `symmetric` at -127 as `rchw train`",
        "does, `squares` has squared features too, `ring` reads one unit only.",
        "",
        "## Against the trial",
        "",
        "The trial had one seed each. Cells per unit: the difference to the same ring of 26 units,",
        "divided by 24.",
        "",
        *_trial_lines(rows),
        "",
        "## All rows",
        "",
        "| kind | board | N | P | cells | FF | RAM | DSP | bound LUT, FF | MHz (seeds) | sample/s |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for key in sorted(rows, key=_order):
        kind, units, lanes, board = key.rsplit("/", 3)
        row, head = rows[key], f"| {kind} | {board} | {units} | {lanes} | "
        bound = f"{row['bound']['lut']}, {row['bound']['ff']}"
        if "refused" in row:
            lines.append(f"{head}| | | | {bound} | {row['refused']} | |")
            continue
        used, core = row["used"], row["core"]
        lines.append(
            f"{head}{used['cells']:,} | {used.get('ff', core['ff']):,} | {used['block_ram']} | "
            f"{used.get('dsp', 0)} | {bound} | {row['median_mhz']:g} ({len(row['mhz'])}) | "
            f"{row['samples_per_second']:,} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure what was asked for, and write both files after every row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", default="full,symmetric")
    parser.add_argument("--units", default="50,100,200,400")
    parser.add_argument("--lanes", default="1,4,8,N")
    parser.add_argument("--boards", default="icebreaker,ulx3s")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds for one tool run")
    parser.add_argument("--again", action="store_true", help="also rows that are there already")
    options = parser.parse_args()
    record = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {"rows": {}}
    record["command"] = "python -m benchmarks.size"
    for kind in options.kinds.split(","):
        for board in options.boards.split(","):
            for units in options.units.split(","):
                for lanes in options.lanes.split(","):
                    key = f"{kind}/{units}/{units if lanes == 'N' else lanes}/{board}"
                    if key in record["rows"] and not options.again:
                        continue
                    row = measure(key, range(1, options.seeds + 1), options.timeout)
                    record["rows"][key] = row
                    write_atomic(RESULTS, json.dumps(record, indent=1) + "\n")
                    write_atomic(FOLDER / "size.md", markdown(record))
                    print(key, row.get("used"), row.get("mhz"), row.get("refused", ""), flush=True)


if __name__ == "__main__":
    main()
