"""How far integers get below the floor of a linear filter without squares, and what it takes.

``python -m benchmarks.linear_floor`` writes ``benchmarks/results/linear_floor.json`` and, from it
alone, ``benchmarks/linear_floor.md``. ``--only reading``, ``loop`` or ``dither`` measures a part.

NARMA-10, Rodan and Tino's protocol, the ten test streams of ``benchmarks.accuracy``. A readout of
``[x, 1]`` finds products of past inputs only in the curvature of the units. *Reading* takes the
classic ring in floating point and rounds its states only where the readout sees them: so it tells
what the curvature is worth in bits, and what a better use of the range gives. *Loop* searches whole
integer designs, which round in every step, with more and more freedom. *Dither* adds noise of about
one step to the states of such designs, through a channel of its own. *Capacity* counts what their
states know of past inputs, by the degree of the products.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.accuracy import TESTS, TUNING, environment
from benchmarks.accuracy_rows import FLOORS, Row, Streams, floor_rows, measure, search, summary
from benchmarks.linear_floor_page import markdown
from rchw.design import Design, InputChannel, LinearInput
from rchw.files import write_atomic
from rchw.fixed import QFormat
from rchw.metrics import information_processing_capacity
from rchw.reference.compiled import run_states
from rchw.tasks import Task
from rchw.train import Hyperparameters, TrainOptions, Tuned, fit
from rchw.train.ideal import IdealOptions, IdealPoint, TunedIdeal, fit_ideal, tune_ideal
from rchw.train.linear import train_linear
from rchw.train.readout import outputs_of, train_readout
from rchw.train.search import training_rows

__all__ = ["CODINGS", "UNITS", "dithered", "loop_rows", "recorded", "retrained", "rounded"]

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results" / "linear_floor.json"
UNITS = 200
CLOSER = ("bias", "pwl", "gain")  # rows of the loop whose states are looked into
SAMPLES = 40_000  # of the capacities: chance grows with N / T
BITS = (8, 12, 16)
READ_BITS = (8, 10, 12, 14, 16, 18, 20, 24)
STREAMS = Streams("narma10", TUNING[:2], TESTS)
Values = NDArray[np.float64]
Measured = dict[str, Any]

CODINGS = {
    "full": "full scale of -1 to 1",
    "range": "one range for all units",
    "unit": "each unit's own range about its middle",
    "unit-dither": "the same, with one step of dither",
}


def rounded(states: Values, bits: int, coding: str, rows: slice, seed: int = 0) -> Values:
    """Round states (T, N) to codes of `bits` bits, and give their values.

    Ranges are twice those of the training samples, for a single clipped state ruins a readout that
    lives on curvatures; what leaves them is clipped. Dither is uniform over one step, and is not
    taken off again.
    """
    seen = states[rows]
    if coding == "full":
        middle, reach = np.zeros(1), np.ones(1)
    elif coding == "range":
        middle, reach = np.zeros(1), np.full(1, 2 * np.abs(seen).max())
    else:
        low, high = seen.min(axis=0), seen.max(axis=0)
        middle, reach = (low + high) / 2, high - low
    half = 2.0 ** (bits - 1)
    codes = (states - middle) / reach * half
    if coding.endswith("dither"):
        codes = codes + np.random.default_rng(seed).uniform(-0.5, 0.5, codes.shape)
    found = np.clip(np.floor(codes + 0.5), -half, half - 1)
    return np.asarray(found / half * reach + middle)


def _reading(n_units: int) -> Measured:
    """Errors of the float ring by how its states are rounded where they are read."""
    options = IdealOptions(
        n_units=n_units, levels=False, bias=True, windows=1, search="full", activation="tanh"
    )
    tuned: TunedIdeal = tune_ideal(STREAMS.load(STREAMS.tuning), options)
    found: dict[str, list[float]] = {}
    shares: list[float] = []
    for seed, task in zip(TESTS, STREAMS.load(TESTS), strict=True):
        ideal = fit_ideal(task, options, tuned)
        signal = (task.inputs[: task.test.stop] - ideal.offset) * ideal.gain
        states = ideal.model.run(signal)
        rows = training_rows(task)
        shares.append(float(np.median(np.ptp(states[rows], axis=0) / 2)))
        found.setdefault("float", []).append(train_linear(task, states).error(task, states))
        for coding in CODINGS:
            for bits in READ_BITS:
                seen = rounded(states, bits, coding, rows, seed)
                error = train_linear(task, seen).error(task, seen)
                found.setdefault(f"{coding}/{bits}", []).append(error)
    point: IdealPoint = tuned.point
    return {
        "rows": {key: summary(errors) for key, errors in found.items()},
        "point": {k: getattr(point, k) for k in ("feedback", "input_scaling", "bias")},
        "share": float(np.mean(shares)),
        "validation": tuned.error,
    }


def loop_rows(bits: int) -> dict[str, Row]:
    """Searches of whole designs, each with one more freedom than a clip without bias."""
    common: dict[str, Any] = {
        "units": UNITS,
        "input_bits": bits,
        "state_bits": bits,
        "readout_bits": 12 if bits <= 8 else 18,
        "search": "quick",
    }
    kinds: dict[str, tuple[str, dict[str, Any]]] = {
        "plain": ("clip, no bias", {"bias": False}),
        "bias": ("clip", {}),
        "pwl": ("piecewise-linear tanh", {"activation": "pwl"}),
        "table": ("table of tanh, 10-bit index", {"activation": "table"}),
        "gain": ("clip, an input gain for each unit", {"weights": "integer"}),
        "pwl-gain": (
            "piecewise-linear tanh, an input gain for each unit",
            {"activation": "pwl", "weights": "integer"},
        ),
        "double": (f"clip, {2 * UNITS} units", {"units": 2 * UNITS}),
        "double-gain": (
            f"clip, an input gain for each unit, {2 * UNITS} units",
            {"units": 2 * UNITS, "weights": "integer"},
        ),
    }
    return {key: Row(title, TrainOptions(**common | more)) for key, (title, more) in kinds.items()}


def recorded(bits: int, key: str) -> Design:
    """The design of a row of the loop on the first test stream, as the record has chosen it."""
    row = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"][f"loop/{bits}/{key}"]
    tuned = Tuned(
        Hyperparameters(**row["chosen"]), row["regularisation"], row["validation"],
        row["candidates"],
    )  # fmt: skip
    options = TrainOptions(**row["options"])
    return fit(STREAMS.load(TESTS[:1])[0], options, tuned)


def dithered(design: Design, amplitude: int) -> Design:
    """Give a design of one ring a channel whose codes are added to every unit, signs in turn.

    Codes from ``-amplitude`` to ``amplitude - 1`` are quarters of a step of the states.
    """
    layer = design.ring
    width = max(amplitude.bit_length() + 1, 2)
    channel = InputChannel("dither", QFormat(width, layer.state.frac + 2))
    signs = tuple(1 if unit % 2 else -1 for unit in range(layer.n_units))
    noisy = replace(layer, inputs=(*layer.inputs, LinearInput(QFormat(2), signs)))
    return replace(design, inputs=(*design.inputs, channel), layers=(noisy,))


def retrained(design: Design, task: Task, amplitude: int, seed: int) -> tuple[Design, float]:
    """A design under dither with its readout trained anew, and its test error.

    Lambda is chosen on validation samples; the test samples are read once.
    """
    codes = design.encode(task.inputs[: task.test.stop])
    if amplitude:
        noise = np.random.default_rng(seed).integers(-amplitude, amplitude, (len(codes), 1))
        design, codes = dithered(design, amplitude), np.concatenate([codes, noise], axis=1)
    states = run_states(design, codes).astype(np.int64)
    rows, check, test = training_rows(task), task.validation, task.test
    outputs = tuple(replace(o, format=QFormat(16, 15)) for o in design.readout.outputs)
    blank = replace(design, readout=replace(design.readout, outputs=outputs))
    fits = train_readout(blank, states[rows], codes[rows], task.targets[rows])

    def error(found: Design, part: slice) -> float:
        return float(task.error(outputs_of(found, states[part], codes[part]), task.targets[part]))

    best = min((f.design for f in fits), key=lambda d: error(d, check))
    return best, error(best, test)


def _dither(bits: int) -> Measured:
    """Errors of the design of row ``bias`` without dither and with some amplitudes."""
    options, tuned = search(loop_rows(bits)["bias"], STREAMS.load(STREAMS.tuning))
    assert isinstance(options, TrainOptions) and isinstance(tuned, Tuned)
    found: dict[str, list[float]] = {}
    for seed, task in zip(TESTS, STREAMS.load(TESTS), strict=True):
        design = fit(task, options, tuned)
        for amplitude in (0, 2, 4, 8):
            _, error = retrained(design, task, amplitude, seed)
            found.setdefault(str(amplitude), []).append(error)
    return {key: summary(errors) for key, errors in found.items()}


def _known(model: Callable[[Values], NDArray[Any]]) -> Measured:
    """What a readout can compute from states: capacities by degree, on uniform inputs."""
    signal = np.random.default_rng(0).uniform(0.0, 0.5, SAMPLES)
    found = information_processing_capacity(model(signal[:, None]), signal, low=0.0, high=0.5)
    return {"degrees": found.per_degree, "total": found.total, "threshold": found.threshold}


def _states(design: Design, inputs: Values) -> NDArray[Any]:
    return run_states(design, design.encode(inputs))


def _capacity() -> Measured:
    """Capacities of the float ring as read above, and of some rows of the loop."""
    options = IdealOptions(n_units=UNITS, levels=False, bias=True, windows=1, search="full")
    tuned = tune_ideal(STREAMS.load(STREAMS.tuning), options)
    task = STREAMS.load(TESTS[:1])[0]
    ideal = fit_ideal(task, options, tuned)
    found = {"float": _known(lambda u: ideal.model.run((u - ideal.offset) * ideal.gain))}
    for bits in BITS:
        for key in CLOSER:
            row = loop_rows(bits)[key]
            fixed, chosen = search(row, STREAMS.load(STREAMS.tuning))
            assert isinstance(fixed, TrainOptions) and isinstance(chosen, Tuned)
            design = fit(task, fixed, chosen)
            name = f"{bits} bits, {row.title}"
            found[name] = _known(partial(_states, design))
    return found


def _jobs() -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "floors", lambda: {k: floor_rows(STREAMS, UNITS)[k] for k in FLOORS}
    yield f"reading/{UNITS}", partial(_reading, UNITS)
    yield "capacity", _capacity
    for bits in BITS:
        for key, row in loop_rows(bits).items():
            yield f"loop/{bits}/{key}", partial(measure, row, STREAMS)
        yield f"dither/{bits}", partial(_dither, bits)


def main() -> None:
    """Measure what is asked for, and write record and page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="parts of keys, separated by commas")
    parser.add_argument("--missing", action="store_true", help="leave out what is there")
    parser.add_argument("--page", action="store_true", help="make the page and measure nothing")
    options = parser.parse_args()
    threadpool_limits(1)
    record: Measured = {"command": "python -m benchmarks.linear_floor", "rows": {}}
    record |= {"units": UNITS, "samples": SAMPLES}
    if RESULTS.exists():
        record |= json.loads(RESULTS.read_text(encoding="utf-8"))
    for key, work in () if options.page else _jobs():
        wanted = not options.only or any(part in key for part in options.only.split(","))
        if not wanted or (options.missing and key in record["rows"]):
            continue
        record["rows"][key] = work()
        record["environment"], record["streams"] = environment(), STREAMS.hashes()
        write_atomic(RESULTS, json.dumps(record, indent=1) + "\n")
        print(key, flush=True)
    write_atomic(FOLDER / "linear_floor.md", markdown(record))


if __name__ == "__main__":
    main()
