"""Which inputs say what outputs do not, how they become codes, and where a cue begins."""

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.tasks import load_task
from rchw.train.driven import (
    cue_onsets,
    drive_channels,
    drive_tables,
    driven_columns,
    driven_values,
)

SPLIT = (300, 50, 50)


@pytest.mark.parametrize(("name", "horizon", "columns"), [
    ("sine", 1, ()), ("multi-sine", 5, ()), ("mackey-glass", 84, ()), ("chirp", None, (0,)),
    ("narma10", 1, (0,)), ("channel", -2, (0,)), ("lorenz-coupled", 1, ()),
])  # fmt: skip
def test_inputs_that_are_the_past_of_outputs_say_nothing(
    name: str, horizon: int | None, columns: tuple[int, ...]
) -> None:
    task = load_task(name, horizon=horizon, split=SPLIT, washout=10)
    rows = slice(0, 300)
    assert driven_columns(task.inputs[rows], task.targets[rows], task.horizon) == columns


def test_one_of_several_inputs_may_be_the_past() -> None:
    rng = np.random.default_rng(0)
    series, other = rng.normal(size=51), rng.normal(size=50)
    inputs = np.stack([series[:-1], other], axis=1)
    assert driven_columns(inputs, series[1:, None], 1) == (1,)
    assert driven_columns(inputs, series[1:, None], 2) == (0, 1)


def test_a_cue_rests_at_zero_and_uses_the_width() -> None:
    """Of any series the median is 0 and the farthest value full scale, to half a code."""
    cue = np.repeat([2.0, 5.0, 2.0], [30, 10, 60])[:, None]
    noise = np.random.default_rng(0).normal(3.0, 2.0, (101, 1))
    both = np.hstack([np.resize(cue, (101, 1)), noise])
    channels = drive_channels(both, 8, ("go", "heat"))
    assert [channel.name for channel in channels] == ["go", "heat"]
    seen = driven_values(channels, both)
    assert set(seen[:, 0]) == {0.0, 127 / 128}
    middle = np.median(noise)
    want = (noise[:, 0] - middle) / np.abs(noise - middle).max() * 127 / 128
    assert np.abs(seen[:, 1] - want).max() <= 1 / 256
    assert seen[np.argsort(noise[:, 0])[50], 1] == 0.0
    with pytest.raises(DesignError, match=r"^inputs must vary over the training samples, not all"):
        drive_channels(np.ones((9, 1)), 8, ("u",))
    with pytest.raises(DesignError, match=r"^input bits must be from 2 to 24, not 1"):
        drive_channels(cue, 1, ("u",))


def test_tables_are_the_weights() -> None:
    """Weights that are codes already stay what they are."""
    into = np.array([[0.5, -0.25, 0.0], [0.125, 0.75, -1.0]])
    tables = drive_tables(into)
    values = [np.array(table.weights) * table.format.resolution for table in tables]
    assert np.array_equal(values, into)
    assert drive_tables(np.zeros((0, 3))) == ()


def test_cues() -> None:
    """Where a resting channel leaves its rest, at sample 0 too; noise is none."""
    inputs = np.zeros((100, 1))
    for begin in (0, 40, 70):
        inputs[begin : begin + 5] = 1.0
    assert cue_onsets(inputs) == (0, 40, 70)
    assert cue_onsets(3.0 - inputs[3:]) == (0, 37, 67)
    noise = np.random.default_rng(0).normal(size=(100, 1))
    assert cue_onsets(noise) == () and cue_onsets(np.ones((9, 1))) == ()
    assert cue_onsets(np.hstack([noise, inputs])) == (0, 40, 70)
    assert cue_onsets(np.zeros((5, 0))) == ()
