"""Help for the tests of the command line: call it, and small data that trains in a second."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rchw.cli import main

__all__ = ["Called", "call", "commands", "contents", "refused", "small_series", "train_small"]

SMALL = ("--units", "8", "--search", "none", "--squares")
SMALL_WORDS = ("--input-columns", "x", *SMALL)


@dataclass(frozen=True)
class Called:
    """What one call left."""

    code: int
    out: str
    err: str

    @property
    def record(self) -> dict[str, Any]:
        """The one record on stdout."""
        lines = self.out.splitlines()
        assert len(lines) == 1, self.out
        found: dict[str, Any] = json.loads(lines[0])
        return found


def call(capsys: pytest.CaptureFixture[str], *words: str | Path) -> Called:
    """Run the command line in this process."""
    capsys.readouterr()
    code = main([str(word) for word in words])
    return Called(code, *capsys.readouterr())


def refused(capsys: pytest.CaptureFixture[str], words: Sequence[str | Path], text: str) -> str:
    """Call with ``--json``; expect exit code 2, one sentence with `text` on both streams."""
    done = call(capsys, *words, "--json")
    assert done.code == 2, done
    sentence: str = done.record["error"]
    assert list(done.record) == ["error"]
    assert done.err == f"error: {sentence}\n"
    assert text in sentence
    assert "Traceback" not in done.err and "internal error" not in done.err
    return sentence


def small_series(path: Path, rows: int = 400) -> Path:
    """Write a logistic map with a header: two columns, one to predict."""
    rng = np.random.default_rng(5)
    x = np.empty(rows)
    x[0] = 0.3
    for t in range(1, rows):
        x[t] = 3.7 * x[t - 1] * (1 - x[t - 1])
    noise = rng.normal(0, 1, rows)
    lines = [f"{a!r},{b!r}" for a, b in zip(x.tolist(), noise.tolist(), strict=True)]
    path.write_text("\n".join(["x,noise", *lines]) + "\n")
    return path


def train_small(capsys: pytest.CaptureFixture[str], folder: Path, *more: str) -> Called:
    """Train ``small.json`` on ``small.csv`` in a folder."""
    data = small_series(folder / "small.csv")
    place = folder / "small.json"
    return call(capsys, "train", data, "-o", place, "--input-columns", "x", *SMALL, *more)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, hidden ones too."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def commands(folder: Path) -> dict[str, tuple[tuple[str | Path, ...], Path]]:
    """Commands that write, and where."""
    design = folder / "small.json"
    data = ("--task", folder / "small.csv", "--input-columns", "x", "--units", "8", "--no-tune")
    return {
        "train": (("train", folder / "small.csv", *SMALL_WORDS, "-o"), folder / "out/small.json"),
        "run": (
            ("run", design, folder / "small.csv", "--input-columns", "x", "-o"),
            folder / "out/y.csv",
        ),
        "import": (
            ("import", folder / "net.npz", "--input-range", "0", "1", "--name", "small_", "-o"),
            folder / "out",
        ),
        "emulate": (("emulate", "cycle", *data, "-o"), folder / "out"),
        "compare": (("compare", *data, "--reservoirs", "cycle,spintronic", "-o"), folder / "out"),
        "reproduce": (("reproduce", "dambre-threshold", "-o"), folder / "out"),
        "metrics": (("metrics", design, "--samples", "600", "-o"), folder / "out"),
        "verilog": (("verilog", design, "-o"), folder / "out"),
        "verify": (("verify", design, "--samples", "48", "-o"), folder / "out"),
        "prove": (("prove", design, "-o"), folder / "out"),
        "netlist": (
            ("verify", design, "--netlist", "ecp5", "--samples", "48", "-o"),
            folder / "out",
        ),
        "build": (("build", design, "--board", "icebreaker", "-o"), folder / "out/board"),
    }
