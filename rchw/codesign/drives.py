"""The bill of what units get from inputs and bias: `rchw.hdl.drive`."""

import numpy as np
from numpy.typing import NDArray

from rchw.codesign.bill import Path
from rchw.codesign.constants import saved
from rchw.codesign.memories import Product, width_of
from rchw.codesign.part import Part
from rchw.design import LevelInput, LinearInput, Stage

__all__ = ["drive_kinds", "drives"]

Codes = NDArray[np.int64]
_SHARED = 16  # sums of inputs that lanes share


def drive_kinds(stage: Stage, mirrored: bool) -> tuple[Codes, Codes, Codes]:
    """Different rows of input weights and bias; of every unit its row, and whether it is negated.

    Arrays (kinds, K + 1), (N,) and (N,). Inputs with levels are left out.
    """
    layer = stage.layer
    columns = [
        np.array(entry.weights, dtype=np.int64)
        for entry in stage.entries
        if isinstance(entry, LinearInput)
    ]
    if layer.gain is None:
        columns.append(np.array(layer.bias, dtype=np.int64))
    rows = np.stack([*columns, np.zeros(layer.n_units, dtype=np.int64)], axis=1)
    flipped = np.zeros(layer.n_units, dtype=np.int64)
    if mirrored:
        several, which = np.unique(rows, axis=0, return_inverse=True)
        known = {row.tobytes() for row in several}
        opposite = [
            next((value for value in row.tolist() if value), 0) < 0 and (-row).tobytes() in known
            for row in several
        ]
        flipped = np.array(opposite, dtype=np.int64)[which.reshape(-1)]
        rows = rows * (1 - 2 * flipped)[:, None]
    kinds, where = np.unique(rows, axis=0, return_inverse=True)
    return kinds, where.reshape(-1), flipped


def drives(part: Part) -> None:
    """Sums that lanes share, or a product, choice or comparison of every lane and channel."""
    stage, bill, layer = part.stage, part.bill, part.stage.layer
    linear = all(isinstance(entry, LinearInput) for entry in stage.entries)
    kinds, where, flipped = drive_kinds(stage, mirrored=True)
    if linear and len(kinds) <= _SHARED:
        widths = []
        for number, row in enumerate(kinds):
            unit = int(np.argmax(where == number))
            width = width_of(int(part.sums.drive.low[unit]), int(part.sums.drive.high[unit]))
            widths.append(width)
            for code, channel in zip(row[: len(stage.inputs)].tolist(), stage.inputs, strict=True):
                bill.times(code, channel.format.width)
            used = int((row != 0).sum())
            bill.add("add", max(used - 1, 0) * width, used > 1)
            bill.add("joined", max(used - 2, 0) * width)
            bill.add("held", width)
        for column in part.units:
            bits = part.table.add(where[column])
            bill.add("choice", (min(len(kinds), 1 << bits) - 1) * max(widths) if bits else 0)
            bill.add("gate", max(widths) if part.table.add(flipped[column]) else 0)
        levels = 1.0 + (len(kinds) - 1).bit_length() + bool(flipped.any())
        bill.path("drive of a lane", Path(levels, 0, part.unregistered(part.plan.words)))
        most = max(int((kinds != 0).sum(axis=1).max()), 1)
        bill.path("shared drive", Path(2.0 + saved(most), max(widths), chains=1))
        return
    chosen = 0  # LUTs one behind the other that choose a product
    for channel, entry in zip(stage.inputs, stage.entries, strict=True):
        bits = channel.format.width
        bill.add("held", bits)
        if isinstance(entry, LevelInput):
            for column in part.units:
                wide = 0
                for values in (entry.thresholds, entry.low, entry.high):
                    wide = part.table.add(np.array(values, dtype=np.int64)[column])
                bill.add("compare", bits, 1)
                bill.add("choice", max(wide, entry.format.width))
            several = len(stage.entries) > 1
            bill.path(
                "drive of a lane",
                Path(4.0 + several, bits, part.unregistered(part.plan.words), chains=1.0 + several),
            )
            continue
        weights = np.array(entry.weights, dtype=np.int64)
        found, which = np.unique(weights, return_inverse=True)
        if len(found) > _SHARED:
            for column in part.units:
                wide = part.table.add(weights[column])
                bill.products.append(Product(bits, max(wide, 1)))
                factors = (bits, max(wide, 1))
                bill.path(
                    "drive of a lane",
                    Path(2, bits + wide, part.unregistered(part.plan.words), factors, chains=1),
                )
            continue
        for code in found.tolist():
            bill.times(code, bits)
            bill.add("held", bits + abs(code).bit_length())
        for column in part.units:
            part.table.add(which.reshape(-1)[column])
            bill.add("choice", (len(found) - 1) * (bits + entry.format.width))
        chosen = max(chosen, (len(found) - 1).bit_length())
    parts = len(stage.entries)
    if layer.gain is None:
        biases = np.array(layer.bias, dtype=np.int64)
        for column in part.units:
            part.table.add(biases[column])
        parts += bool(biases.any())
    for column in part.units:
        width = width_of(*part.sums.drive.of(column))
        bill.add("add", max(parts - 1, 0) * width, parts > 1)
        bill.add("joined", max(parts - 2, 0) * width)
        if parts > 1 and chosen:
            levels, memory = 1.0 + chosen + saved(parts), part.unregistered(part.plan.words)
            bill.path("drive of a lane", Path(levels, width, memory, chains=1))
