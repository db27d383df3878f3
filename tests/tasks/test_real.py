"""The measured series are the published ones, and a missing package is one sentence."""

import importlib.util
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rchw.errors import ToolError
from rchw.tasks import load_task, real


def test_santa_fe() -> None:
    """The first ten intensities, as in every listing of data set A; 8-bit samples."""
    x = real.santa_fe()
    assert x[:10].tolist() == [86, 141, 95, 41, 22, 21, 32, 72, 138, 111]
    assert (len(x), x.min(), x.max()) == (10093, 0, 255)
    assert np.array_equal(x, np.round(x))


def test_sunspots() -> None:
    """January 1749 was 58.0, December 1983 was 33.4; the cycle is about eleven years."""
    x = real.sunspots()
    assert (len(x), x[0], x[-1], x.min()) == (2820, 58.0, 33.4, 0.0)
    power = np.abs(np.fft.rfft(x - x.mean())) ** 2
    assert 10 < len(x) / 12 / int(power.argmax()) < 12


def test_packages_are_not_imported() -> None:
    code = (
        "import sys; from rchw.tasks import load_task; load_task('santa-fe'); "
        "load_task('sunspots'); sys.exit('reservoirpy' in sys.modules or 'pmdarima' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


@pytest.mark.parametrize(
    ("task", "package"), [("santa-fe", "reservoirpy"), ("sunspots", "pmdarima")]
)
def test_missing_package(task: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    sentence = f"^the package {package} must be installed for the task {task}, .*'rchw.data.'"
    with pytest.raises(ToolError, match=sentence):
        load_task(task)


def package(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let every package be an otherwise empty folder."""
    spec = ModuleSpec("package", None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)


def test_package_without_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package(monkeypatch, tmp_path)
    with pytest.raises(ToolError, match=r"^the package reservoirpy .* must hold datasets/santafe_"):
        real.santa_fe()


@pytest.mark.parametrize(("read", "inside"), [
    (real.santa_fe, "datasets/santafe_laser.npy"),
    (real.sunspots, "datasets/data/sunspots.txt.gz"),
])  # fmt: skip
def test_damaged_file(
    read: Any, inside: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(monkeypatch, tmp_path)
    path = tmp_path / inside
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no data")
    with pytest.raises(ToolError, match=r"must be a readable .*, not damaged"):
        read()


def test_another_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package(monkeypatch, tmp_path)
    (tmp_path / "datasets").mkdir()
    np.save(tmp_path / "datasets" / "santafe_laser.npy", np.arange(5))
    with pytest.raises(ToolError, match=r"must hold 10093 samples, not 5$"):
        real.santa_fe()


def test_version_of_an_unknown_package() -> None:
    assert real.package_version("no-such-package-of-rchw") == "of unknown version"
