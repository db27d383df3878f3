"""Every named task builds with its protocol; options are obeyed or refused in a sentence."""

from typing import Any

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.tasks import TASKS, Task, load_task, real, series
from rchw.tasks.lorenz import coupled_lorenz
from rchw.train.search import TrainingTask

NAMES = [
    "narma10", "narma20", "mackey-glass", "multi-sine", "sine", "four-sines", "chirp", "henon",
    "lorenz-coupled", "channel", "santa-fe", "sunspots",
]  # fmt: skip
LENGTHS = {
    "sunspots": (1600, 500, 700),
    "lorenz-coupled": (7500, 1500, 3000),
    "sine": (8000, 1000, 11000),
    "four-sines": (8000, 1000, 11000),
    "chirp": (24000, 800, 16000),
}


def test_names() -> None:
    assert list(TASKS) == NAMES
    for name, info in TASKS.items():
        assert info.name == name and info.description and info.origin and info.licence


@pytest.mark.parametrize("name", NAMES)
def test_protocol(name: str) -> None:
    """Washout 200; 2000, 3000, 3000 samples; one input, one output; or what the source has."""
    task, info = load_task(name), TASKS[name]
    trained: TrainingTask = task  # checked by mypy
    assert isinstance(trained, Task)
    lengths = LENGTHS.get(name, (2000, 3000, 3000))
    coupled = name == "lorenz-coupled"
    assert tuple(s.stop - s.start for s in (task.train, task.validation, task.test)) == lengths
    assert lengths == info.split
    assert task.washout == info.washout == (3000 if coupled else 200)
    assert task.inputs.shape == (sum(lengths), 3 if coupled else 1)
    assert task.targets.shape == (sum(lengths), 6 if coupled else 1)
    assert task.metric == info.metric == ("ser" if name == "channel" else "nmse")
    assert task.horizon == info.horizon
    assert task.hashes() == load_task(name).hashes()
    assert f"horizon {info.horizon}" in task.source


@pytest.mark.parametrize("name", ["mackey-glass", "henon", "santa-fe", "sunspots"])
@pytest.mark.parametrize("horizon", [None, 1, 7])
def test_forecast_is_the_input_later(name: str, horizon: int | None) -> None:
    task = load_task(name, horizon=horizon)
    steps = horizon or TASKS[name].horizon
    assert np.array_equal(task.targets[:-steps], task.inputs[steps:])


def test_coupled_lorenz_is_seen_from_the_fast_system() -> None:
    task = load_task("lorenz-coupled", split=(60, 20, 20), washout=10, seed=3)
    states = coupled_lorenz(101, np.random.default_rng(3))
    assert np.array_equal(task.inputs, states[:-1, 3:])
    assert np.array_equal(task.targets, states[1:])


def test_narma_targets_follow_from_the_inputs_so_far() -> None:
    """y(t+1) from u(..t), by the recurrence on the task's own arrays; natural units."""
    task = load_task("narma10", seed=2)
    s, y = task.inputs[:, 0], task.targets[:, 0]  # y[t] is y(t + 1)
    for t in range(20, 60):
        value = 0.3 * y[t - 1] + 0.05 * y[t - 1] * y[t - 10 : t].sum() + 1.5 * s[t - 9] * s[t] + 0.1
        assert abs(y[t] - value) < 1e-12
    assert 0 <= s.min() and s.max() <= 0.5
    assert "0 diverging draws rejected" in task.source and "seed 2" in task.source


def test_channel_asks_for_the_symbol_two_samples_ago() -> None:
    """With the definition of the series, and by correlation with the received signal."""
    task = load_task("channel", split=(200, 50, 50), washout=20)
    received, symbols = series.channel(302, np.random.default_rng(0))
    assert np.array_equal(task.inputs[:, 0], received[2:])
    assert np.array_equal(task.targets[:, 0], symbols[:-2])
    u, d = task.inputs[:, 0], task.targets[:, 0]
    assert np.corrcoef(u[:-2], d[2:])[0, 1] > 0.8
    assert task.symbols == (-3.0, -1.0, 1.0, 3.0)


def test_measured_series_in_natural_units() -> None:
    task = load_task("santa-fe")
    assert np.array_equal(task.inputs[:, 0], real.santa_fe()[:8000])
    assert "reservoirpy" in task.source and "seed" not in task.source
    assert load_task("santa-fe", seed=5).hashes() == task.hashes()
    assert "pmdarima" in load_task("sunspots").source


def test_seed_changes_generated_series() -> None:
    assert load_task("henon").hashes() != load_task("henon", seed=1).hashes()


def test_options() -> None:
    task = load_task("narma20", washout=30, split=(100, 40, 20), horizon=3)
    assert (task.washout, task.test, task.horizon) == (30, slice(140, 160), 3)
    short = load_task("narma20", split=(400, 40, 20))
    longer = load_task("narma20", split=(400, 40, 200))
    assert short.hashes()["train"] == longer.hashes()["train"]
    assert short.hashes()["validation"] == longer.hashes()["validation"]


def test_hashes_are_those_of_every_machine() -> None:
    """Pinned: only additions and products, or measured integers, are behind these."""
    pins = {
        "narma10": "98d368eee1866385",
        "santa-fe": "fca645ddf39b69a7",
        "sunspots": "10ad91e03bc7babf",
    }
    for name, pin in pins.items():
        assert load_task(name).hashes()["test"][:16] == pin, name


@pytest.mark.parametrize(("call", "sentence"), [
    ({"source": "narma11"}, "^source must be one of narma10, .*, or the path .*, not 'narma11'$"),
    ({"source": "data.txt"}, "^source must be one of narma10, .*, not 'data.txt'$"),
    ({"source": "narma10", "horizon": 0}, "^horizon of .* narma10 must be from 1 to 100, not 0$"),
    ({"source": "channel", "horizon": 3}, "^horizon of .* channel must be from -7 to 2, not 3$"),
    ({"source": "henon", "seed": -1}, "^seed must be at least 0, not -1$"),
    ({"source": "henon", "washout": 2000}, "^washout must leave at least 2 of the 2000 training"),
    ({"source": "henon", "split": (10, 20)}, "^split must be three lengths of at least .*10, 20$"),
    ({"source": "santa-fe", "split": (5000, 5000, 93)},
     "^split must add up to at most 10092 samples at horizon 1 of the task santa-fe, not 10093$"),
    ({"source": "henon", "input_columns": [0]}, "^columns must be given for files only, not for"),
    ({"source": "nowhere.csv"}, "^nowhere.csv must be an existing file, not missing$"),
])  # fmt: skip
def test_refuses(call: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        load_task(**call)
