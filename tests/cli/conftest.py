"""A folder with a trained design, for each test its own copy."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.cli.command_line import SMALL, small_series


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with a trained design."""
    folder = tmp_path_factory.mktemp("made")
    data = small_series(folder / "small.csv")
    np.savez(folder / "net.npz", W=np.eye(4)[::-1] / 2, W_in=np.ones((4, 1)), W_out=np.ones((1, 4)))
    (folder / "other.csv").write_text("a,b\n1,2\n")
    (folder / "folder.json").mkdir()
    words = ["train", data, "-o", folder / "small.json", "--input-columns", "x", *SMALL, "--json"]
    subprocess.run(
        [sys.executable, "-m", "rchw.cli", *map(str, words)], check=True, capture_output=True
    )
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """Copy it; a test that loses any of it fails."""
    return Path(shutil.copytree(made, tmp_path / "copy"))
