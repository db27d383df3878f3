"""Metrics of reservoirs of all kinds side by side: floating point, integers, devices, adaptation.

``python -m benchmarks.metrics`` writes ``benchmarks/results/metrics.json`` and
``benchmarks/metrics.md``. Nothing is chosen here: every node is as its first preset has it, and
nothing is trained. Rows are those of ``rchw metrics``.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from rchw import topology
from rchw.adapt import intrinsic_plasticity, phase_transition
from rchw.experiment import versions
from rchw.files import write_atomic
from rchw.lab.characterise import MetricOptions, characterise
from rchw.lab.subjects import Subject, of_model, of_node
from rchw.lab.trial import Condition
from rchw.model import MatrixModel, RingModel
from rchw.model.scaling import random_dense, scale_radius
from rchw.nodes.presets import NODES, Size

FOLDER = Path(__file__).parent
UNITS = 48
SAMPLES = 20_000
SEEN = Condition(40.0, 8)
EXACT = Condition()
NODE_ROWS: list[tuple[str, str, Condition, Mapping[str, float]]] = [
    *((name, name, EXACT, {}) for name in ("cycle", "leaky", "deep", "euler")),
    *(
        ("cycle", f"integer-cycle, {bits} bits", EXACT, {"state_bits": bits})
        for bits in (16, 12, 8, 6, 4)
    ),
    *(("leaky", f"integer-leaky, {bits} bits", EXACT, {"state_bits": bits}) for bits in (16, 8)),
    *(
        (name, f"{name}, 40 dB, 8 bits", SEEN, {})
        for name in ("memristive", "photonic-ikeda", "spintronic")
    ),
]


class Quiet:
    """Shows no step."""

    @contextmanager
    def step(self, title: str) -> Iterator[Callable[[str], None]]:
        """One step."""
        yield lambda line: None

    @contextmanager
    def bar(self, title: str) -> Iterator[Callable[[int, int, float], None]]:
        """One search."""
        yield lambda done, total, best: None


def node_subjects() -> Iterator[tuple[str, Subject]]:
    """Nodes by the name of their row."""
    for name, label, condition, point in NODE_ROWS:
        info = NODES[f"integer-{name}" if label.startswith("integer") else name]
        yield label, of_node(info, info.preset(), Size(UNITS), condition, point)


def adapted_subjects() -> Iterator[tuple[str, Subject]]:
    """A network and a cycle before adaptation, and after a rule."""
    rng = np.random.default_rng(3)
    inputs = rng.uniform(-1, 1, (2000, 1))
    weights = scale_radius(random_dense(UNITS, rng), 0.9)
    network = MatrixModel(weights, rng.uniform(-0.1, 0.1, (1, UNITS)))
    ring = RingModel(topology.cycle(UNITS, 0.7), 0.4 * topology.auto_signs(UNITS))
    yield "network, radius 0.9", of_model(network)
    for std in (0.1, 0.2, 0.3):
        found, _ = intrinsic_plasticity(network, inputs, std=std)
        assert isinstance(found, MatrixModel)
        yield f"the same, intrinsic plasticity to {std}", of_model(found)
    yield "cycle, 0.7", of_model(ring)
    moved, _ = phase_transition(ring, inputs)
    assert isinstance(moved, RingModel)
    yield "the same, phase transition", of_model(moved)


def measure_row(label: str, subject: Subject, samples: int = SAMPLES) -> dict[str, Any]:
    """One row: the record of ``rchw metrics``, but for its curves."""
    record = characterise(subject, MetricOptions(samples=samples), Quiet()).record
    for key in ("tools", "seconds"):
        del record[key]
    del record["memory"]["delays"], record["memory"]["per_delay"], record["processing"]["per_delay"]
    del record["layers"]["frequencies"], record["layers"]["power"]
    return {"label": label, **record}


def _cells(row: dict[str, Any]) -> list[str]:
    degrees, ranks = row["processing"]["per_degree"], row["ranks"]
    return [
        row["label"],
        f"{row['memory']['significant']:.1f}",
        " / ".join(f"{value:.1f}" for value in degrees.values()),
        f"{row['processing']['total']:.1f} of {row['processing']['rank']}",
        f"{ranks['kernel']} / {ranks['generalisation']}",
        f"{row['effective_rank']:.1f}",
        f"{row['entropy']['bits_per_unit']:.2f}",
        _exponent(row["lyapunov"]),
        str(row["echo"]["responses"]),
        "-" if row["suffix"]["rate"] is None else f"{row['suffix']['rate']:.3f}",
        ", ".join(f"{value:.0f}" for value in row["layers"]["timescales"]),
        f"{row['separation']['ratios'][0]:.2f}",
    ]


def _exponent(found: dict[str, Any]) -> str:
    if found["maximum"] is not None:
        return f"{found['maximum']:.3f}"
    return "-inf" if found["method"] else "refused"


HEADINGS = (
    "reservoir", "memory", "capacity by degree 1 / 2 / 3 / 4", "in all, of rank",
    "kernel / generalisation rank", "effective rank", "bits per unit", "largest exponent",
    "responses", "suffix rate", "time scales", "separation",
)  # fmt: skip


def page(record: dict[str, Any]) -> str:
    """Markdown of the record."""
    lines = [
        "# Metrics of reservoirs",
        "",
        f"Reservoirs of {record['units']} units on {record['samples']:,} samples, independent and",
        "uniform, as `rchw metrics` measures them; what each column is and is not says",
        "[docs/metrics.md](../docs/metrics.md). Nothing is tuned or trained: every node is as its",
        "first preset has it. Memory counts delays from 1, capacity those from 0. Bits per unit",
        "are of at most 8, or of the width if that is less; of values without a format, over the",
        "range of the run. Responses are of 8 runs, after 600 samples. Time scales are in samples,",
        "layer by layer; none is followed beyond 400. Separation is that of alike inputs, at a",
        "distance of 0.015 deviations.",
        "",
    ]
    for title, rows in (
        ("", record["nodes"]),
        ("## Before and after adaptation", record["adapted"]),
    ):
        if title:
            lines += [title, "", "No rule knows a task; whether it helps on one, these numbers do",
                      "not say.", ""]  # fmt: skip
        lines.append("| " + " | ".join(HEADINGS) + " |")
        lines.append("|---" * len(HEADINGS) + "|")
        lines += ["| " + " | ".join(_cells(row)) + " |" for row in rows]
        lines.append("")
    tools = ", ".join(f"{name} {version}" for name, version in record["tools"].items())
    return "\n".join([*lines, f"Made by `python -m benchmarks.metrics` with {tools}.", ""])


def main() -> None:
    """Measure all rows and write record and page."""
    found: dict[str, list[dict[str, Any]]] = {"nodes": [], "adapted": []}
    for key, subjects in (("nodes", node_subjects()), ("adapted", adapted_subjects())):
        for label, subject in subjects:
            found[key].append(measure_row(label, subject))
            print(" | ".join(_cells(found[key][-1])), flush=True)
    record = {
        "kind": "metrics-of-reservoirs", "units": UNITS, "samples": SAMPLES, **found,
        "tools": versions("scipy", "numba"),
    }  # fmt: skip
    text = json.dumps(record, indent=1, allow_nan=False) + "\n"
    write_atomic(FOLDER / "results" / "metrics.json", text)
    write_atomic(FOLDER / "metrics.md", page(record))


if __name__ == "__main__":
    main()
