"""Columns of a folded matrix: of every unit which units it takes, one after the other."""

from math import ceil

from rchw.design import MatrixInput, MatrixLayer, RingLayer, Stage
from rchw.stages import Feed

__all__ = ["feed_columns", "matrix_columns", "most_columns"]


def matrix_columns(layer: RingLayer | MatrixLayer) -> list[list[tuple[int | None, int]]]:
    """Of every unit the column and the weight of each step, the highest first; then None and 0.

    Dense rows take all columns, so that all lanes take the same. In an antisymmetric matrix lane l
    takes those of a word in turn from the l-th on, and None where the last word has no unit. Taps
    of a ring, which a matrix of an earlier layer makes take columns too, are as sparse rows.
    """
    if isinstance(layer, RingLayer) or layer.matrix.kind == "sparse":
        return [[(j, weight) for j, weight in reversed(row)] for row in layer.connections]
    full, n, lanes = layer.matrix.full.tolist(), layer.n_units, layer.lanes
    if layer.matrix.kind == "dense":
        return [[(j, row[j]) for j in range(n - 1, -1, -1)] for row in full]
    found: list[list[tuple[int | None, int]]] = []
    for unit, row in enumerate(full):
        places = [(unit + turn) % lanes for turn in range(lanes)]
        words = range((n - 1) // lanes * lanes, -1, -lanes)
        columns = [word + place for word in words for place in places]
        found.append([(j, row[j]) if j < n else (None, 0) for j in columns])
    return found


def feed_columns(feed: Feed) -> list[list[tuple[int | None, int]]]:
    """The same as `matrix_columns`, of what a layer reads of an earlier one."""
    if isinstance(feed.entry, MatrixInput) and feed.entry.matrix.kind == "dense":
        columns = range(feed.layer.n_units - 1, -1, -1)
        return [[(j, row[j]) for j in columns] for row in feed.entry.matrix.codes]
    return [[(j, weight) for j, weight in reversed(row)] for row in feed.rows]


def most_columns(stage: Stage) -> int:
    """Columns that a word takes at most, of its own layer or of one that feeds it."""
    layer = stage.layer
    if isinstance(layer, MatrixLayer):
        own = _columns(layer)
    else:
        own = max(len(row) for row in layer.connections)
    return max(own, *(_fed_columns(feed) for feed in stage.feeds), 1)


def _fed_columns(feed: Feed) -> int:
    """The same of what a layer reads of an earlier one."""
    if isinstance(feed.entry, MatrixInput) and feed.entry.matrix.kind == "dense":
        return feed.layer.n_units
    return max(len(row) for row in feed.rows)


def _columns(layer: MatrixLayer) -> int:
    """C, columns that a word takes at most."""
    if layer.matrix.kind == "antisymmetric":
        return ceil(layer.n_units / layer.lanes) * layer.lanes
    if layer.matrix.kind == "dense":
        return layer.n_units
    return max(1, *(len(row) for row in layer.connections))
