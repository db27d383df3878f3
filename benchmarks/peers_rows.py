"""How a row of the table of peers is measured: the same data and choices for every reservoir.

Every peer gets the same budget of draws; the one with the least error on the validation samples of
the tuning stream counts, for each readout by itself. On every test stream weights are drawn anew,
the readout is trained on the training samples, its lambda, from 1e-14 up, is chosen on the
validation samples of that stream, and the test samples are read once. Labelled sequences have folds
of the training sequences in place of validation samples.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy_loop import STARTS, STEPS
from benchmarks.accuracy_rows import Streams, summary
from benchmarks.peers_reservoirs import Draw, Peer, PeerReservoir, draws
from rchw.metrics import valid_prediction_time
from rchw.model.feedback import FeedbackModel
from rchw.tasks import Task
from rchw.tasks.sequences import SequenceTask
from rchw.train.linear import FLOAT_LAMBDAS, LinearReadout, moments, train_linear
from rchw.train.ridge_path import ridge_path

__all__ = ["READOUTS", "features_of", "loop_rows", "scaled", "sequence_rows", "series_rows"]

Values = NDArray[np.float64]
Row = dict[str, Any]

READOUTS = {"linear": "[x, 1]", "squares": "[x, x², 1]"}
_FOLDS = 5
_WEIGHTS = 5  # draws of weights where there is one series only
_LOOP_LAMBDAS = tuple(10.0**k for k in range(-14, 0, 2))


def features_of(states: Values, readout: str) -> Values:
    """States, and their squares where the readout has them."""
    return np.concatenate([states, states**2], axis=1) if readout == "squares" else states


def scaled(task: Task) -> Values:
    """Inputs from -1 to 1 over the training samples, as our designs take them."""
    part = task.inputs[task.train]
    low, high = part.min(axis=0), part.max(axis=0)
    scaled: Values = (task.inputs - (low + high) / 2) * (2 / (high - low))
    return scaled


def _chosen(
    peer: Peer, n_units: int, task: Task, budget: int, seed: int
) -> dict[str, tuple[Draw, float]]:
    """Draw of the least validation error for every readout, with that error."""
    best: dict[str, tuple[Draw, float]] = {}
    inputs = scaled(task)[: task.validation.stop]
    for number, draw in enumerate(draws(budget, seed)):
        states = peer.make(n_units, task.n_inputs, draw, seed + number).run(inputs)
        if not np.isfinite(states).all():
            continue
        for readout in READOUTS:
            error = train_linear(task, features_of(states, readout)).validation
            if readout not in best or error < best[readout][1]:
                best[readout] = draw, error
    return best


def _row(peer: Peer, readout: str, draw: Draw, validation: float, budget: int) -> Row:
    return {
        "title": peer.title,
        "readout": readout,
        "chosen": asdict(draw),
        "validation": validation,
        "candidates": budget,
    }


def series_rows(
    peer: Peer, n_units: int, streams: Streams, *, budget: int = 25, seed: int = 0
) -> dict[str, Row]:
    """Tune a peer on the first tuning stream and test it on the others, with both readouts.

    Returns
    -------
    dict
        By `READOUTS`: ``errors`` of the test streams with ``mean`` and ``median``, ``chosen``,
        ``validation``, ``candidates``, ``seconds``.
    """
    begin = time.perf_counter()
    best = _chosen(peer, n_units, streams.load(streams.tuning)[0], budget, seed)
    tests = streams.load(streams.test)
    if len(tests) == 1:
        tests = tests * _WEIGHTS
    rows = {}
    for readout, (draw, validation) in best.items():
        errors = []
        for number, task in enumerate(tests):
            made = peer.make(n_units, task.n_inputs, draw, 1000 + number)
            states = features_of(made.run(scaled(task)), readout)
            errors.append(train_linear(task, states).error(task, states))
        rows[readout] = _row(peer, readout, draw, validation, budget) | summary(errors)
    seconds = round(time.perf_counter() - begin, 1)
    return {name: row | {"seconds": seconds} for name, row in rows.items()}


def _times(
    made: PeerReservoir, trained: LinearReadout, readout: str, task: Task, split: slice
) -> list[int]:
    """Valid prediction times of closed loops from some samples of a split, as for our designs."""
    part = task.inputs[task.train]
    low, high = part.min(axis=0), part.max(axis=0)

    def outputs(states: Values) -> Values:
        return trained.predict(features_of(states, readout))

    def fed(states: Values) -> Values:
        found: Values = (np.clip(outputs(states), -1e3, 1e3) - (low + high) / 2) * 2 / (high - low)
        return found

    loop = FeedbackModel(made, fed, task.n_inputs)
    inputs, found = scaled(task), []
    for start in np.linspace(split.start, split.stop - STEPS, STARTS).astype(int).tolist():
        state = made.run(inputs[max(start - 1000, 0) : start + 1])[-1]
        first = np.concatenate([state, fed(state[None])[0]])
        later = loop.run(np.zeros((STEPS - 1, 0)), first)
        guess = np.clip(outputs(np.concatenate([state[None], later])), -1e9, 1e9)
        found.append(valid_prediction_time(guess, task.targets[start : start + STEPS]))
    return found


def loop_rows(
    peer: Peer, n_units: int, streams: Streams, *, budget: int = 25, seed: int = 0
) -> dict[str, Row]:
    """Valid prediction times of a series one step ahead with its outputs fed back.

    The draw is that of the least validation error one step ahead; lambda is the one with the
    longest mean time on validation samples, as for our designs.
    """
    begin = time.perf_counter()
    tuning = streams.load(streams.tuning)[0]
    best = _chosen(peer, n_units, tuning, budget, seed)
    rows = {}
    for readout, (draw, validation) in best.items():
        made = peer.make(n_units, tuning.n_inputs, draw, seed)
        states = features_of(made.run(scaled(tuning)), readout)
        scores = {
            value: float(
                np.mean(
                    _times(
                        made, train_linear(tuning, states, [value]), readout, tuning,
                        tuning.validation,
                    )
                )
            )
            for value in _LOOP_LAMBDAS
        }  # fmt: skip
        value = max(scores, key=lambda each: scores[each])
        found: list[int] = []
        for number, task in enumerate(streams.load(streams.test)):
            made = peer.make(n_units, task.n_inputs, draw, 1000 + number)
            states = features_of(made.run(scaled(task)), readout)
            trained = train_linear(task, states, [value])
            found += _times(made, trained, readout, task, task.test)
        rows[readout] = _row(peer, readout, draw, validation, budget) | {
            "times": found,
            "time": float(np.median(found)),
            "time_mean": float(np.mean(found)),
            "regularisation": value,
        }
    seconds = round(time.perf_counter() - begin, 1)
    return {name: row | {"seconds": seconds} for name, row in rows.items()}


def _pooled(made: PeerReservoir, sequences: Sequence[Values]) -> Values:
    """Mean of the states and of their squares over every sequence, (S, 2 N)."""
    rows = []
    for sequence in sequences:
        states = made.run(sequence)
        rows.append(np.concatenate([states.mean(axis=0), (states**2).mean(axis=0)]))
    return np.array(rows)


def _solver(
    task: SequenceTask, features: Values
) -> tuple[int, float, Callable[[NDArray[np.int64]], NDArray[np.int64]]]:
    """Errors in folds of the training sequences, the lambda of the fewest, and a classifier."""
    onehot = np.eye(task.n_classes)[task.labels]

    def solved(rows: NDArray[np.int64], lambdas: Sequence[float]) -> tuple[Values, ...]:
        mean, deviation = moments(features[rows])
        centre = onehot[rows].mean(axis=0)
        z = (features[rows] - mean) / deviation
        return mean, deviation, centre, ridge_path(z, onehot[rows] - centre, lambdas)[0]

    def labels(
        parts: tuple[Values, ...], index: int, asked: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        mean, deviation, centre, weights = parts
        scores = (features[asked] - mean) / deviation @ weights[index] + centre
        return np.asarray(scores.argmax(axis=1))

    wrong = np.zeros(len(FLOAT_LAMBDAS), dtype=int)
    for fold in range(_FOLDS):
        held = np.arange(len(task.train)) % _FOLDS == fold
        parts = solved(task.train[~held], FLOAT_LAMBDAS)
        for index in range(len(FLOAT_LAMBDAS)):
            wrong[index] += task.errors(labels(parts, index, task.train[held]), task.train[held])
    best = int(wrong.argmin())
    final = solved(task.train, [FLOAT_LAMBDAS[best]])
    return int(wrong[best]), FLOAT_LAMBDAS[best], lambda asked: labels(final, 0, asked)


def sequence_rows(
    peer: Peer, n_units: int, task: SequenceTask, *, budget: int = 25, seed: int = 0
) -> dict[str, Row]:
    """Classify sequences by the mean of the states over each, with both readouts.

    Returns
    -------
    dict
        By `READOUTS`: ``errors``, counts of test sequences for every draw of the weights, with
        ``mean`` and ``median``, ``held_out`` and ``candidates``.
    """
    begin = time.perf_counter()
    taught = np.concatenate([task.sequences[row] for row in task.train])
    mean, deviation = moments(taught)
    sequences = [(sequence - mean) / (3 * deviation) for sequence in task.sequences]
    size = {"linear": n_units, "squares": 2 * n_units}
    best: dict[str, tuple[Draw, int]] = {}
    learnt = [sequences[row] for row in task.train]
    for number, draw in enumerate(draws(budget, seed)):
        made = peer.make(n_units, task.n_inputs, draw, seed + number)
        features = np.zeros((len(sequences), 2 * made.n_units))
        features[task.train] = _pooled(made, learnt)
        for readout in READOUTS:
            held = _solver(task, features[:, : size[readout]])[0]
            if readout not in best or held < best[readout][1]:
                best[readout] = draw, held
    rows = {}
    for readout, (draw, held) in best.items():
        errors = []
        for number in range(_WEIGHTS):
            made = peer.make(n_units, task.n_inputs, draw, 1000 + number)
            features = _pooled(made, sequences)[:, : size[readout]]
            guess = _solver(task, features)[2](task.test)
            errors.append(task.errors(guess, task.test))
        rows[readout] = _row(peer, readout, draw, held / len(task.train), budget) | summary(errors)
        rows[readout] |= {"held_out": held, "sequences": len(task.test)}
    seconds = round(time.perf_counter() - begin, 1)
    return {name: row | {"seconds": seconds} for name, row in rows.items()}
