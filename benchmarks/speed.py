"""Speed of the integer reference, as ratios to other ways taken in the same run.

``python -m benchmarks.speed`` writes ``benchmarks/results/speed.json`` and ``benchmarks/speed.md``.
Every way runs in turn, several rounds; the figure of a way is its best round, since a busy machine
only ever slows a round down, and ratios compare figures of one run.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from rchw.activation import Clip, tanh_table
from rchw.design import Design, Features, InputChannel, LinearInput, Output, Readout, RingLayer, Tap
from rchw.files import write_atomic
from rchw.fixed import QFormat
from rchw.reference.compiled import compiled_states, stepped_states

FOLDER = Path(__file__).parent
SIZES = (100, 300, 1000)
TARGET = 5e6  # steps per second of the compiled reference at N = 100 with clip, on one core


def ring(n_units: int, table: bool = False) -> Design:
    """Cycle with one input and 8-bit states, clip or a table of tanh."""
    state = QFormat(8, 7)
    signs = np.random.default_rng(n_units).choice([-1, 1], n_units)
    layer = RingLayer(
        n_units=n_units,
        state=state,
        tap_format=QFormat(3, 2),
        taps=(Tap(1, (3,) * n_units),),
        inputs=(LinearInput(QFormat(3, 2), tuple(int(s) for s in signs)),),
        bias_format=QFormat(2, 3),
        bias=tuple(int(s) for s in signs),
        activation=tanh_table(state)[0] if table else Clip(-127, 127),
    )
    readout = Readout((Output("y", QFormat(16, 15)),), QFormat(2, 0), ((1,) * (n_units + 1),))
    return Design("speed", (InputChannel("u", QFormat(8, 7)),), (layer,), Features(), readout)


def _reference(design: Design, steps: int, compiled: bool) -> Callable[[], object]:
    codes = np.random.default_rng(0).integers(-128, 128, (steps, 1))
    last = np.zeros(steps, dtype=bool)
    if compiled:
        return lambda: compiled_states(design, codes, last, None)
    return lambda: stepped_states(design, codes, last, None, np.int64)


def _reservoirpy(n_units: int, steps: int) -> Callable[[], object]:
    """Run a cycle of the peer through its public interface, float64."""
    import reservoirpy.nodes as peer
    from reservoirpy.mat_gen import ring as ring_matrix

    node = peer.Reservoir(units=n_units, W=ring_matrix(n_units, n_units), sr=0.75, seed=0)
    inputs = np.random.default_rng(0).random((steps, 1))
    node.run(inputs[:2])
    return lambda: node.run(inputs)


def measure(rounds: int) -> dict[str, Any]:
    """Measure steps per second of every way, the best of `rounds`."""
    ways: dict[str, tuple[Callable[[], object], int]] = {}
    for n_units in SIZES:
        steps = 5_000_000 // n_units
        ways[f"compiled, clip, N={n_units}"] = _reference(ring(n_units), steps, True), steps
        steps //= 2
        ways[f"compiled, table, N={n_units}"] = _reference(ring(n_units, True), steps, True), steps
        ways[f"numpy step, clip, N={n_units}"] = _reference(ring(n_units), 2000, False), 2000
        ways[f"reservoirpy, ring, N={n_units}"] = _reservoirpy(n_units, 5000), 5000
    for way, _ in ways.values():
        way()  # compiles, and warms caches
    best = dict.fromkeys(ways, 0.0)
    for _ in range(rounds):
        for name, (way, steps) in ways.items():
            begin = time.perf_counter()
            way()
            best[name] = max(best[name], steps / (time.perf_counter() - begin))
    peers = {n: best[f"reservoirpy, ring, N={n}"] for n in (100, 300, 1000)}
    rows = [
        {
            "way": name,
            "steps_per_second": round(value),
            "ratio_to_reservoirpy": round(value / peers[int(name.rsplit("=", 1)[1])], 2),
        }
        for name, value in best.items()
    ]
    return {
        "command": "python -m benchmarks.speed",
        "rows": rows,
        "target": {
            "steps_per_second": TARGET,
            "of": "compiled, clip, N=100",
            "met": best["compiled, clip, N=100"] >= TARGET,
        },
        "rounds": rounds,
        "machine": platform.machine(),
        "python": platform.python_version(),
        "versions": {n: metadata.version(n) for n in ("numpy", "numba", "reservoirpy")},
        "blas": sorted(
            {f"{i['internal_api']} {i.get('architecture', '')}" for i in threadpool_info()}
        ),
    }


def markdown(record: dict[str, Any]) -> str:
    """Table of a record."""
    target = record["target"]
    lines = [
        "# Speed of the integer reference",
        "",
        f"Made by `{record['command']}`; best of {record['rounds']} rounds of one run on one core.",
        "",
        "| way | state updates per second | times reservoirpy |",
        "|---|---:|---:|",
        *(
            f"| {row['way']} | {row['steps_per_second']:,} | {row['ratio_to_reservoirpy']:g} |"
            for row in record["rows"]
        ),
        "",
        f"Target: {target['of']} at least {target['steps_per_second']:,.0f} per second: "
        f"{'met' if target['met'] else 'missed'}.",
        "",
        f"Python {record['python']}, "
        + ", ".join(f"{name} {version}" for name, version in record["versions"].items())
        + f"; BLAS {', '.join(record['blas'])}; {record['machine']}.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    record = measure(parser.parse_args().rounds)
    write_atomic(FOLDER / "results" / "speed.json", json.dumps(record, indent=1) + "\n")
    text = markdown(record)
    write_atomic(FOLDER / "speed.md", text)
    print(text)


if __name__ == "__main__":
    main()
