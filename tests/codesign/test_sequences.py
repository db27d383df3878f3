"""Searches on labelled sequences: errors on folds, all widths, and no test sequence."""

from dataclasses import replace

import numpy as np
import pytest

from rchw.codesign.engine import LocalEngine
from rchw.codesign.explore import explore
from rchw.codesign.front import Front
from rchw.codesign.space import Space
from rchw.errors import DesignError
from rchw.tasks import SequenceTask
from rchw.train import Hyperparameters, TrainOptions
from rchw.train.quantize import quantize
from rchw.train.ridge import Normal
from rchw.train.sequences import Pooling, candidate_of
from rchw.train.statistics import Statistics
from tests.train.test_sequences import TASK
from tests.train.tiny import tiny_task

SPACE = Space(reservoirs=("cycle", "integer"), units=(4, 8), readout_bits=(3, 8), output_bits=(12,))


def searched(task: SequenceTask, pooling: Pooling | None) -> Front:
    with LocalEngine(1) as local:
        return explore(task, "ulx3s", SPACE, pooling=pooling, budget=10, engine=local)


@pytest.fixture(scope="module", params=["sum", "segments"])
def front(request: pytest.FixtureRequest) -> tuple[Front, Pooling]:
    pooling = Pooling.of(TASK, request.param)
    return searched(TASK, pooling), pooling


def test_the_error_is_that_of_integers_that_the_other_folds_teach(
    front: tuple[Front, Pooling],
) -> None:
    """Once more for two designs: statistics of the others at once, sums in Python's integers."""
    for found in (front[0].members[0], front[0].members[-1]):
        design = front[0].design(found)
        assert design.readout.argmax and design.readout.accumulate == front[1].accumulate
        fields = TrainOptions.__dataclass_fields__
        kept = {key: value for key, value in design.provenance["options"].items() if key in fields}
        hyper = Hyperparameters(**design.provenance["hyperparameters"])
        made = candidate_of(TASK, TrainOptions(**kept), front[1], hyper)
        labels, wrong = TASK.labels[TASK.train], 0
        for _, rows in TASK.folds(5, 0):
            out = np.isin(TASK.train, rows)
            normal = Normal.of(Statistics.of(made.features[~out], made.targets[~out]), True)
            solution = normal.solve(found.figures["regularisation"])
            width = found.options["readout_bits"]
            coded = quantize(normal, solution, width, shared=True)
            weights = [row.weights.tolist() for row in coded.rows]
            for features, label in zip(made.features[out].tolist(), labels[out], strict=True):
                sums = [sum(w * x for w, x in zip(row, features, strict=True)) for row in weights]
                wrong += sums.index(max(sums)) != label
        assert found.figures["error"] == wrong / len(TASK.train)
        assert design.provenance["held_out_errors"] == wrong


def test_test_sequences_are_not_read(front: tuple[Front, Pooling]) -> None:
    labels = TASK.labels.copy()
    labels[TASK.test] = (labels[TASK.test] + 1) % len(TASK.classes)
    sequences = list(TASK.sequences)
    for row in TASK.test:
        sequences[row] = sequences[row] * 0.0
    other = replace(TASK, labels=labels, sequences=tuple(sequences))
    assert searched(other, front[1]).table() == front[0].table()


def test_pooling_is_of_sequences_alone() -> None:
    with pytest.raises(DesignError, match=r"^pooling must be given for the labelled sequences of"):
        searched(TASK, None)
    with pytest.raises(DesignError, match=r"^pooling must be left out for the series tiny$"):
        explore(tiny_task(), "ulx3s", SPACE, pooling=Pooling("last"), budget=10)
