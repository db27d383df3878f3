"""Integer designs for the table of peers: the draws of the peers, rounded to what integers hold.

A row is a family at a width of inputs and states. It gets as many draws as a peer, and from the
same points (`benchmarks.peers_reservoirs.draws`): the leak becomes a power of two, scaling and bias
short sums of powers of two; what peers do not have, such as signs and jumps, is drawn beside them.
The leaky cycle clips and has uniform input weights of 8 bits; all others have the piecewise-linear
tanh and short input weights. A draw is run once; both readouts come from its statistics. Choices
are those of the peers: the draw by the validation samples of the tuning stream, lambda by the
validation samples of every test stream, by integer outputs.
"""

import math
import time
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from benchmarks.accuracy_rows import Streams, summary
from benchmarks.peers_reservoirs import Draw, draws
from rchw.codesign.objectives import Limits
from rchw.codesign.series import SeriesTrials
from rchw.codesign.space import Readout, Space
from rchw.codesign.trial import Fidelity
from rchw.errors import DesignError
from rchw.tasks import Task
from rchw.train import Hyperparameters, TrainOptions, evaluate

__all__ = ["FAMILIES", "design_rows", "rounded"]

Row = dict[str, Any]
Candidate = tuple[TrainOptions, Hyperparameters]

FAMILIES = {
    "leaky": "leaky matrix",
    "jumps": "cycle with jumps",
    "cycle": "leaky cycle",
    "deep": "three leaky layers",
}
_RESERVOIRS = {"jumps": "cycle-jumps"}
_WIDEST = (18, 16)  # bits of readout weights and outputs, as of the other rows of 16 bits
_NARROW = (12, 16)  # beside 8-bit states
# What is too small for a positive definite matrix is left out by the solver.
_LAMBDAS = Fidelity("draws", 1.0, 0, tuple(10.0**k for k in range(-13, 0)), True)
_WINDOWS = 16  # sign patterns and matrices of the draws; later ones are for weights drawn anew
_WEIGHTS = 5  # draws of weights where there is one series only


def _short(value: float, digits: int) -> float:
    """The nearest sum of so many neighbouring powers of two, a multiple of 2**-12."""
    step = 2.0 ** max(math.floor(math.log2(value)) - digits + 1, -12)
    return max(round(value / step), 1) * step


def rounded(
    family: str, n_units: int, bits: int, draw: Draw, rng: np.random.Generator
) -> Candidate:
    """Options and hyperparameters nearest to a draw.

    Parameters
    ----------
    family : str
        Of `FAMILIES`.
    n_units, bits : int
    draw : Draw
    rng : Generator
        For what a draw does not tell; every family takes the same numbers from it.
    """
    drawn = family == "cycle"
    levels, signs, window = bool(rng.integers(2)), int(rng.integers(2)), int(rng.integers(_WINDOWS))
    jump, jump_weight = int(rng.choice((2, 3, 5, 8, 13, 21))), 2.0 ** int(rng.integers(-4, 0))
    rise, inter_scaling = int(rng.integers(3)), _short(float(2 ** rng.uniform(-2, 1)), 2)
    shift = round(-math.log2(draw.leak))
    scaling = _short(max(draw.scaling, 2.0 ** (3 - bits)), 3)
    hyper = Hyperparameters(
        feedback=_short(min(draw.radius, 0.96875), 5),
        radius=draw.radius,
        input_scaling=min(scaling, 1.0) if drawn else scaling,
        bias=_short(draw.bias, 3),
        bias_signs=("same", "independent")[signs],
        levels=levels and not drawn,
        window=window,
        jump_length=min(jump, n_units // 2),
        jump_weight=jump_weight,
        leak_shift=shift,
        leak_rise=rise,
        inter_scaling=inter_scaling,
    )
    own: dict[str, Any] = {"leak_shift": shift}
    if family == "deep":
        own = {"layers": 3}
    elif family == "leaky" and draw.density < 1:
        own["density"] = draw.density
    options = TrainOptions(
        reservoir=_RESERVOIRS.get(family, family), units=n_units, input_bits=bits, state_bits=bits,
        activation="clip" if drawn else "pwl", weights="integer" if drawn else "shift-add",
        rounding="half-up", search="none", **own,
    )  # fmt: skip
    return options, hyper


def _trials(task: Task) -> SeriesTrials:
    return SeriesTrials(task=task, space=Space(), board="ulx3s", limits=Limits())


def _chosen(
    family: str, n_units: int, task: Task, bits: int, budget: int, seed: int
) -> dict[Readout, tuple[Candidate, float]]:
    """Candidate of the least validation error for every readout, with that error."""
    trials, rng = _trials(task), np.random.default_rng([seed, budget])
    widths = _NARROW if bits <= 8 else _WIDEST
    best: dict[Readout, tuple[Candidate, float]] = {}
    for draw in draws(budget, seed):
        options, hyper = rounded(family, n_units, bits, draw, rng)
        try:
            made = {
                readout: trials.design(options, hyper, readout)
                for readout in (Readout(False, *widths), Readout(True, *widths))
            }
            found = trials.trained(options, hyper, made, _LAMBDAS)
        except DesignError:
            continue  # no such design, or no readout of it at any lambda
        for readout, (_, _, error) in found.items():
            if readout not in best or error < best[readout][1]:
                best[readout] = (options, hyper), error
    return best


def _tested(candidate: Candidate, readout: Readout, task: Task) -> tuple[float, float]:
    """Error on the test samples, and lambda, which the validation samples choose."""
    options, hyper = candidate
    trials = _trials(task)
    made = {readout: trials.design(options, hyper, readout)}
    design, regularisation, _ = trials.trained(options, hyper, made, _LAMBDAS)[readout]
    return float(evaluate(design, task)["error"]), regularisation


def design_rows(
    family: str, n_units: int, streams: Streams, *, bits: int, budget: int = 25, seed: int = 0
) -> dict[str, Row]:
    """Search a family on the first tuning stream and test it on the others, with both readouts.

    Returns
    -------
    dict
        By ``linear`` and ``squares``: ``errors`` of the test streams with ``mean`` and ``median``,
        of the design with the weights that were found; ``redrawn``, the same with weights drawn
        anew for every stream, as of peers; ``chosen``, ``validation``, ``candidates``, ``seconds``.
    """
    begin = time.perf_counter()
    best = _chosen(family, n_units, streams.load(streams.tuning)[0], bits, budget, seed)
    tests = streams.load(streams.test)
    again = tests if len(tests) > 1 else tests * _WEIGHTS
    rows: dict[str, Row] = {}
    for readout, (candidate, validation) in best.items():
        options, hyper = candidate
        pairs = [_tested(candidate, readout, task) for task in tests]
        redrawn = [
            _tested((options, replace(hyper, window=_WINDOWS + number)), readout, task)[0]
            for number, task in enumerate(again)
        ]
        rows["squares" if readout.squares else "linear"] = {
            "title": f"rchw {FAMILIES[family]}, {bits} bits",
            "readout": "squares" if readout.squares else "linear",
            "ours": True,
            **summary([error for error, _ in pairs]),
            "redrawn": summary(redrawn),
            "options": asdict(options),
            "chosen": asdict(hyper),
            "regularisations": [value for _, value in pairs],
            "readout_bits": readout.readout_bits,
            "validation": validation,
            "candidates": budget,
        }
    seconds = round(time.perf_counter() - begin, 1)
    return {name: row | {"seconds": seconds} for name, row in rows.items()}
