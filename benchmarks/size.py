"""Size and speed of the circuits after place-and-route, beside a bound written down before.

``python -m benchmarks.size`` builds every combination of ``--units``, ``--lanes`` and ``--boards``
that fits, ``--trial`` the circuits of an earlier trial that are to be beaten. Rows are merged into
``benchmarks/results/size.json``, so it can be run in parts; ``benchmarks/size.md`` is made from it.

The circuit: a cycle of N units, ``clip(3/4 x + s (u/4 + 1/8))`` with regular signs s, states of 8
bits and the whole two's complement range, one input of 8 bits, readout weights of 12 bits drawn
once from a normal distribution, constant feature, one output of 16 bits; 16-bit states come with
16-bit inputs and weights. The parallel rings have weights 3/4, or 1 and 1/2 in turn, and an input
weight of 1/2, with which they saturate; they have no bias, and one unit is the output.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.size_page import markdown
from rchw import topology
from rchw.activation import Clip
from rchw.boards.of_design import build_design
from rchw.design import Design, Features, InputChannel, LinearInput, Output, Readout, RingLayer, Tap
from rchw.devices import BOARDS
from rchw.errors import DesignError, ToolError
from rchw.files import write_atomic
from rchw.fixed import QFormat, Rounding
from rchw.ranges import readout_ranges
from rchw.schedule import default_multipliers, schedule
from rchw.train.build import squares_format

__all__ = ["circuit", "designs", "lower_bound", "measure", "ring", "rows"]

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results" / "size.json"
Row = dict[str, Any]
TIMEOUT = 600.0  # seconds for one run of the placer

# One nextpnr seed, wrapper included: (board, N, P, bits of states, of weights), cells, MHz.
TRIAL: tuple[tuple[str, int, int, int, int, int, float], ...] = (
    ("icebreaker", 100, 1, 8, 12, 321, 79.8),
    ("icebreaker", 256, 1, 16, 16, 485, 53.1),
    ("icebreaker", 256, 4, 16, 16, 1267, 51.6),
    ("hx8k", 100, 1, 8, 12, 514, 178.0),
    ("hx8k", 256, 1, 16, 16, 1036, 142.0),
    ("ulx3s", 100, 1, 8, 12, 245, 124.0),
    ("ulx3s", 256, 1, 16, 16, 317, 132.0),
    ("ulx3s", 100, 4, 8, 12, 532, 231.0),
    ("ulx3s", 256, 4, 16, 16, 805, 238.0),
)
# Parallel rings on hx8k: tap weights in quarters, cells per unit, MHz.
RINGS: tuple[tuple[tuple[int, ...], int, float], ...] = (((3,), 29, 124.0), ((2, 4), 13, 146.0))


def circuit(
    n_units: int, lanes: int, state_bits: int = 8, weight_bits: int = 12, squares: bool = False
) -> Design:
    """Design of a row."""
    state = QFormat(state_bits, state_bits - 1)
    signs = tuple(int(sign) for sign in topology.auto_signs(n_units, 1)[0])
    features = Features(squares=squares_format(state) if squares else None)
    weight_format = QFormat(weight_bits, weight_bits - 2)
    products = n_units * features.per_unit
    drawn = np.random.default_rng(n_units).normal(0, weight_format.max / 4, products + 1)
    weights = np.clip(np.rint(drawn), weight_format.min, weight_format.max).astype(int)
    layer = RingLayer(
        n_units=n_units,
        state=state,
        tap_format=QFormat(3, 2),
        taps=(Tap(1, (3,) * n_units),),
        inputs=(LinearInput(QFormat(2, 2), signs),),
        bias_format=QFormat(2, 3),
        bias=signs,
        activation=Clip(state.min, state.max),
        lanes=lanes,
    )
    readout = Readout(
        outputs=(Output("y", QFormat(16, 15)),),
        weight_format=weight_format,
        weights=(tuple(weights.tolist()),),
        multipliers=default_multipliers(n_units, lanes, 1, products),
    )
    channel = InputChannel("u", QFormat(state_bits, state_bits - 1))
    return Design(f"n{n_units}p{lanes}", (channel,), (layer,), features, readout)


def ring(n_units: int, quarters: Sequence[int]) -> Design:
    """Parallel ring of 8-bit states whose tap weights are `quarters` of one, in turn."""
    state = QFormat(8, 7)
    signs = tuple(int(sign) for sign in topology.auto_signs(n_units, 1)[0])
    layer = RingLayer(
        n_units=n_units,
        state=state,
        tap_format=QFormat(4, 2),
        taps=(Tap(1, tuple(quarters[unit % len(quarters)] for unit in range(n_units))),),
        inputs=(LinearInput(QFormat(2, 1), signs),),
        bias_format=QFormat(2),
        bias=(0,) * n_units,
        activation=Clip(state.min, state.max),
        lanes=n_units,
    )
    readout = Readout(
        outputs=(Output("y", state),),
        weight_format=QFormat(2),
        weights=((0,) * (n_units - 1) + (1,),),
        rounding=Rounding.TRUNCATE,
        multipliers=n_units,
    )
    channel = InputChannel("u", QFormat(8, 7))
    return Design(f"ring{n_units}", (channel,), (layer,), Features(one=None), readout)


def lower_bound(design: Design) -> dict[str, int]:
    """LUTs and flip-flops without which the circuit cannot be, no control in it.

    With b bits per state, c tap weights that are a sum of powers of two, t such powers in all taps
    of one unit, and d = 1 where the unit has an input or a bias::

        LUT per unit at work = (t - 1 + d) (b - 1) + b        additions, clip
        parallel: N units at work, and of the readout (T - 1) (b - 1) where T is the number of
                  powers of two in all its weights, each output on its own
        folded:   P units at work, and of the readout one bit per bit of every accumulator
        FF       = parallel: N b;   folded: the accumulators, as the states are in block RAM

    An addition counts b - 1 bits, since its lowest bit may be free.
    """
    layer, plan = design.ring, schedule(design)
    bits = layer.state.width

    def powers(weight: int) -> int:
        ones, rest = 0, abs(weight)
        while rest:  # canonic signed digits are the fewest
            if rest & 1:
                ones += 1
                rest -= 2 - (rest & 3)
            rest >>= 1
        return ones

    luts = []
    for unit in range(layer.n_units):
        terms = sum(powers(tap.weights[unit]) for tap in layer.taps)
        driven = layer.bias[unit] != 0 or len(layer.inputs) > 0
        luts.append(max(terms - 1 + driven, 0) * (bits - 1) + bits)
    if plan.parallel:
        rows = (row[: design.n_products] for row in design.readout.weights)
        added = sum(max(sum(map(powers, row)) - 1, 0) for row in rows)
        return {"lut": sum(luts) + added * (bits - 1), "ff": layer.n_units * bits}
    sums = sum(interval.width for interval in readout_ranges(design).accumulators)
    return {"lut": min(luts) * layer.lanes + sums, "ff": sums}


def _used(board: str, report: Row) -> Row:
    """Figures of a build report: the design alone, and as placed with its wrapper."""
    core, placed = report["core"], report["used"]
    luts = core["lut"] + (2 * core["carry"] if BOARDS[board].device.family == "ecp5" else 0)
    return {
        "lut": luts,
        "ff": core["ff"],
        "block_ram": core["block_ram"],
        "dsp": core["dsp"],
        "cells": placed["cells"],
        "mhz": report["clock"]["median_mhz"],
        "mhz_per_seed": report["clock"]["mhz_per_seed"],
        "fallback": report["synthesis"]["fallback"],
        "absorbed": report["synthesis"]["absorbed_registers"],
        "tools": report["tools"],
    }


def measure(design: Design, board: str, seeds: int, timeout: float = TIMEOUT) -> Row:
    """Build a design; the reason is in the row where that is impossible.

    `timeout` is in seconds, for one run of the placer.
    """
    plan = schedule(design)
    row: Row = {"clocks": plan.clocks}
    with tempfile.TemporaryDirectory(prefix="rchw-size-") as folder:
        try:
            report = build_design(
                design, board, Path(folder, "build"), seeds=range(1, seeds + 1), timeout=timeout
            )
        except (DesignError, ToolError) as error:
            reason = "does not fit" if isinstance(error, DesignError) else "no result"
            return {**row, "missing": f"{reason}: {str(error).replace(folder, '')[:160]}"}
    row.update(_used(board, report))
    row["samples_per_second"] = round(row["mhz"] * 1e6 / plan.clocks)
    return row


def _sweep(arguments: argparse.Namespace) -> Iterator[tuple[str, Row, Design]]:
    for board in arguments.boards.split(","):
        for n_units in map(int, arguments.units.split(",")):
            for text in arguments.lanes.split(","):
                lanes = n_units if text == "N" else int(text)
                design = circuit(n_units, lanes, squares=arguments.squares)
                key = f"{board} N={n_units} P={lanes} 8/12{' squares' * arguments.squares}"
                row = {"board": board, "units": n_units, "lanes": lanes, "bits": [8, 12]}
                yield key, {**row, "squares": arguments.squares}, design


def _trial(arguments: argparse.Namespace) -> Iterator[tuple[str, Row, Design]]:
    chosen = arguments.boards.split(",")
    for board, n_units, lanes, states, weights, cells, mhz in TRIAL:
        if board in chosen:
            row = {"board": board, "units": n_units, "lanes": lanes, "bits": [states, weights]}
            row |= {"squares": False, "trial": {"cells": cells, "mhz": mhz}}
            key = f"{board} N={n_units} P={lanes} {states}/{weights}"
            yield key, row, circuit(n_units, lanes, states, weights)
    for quarters, cells, mhz in RINGS if "hx8k" in chosen else ():
        for n_units in (26, 50):  # the difference tells the cells of one unit
            name = "and".join(f"{quarter}/4" for quarter in quarters)
            row = {"board": "hx8k", "units": n_units, "ring": name}
            if n_units == 50:
                row["trial"] = {"cells_per_unit": cells, "mhz": mhz}
            design = replace(ring(n_units, quarters), name=f"ring{n_units}w{quarters[0]}")
            yield f"hx8k ring of {n_units}, weights {name}", row, design


def _record() -> Row:
    if RESULTS.exists():
        record: Row = json.loads(RESULTS.read_text(encoding="utf-8"))
        return record
    command = "python -m benchmarks.size"
    return {"command": f"{command}; {command} --squares; {command} --trial", "rows": {}}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", default="50,100,200,400")
    parser.add_argument("--lanes", default="1,4,8,N")
    parser.add_argument("--boards", default="icebreaker,ulx3s,hx8k")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--squares", action="store_true")
    parser.add_argument("--trial", action="store_true", help="the circuits to be beaten instead")
    parser.add_argument("--page", action="store_true", help="only make the page")
    return parser


def _jobs(arguments: argparse.Namespace) -> Iterator[tuple[str, Row, Design]]:
    yield from (_trial if arguments.trial else _sweep)(arguments)


def designs() -> list[Design]:
    """Circuits of all rows, each once, in the order in which they are measured."""
    runs: list[list[str]] = [[], ["--squares"], ["--trial"]]
    return list(dict.fromkeys(row[2] for run in runs for row in _jobs(_parser().parse_args(run))))


def rows() -> Iterator[tuple[str, str, Design, Row]]:
    """Of every row its name, board, circuit and results; these are empty where it was not built."""
    stored = _record()["rows"]
    for run in [], ["--squares"], ["--trial"]:
        for key, row, design in _jobs(_parser().parse_args(run)):
            yield key, row["board"], design, stored.get(key, {})


def main() -> None:
    """Measure, merge, and write both files after every row."""
    arguments = _parser().parse_args()
    for key, row, design in () if arguments.page else _jobs(arguments):
        row["bound"] = bound = lower_bound(design)
        if bound["lut"] > BOARDS[row["board"]].device.luts:
            row["missing"] = f"needs at least {bound['lut']} LUTs"
        else:
            row |= measure(design, row["board"], arguments.seeds)
        record = _record()  # another part may have been written meanwhile
        record["rows"][key] = record["rows"].get(key, {}) | row
        if "missing" not in row:
            record["rows"][key].pop("missing", None)
        write_atomic(RESULTS, json.dumps(record, indent=1, sort_keys=True) + "\n")
        figure = row.get("missing") or f"{row['cells']} cells, {row['mhz']:.1f} MHz"
        print(f"{key}: {figure}", flush=True)
    write_atomic(FOLDER / "size.md", markdown(_record()))


if __name__ == "__main__":
    main()
