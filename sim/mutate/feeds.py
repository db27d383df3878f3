"""Faults in what a layer reads of an earlier one: its weights, and which units it reads."""

from dataclasses import replace

import numpy as np

from rchw.design import Design, MatrixInput, MatrixLayer, RingLayer, TapsInput
from rchw.layers import LayerInput
from rchw.sim.mutate.picks import flip, pick, put, row_flipped, swapped

__all__ = ["Units", "feed_weight", "read_unit", "with_input"]

Units = RingLayer | MatrixLayer


def with_input(layer: Units, k: int, entry: LayerInput) -> Units:
    """Replace one of the inputs."""
    return replace(layer, inputs=(*layer.inputs[:k], entry, *layer.inputs[k + 1 :]))


def feed_weight(
    entry: MatrixInput | TapsInput, rng: np.random.Generator
) -> tuple[str, LayerInput] | None:
    """Flip one bit of one weight; tell which."""
    if isinstance(entry, MatrixInput):
        found = row_flipped(entry.matrix, rng)
        return None if found is None else (found[0], replace(entry, matrix=found[1]))
    if not entry.taps:
        return None
    k = pick(rng, len(entry.taps))
    tap = entry.taps[k]
    where, row = flip(rng, tap.weights, entry.format)
    taps = (*entry.taps[:k], replace(tap, weights=row), *entry.taps[k + 1 :])
    return f"weights{where} of tap {tap.offset}", replace(entry, taps=taps)


def read_unit(design: Design, layer: Units, rng: np.random.Generator) -> tuple[str, Units] | None:
    """Read another unit of an earlier layer."""
    feeds = [k for k, e in enumerate(layer.inputs) if isinstance(e, MatrixInput | TapsInput)]
    if not feeds:
        return None
    k = feeds[pick(rng, len(feeds))]
    entry = layer.inputs[k]
    assert isinstance(entry, MatrixInput | TapsInput)
    n_source = next(before.n_units for before in design.layers if before.name == entry.source)
    if isinstance(entry, TapsInput):
        if not entry.taps:
            return None
        j = pick(rng, len(entry.taps))
        tap = entry.taps[j]
        offset = (tap.offset + 1) % n_source
        taps = (*entry.taps[:j], replace(tap, offset=offset), *entry.taps[j + 1 :])
        where = f"tap {tap.offset} of layer {entry.source} at {offset}"
        return where, with_input(layer, k, replace(entry, taps=taps))
    filled = [i for i, row in enumerate(entry.matrix.rows) if row]
    if not filled:
        return None
    i = filled[pick(rng, len(filled))]
    matrix = entry.matrix
    j = pick(rng, len(matrix.codes[i]))
    if matrix.kind == "dense":
        after = (j + 1) % n_source
        where, codes = f"columns {j} and {after}", swapped(matrix.codes[i], j, after)
        changed = replace(matrix, codes=put(matrix.codes, i, codes))
    else:
        column = matrix.columns[i][j]
        after = (column + 1) % n_source
        pairs = sorted(zip(put(matrix.columns[i], j, after), matrix.codes[i], strict=True))
        where = f"column {column} at {after}"
        changed = replace(
            matrix,
            columns=put(matrix.columns, i, tuple(place for place, _ in pairs)),
            codes=put(matrix.codes, i, tuple(code for _, code in pairs)),
        )
    where = f"{where} in row {i} of layer {entry.source}"
    return where, with_input(layer, k, replace(entry, matrix=changed))
