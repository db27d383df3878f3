"""One build of the tiny design per family, shared by the tests."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from rchw.boards.build import build
from tests.boards.harness import TINY

Built = Callable[[str], tuple[Path, dict[str, Any]]]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Return the folder and report of `tiny` on a board."""

    @cache
    def make(board: str) -> tuple[Path, dict[str, Any]]:
        out = tmp_path_factory.mktemp("build") / board
        out.mkdir()
        (out / "mine.txt").write_text("not a file of the build")
        least = {"block_ram": 2, "dsp": 1}
        return out, build(TINY, "tiny", board, out, digest="0123", seeds=(1, 2), expected=least)

    return make
