"""One circuit of every family on both FPGA families, and the table of every family's page.

``python -m benchmarks.families`` builds the circuits of `FAMILIES` with every number of lanes of
`LANES` for the boards of `BOARDS`, and merges the rows into ``benchmarks/results/families.json``;
``--family`` and ``--boards`` choose some of them. Then it writes the table of every page in
``docs/families``; ``--page`` does only that.

The circuits have 100 units, one input of 8 bits, 8-bit states, a readout of 12-bit weights and one
16-bit output, as those of `benchmarks.size`; weights are drawn once. A step of Euler is 1/8.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.families_page import table, written
from benchmarks.size import circuit, measure
from rchw.design import (
    Design,
    ExternalLayer,
    LinearInput,
    Matrix,
    MatrixInput,
    MatrixLayer,
    RingLayer,
    Tap,
    UnitCodes,
    UnitFeatures,
    UnitLayer,
)
from rchw.files import write_atomic
from rchw.fixed import QFormat
from rchw.layers import LayerInput
from rchw.model import split_units
from rchw.schedule import latency, schedule

__all__ = ["BOARDS", "FAMILIES", "LANES", "N_UNITS", "Family", "designs", "page", "rows"]

N_UNITS = 100
LANES = (1, 4)
BOARDS = ("icebreaker", "ulx3s")
RESULTS = Path(__file__).parent / "results" / "families.json"
PAGES = Path(__file__).parent.parent / "docs" / "families"
_WEIGHTS = QFormat(8, 9)  # of matrices: 100 of them keep the spectral radius below 1
_LAYERS = 3  # of deep
_DEEP_WEIGHTS = QFormat(8, 8)  # the same of 33
Row = dict[str, Any]


@dataclass(frozen=True)
class Family:
    """What the page of a family tells, and its circuit with a number of lanes."""

    equation: str
    parameters: str
    ports: str
    reference: str
    source: str
    design: Callable[[int], Design]


def _base(lanes: int) -> tuple[Design, RingLayer]:
    design = circuit(N_UNITS, lanes)
    return design, design.ring


def _driven(lanes: int, family: str, **fields: object) -> Design:
    """The circuit of `benchmarks.size`, with the layer that `fields` make of its ring."""
    design, ring = _base(lanes)
    shared = {name: getattr(ring, name) for name in UnitLayer.__dataclass_fields__}
    shared |= {"name": family.replace("-", "_"), **fields}
    kind = MatrixLayer if "matrix" in fields else RingLayer
    layer = kind(**shared)
    return replace(design, name=f"{family.replace('-', '_')}_p{lanes}", layers=(layer,))


def _steps() -> UnitCodes:
    return UnitCodes(QFormat(2, 3, signed=False), (1,) * N_UNITS)


def _ring(lanes: int) -> Design:
    design, _ = _base(lanes)
    return replace(design, name=f"ring_p{lanes}")


def _euler_ring(lanes: int) -> Design:
    weights = QFormat(3, 2)
    taps = tuple(
        Tap(offset, (weight,) * N_UNITS) for offset, weight in ((1, 3), (N_UNITS - 1, -3), (0, -1))
    )
    return _driven(lanes, "euler-ring", tap_format=weights, taps=taps, step=_steps())


def _drawn(*shape: int) -> list[list[int]]:
    drawn = np.random.default_rng(N_UNITS).integers(-100, 101, shape)
    return [list(map(int, row)) for row in drawn]


def _leaky(lanes: int) -> Design:
    codes = tuple(tuple(row) for row in _drawn(N_UNITS, N_UNITS))
    return _driven(lanes, "leaky", matrix=Matrix(_WEIGHTS, "dense", codes), leak_shift=1)


def _leaky_sparse(lanes: int) -> Design:
    rng, n_connections = np.random.default_rng(N_UNITS), 10
    columns = tuple(
        tuple(sorted(map(int, rng.choice(N_UNITS, n_connections, replace=False))))
        for _ in range(N_UNITS)
    )
    codes = tuple(tuple(row) for row in _drawn(N_UNITS, n_connections))
    matrix = Matrix(_WEIGHTS, "sparse", codes, columns=columns)
    return _driven(lanes, "leaky-sparse", matrix=matrix, leak_shift=1)


def _euler(lanes: int) -> Design:
    codes = tuple(tuple(row[:i]) for i, row in enumerate(_drawn(N_UNITS, N_UNITS)))
    matrix = Matrix(_WEIGHTS, "antisymmetric", codes, diagonal=(-8,) * N_UNITS)
    return _driven(lanes, "euler", matrix=matrix, step=_steps())


def _deep(lanes: int) -> Design:
    design, ring = _base(lanes)
    (entry,), rng = ring.inputs, np.random.default_rng(N_UNITS)
    assert isinstance(entry, LinearInput)
    shared = {name: getattr(ring, name) for name in UnitLayer.__dataclass_fields__}
    layers: list[MatrixLayer] = []
    for place, size in enumerate(split_units(N_UNITS, _LAYERS)):
        read: LayerInput = replace(entry, weights=entry.weights[:size], source="u")
        if layers:
            before = layers[-1]
            read = MatrixInput(before.name, _dense(rng, size, before.n_units))
        own = {"n_units": size, "bias": ring.bias[:size], "initial_state": (), "inputs": (read,)}
        own |= {"matrix": _dense(rng, size, size), "leak_shift": place, "name": f"layer{place + 1}"}
        layers.append(MatrixLayer(**(shared | own)))
    seen = replace(design.features, later=(UnitFeatures(),) * (_LAYERS - 1))
    return replace(design, name=f"deep_p{lanes}", layers=tuple(layers), features=seen)


def _dense(rng: np.random.Generator, *shape: int) -> Matrix:
    codes = rng.integers(-100, 101, shape).tolist()
    return Matrix(_DEEP_WEIGHTS, "dense", tuple(map(tuple, codes)))


def _external(lanes: int) -> Design:
    design, ring = _base(lanes)
    layer = ExternalLayer(N_UNITS, ring.state, lanes=lanes)
    return replace(design, name=f"external_p{lanes}", inputs=(), layers=(layer,))


_SUM = "`s[i] = sum_j W[i][j] x(t-1)[j] + sum_k v[i][k] u(t)[k]`"
_STREAM = "one beat per sample, K codes in, L codes out ([stream](../stream.md))"
_UNITS = "`inputs`, `bias`, `gain` (per unit, or none), `activation`, `initial_state`, `lanes`"
FAMILIES = {
    "ring": Family(
        "`s[i] = sum_k w_k[i] x(t-1)[(i-k) mod N] + sum_k v[i][k] u(t)[k]`, "
        "`x[i] = f(g[i] s[i] + b[i])`, or with a leak `x[i] += (f - x[i]) 2**-S[i]`",
        f"`taps` (offset k, one weight per unit), `leak_shift` (one, or one per unit), {_UNITS}",
        _STREAM,
        "`rchw.reference.ring`; in floating point `rchw.model.RingModel`",
        "Rodan and Tino 2011 (cycle, delay lines), 2012 (jumps); Kleyko et al. 2020 (integer)",
        _ring,
    ),
    "euler-ring": Family(
        "as `ring`, `x[i] += e[i] f(g[i] s[i] + b[i])`",
        "`taps` with offsets 1, N - 1 (weights of opposite sign) and 0 (diffusion), `step`, "
        f"`horizon` (or none: saturation), {_UNITS}",
        _STREAM,
        "`rchw.reference.ring`; in floating point `rchw.model.EulerRingModel`",
        "Gallicchio 2022 (Euler state networks), on a ring",
        _euler_ring,
    ),
    "leaky": Family(
        f"{_SUM}, `x[i] = f(g[i] s[i] + b[i])`, or with a leak `x[i] += (f - x[i]) 2**-S[i]`; "
        "W dense",
        f"`matrix` of kind `dense`, with its `scaling`, `leak_shift` (one, or one per unit), "
        f"{_UNITS}",
        _STREAM,
        "`rchw.reference.ring`; in floating point `rchw.model.MatrixModel`",
        "Jaeger 2001; Jaeger et al. 2007 (leak)",
        _leaky,
    ),
    "leaky-sparse": Family(
        f"{_SUM}, `x[i] = f(g[i] s[i] + b[i])`, or with a leak `x[i] += (f - x[i]) 2**-S[i]`; "
        "W by compressed rows, here 10 connections of each unit",
        f"`matrix` of kind `sparse`, with its `scaling`, `leak_shift` (one, or one per unit), "
        f"{_UNITS}",
        _STREAM,
        "`rchw.reference.ring`; in floating point `rchw.model.MatrixModel`",
        "Jaeger 2001; Jaeger et al. 2007 (leak)",
        _leaky_sparse,
    ),
    "euler": Family(
        f"{_SUM} with `W[j][i] = -W[i][j]`, `x[i] += e[i] f(g[i] s[i] + b[i])`",
        "`matrix` of kind `antisymmetric` (one triangle, and the diagonal: diffusion), `step`, "
        f"`horizon` (or none: saturation), {_UNITS}",
        _STREAM,
        "`rchw.reference.ring`; in floating point `rchw.model.EulerModel`",
        "Gallicchio 2022 (Euler state networks)",
        _euler,
    ),
    "deep": Family(
        "`s_l[i] = sum_j W_l[i][j] x_l(t-1)[j] + sum_j V_l[i][j] x_(l-1)(t)[j]`, of the first "
        "layer `+ sum_k v[i][k] u(t)[k]` instead; a layer may be any of the other families, "
        "here 3 of `leaky` with 34, 33 and 33 units and shifts 0 to 2",
        "`layers`, each with its own `matrix` or `taps`, `leak_shift` or `step`, `inputs` "
        "(channels, and earlier layers through a matrix or taps), `bias`, `activation`, "
        "`initial_state`, `lanes`; `features` of every layer",
        _STREAM,
        "`rchw.reference.ring`, layer by layer; in floating point `rchw.model.DeepModel`",
        "Gallicchio, Micheli and Pedrelli 2017",
        _deep,
    ),
    "external": Family(
        "none: the states are the codes of a converter",
        "`state` (format of the converter), `encoder`, `lanes`",
        "one beat per sample, K + N codes in, L codes out ([stream](../stream.md))",
        "`rchw.reference.pipeline`; the devices are `rchw.nodes`",
        "[nodes](../nodes.md) names a source for every device",
        _external,
    ),
}


def designs() -> list[Design]:
    """Every circuit that is measured."""
    return [family.design(lanes) for family in FAMILIES.values() for lanes in LANES]


def rows() -> Iterator[tuple[str, str, Design, Row]]:
    """Of every row its name, board, circuit and results; these are empty where it was not built."""
    stored = _record()["rows"]
    for (name, family), lanes, board in product(FAMILIES.items(), LANES, BOARDS):
        key = f"{name} {lanes} {board}"
        yield key, board, family.design(lanes), stored.get(key, {})


def _record() -> Row:
    if RESULTS.exists():
        record: Row = json.loads(RESULTS.read_text(encoding="utf-8"))
        return record
    return {"command": "python -m benchmarks.families", "rows": {}}


def page(name: str, old: str) -> str:
    """The page of a family with the table of the record in it."""
    family, rows = FAMILIES[name], _record()["rows"]
    circuits = {lanes: family.design(lanes) for lanes in LANES}
    clocks = {n: (latency(made), schedule(made).clocks) for n, made in circuits.items()}
    keys = [f"{name} {lanes} {board}" for board in BOARDS for lanes in LANES]
    chosen = [rows[key] for key in keys if key in rows]
    told = {
        "equation": family.equation,
        "parameters": family.parameters,
        "ports": family.ports,
        "reference": family.reference,
        "source": family.source,
    }
    return written(old, table(told, clocks, chosen))


def main() -> None:
    """Measure, merge after every row, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", choices=list(FAMILIES))
    parser.add_argument("--boards", default=",".join(BOARDS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--page", action="store_true", help="only write the tables")
    arguments = parser.parse_args()
    chosen = [arguments.family] if arguments.family else list(FAMILIES)
    jobs = [(n, lanes, b) for n in chosen for lanes in LANES for b in arguments.boards.split(",")]
    for name, lanes, board in () if arguments.page else jobs:
        design = FAMILIES[name].design(lanes)
        row: Row = {"board": board, "lanes": lanes}
        row |= measure(design, board, arguments.seeds)
        record = _record()
        record["rows"][f"{name} {lanes} {board}"] = row
        write_atomic(RESULTS, json.dumps(record, indent=1, sort_keys=True) + "\n")
        figure = row.get("missing") or f"{row['cells']} cells, {row['mhz']:.1f} MHz"
        print(f"{name}, P = {lanes}, {board}: {figure}", flush=True)
    for name in chosen:
        path = PAGES / f"{name}.md"
        write_atomic(path, page(name, path.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
