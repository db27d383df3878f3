"""Every rule of adaptation against no adaptation, in floating point and at 12 bits.

``python -m benchmarks.adaptation`` writes ``benchmarks/results/adaptation.json`` and, from it
alone, ``benchmarks/adaptation.md`` and the pictures ``adaptation.svg`` and ``homeostasis.svg`` of
``docs/images``. A row is written as soon as it is measured; ``--missing`` leaves out what is there,
``--page`` measures nothing.

Streams are fixed in advance: seed 2000 for choices, 3000 to 3004 for tests. On every test stream
the reservoir is another draw.
"""

import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib import metadata
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.accuracy_rows import Streams as TaskStreams
from benchmarks.accuracy_rows import floor_rows, summary
from benchmarks.adaptation_page import markdown, pictures
from benchmarks.parts import measure_parts, parse_parts
from rchw.adapt import RULES, History, flow_control, parse_parameters, variance_control
from rchw.errors import DesignError
from rchw.files import write_atomic
from rchw.metrics import input_separation, memory_capacity
from rchw.model import MatrixModel
from rchw.model.scaling import matrix_radius
from rchw.reference.compiled import run_states
from rchw.reservoir import Reservoir
from rchw.tasks import Task
from rchw.train import Hyperparameters, TrainOptions, build_design, train_readout
from rchw.train.ideal_models import float_model
from rchw.train.ideal_options import IdealOptions, IdealPoint
from rchw.train.linear import train_linear
from rchw.train.readout import Fit, outputs_of
from rchw.train.search import training_rows

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results" / "adaptation.json"
COMMAND = "python -m benchmarks.adaptation"
IMAGES = FOLDER.parent / "docs" / "images"
N_UNITS, DENSITY, BITS = 100, 0.1, 12
TUNING, TESTS = (2000,), tuple(range(3000, 3005))
PRECISIONS = ("float", "12 bits")
TASKS = {"narma10": None, "mackey-glass": 84}

# What a reservoir begins with, and what a rule is asked for: as many candidates for each row.
SCALINGS = (0.0625, 0.25, 1.0)
RADII = (0.6, 0.9)
PLAIN_RADII = (0.4, 0.6, 0.8, 0.9, 1.0, 1.1)
WEIGHT_CHANGES = (
    "learning_rate=1e-5,epochs=3", "learning_rate=1e-4,epochs=3",
    "learning_rate=1e-3,epochs=3,normalise=1",
)  # fmt: skip
CANDIDATES: dict[str, tuple[str, ...]] = {
    "none": ("",),
    "intrinsic-plasticity": ("std=0.1,epochs=8", "std=0.2,epochs=8", "std=0.4,epochs=8"),
    "phase-transition": (
        "learning_rate=1e-4,epochs=5", "learning_rate=3e-4,epochs=5", "learning_rate=1e-3,epochs=5",
    ),
    **dict.fromkeys(("hebbian", "anti-hebbian", "oja", "anti-oja", "bcm"), WEIGHT_CHANGES),
    **dict.fromkeys(
        ("flow-control", "variance-control"),
        tuple(f"target_radius={radius},learning_rate=2e-3,epochs=4" for radius in (0.7, 0.9, 1.1)),
    ),
}  # fmt: skip

Values = NDArray[np.float64]
Measured = dict[str, Any]


@dataclass(frozen=True)
class Choice:
    """One candidate: where the reservoir begins, and the parameters of the rule."""

    rule: str
    radius: float
    scaling: float
    parameters: str

    def options(self, seed: int) -> IdealOptions:
        """Options of the float reservoir of one draw, adapted or not."""
        return IdealOptions(
            reservoir="leaky", n_units=N_UNITS, density=DENSITY, squares=True, levels=False,
            bias=True, seed=seed,
        )  # fmt: skip


def choices(rule: str) -> Iterator[Choice]:
    """All candidates of a row."""
    radii = PLAIN_RADII if rule == "none" else RADII
    for radius, scaling, parameters in product(radii, SCALINGS, CANDIDATES[rule]):
        yield Choice(rule, radius, scaling, parameters)


def scaled(task: Task) -> Values:
    """Inputs of the whole series, those of the training samples being in -1 to 1."""
    taught = task.inputs[task.train]
    low, high = taught.min(axis=0), taught.max(axis=0)
    return np.asarray((task.inputs - (low + high) / 2) * 2 / (high - low))


def reservoir(task: Task, choice: Choice, seed: int) -> tuple[Reservoir, History | None]:
    """Draw the float reservoir, and adapt it on the training inputs."""
    point = IdealPoint(radius=choice.radius, input_scaling=choice.scaling, bias=0.125)
    model = float_model(choice.options(seed), point, task.n_inputs)
    if choice.rule == "none":
        return model, None
    parameters = parse_parameters(choice.rule, choice.parameters)
    return RULES[choice.rule](model, scaled(task)[task.train], **parameters)


def features(task: Task, model: Reservoir, stop: int) -> Values:
    """States and their squares up to a sample, (stop, 2 N)."""
    states = model.run(scaled(task)[:stop])
    return np.hstack([states, states**2])


def chosen(task: Task, rule: str, seed: int, precision: str = "float") -> tuple[Choice, float]:
    """Choose the candidate with the least error on the validation samples of a tuning stream."""
    stop = task.validation.indices(len(task.inputs))[1]
    best: tuple[Choice, float] | None = None
    for choice in choices(rule):
        try:
            if precision == "float":
                model, _ = reservoir(task, choice, seed)
                error = train_linear(task, features(task, model, stop)).validation
            else:
                error = whole(task, choice, seed, tested=False)[0]
        except DesignError:  # weights that grow beyond all bounds
            continue
        if best is None or error < best[1]:
            best = choice, error
    assert best is not None, "no candidate could be trained"
    return best


def whole(task: Task, choice: Choice, seed: int, *, tested: bool) -> tuple[float, float]:
    """Validation and test error of the design at 12 bits; lambda is chosen by the first.

    The second is nan, and no test sample is read, unless it is `tested`.
    """
    adapted: Measured = {}
    if choice.rule != "none":
        adapted = {
            "adapt": choice.rule, "adapt_with": choice.parameters, "gain_bits": BITS,
        }  # fmt: skip
    options = TrainOptions(
        reservoir="leaky", units=N_UNITS, density=DENSITY, leak_shift=0, input_bits=BITS,
        state_bits=BITS, weight_bits=BITS, readout_bits=16, squares=True, activation="pwl",
        seed=seed, **adapted,
    )  # fmt: skip
    hyper = Hyperparameters(radius=choice.radius, input_scaling=choice.scaling, bias=0.125)
    design = build_design(options, hyper, task.inputs[task.train], task.targets[task.train])
    last = task.test if tested else task.validation
    codes = design.encode(task.inputs[: last.indices(len(task.inputs))[1]])
    states = run_states(design, codes).astype(np.int64)
    rows, check = training_rows(task), task.validation
    fits = train_readout(design, states[rows], codes[rows], task.targets[rows])

    def error(fitted: Fit, part: slice) -> float:
        outputs = outputs_of(fitted.design, states[part], codes[part])
        return float(task.error(outputs, task.targets[part]))

    scores = [error(fitted, check) for fitted in fits]
    best = int(np.argmin(scores))
    return scores[best], error(fits[best], task.test) if tested else np.nan


def judged(task: Task, choice: Choice, seed: int, precision: str) -> tuple[float, float]:
    """Validation and test error of one choice on one stream; the test samples are read once."""
    if precision != "float":
        return whole(task, choice, seed, tested=True)
    model, _ = reservoir(task, choice, seed)
    states = features(task, model, task.test.indices(len(task.inputs))[1])
    readout = train_linear(task, states)
    return readout.validation, readout.error(task, states)


def properties(model: Reservoir) -> Measured:
    """What a reservoir is like, whatever its task: on inputs uniform from -1 to 1."""
    assert isinstance(model, MatrixModel)
    noise = np.random.default_rng(0).uniform(-1, 1, 3000)
    gain = np.broadcast_to(np.asarray(model.gain, dtype=np.float64), model.n_units)
    memory = memory_capacity(model.run(noise), noise, range(1, 61))
    return {
        "radius": matrix_radius(gain[:, None] * np.asarray(model.weights)),
        "memory": memory.significant,
        "separation": input_separation(model, noise[:1000, None], (0.1,)).ratios[0],
    }


def measure(streams: TaskStreams, rule: str, precision: str) -> Measured:
    """Choose on the tuning stream, then read the test samples of every test stream once."""
    begin = time.perf_counter()
    (tuning,) = streams.load(streams.tuning)
    choice, error = chosen(tuning, rule, streams.tuning[0], precision)
    found: list[tuple[float, float]] = []
    known: list[Measured] = []
    for seed, task in zip(streams.test, streams.load(streams.test), strict=True):
        found.append(judged(task, choice, seed, precision))
        if precision == "float":
            known.append(properties(reservoir(task, choice, seed)[0]))
    return {
        "choice": asdict(choice),
        "validation": error,
        "candidates": len(list(choices(rule))),
        **summary([error for _, error in found]),
        "checked": [checked for checked, _ in found],
        **(
            {"properties": {name: [row[name] for row in known] for name in known[0]}}
            if known
            else {}
        ),
        "seconds": round(time.perf_counter() - begin, 1),
    }


def starts(streams: TaskStreams, precision: str) -> Measured:
    """Errors of the reservoirs from which rules begin, as they are before: no choice reads them."""
    found: Measured = {}
    for radius, scaling in product(RADII, SCALINGS):
        choice = Choice("none", radius, scaling, "")
        found[f"{radius:g}, {scaling:g}"] = [
            judged(task, choice, seed, precision)[1]
            for seed, task in zip(streams.test, streams.load(streams.test), strict=True)
        ]
    return found


def histories(streams: TaskStreams) -> Measured:
    """How radius and deviation move under every rule, from one reservoir: for the picture."""
    (task,) = streams.load(streams.tuning)
    found = {}
    for rule in RULES:
        start = Choice(rule, 0.9, 0.25, "epochs=10")
        if rule in ("hebbian", "anti-hebbian", "oja", "anti-oja", "bcm"):
            start = replace(start, parameters="epochs=10,learning_rate=2e-4")
        _, history = reservoir(task, start, streams.tuning[0])
        assert history is not None
        layer = history.layers[0]
        found[rule] = {
            "parameters": start.parameters,
            "samples": layer.steps.tolist(),
            **{name: layer.values[name].tolist() for name in ("radius", "std")},
        }
    return found


def homeostasis() -> Measured:
    """Radius that flow and variance control reach, with inputs that are independent or shared."""
    rng, n, samples = np.random.default_rng(0), 300, 8_000
    there = (rng.random((n, n)) < 0.1) & ~np.eye(n, dtype=bool)
    weights = rng.normal(0, 1 / np.sqrt(0.1 * n), (n, n)) * there
    cases = {
        "independent": (0.5 * np.eye(n), rng.normal(size=(samples, n))),
        "shared": (0.5 * rng.normal(size=(1, n)), rng.choice([-1.0, 1.0], (samples, 1))),
    }
    targets = np.array([0.6, 0.8, 1.0, 1.2])
    found: Measured = {"targets": targets.tolist(), "units": n, "samples": samples}
    for case, (into, inputs) in cases.items():
        for name, rule in (("flow-control", flow_control), ("variance-control", variance_control)):
            found[f"{name}/{case}"] = []
            for goal in found["targets"]:
                model = MatrixModel(weights, into)
                _, history = rule(model, inputs, target_radius=goal, learning_rate=2e-3, records=2)
                found[f"{name}/{case}"].append(float(history.layers[0].values["radius"][-1]))
    return found


def environment() -> Measured:
    """Whatever may change the last digits."""
    return {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in ("numpy", "numba")},
    }


def jobs() -> Iterator[tuple[str, Callable[[], Measured]]]:
    """Keys of rows, each with what measures it."""
    for name, horizon in TASKS.items():
        streams = TaskStreams(name, TUNING, TESTS, horizon)
        yield f"{name}/floors", partial(floor_rows, streams, N_UNITS)
        for rule, precision in product(CANDIDATES, PRECISIONS):
            yield f"{name}/{rule}/{precision}", partial(measure, streams, rule, precision)
        for precision in PRECISIONS:
            yield f"{name}/starts/{precision}", partial(starts, streams, precision)
    first = TaskStreams("narma10", TUNING, TESTS)
    yield "histories", partial(histories, first)
    yield "homeostasis", homeostasis


def _about() -> Measured:
    protocol = {"units": N_UNITS, "radii": len(PLAIN_RADII), "scalings": len(SCALINGS)}
    return {"environment": environment(), "protocol": protocol}


def main() -> None:
    """Measure what is asked for, and write record, page and picture."""
    asked = parse_parts(__doc__)
    threadpool_limits(1)
    record = measure_parts(RESULTS, COMMAND, jobs(), asked, _about)
    missing = [key for key, _ in jobs() if key not in record["rows"]]
    if missing:
        print(f"no page yet: {len(missing)} rows are missing, such as {missing[0]}")
        return
    write_atomic(FOLDER / "adaptation.md", markdown(record))
    for name, text in pictures(record).items():
        write_atomic(IMAGES / name, text)


if __name__ == "__main__":
    main()
