"""Speed of the emulated devices: node-steps per second, and ratios taken in the same run.

``python -m benchmarks.nodes`` writes ``benchmarks/results/nodes.json`` and ``benchmarks/nodes.md``.
A node-step is one reading of one device. Every preset runs as it is tuned by default, compiled and
without a compiler (the very same loops in plain Python and numpy), in turn. Seconds are those of
the processor, and the figure of a way is its best round: a busy machine only slows a round down.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from rchw.files import write_atomic
from rchw.nodes import PhysicalReservoir
from rchw.nodes.digital import ReservoirNode
from rchw.nodes.kernel import Kernel
from rchw.nodes.presets import NODES, Size
from rchw.nodes.spintronic import Macrospin, MacrospinParameters

FOLDER = Path(__file__).parent
WANTED = (400, 10_000)  # nodes and inputs of the run that shall take seconds
ENOUGH = 0.4  # seconds that a timed run takes at least
_MOST = 40_000  # samples of a timed run


def _plain(kernel: Kernel, *arguments: Any) -> Any:
    """Run a loop without a compiler."""
    return kernel.plain(*arguments)


def _inputs(reservoir: PhysicalReservoir, samples: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).uniform(-1, 1, (samples, reservoir.n_inputs))


def _samples(reservoir: PhysicalReservoir, most: int) -> int:
    """As many as take long enough to be timed, at most so many."""
    samples = 4
    while samples < most:
        inputs = _inputs(reservoir, samples)
        begin = time.process_time()
        reservoir.run(inputs)
        taken = time.process_time() - begin
        if taken > ENOUGH:
            break
        samples = min(most, samples * (2 if taken > ENOUGH / 4 else 4))
    return samples


def _speed(reservoir: PhysicalReservoir, inputs: np.ndarray[Any, Any]) -> float:
    return _rate(lambda: reservoir.run(inputs), reservoir.n_units * len(inputs))


def _rate(run: Callable[[], object], steps: int) -> float:
    begin = time.process_time()
    run()
    return steps / (time.process_time() - begin)


def _cmtj(steps: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """One macrospin by our map and by cmtj, by Runge-Kutta with steps of 1 ps each."""
    from cmtj import CVector, Junction, Layer, ScalarDriver, constantDriver

    step, area = 1e-12, 1e-14
    node = Macrospin(1, steps, MacrospinParameters(area=area), interval=step, step=step)
    drives = np.full((1, steps), 2e-3)

    def theirs() -> None:
        layer = Layer.createSTTLayer(
            "free", CVector(0.1, 0, 0.995), CVector(0, 0, 1), 1.82, 2e-9, area,
            [CVector(0, 0, 0), CVector(0, 0, 0), CVector(0, 0, 1)], 0.005, 1.35, 0.0, 0.418,
        )  # fmt: skip
        layer.setReferenceLayer(CVector(1, 0, 0))
        junction = Junction([layer])
        junction.setLayerAnisotropyDriver("free", ScalarDriver.getConstantDriver(1.35e6))
        junction.setLayerCurrentDriver("free", constantDriver(2e-3 / area))
        junction.runSimulation(steps * step, step, step)

    return lambda: node.run(drives, node.start()), theirs


def measure(rounds: int) -> dict[str, Any]:
    """Measure node-steps per second of every preset, the best of `rounds`."""
    rows = []
    for info in NODES.values():
        for preset in info.presets:
            made = preset.reservoir(Size(preset.units))
            if isinstance(made.node, ReservoirNode):
                continue  # of digital rings `benchmarks.speed` tells
            made.run(_inputs(made, 2))  # compiles
            fast, inputs = 0.0, _inputs(made, _samples(made, _MOST))
            slow = 0.0
            with patch.object(Kernel, "__call__", _plain):
                few = _inputs(made, _samples(made, 200))
            for _ in range(rounds):
                fast = max(fast, _speed(made, inputs))
                with patch.object(Kernel, "__call__", _plain):
                    slow = max(slow, _speed(made, few))
            rows.append(
                {
                    "node": info.name,
                    "preset": preset.name,
                    "units": made.n_units,
                    "steps_per_second": float(f"{fast:.3g}"),
                    "ratio_to_plain_loop": float(f"{fast / slow:.3g}"),
                    "seconds_of_wanted": float(f"{WANTED[0] * WANTED[1] / fast:.3g}"),
                }
            )
    ours, theirs = _cmtj(20_000)
    ours(), theirs()
    best = [max(_rate(way, 20_000) for _ in range(rounds)) for way in (ours, theirs)]
    return {
        "command": "python -m benchmarks.nodes",
        "rows": rows,
        "cmtj": {
            "steps_per_second": [float(f"{value:.3g}") for value in best],
            "ratio": float(f"{best[0] / best[1]:.3g}"),
        },
        "rounds": rounds,
        "machine": platform.machine(),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in ("numpy", "numba", "cmtj")},
    }


def markdown(record: dict[str, Any]) -> str:
    """Table of a record."""
    nodes, inputs = WANTED
    lines = [
        "# Speed of the emulated devices",
        "",
        f"Made by `{record['command']}`; best of {record['rounds']} rounds, by the time of the",
        "processor, on one core. A node-step is one reading of one device. The plain loop is the",
        "same code without a compiler. The last column is what a run of",
        f"{nodes} nodes and {inputs:,} inputs takes at this rate.",
        "",
        "| node | preset | N | node-steps per second | ratio to the plain loop | seconds |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for row in record["rows"]:
        lines.append(
            f"| {row['node']} | {row['preset']} | {row['units']} | {row['steps_per_second']:.3g} | "
            f"{row['ratio_to_plain_loop']:.3g} | {row['seconds_of_wanted']:.3g} |"
        )
    ours, theirs = record["cmtj"]["steps_per_second"]
    lines += [
        "",
        f"One macrospin with Runge-Kutta steps of 1 ps: {ours:.3g} steps per second here, "
        f"{theirs:.3g} by cmtj, which keeps a log of every step; ratio {record['cmtj']['ratio']}.",
        "The other packages that the tests compare with (jitcdde, brian2, interferometer) run",
        "other maps or symbols for the same equations and are not timed.",
        "",
        f"{record['machine']}, Python {record['python']}, "
        + ", ".join(f"{name} {version}" for name, version in record["versions"].items()),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and write both files."""
    parser = argparse.ArgumentParser(description="Speed of the emulated devices.")
    parser.add_argument("--rounds", type=int, default=3)
    record = measure(parser.parse_args().rounds)
    text = json.dumps(record, indent=1) + "\n"
    write_atomic(FOLDER / "results" / "nodes.json", text)
    write_atomic(FOLDER / "nodes.md", markdown(record))
    print(markdown(record))


if __name__ == "__main__":
    main()
