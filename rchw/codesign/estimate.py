"""What a design takes on a board, in milliseconds and without building it.

Clocks, block RAMs and multipliers are counted from the design (`rchw.codesign.whole`). Cells, LUTs,
flip-flops and the clock are sums of counts times coefficients, which `benchmarks.estimator` fitted
to place-and-route results and wrote to ``coefficients.json``; its page says how far off they are on
designs that the fit never saw.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from math import log, log2
from typing import Any, overload

from rchw.codesign.bill import Bill, Path
from rchw.codesign.energy import SLOW, energy
from rchw.codesign.memories import Product, block_rams, dsps
from rchw.codesign.power import POWER
from rchw.codesign.traits import Traits, outside, traits_of
from rchw.codesign.whole import bill_of
from rchw.design import Design
from rchw.devices import BOARDS, DEVICES, Board, Device
from rchw.devices import board as find_board
from rchw.schedule import Schedule, latency, schedule

__all__ = ["Estimate", "calibration", "cell_terms", "clock_terms", "coefficients", "estimate"]

_FILE = "coefficients.json"
_WORDS = {"cells": "cells", "block_ram": "block RAMs", "dsp": "DSP multipliers"}


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A design on a board, before it is built.

    Attributes
    ----------
    board, device : str
    cells : int
        As placed, with the wrapper of the board: logic cells of iCE40, TRELLIS_COMB of ECP5.
    luts, flip_flops : int
        Of the design alone, as in the tables of the benchmarks.
    block_rams, multipliers : int
        Counted, not fitted.
    clock_hz : float
        Highest clock.
    critical : str
        What is expected to set it.
    clocks, latency_clocks : int
        Per sample, and from its input beat to its output beat: exact.
    samples_per_second : float
        At that clock.
    fits : bool
    why_not : tuple of str
        What is short, one sentence each.
    extrapolates : tuple of str
        What lies outside the designs of the calibration: cells and clock are guesses then.
    energy_per_sample : float or None
        J, at the highest clock, with usual activity; None where there is no model. It is that of
        `rchw.codesign.energy`, which has the items and their range.
    energy_when_slow : float or None
        The same at `rchw.codesign.energy.SLOW` samples per second, with a clock as slow as that
        allows; None where that is too fast.
    """

    board: str
    device: str
    cells: int
    luts: int
    flip_flops: int
    block_rams: int
    multipliers: int
    clock_hz: float
    critical: str
    clocks: int
    latency_clocks: int
    samples_per_second: float
    fits: bool
    why_not: tuple[str, ...]
    extrapolates: tuple[str, ...]
    energy_per_sample: float | None = None
    energy_when_slow: float | None = None


@cache
def coefficients() -> dict[str, Any]:
    """What the calibration found."""
    text = files("rchw.codesign").joinpath(_FILE).read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@cache
def calibration() -> str:
    """Name of the calibration, that tells figures of an older one: SHA-256 of its coefficients."""
    return sha256(json.dumps(coefficients(), sort_keys=True).encode()).hexdigest()


def cell_terms(bill: Bill, target: Board) -> dict[str, float]:
    """Counts that cells, LUTs and flip-flops are sums of."""
    soft = [p for p in bill.products if not dsps(p, target.device)]
    small = [memory for memory in bill.memories if not memory.blocks(target.device.family)]
    written = [memory for memory in small if memory.written]
    registers = target.device.family == "ice40"  # its LUTs are no memories
    return {
        "one": 1.0,
        **bill.counts,
        "product": float(sum(p.left * p.right for p in soft)),
        "constants": float(sum(m.width * m.reads for m in small if not m.written)),
        "words": 0.0 if registers else float(sum(m.width * m.reads for m in written)),
        "stored": float(registers * sum(m.width * m.depth for m in written)),
        "fetched": float(registers * sum(m.width * m.reads * (m.depth - 1) for m in written)),
        "registers": float(sum(p.registers for p in soft)),
    }


def clock_terms(bill: Bill, target: Board, cells: float) -> list[tuple[str, dict[str, float]]]:
    """Of every path its name and lengths: its delay is their sum, and the longest the period."""
    size = log2(max(cells, 2.0))
    return [
        (name, {"one": 1.0, "size": size, **_lengths(path, target)})
        for name, paths in bill.paths.items()
        for path in paths
    ]


def _lengths(path: Path, target: Board) -> dict[str, float]:
    found = {
        "levels": path.levels,
        "carries": path.carries,
        "chains": path.chains,
        "memory": float(path.memory),
    }
    if path.factors is not None:
        count = dsps(Product(*path.factors), target.device)
        if count:
            found[path.kind] = 1.0
        if count != 1:  # an addition behind the parts, or a tree that makes two rows of three
            levels = 0.0 if count else log(min(path.factors)) / log(1.5)
            found["levels"] += 1.0 + levels
            found["carries"] += sum(path.factors)
    return found


def _value(model: Mapping[str, float], terms: Mapping[str, float]) -> float:
    return sum(factor * terms.get(name, 0.0) for name, factor in model.items())


@overload
def estimate(design: Design, board: str) -> Estimate: ...


@overload
def estimate(design: Design, board: None = None) -> tuple[Estimate, ...]: ...


def estimate(design: Design, board: str | None = None) -> Estimate | tuple[Estimate, ...]:
    """Predict what a design takes.

    Parameters
    ----------
    design : Design
    board : str, optional
        A key of `rchw.devices.BOARDS`; without it all are answered, in their order.

    Raises
    ------
    DesignError
        If the board is unknown, or the design cannot be built for any.
    """
    targets = [find_board(board)] if board is not None else list(BOARDS.values())
    plan = schedule(design)
    bill, traits = bill_of(design, plan), traits_of(design, plan)
    found = tuple(_on(design, plan, bill, traits, target) for target in targets)
    return found[0] if board is not None else found


def _on(design: Design, plan: Schedule, bill: Bill, traits: Traits, target: Board) -> Estimate:
    device, models = target.device, coefficients()
    form = "parallel" if plan.parallel else "folded"
    like = _like(device)
    area, timing = models["cells"][device.family][form], models["clocks"][like]
    terms = cell_terms(bill, target)
    cells, luts, flip_flops = (
        round(_value(area[what], terms)) for what in ("cells", "luts", "flip_flops")
    )
    delay, critical = max(
        (_value(timing["ns"], terms), name) for name, terms in clock_terms(bill, target, cells)
    )
    period = delay * 1e-9
    needs = {
        "cells": cells,
        "block_ram": block_rams(bill.memories, device),
        "dsp": sum(dsps(product, device) for product in bill.products),
    }
    extrapolates = outside(traits, timing["ranges"].get(form))
    if like != device.name:
        extrapolates = (*extrapolates, f"device {device.name} (calibrated on {like})")
    why_not = _short(needs, target)
    fast, slow = _energies(design, target, luts, flip_flops, needs, 1 / period)
    return Estimate(
        board=target.name,
        device=device.name,
        cells=cells,
        luts=luts,
        flip_flops=flip_flops,
        block_rams=needs["block_ram"],
        multipliers=needs["dsp"],
        clock_hz=1 / period,
        critical=critical,
        clocks=plan.clocks,
        latency_clocks=latency(design, plan),
        samples_per_second=1 / (period * plan.clocks),
        fits=not why_not,
        why_not=why_not,
        extrapolates=extrapolates,
        energy_per_sample=fast,
        energy_when_slow=slow,
    )


def _energies(
    design: Design,
    target: Board,
    luts: int,
    flip_flops: int,
    needs: Mapping[str, int],
    clock_hz: float,
) -> tuple[float | None, float | None]:
    """Joules per sample at the highest rate and at the slow one, where there is a model of it."""
    if target.device.name not in POWER:
        return None, None
    resources = {"lut": luts, "ff": flip_flops, **needs}
    fast = energy(design, target, resources, clock_hz=clock_hz)
    if fast.rate < SLOW:
        return fast.joules, None
    return fast.joules, energy(design, target, resources, clock_hz=clock_hz, rate=SLOW).joules


def _like(device: Device) -> str:
    """The device whose clocks are known: itself, or one of its family."""
    known = coefficients()["clocks"]
    names = [device.name, *(d.name for d in DEVICES.values() if d.family == device.family)]
    return next(name for name in names if name in known)


def _short(needs: Mapping[str, int], target: Board) -> tuple[str, ...]:
    """A sentence for everything of which the board has too little."""
    has = {"cells": target.device.luts, **target.device.capacity}
    return tuple(
        f"the design needs {'about ' * (what == 'cells')}{count} {_WORDS[what]}, but {target.name} "
        f"({target.device.name}) has {has[what]}"
        for what, count in needs.items()
        if count > has[what] and (what != "dsp" or has[what])
    )
