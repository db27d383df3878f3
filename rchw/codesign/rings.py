"""The bill of the states of a folded ring: `rchw.hdl.states` and the taps of `rchw.hdl.passes`."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rchw.codesign.bill import Path
from rchw.codesign.constants import digits, saved
from rchw.codesign.memories import PIECE, Memory, width_of
from rchw.codesign.part import Part
from rchw.design import RingLayer

__all__ = ["ring_states"]

Codes = NDArray[np.int64]


def ring_states(part: Part) -> None:
    """Memories, their ports and addresses, and the sums of the taps."""
    layer, bill = part.stage.layer, part.bill
    assert isinstance(layer, RingLayer)
    n, lanes, width = layer.n_units, layer.lanes, layer.state.width
    ones = np.ones(n, dtype=np.int64)
    taps = [(tap.offset, np.array(tap.weights, dtype=np.int64)) for tap in layer.taps]
    taps += [(0, ones)] if layer.remembers else []
    reads = _reads(part, dict(taps))
    _banks(part, reads)
    wrapped = False  # some unit reads across the end of the ring
    for offset, weights in dict(taps).items():
        both = sum(key[0] == offset for key in reads) == 2
        wrapped = wrapped or both
        for lane in range(lanes if both else 0):
            if weights[part.units[lane]].any():
                part.table.add((part.units[lane] < offset).astype(np.int64))
                bill.add("choice", width)
    for lane in range(lanes):
        column = part.units[lane]
        used = [weights[column] for _, weights in taps[: len(layer.taps)] if weights[column].any()]
        for weights in used:
            part.times(width, weights)
        _fed(part, column, used, wrapped)


def _fed(part: Part, column: Codes, weights: Sequence[Codes], wrapped: bool) -> None:
    layer, bill = part.stage.layer, part.bill
    width, additions = width_of(*part.sums.taps.of(column)), max(len(weights) - 1, 0)
    bill.add("add", additions * (width - part.sums.tap_shift), additions > 0)
    bill.add("joined", max(additions - 1, 0) * (width - part.sums.tap_shift))
    if additions:
        bill.path("taps", _summed(part, weights, width, wrapped))
    start = np.array(layer.initial_state, dtype=np.int64)
    if start.any():
        firsts = [
            sum(int(start[j]) * weight for j, weight in layer.connections[unit])
            for unit in column.tolist()
        ]
        bill.add("choice", width * (part.table.add(np.array(firsts)) > 0))


def _summed(part: Part, weights: Sequence[Codes], width: int, wrapped: bool) -> Path:
    """From the states to the sum of the taps."""
    memory, rows = part.unregistered(2 * part.plan.words), len(weights)
    chosen = wrapped or part.stage.layer.lanes > 1
    levels, chains = 0.0, 0.0
    for codes in weights:
        kinds = np.unique(codes).tolist()
        chosen = chosen or len(kinds) > 1
        terms = max(len(digits(code)) for code in kinds)
        if terms > 1 and len(kinds) == part.stage.layer.lanes == 1:
            rows += terms - 1  # one sum of all
        elif terms > 1:  # a sum of its own, and a negation of it
            levels, chains = max(levels, 3.0 if min(kinds) < 0 else 1.0), 1.0
    levels += 1.0 + chosen + saved(rows)
    return Path(levels, width, memory, chains=1.0 + chains)


def _reads(part: Part, taps: dict[int, Codes]) -> list[tuple[int, bool]]:
    """Ports: offset, and whether it is of wrapped part.units (`rchw.hdl.states.plan_reads`)."""
    layer, found = part.stage.layer, []
    for offset, weights in taps.items():
        direct, wraps = bool(weights[offset:].any()), bool(weights[:offset].any())
        if layer.n_units % layer.lanes == 0:
            direct, wraps = direct or wraps, False
        found += [(offset, False)] * direct + [(offset, True)] * wraps
    return found


def _banks(part: Part, reads: list[tuple[int, bool]]) -> None:
    """Memories of the states, and the counters of their addresses."""
    layer, plan, bill = part.stage.layer, part.plan, part.bill
    n, lanes, width = layer.n_units, layer.lanes, layer.state.width
    if plan.words == 1:
        return
    deltas, needed = [], []
    for offset, wrapped in reads:
        shift = offset - n if wrapped else offset
        banks = [(lane - shift) % lanes for lane in range(lanes)]
        below = [(shift - lane + bank) // lanes % plan.words for lane, bank in enumerate(banks)]
        deltas.append([below[banks.index(bank)] for bank in range(lanes)])
        both = (offset, not wrapped) in reads
        wanted = [
            bool(((part.units[lane] < offset) == wrapped).any()) or not both
            for lane in range(lanes)
        ]
        needed.append([wanted[banks.index(bank)] for bank in range(lanes)])
    distances = list(zip(*deltas, strict=True)) if deltas else [()] * lanes
    counts = Counter(delta for bank in distances for delta in bank)
    for _ in range(max(len(counts) - 1, 0) + 1):
        bill.counter(plan.words)
    groups: dict[tuple[int, ...], list[int]] = {}
    for bank, together in enumerate(distances):
        groups.setdefault(together, []).append(bank)
    depth = 2 << (plan.words - 1).bit_length()
    for together, banks in groups.items():
        for first in range(0, width * len(banks), PIECE):
            last = min(first + PIECE, width * len(banks))
            inside = banks[first // width : (last - 1) // width + 1]
            ports = {
                delta
                for number, delta in enumerate(together)
                if any(needed[number][bank] for bank in inside)
            }
            whole = width * len(banks)
            bill.memories.append(
                Memory(depth, last - first, 2 * plan.words, len(ports), True, whole=whole)
            )
    if plan.read_register:
        bill.add("absorbed", len(reads) * lanes * width)
