"""``rchw import``: what it writes, and what it refuses in one sentence without a trace."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.command_line import call, contents, refused, small_series

Capture = pytest.CaptureFixture[str]
RNG = np.random.default_rng(4)
GOOD: dict[str, Any] = {
    "W": np.where(RNG.uniform(size=(6, 6)) < 0.4, RNG.normal(size=(6, 6)) / 3, 0.0),
    "W_in": RNG.normal(size=(6, 1)), "W_out": RNG.normal(size=(1, 6)),
}  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    small_series(tmp_path / "small.csv")
    np.savez(tmp_path / "net.npz", **GOOD)
    return tmp_path


def start(place: Path, name: str) -> tuple[str | Path, ...]:
    data = ("--data", place / "small.csv", "--input-columns", "x")
    return ("import", place / name, *data, "-o", place / "out")


def test_it_writes_a_design_and_a_record(place: Path, capsys: Capture) -> None:
    words = start(place, "net.npz")
    done = call(capsys, *words, "--name", "mine", "--state-bits", "10", "--json")
    assert done.code == 0
    assert sorted(contents(place / "out")) == ["mine.import.json", "mine.json"]
    stored = json.loads((place / "out" / "mine.import.json").read_text())
    assert stored["digest"] == done.record["digest"] and stored["source"]["file"] == "net.npz"
    assert stored["options"]["state_bits"] == 10 and stored["formats"]["states"].startswith(
        "sfix10"
    )
    run = call(capsys, "run", place / "out" / "mine.json", place / "small.csv", "--json")
    assert run.code == 0 and run.record["digest"] == stored["digest"]
    shown = call(capsys, *words)
    assert "what is not the same" in shown.out and "sparse" in shown.out


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "not square": ({"W": np.ones((6, 5))}, "W must be square, not of shape (6, 5)"),
    "not finite": ({"W": np.full((6, 6), np.nan)}, "W must be finite, not nan at (0, 0)"),
    "unknown": ({"Wfb": np.ones(6)}, "arrays must be named W,"),
    "no readout": ({"W_out": None}, "network must have a readout, W_out, for readout match"),
    "two inputs": ({"W_in": np.ones((6, 2))}, "data must have 2 input columns, as"),
    "objects": (
        {"bias": np.array([{}], dtype=object)},
        "must hold arrays of numbers as numpy saves",
    ),
    "activation": ({"activation": "relu"}, "activation must be one of tanh, clip, linear, not"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_matrices(name: str, place: Path, capsys: Capture) -> None:
    change, sentence = BAD[name]
    held: dict[str, Any] = {
        key: value for key, value in (GOOD | change).items() if value is not None
    }
    np.savez(place / "net.npz", **held)
    before = contents(place)
    refused(capsys, start(place, "net.npz"), sentence)
    assert contents(place) == before and not (place / "out").exists()


FILES: dict[str, tuple[bytes | None, str]] = {
    "net.h5": (b"", "file must be one of .npz, .pkl, .pickle, .rpy, not 'net.h5'"),
    "gone.npz": (None, "must be an existing file, not missing"),
    "bytes.npz": (b"abc", "must hold arrays of numbers as numpy saves them, not other bytes"),
    "bytes.pkl": (b"abc", "must be a pickle as Python saves it, not other bytes"),
    "number.rpy": (pickle.dumps(3), "model must be one of reservoirpy, not builtins.int"),
}


@pytest.mark.parametrize("name", FILES)
def test_bad_files(name: str, place: Path, capsys: Capture) -> None:
    content, sentence = FILES[name]
    if content is not None:
        (place / name).write_bytes(content)
    refused(capsys, start(place, name), sentence)
    assert not (place / "out").exists()


OPTIONS = {
    "": "data must be given (--data), or else the range of the inputs (--input-range LOW HIGH)",
    "--input-range 1 0": "input range must rise from LOW to HIGH, not 1 to 0",
    "--input-range 0 1 --horizon 2": "horizon, washout, split and columns must be left out without",
    "--input-range 0 1 --readout retrain": "data must be given for readout retrain",
    "--input-range 0 1 --data henon": "input range must be left out beside data",
    "--data henon --readout new": "readout must be one of match, keep, retrain, not 'new'",
    "--data henon --activation relu": "activation must be one of auto, table, pwl, clip, not",
    "--data henon --weight-bits 1": "weight bits must be from 2 to 24, not 1",
    "--data henon --lanes 7": "lanes must be from 1 to 6, not 7",
    "--data henon --name Upper": "design name must be a lower-case identifier",
}


@pytest.mark.parametrize("words", OPTIONS)
def test_option_values(words: str, place: Path, capsys: Capture) -> None:
    command = ("import", place / "net.npz", "-o", place / "out")
    refused(capsys, [*command, *words.split()], OPTIONS[words])
    assert not (place / "out").exists()


def test_earlier_files_stay(place: Path, capsys: Capture) -> None:
    words = ("import", place / "net.npz", "-o", place / "out", "--input-range", "-1", "1")
    assert call(capsys, *words).code == 0
    before = contents(place / "out")
    np.savez(place / "net.npz", **GOOD | {"W_in": GOOD["W_in"] * 1e4})
    refused(capsys, words, "W_in of input 0 times half the range of the input must be below 128")
    assert contents(place / "out") == before
