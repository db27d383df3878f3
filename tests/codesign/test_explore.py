"""The search: the same front for any number of workers, interrupted or not, and no test sample."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from rchw.codesign.engine import LocalEngine
from rchw.codesign.explore import BATCH, STORE, explore
from rchw.codesign.front import Front
from rchw.codesign.objectives import Limits, parse_limits
from rchw.codesign.space import Space
from rchw.errors import DesignError
from tests.codesign.resume import stored
from tests.codesign.test_engine import wait_for
from tests.train.tiny import tiny_task

SPACE = Space(
    reservoirs=("cycle", "delay-line", "integer"), units=(6, 12), readout_bits=(8,),
    output_bits=(8, 12), lanes=(1, 2),
)  # fmt: skip
BUDGET = 20


def searched(folder: Path | None, workers: int = 1, **changed: Any) -> Front:
    """Search; the second batch is proposed from what was told of the first."""
    given: dict[str, Any] = {"budget": BUDGET, "seed": 1, "space": SPACE} | changed
    given.setdefault("task", tiny_task())
    given.setdefault("board", "icebreaker")
    with patch("rchw.codesign.optimiser.RANDOM", 10), LocalEngine(workers) as local:
        given.setdefault("engine", local)
        return explore(folder=folder, **given)


def text(front: Front) -> str:
    return json.dumps(front.summary(), indent=1) + front.table()


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> tuple[Front, Path]:
    folder = tmp_path_factory.mktemp("explore")
    return searched(folder), folder


def test_the_front_is_what_no_other_design_beats(usual: tuple[Front, Path]) -> None:
    front, _ = usual
    full = [d for d in front.designs if d.fidelity == "full"]
    pairs = [(d.figures["error"], d.figures["cells"]) for d in front.members]
    assert len(pairs) >= 2 and pairs == sorted(pairs)
    assert all(a[1] > b[1] for a, b in pairwise(pairs))
    for found in full:
        own = (found.figures["error"], found.figures["cells"])
        assert any(e <= own[0] and c <= own[1] for e, c in pairs)
    trials = {d.trial for d in front.designs} | set(front.refused)
    assert trials == set(range(BUDGET))
    assert {d.fidelity for d in front.designs} == {"short", "full"}
    assert BATCH <= len({d.trial for d in full}) < BUDGET  # half of each batch at least


def test_a_resumed_search_computes_nothing_again(
    usual: tuple[Front, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    front, folder = usual
    before = (folder / STORE).read_bytes()
    monkeypatch.setattr(LocalEngine, "map", lambda *_: pytest.fail("computed again"))
    assert text(searched(folder)) == text(front)
    assert (folder / STORE).read_bytes() == before


def test_a_larger_budget_goes_on(usual: tuple[Front, Path], tmp_path: Path) -> None:
    searched(tmp_path, budget=BUDGET - BATCH)
    assert text(searched(tmp_path)) == text(usual[0])


KILLED = """
import sys
from pathlib import Path
from tests.codesign.test_explore import searched

if __name__ == "__main__":
    searched(Path(sys.argv[1]), workers=2)
"""


def test_kill_9_in_the_middle_loses_nothing(usual: tuple[Front, Path], tmp_path: Path) -> None:
    """Two workers begin and three go on; the front is that of one."""
    script, folder = tmp_path / "killed.py", tmp_path / "search"
    script.write_text(KILLED, encoding="utf-8")
    root = Path(__file__).parents[2]
    child = subprocess.Popen(
        [sys.executable, str(script), str(folder)], cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
    )  # fmt: skip
    wait_for(lambda: stored(folder) >= 4)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert 4 <= stored(folder) < stored(usual[1])
    assert text(searched(folder, workers=3)) == text(usual[0])


def test_a_member_is_trained_again_to_the_same_error(usual: tuple[Front, Path]) -> None:
    """With squares and without, which come of one set of statistics."""
    front = usual[0]
    full = [found for found in front.designs if found.fidelity == "full"]
    linear = [found for found in full if not found.options["squares"]]
    for found in (front.members[0], front.members[-1], *linear[:4]):
        design = front.design(found)
        assert design.name == found.name
        assert design.provenance["validation"]["quantised"] == found.figures["error"]
        assert design.provenance["regularisation"] == found.figures["regularisation"]


def test_test_samples_are_not_read(usual: tuple[Front, Path]) -> None:
    """Other test samples, the same front; only their hash differs."""
    task = tiny_task()
    inputs, targets = task.inputs.copy(), task.targets.copy()
    inputs[task.test], targets[task.test] = 0.5, np.linspace(0, 9, len(targets[task.test]))[:, None]
    other = searched(None, task=replace(task, inputs=inputs, targets=targets))
    assert other.table() == usual[0].table()
    hashes = [front.record["task"]["split_sha256"] for front in (other, usual[0])]
    assert {key for key in hashes[0] if hashes[0][key] != hashes[1][key]} == {"test"}


def test_another_search_is_refused_its_store(usual: tuple[Front, Path]) -> None:
    before = (usual[1] / STORE).read_bytes()
    with pytest.raises(DesignError, match=r"its seed is 1, not 2: use another folder$"):
        searched(usual[1], seed=2)
    with pytest.raises(DesignError, match=r"its board is \"icebreaker\", not \"ulx3s-85f\""):
        searched(usual[1], board="ulx3s-85f")
    with pytest.raises(DesignError, match=r"its task washout is 50, not 51: use another folder$"):
        searched(usual[1], task=replace(tiny_task(), washout=tiny_task().washout + 1))
    with patch("rchw.codesign.explore.calibration", lambda: "another"):
        with pytest.raises(DesignError, match=r"its estimator is .*, not \"another\""):
            searched(usual[1])
    assert (usual[1] / STORE).read_bytes() == before


def test_limits_are_of_what_is_to_be_small() -> None:
    """Two limits may be the same number; a rate is none of those that are at most something."""
    both = parse_limits("cells=1000", 1000.0, "nmse")
    assert both.broken({"cells": 1000.0, "rate": 1000.0}) == (0.0, "")
    assert both.broken({"cells": 2000.0, "rate": 500.0})[0] == 2.0
    for text, rate in (("rate=5", None), ("rate=5", 5.0)):
        with pytest.raises(DesignError, match=r"^limit must be of an objective .*, not rate$"):
            parse_limits(text, rate, "nmse")
    with pytest.raises(DesignError, match=r"^limit of rate must be above 0 and finite, not 0$"):
        Limits(rate=0.0)


def test_limits_are_kept_to(usual: tuple[Front, Path]) -> None:
    """What a limit refuses is not on the front, and is told why; the least of all is too few."""
    members = usual[0].members
    most = sorted(d.figures["cells"] for d in members)[len(members) // 2]
    kept = searched(None, limits=Limits((("cells", most),)), budget=BATCH)
    assert kept.members and all(d.figures["cells"] <= most for d in kept.members)
    assert any(f"cells must be at most {most:g}" in why for why in kept.refused.values())
    rate = max(d.figures["rate"] for d in usual[0].designs if d.trial < BATCH)
    fast = searched(None, limits=Limits(rate=rate), budget=BATCH)
    assert fast.designs and all(d.figures["rate"] >= rate or d.broken for d in fast.designs)
    assert any(f"rate must be at least {rate:g}" in why for why in fast.refused.values())
    with pytest.raises(DesignError, match=r"^no trial could be evaluated; .* cells must be"):
        searched(None, limits=Limits((("cells", 1.0),)), budget=1)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"budget": 0}, r"^budget must be from 1 to 100000, not 0$"),
        ({"seed": -1}, r"^seed must be from 0 to"),
        ({"objectives": ()}, r"^objectives must be distinct and at least one"),
        ({"objectives": ("size",)}, r"^objective must be one of error, cells, .*, not 'size'$"),
    ],
)
def test_bad_searches_are_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        searched(None, **given)
    with pytest.raises(DesignError, match=r"^board must be one of"):
        explore(tiny_task(), "breadboard")
