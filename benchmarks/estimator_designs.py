"""Designs on which the estimator is calibrated, and others on which it is judged, drawn by seed.

`DRAWS` names them: for every board as many of either kind, each with a seed of its own. A draw
chooses reservoir, units, lanes, widths, activation, squares, input features, rounding and outputs;
one whose block RAMs or multipliers (counted, not estimated) the board does not have is drawn again.
Structure and formats come from `rchw.train.build`, so they are those of trained designs; readout
weights are drawn from a normal distribution whose standard deviation is a quarter of their range.

``python -m benchmarks.estimator_designs`` wrote the list of them to
``benchmarks/results/estimator_designs.json`` before anything was measured or calibrated: of each
its digest, and at which attempt it was drawn. Since then it is read; the command adds kinds that
are not in it and changes nothing that is.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np

from rchw.codesign.memories import block_rams, dsps
from rchw.codesign.whole import bill_of
from rchw.design import Design
from rchw.devices import board as find_board
from rchw.document import digest
from rchw.errors import DesignError
from rchw.files import write_atomic
from rchw.train.build import build_design
from rchw.train.options import Hyperparameters, TrainOptions

__all__ = ["BOARDS", "KINDS", "LIST", "Draw", "draw", "draws", "listing"]

LIST = Path(__file__).parent / "results" / "estimator_designs.json"
BOARDS = {"icebreaker": 1, "ulx3s": 2}
# Stream, and designs per board. Further ones are for calibration too: they were added
# when calibration on the first had shown that it has too few of some forms. The last kind is held
# out as well, and was drawn when all others had been built and the model was as it is.
KINDS = {"calibration": (0, 24), "held-out": (1, 12), "further": (2, 24), "fresh": (3, 12)}
_FIRST = ("calibration", "held-out")
SEED = 20261201
_RESERVOIRS = (
    "cycle", "cycle-jumps", "delay-line-feedback", "integer", "euler-ring", "leaky", "leaky-sparse",
    "euler", "deep",
)  # fmt: skip
_RINGS = ("cycle", "cycle-jumps", "delay-line-feedback", "integer")
_PARALLEL_UNITS = {"icebreaker": (6, 16), "ulx3s": (10, 40)}


@dataclass(frozen=True)
class Draw:
    """A design, the board it is for, and what it is drawn for."""

    key: str
    board: str
    kind: str
    options: dict[str, Any]
    design: Design


def _options(rng: np.random.Generator, board: str) -> dict[str, Any]:
    """Options of `rchw.train`, drawn."""

    def one(*values: Any) -> Any:
        return values[int(rng.integers(len(values)))]

    name = one(*_RESERVOIRS)
    parallel = name in _RINGS and rng.random() < 0.25
    low, high = _PARALLEL_UNITS[board] if parallel else (20, 200)
    units = round(float(np.exp(rng.uniform(np.log(low), np.log(high)))))
    options: dict[str, Any] = {
        "reservoir": name.partition("-sparse")[0],
        "units": units,
        "lanes": units if parallel else min(one(1, 1, 2, 4, 8), units // 3),
        "input_bits": one(6, 8, 10, 12),
        "readout_bits": one(8, 10, 12, 14, 16),
        "output_bits": one(12, 16),
        "squares": bool(not parallel and rng.random() < 0.4),
        "input_features": bool(rng.random() < 0.3),
        "rounding": one("truncate", "truncate", "half-up"),
        "activation": "clip" if name == "integer" else one("clip", "clip", "pwl", "table"),
        "state_bits": one(6, 8, 10, 12, 16),
        "seed": int(rng.integers(1 << 20)),
    }
    if parallel:
        options["activation"] = "clip" if name == "integer" else one("clip", "clip", "pwl")
        options["state_bits"] = one(6, 8, 10)
    if name == "integer":
        options |= {"state_bits": None, "kappa": one(3, 7, 15, 31)}
    if name == "leaky-sparse":
        options["density"] = one(0.05, 0.1, 0.2)
    if name in ("leaky", "leaky-sparse", "euler", "deep"):
        options |= {"weight_bits": one(6, 8, 10), "units": max(min(units, 120), 12)}
        options["lanes"] = min(options["lanes"], 4)
    if name == "deep":
        options |= {"layers": one(2, 3), "layer_reservoir": one("cycle", "leaky")}
        options["lanes"] = min(options["lanes"], options["units"] // 4)
        if options["layer_reservoir"] == "cycle":
            options.pop("weight_bits")
    if name in ("cycle", "cycle-jumps") and rng.random() < 0.25:
        options["leak_shift"] = one(1, 2)
    return options


def _made(options: dict[str, Any], rng: np.random.Generator, name: str) -> Design:
    """Design of options, with drawn readout weights."""
    chosen = TrainOptions(**options, name=name)
    n_inputs, n_outputs = int(rng.integers(1, 3)), int(rng.choice([1, 1, 1, 2, 3]))
    bias = rng.random() < 0.7 and options["reservoir"] != "integer"
    hyper = Hyperparameters(
        feedback=float(rng.choice([0.5, 0.75, 0.875])),
        bias=0.125 if bias else 0.0,
        leak_shift=int(rng.integers(0, 3)),
        kappa=options.get("kappa") or 7,
        input_coding=str(rng.choice(["bipolar", "level"])),
        levels=bool(options["reservoir"] != "integer" and rng.random() < 0.3),
    )
    inputs, targets = rng.uniform(-1, 1, (64, n_inputs)), rng.uniform(-1, 1, (64, n_outputs))
    design = build_design(chosen, hyper, inputs, targets)
    weight = design.readout.weight_format
    codes = np.rint(rng.normal(0, weight.max / 4, (n_outputs, design.n_features)))
    rows = np.clip(codes, weight.min, weight.max).astype(int).tolist()
    readout = replace(design.readout, weights=tuple(map(tuple, rows)))
    return replace(design, readout=readout)


def _attempts(board: str, kind: str, number: int) -> Iterator[Draw | None]:
    """What the seed of a design draws, one after the other; None where it is no design."""
    rng = np.random.default_rng([SEED, BOARDS[board], KINDS[kind][0], number])
    key, name = f"{board} {kind} {number}", f"{kind.partition('-')[0]}{number}"
    while True:
        options = _options(rng, board)
        try:
            yield Draw(key, board, kind, options, _made(options, rng, name))
        except DesignError:
            yield None


def _fits(found: Draw) -> bool:
    device, bill = find_board(found.board).device, bill_of(found.design)
    multipliers = sum(dsps(product, device) for product in bill.products)
    return block_rams(bill.memories, device) <= device.block_rams and multipliers <= device.dsps


def draw(board: str, kind: str, number: int, attempt: int) -> Draw:
    """One of the designs, by the attempt that the list tells."""
    found = next(islice(_attempts(board, kind, number), attempt, None))
    assert found is not None, f"attempt {attempt} of {board} {kind} {number} is no design"
    return found


def draws(board: str, kind: str) -> Iterator[Draw]:
    """All of a board and a kind that are listed, in their order."""
    designs = json.loads(LIST.read_text(encoding="utf-8"))["designs"]
    for number in range(KINDS[kind][1]):
        yield draw(board, kind, number, designs[f"{board} {kind} {number}"]["attempt"])


def listing(kinds: Iterable[str] = _FIRST) -> dict[str, Any]:
    """The list: of every design the first attempt that its board can hold, and its digest."""
    found = {}
    for board, kind in product(BOARDS, kinds):
        for number in range(KINDS[kind][1]):
            tried = enumerate(_attempts(board, kind, number))
            attempt, one = next((k, d) for k, d in tried if d is not None and _fits(d))
            entry = {"attempt": attempt, "digest": digest(one.design), "options": one.options}
            found[one.key] = entry
    text = json.dumps(found, sort_keys=True)
    return {"sha256": hashlib.sha256(text.encode()).hexdigest(), "designs": found}


def main() -> None:
    """Write the list, or add to it the kinds that it lacks; its hash is of the first ones."""
    whole = json.loads(LIST.read_text(encoding="utf-8")) if LIST.exists() else listing()
    there = {key.split()[1] for key in whole["designs"]}
    whole["designs"] |= listing([kind for kind in KINDS if kind not in there])["designs"]
    write_atomic(LIST, json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    main()
