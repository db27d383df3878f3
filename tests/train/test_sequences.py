"""Training on labelled sequences: levels of three kinds, told apart by a small ring."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rchw.design import Segments
from rchw.document import digest
from rchw.errors import DesignError
from rchw.reference import run
from rchw.reference.readout import ReadoutReference, feature_codes
from rchw.tasks import SequenceTask
from rchw.train.options import Hyperparameters, TrainOptions
from rchw.train.readout import TARGET_FORMAT
from rchw.train.ridge import Normal
from rchw.train.sequences import (
    Pooling,
    candidate_of,
    joined,
    labels_of,
    quantised,
    train_sequences,
)
from rchw.train.statistics import Statistics

OPTIONS = TrainOptions(
    units=10, state_bits=10, input_bits=8, readout_bits=10, activation="table",
    rounding="half-up", search="none", name="levels",
)  # fmt: skip


def levels(count: int = 60, seed: int = 1) -> SequenceTask:
    """Low, high and alternating levels under noise, 6 to 20 samples."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    sequences = []
    for label in labels:
        time = np.arange(int(rng.integers(6, 21)))
        level = (-0.4 + 0 * time, 0.4 + 0 * time, (-1.0) ** time)[label]
        sequences.append((level + rng.normal(0, 0.4, len(time)))[:, None])
    rows = np.arange(count)
    return SequenceTask(
        "levels", tuple(sequences), labels, ("low", "2", "reg"), rows[: count // 2],
        rows[count // 2 :], "drawn", "none",
    )  # fmt: skip


TASK = levels()


@pytest.mark.parametrize("accumulate, count", [("sum", None), ("segments", 2), ("last", None)])
def test_classes_are_learnt(accumulate: str, count: int | None) -> None:
    pooling = Pooling.of(TASK, accumulate, None, count)
    design = train_sequences(TASK, OPTIONS, pooling)
    names = [output.name for output in design.readout.outputs]
    assert names == ["low", "c_2", "reg_"] and design.readout.argmax
    assert (design.readout.accumulate, design.readout.segments) == (accumulate, pooling.segments)
    answers = labels_of(design, [TASK.sequences[row] for row in TASK.test])
    wrong = TASK.errors(answers, TASK.test)
    assert wrong <= (12 if accumulate == "last" else 4)  # of 30, where chance has 20
    assert design.provenance["training_errors"] <= design.provenance["held_out_errors"] + 1


@pytest.mark.parametrize("rule", [None, "intrinsic-plasticity"])
def test_nothing_but_training_sequences_is_read(rule: str | None) -> None:
    """By no rule of adaptation either."""
    pooling, chosen = Pooling.of(TASK, "sum"), replace(OPTIONS, adapt=rule)
    design = train_sequences(TASK, chosen, pooling)
    assert (design.driven.gain is None) == (rule is None)
    assert ("adaptation" in design.provenance) == (rule is not None)
    noise = tuple(
        sequence if row in TASK.train else np.full_like(sequence, 9.0)
        for row, sequence in enumerate(TASK.sequences)
    )
    other = train_sequences(replace(TASK, sequences=noise), chosen, pooling)
    assert digest(other) == digest(design)
    assert other.provenance["split_sha256"]["test"] != design.provenance["split_sha256"]["test"]
    kept = tuple(2 * s if row == 0 else s for row, s in enumerate(TASK.sequences))
    assert digest(train_sequences(replace(TASK, sequences=kept), chosen, pooling)) != digest(design)


@pytest.mark.parametrize("accumulate, count", [("sum", None), ("segments", 3)])
def test_integers_are_the_real_readout_times_the_samples(
    accumulate: str, count: int | None
) -> None:
    """With fine weights, of which few are limited: constants in their places, one step for all."""
    fine = replace(OPTIONS, readout_bits=22, output_bits=24)
    candidate = candidate_of(
        TASK, fine, Pooling.of(TASK, accumulate, None, count), Hyperparameters()
    )
    normal = Normal.of(Statistics.of(candidate.features, candidate.targets), constant=True)
    real = candidate.features @ normal.solve(1e-3).weights * TARGET_FORMAT.resolution
    design = quantised(candidate, 1e-3, fine, TASK)
    values, last = joined([TASK.sequences[row] for row in TASK.train])
    codes = design.encode(values)
    features = feature_codes(design, run(design, codes, last).states, codes)
    frac, totals = ReadoutReference(design).answered_totals(features, last)
    samples = np.array([len(TASK.sequences[row]) for row in TASK.train])
    scores = totals / 2.0**frac / samples[:, None]
    factor = (scores * real).sum() / (real * real).sum()
    assert np.log2(factor) == pytest.approx(round(np.log2(factor)), abs=0.02)
    assert np.abs(scores / factor - real).max() < 0.05
    assert np.abs(ReadoutReference(design).rounded(frac, totals)).max() < 2**22  # nothing clips


@pytest.mark.parametrize(
    "given, sentence",
    [
        (("each",), "^accumulate must be last, sum or segments, not 'each'$"),
        (("sum", None, 3), "^segments must be left out with accumulate sum$"),
        (("last", 5), "^segment length must be left out with accumulate last$"),
        (("sum", 0), "^length of a segment must be from 1 to"),
        (("segments", 4, 0), "^count of segments must be from 1 to 64, not 0$"),
    ],
)
def test_what_is_no_pooling(given: Any, sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        Pooling.of(TASK, *given)


def test_segments_hold_the_longest_training_sequence() -> None:
    longest = max(len(TASK.sequences[row]) for row in TASK.train)
    assert Pooling.of(TASK, "sum").segments == Segments(longest, 1)
    held = Pooling.of(TASK, "segments", None, 3).segments
    assert held is not None and held.samples - 3 < longest <= held.samples
