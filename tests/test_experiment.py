"""No choice reads test data, and what belongs together is written together."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from rchw.design import MatrixLayer
from rchw.document import digest, load
from rchw.errors import DesignError, RchwError
from rchw.experiment import experiment, verdicts, versions
from rchw.files import together
from rchw.tasks import Task, load_task
from rchw.train import TrainOptions
from rchw.train.ideal import train_ideal
from rchw.trained import Trained, companions

OPTIONS = TrainOptions(name="tiny", units=8, squares=True, search="none")


class Silent:
    """Shows nothing."""

    @contextmanager
    def step(self, title: str) -> Iterator[Callable[[str], None]]:
        yield lambda line: None

    @contextmanager
    def bar(self, title: str) -> Iterator[Callable[[int, int, float], None]]:
        yield lambda done, total, best: None


def trained(task: Task) -> Trained:
    return experiment(task, OPTIONS, Silent(), source="henon")


@pytest.fixture(scope="module")
def task() -> Task:
    return load_task("henon", split=(300, 100, 150))


@pytest.fixture(scope="module")
def result(task: Task) -> Trained:
    return trained(task)


def test_other_test_data_change_the_test_errors_and_nothing_else(
    task: Task, result: Trained
) -> None:
    inputs, targets = task.inputs.copy(), task.targets.copy()
    inputs[task.test] *= -0.7
    targets[task.test] = targets[task.test][::-1] + 0.1
    other = trained(replace(task, inputs=inputs, targets=targets))
    assert digest(other.design) == digest(result.design)
    for key in ("digest", "chosen", "validation"):
        assert other.record[key] == result.record[key]
    errors, others = result.record["test"]["errors"], other.record["test"]["errors"]
    assert all(errors[key] != others[key] for key in errors)
    hashes, changed = (r.record["task"]["split_sha256"] for r in (result, other))
    assert [hashes[key] == changed[key] for key in hashes] == [True, True, False]


def test_a_matrix_is_told_as_it_came_out(task: Task) -> None:
    """Its convention, the radius that its codes have, and the dead band of the slowest unit."""
    options = replace(OPTIONS, reservoir="leaky", leak_shifts="0..3", density=0.5, weight_bits=5)
    found = experiment(task, options, Silent(), source="henon")
    told, layer = found.record["layers"][0]["matrix"], found.design.layer
    assert isinstance(layer, MatrixLayer) and layer.matrix.scaling is not None
    assert told["scaling"] == {"rule": "radius", "value": layer.matrix.scaling.value}
    assert (told["kind"], told["format"]) == ("sparse", str(layer.matrix.format))
    values = layer.matrix.full * layer.matrix.format.resolution
    assert told["connections"] == np.count_nonzero(values) <= 32
    radius = np.abs(np.linalg.eigvals(values)).max()
    assert abs(told["coded_radius"] - radius) < 1e-6
    assert 0 < abs(radius - layer.matrix.scaling.value) < 0.1
    assert found.record["layers"][0]["dead_band"] == [0, 7]
    ideal = train_ideal(
        task, reservoir="leaky", n_units=8, squares=True, search="none", leak_shifts="0..3",
        density=0.5,
    )  # fmt: skip
    assert found.record["test"]["errors"]["float"] == ideal.error(task)


def test_other_validation_data_change_the_validation_error(task: Task, result: Trained) -> None:
    targets = task.targets.copy()
    targets[task.validation] += 0.05 * np.arange(100)[:, None]
    other = trained(replace(task, targets=targets))
    assert other.record["validation"] != result.record["validation"]


def test_the_three_files_name_each_other(result: Trained, tmp_path: Path) -> None:
    files = result.write(tmp_path / "new" / "tiny.json")
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == [
        "tiny.json", "tiny.test.csv", "tiny.train.json",
    ]  # fmt: skip
    assert digest(load(files["design"])) == result.record["digest"]
    with pytest.raises(DesignError, match=r"output must be a design file that ends in \.json"):
        companions(Path("tiny.train.json"))


def test_together_is_all_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "a").write_text("old")
    (tmp_path / "b").mkdir()
    with (
        pytest.raises(RchwError, match="b cannot be written: it is a folder"),
        together(tmp_path) as folder,
    ):
        (folder / "a").write_text("new")
        (folder / "b").write_text("new")
    with pytest.raises(ZeroDivisionError), together(tmp_path) as folder:
        (folder / "a").write_text("new")
        raise ZeroDivisionError
    assert (tmp_path / "a").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(RchwError, match="No space left"), together(tmp_path) as folder:
        (folder / "a").write_text("new")
    monkeypatch.undo()
    assert (tmp_path / "a").read_text() == "old"
    with together(tmp_path) as folder:
        (folder / "a").write_text("new")
        (folder / "c").write_text("new")
    assert (tmp_path / "a").read_text() == (tmp_path / "c").read_text() == "new"


def test_verdicts_and_versions() -> None:
    errors = {"persistence": 0.5, "linear": 0.1, "volterra": None, "reference": 0.1}
    assert verdicts(errors) == {"persistence": True, "linear": False}
    assert versions("numpy", "no-such-package").keys() == {"python", "rchw", "numpy"}
