"""Train a design that names the class of a sequence: one answer, the index of the greatest output.

Each output is taught 1 for the sequences of its class and 0 for others, by a ridge regression on
the mean features of a sequence, or on those of each of its segments divided by all its samples. The
circuit leaves the sums undivided: all outputs of a sequence then are too large by the same factor,
which no comparison of them sees. What is left open is chosen by folds of the training sequences.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rchw.design import Design, Output, Readout, Segments
from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.names import identifier, unique
from rchw.reference import run
from rchw.reference.readout import ReadoutReference, feature_codes
from rchw.train.axes import axes
from rchw.train.build import build_design
from rchw.train.options import Hyperparameters, TrainOptions
from rchw.train.proposals import BUDGETS, UNORDERED, proposals
from rchw.train.quantize import quantize
from rchw.train.readout import TARGET_FORMAT, aligned_features
from rchw.train.ridge import Normal
from rchw.train.search import start_of
from rchw.train.statistics import Statistics

__all__ = [
    "FOLDS",
    "FOLD_SEED",
    "Candidate",
    "LabelledTask",
    "Pooling",
    "candidate_of",
    "design_of",
    "finished",
    "held_out",
    "held_places",
    "joined",
    "labels_of",
    "quantised",
    "train_sequences",
]

Integers = NDArray[Any]
Indices = NDArray[np.int64]

FOLDS, FOLD_SEED = 5, 0
REGULARIZATIONS = (1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
MEAN_BITS = 8  # fraction bits that the mean of integer features gets


class LabelledTask(Protocol):
    """What `train_sequences` needs of a `rchw.tasks.SequenceTask`."""

    @property
    def name(self) -> str: ...
    @property
    def sequences(self) -> tuple[NDArray[np.float64], ...]: ...
    @property
    def labels(self) -> Indices: ...
    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def train(self) -> Indices: ...
    @property
    def test(self) -> Indices: ...
    def folds(self, k: int, seed: int) -> tuple[tuple[Indices, Indices], ...]: ...
    def hashes(self) -> dict[str, str]: ...


@dataclass(frozen=True)
class Pooling:
    """When a readout answers; as the fields of `rchw.design.Readout` of the same names."""

    accumulate: str = "sum"
    segments: Segments | None = None

    @classmethod
    def of(
        cls,
        task: LabelledTask,
        accumulate: str,
        length: int | None = None,
        count: int | None = None,
    ) -> "Pooling":
        """What a user asks for.

        Parameters
        ----------
        task : LabelledTask
        accumulate : str
            ``last``, ``sum`` or ``segments``.
        length : int, optional
            Samples of a segment; as many as it takes for the longest training sequence.
        count : int, optional
            Segments, only with ``segments``; 4.

        Raises
        ------
        DesignError
            If a value is out of range or would have no effect.
        """
        if accumulate not in ("last", "sum", "segments"):
            raise DesignError(f"accumulate must be last, sum or segments, not {accumulate!r}")
        if count is not None and accumulate != "segments":
            raise DesignError(f"segments must be left out with accumulate {accumulate}")
        if accumulate == "last":
            if length is not None:
                raise DesignError("segment length must be left out with accumulate last")
            return cls("last")
        many = 1 if accumulate == "sum" else 4 if count is None else count
        longest = max(len(task.sequences[row]) for row in task.train)
        return cls(
            accumulate, Segments(-(-longest // max(many, 1)) if length is None else length, many)
        )


@dataclass(frozen=True)
class Candidate:
    """A reservoir and its training sequences: features of each and what they are taught."""

    design: Design
    features: Integers
    targets: Integers
    finest: int


def train_sequences(
    task: LabelledTask,
    options: TrainOptions,
    pooling: Pooling,
    progress: Callable[[int, int, float], None] | None = None,
) -> Design:
    """Tune and train a design on the training sequences of a task.

    Parameters
    ----------
    task : LabelledTask
    options : TrainOptions
    pooling : Pooling
    progress : callable, optional
        Called with (candidates done, candidates in all, fewest held-out errors so far).

    Returns
    -------
    Design
        Its answers are the classes of the task. `provenance` holds options, hyperparameters,
        lambda, held-out errors and the hashes of the splits.

    Raises
    ------
    DesignError
        If the sequences or an option cannot be trained on.
    """
    folds = task.folds(FOLDS, FOLD_SEED)
    _refuse_budgets(options)
    grid, budget = axes(options), BUDGETS[options.search]
    start = start_of(grid)
    best: tuple[tuple[int, float], Hyperparameters, float] | None = None
    refused: DesignError | None = None

    def known() -> dict[str, Any]:
        return start if best is None else asdict(best[1])

    done = 0
    for point in proposals(grid, start, budget, options.seed, known, UNORDERED[options.search]):
        hyper = Hyperparameters(**point)
        try:
            score, found = held_out(candidate_of(task, options, pooling, hyper), task, folds)
            if best is None or score < best[0]:
                best = score, hyper, found
        except DesignError as reason:
            refused = refused or reason
        done += 1
        if progress is not None and best is not None:
            progress(done, budget, float(best[0][0]))
    if best is None:
        raise refused or DesignError("candidates must be at least 1, not 0")
    (errors, _), hyper, regularisation = best
    candidate = candidate_of(task, options, pooling, hyper)
    return finished(candidate, task, options, pooling, hyper, regularisation, errors, done)


def finished(
    candidate: Candidate,
    task: LabelledTask,
    options: TrainOptions,
    pooling: Pooling,
    hyper: Hyperparameters,
    regularisation: float,
    errors: int,
    candidates: int,
) -> Design:
    """Train the integers of a candidate that was chosen, and say how in its provenance.

    Parameters
    ----------
    candidate, task, options, pooling, hyper, regularisation
        What was chosen.
    errors : int
        On the folds that were held out.
    candidates : int
        That were tried.
    """
    design = quantised(candidate, regularisation, options, task)
    predicted = labels_of(design, [task.sequences[row] for row in task.train])
    provenance: dict[str, Any] = {
        "task": task.name,
        "split_sha256": task.hashes(),
        "options": asdict(options),
        "accumulate": pooling.accumulate,
        "hyperparameters": asdict(hyper),
        "regularisation": regularisation,
        "candidates": candidates,
        "folds": [FOLDS, FOLD_SEED],
        "held_out_errors": errors,
        "training_errors": int(np.count_nonzero(predicted != task.labels[task.train])),
        "training_sequences": len(task.train),
    }
    return replace(design, provenance=provenance | design.provenance)  # of an adaptation


def labels_of(design: Design, sequences: list[NDArray[np.float64]]) -> Indices:
    """Classes that a design gives real sequences, one after the other: int64 array (S,)."""
    values, last = joined(sequences)
    return run(design, design.encode(values), last).outputs[:, 0]


def joined(sequences: list[NDArray[np.float64]]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Values of sequences (T_s, K) one after the other (T, K), and flags (T,) of their ends."""
    values = np.concatenate(sequences)
    last = np.zeros(len(values), dtype=bool)
    last[np.cumsum([len(sequence) for sequence in sequences]) - 1] = True
    return values, last


def design_of(
    task: LabelledTask,
    options: TrainOptions,
    pooling: Pooling,
    hyper: Hyperparameters,
    like: Design | None = None,
) -> Design:
    """Build a reservoir for the training sequences, or take over one, with a readout of zeros."""
    values, _ = joined([task.sequences[row] for row in task.train])
    names: list[str] = []
    for label in task.classes:
        names.append(unique(identifier(label) or "class", names))
    outputs = [Output(name, QFormat(options.output_bits)) for name in names]
    base = build_design(options, hyper, values, np.zeros((0, len(names))), outputs, like=like)
    return replace(base, readout=_pooled(base.readout, pooling))


def candidate_of(
    task: LabelledTask,
    options: TrainOptions,
    pooling: Pooling,
    hyper: Hyperparameters,
    like: Design | None = None,
) -> Candidate:
    """Build a reservoir, and run it on the training sequences."""
    sequences = [task.sequences[row] for row in task.train]
    values, last = joined(sequences)
    design = design_of(task, options, pooling, hyper, like)
    codes = design.encode(values)
    states = run(design, codes, last).states
    features, finest = aligned_features(design, states, codes)
    means = _means(features, [len(sequence) for sequence in sequences], pooling)
    taught = task.labels[task.train][:, None] == np.arange(len(task.classes))
    return Candidate(design, means, taught.astype(np.int64) << TARGET_FORMAT.frac, finest)


def _pooled(readout: Readout, pooling: Pooling) -> Readout:
    segments = pooling.segments
    count = 1 if segments is None else segments.count
    return replace(
        readout,
        weights=tuple(row * count for row in readout.weights),
        accumulate=pooling.accumulate,
        segments=segments,
        argmax=True,
    )


def _means(features: Integers, lengths: list[int], pooling: Pooling) -> Integers:
    """What a sequence is learnt from, `MEAN_BITS` finer than features (T, F): (S, C (F - 1) + C).

    The features of every segment, divided by all samples that are added, but for the constant one;
    then that of every segment but the first, and of all segments, which is constant.
    """
    segments = pooling.segments
    rows, start = [], 0
    for size in lengths:
        sequence = features[start : start + size]
        start += size
        if segments is None:
            parts = [sequence[-1:]]
        else:
            edges = [g * segments.length for g in range(segments.count + 1)]
            parts = [sequence[a:b] for a, b in pairwise(edges)]
        sums = np.array([part.sum(axis=0) for part in parts])
        samples = sum(map(len, parts))
        means = (2 * (sums << MEAN_BITS) + samples) // (2 * samples)
        whole = features[0, -1] << MEAN_BITS
        rows.append(np.concatenate([means[:, :-1].ravel(), means[1:, -1], [whole]]))
    return np.array(rows)


def held_places(task: LabelledTask, folds: tuple[tuple[Indices, Indices], ...]) -> list[Indices]:
    """Places of the sequences of every fold among the training sequences."""
    place = {int(row): k for k, row in enumerate(task.train)}
    return [np.array([place[int(row)] for row in rows]) for _, rows in folds]


def held_out(
    candidate: Candidate, task: LabelledTask, folds: tuple[tuple[Indices, Indices], ...]
) -> tuple[tuple[int, float], float]:
    """Fewest errors on the folds held out, then least squared error, and the lambda of it."""
    held = held_places(task, folds)
    features, targets = candidate.features, candidate.targets
    parts = [Statistics.of(features[rows], targets[rows]) for rows in held]
    labels = targets.argmax(axis=1)
    scores = {value: (0, 0.0) for value in REGULARIZATIONS}
    for k, rows in enumerate(held):
        rest = reduce(add, (part for j, part in enumerate(parts) if j != k))
        for solution in Normal.of(rest, constant=True).solve_all(REGULARIZATIONS):
            outputs = np.zeros((len(rows), targets.shape[1]))
            for j, weights in enumerate(solution.weights):  # one after the other, on any machine
                outputs += features[rows, j, None].astype(np.float64) * weights
            errors, squared = scores[solution.regularisation]
            errors += int(np.count_nonzero(outputs.argmax(axis=1) != labels[rows]))
            off = (outputs - targets[rows]) * TARGET_FORMAT.resolution
            scores[solution.regularisation] = errors, squared + float((off**2).sum())
    best = min(scores, key=lambda value: scores[value])
    return scores[best], best


def _refuse_budgets(options: TrainOptions) -> None:
    """Outputs that are compared have one step, and so one width; and a sequence has one answer."""
    for what, value in (
        ("readout adders", options.readout_adders),
        ("readout nonzeros", options.readout_nonzeros),
        ("adapt stop", options.adapt_stop),  # there is no target for every sample
    ):
        if value is not None:
            raise DesignError(f"{what} must be left out for labelled sequences, not {value}")
    if isinstance(options.readout_bits, tuple):
        raise DesignError(
            f"readout bits must be one number for labelled sequences, not {options.readout_bits}"
        )


def quantised(
    candidate: Candidate, regularisation: float, options: TrainOptions, task: LabelledTask
) -> Design:
    """Integer weights with one step for all outputs, and outputs that hold all training sums."""
    design, width = candidate.design, options.budgets.width
    normal = Normal.of(Statistics.of(candidate.features, candidate.targets), constant=True)
    rows = quantize(normal, normal.solve(regularisation), width, shared=True).rows
    count = design.readout.n_segments
    size, limit = design.n_features - 1, (1 << (width - 1)) - 1
    weights = []
    for row in rows:
        parts, found = row.weights.tolist(), []
        ones = [0, *parts[count * size : -1]]
        for g in range(count):
            one = min(max(parts[-1] + ones[g], -limit), limit)
            found += [*parts[g * size : (g + 1) * size], one]
        weights.append(tuple(found))
    fraction = rows[0].exponent - candidate.finest - MEAN_BITS + TARGET_FORMAT.frac
    frac = min(max(fraction, 0), 48)
    readout = replace(design.readout, weight_format=QFormat(width, frac), weights=tuple(weights))
    design = replace(design, readout=readout)
    values, last = joined([task.sequences[row] for row in task.train])
    codes = design.encode(values)
    features = feature_codes(design, run(design, codes, last).states, codes)
    fine, totals = ReadoutReference(design).answered_totals(features, last)
    # One bit more than what the training sequences take, and one for the sign.
    whole = (int(np.abs(totals).max()) >> fine).bit_length() + 1
    to = QFormat(options.output_bits, min(max(options.output_bits - 1 - whole, 0), 48))
    outputs = tuple(replace(output, format=to) for output in readout.outputs)
    return replace(design, readout=replace(readout, outputs=outputs))
