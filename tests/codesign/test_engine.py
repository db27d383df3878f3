"""Engines: results in the order of the items, whatever order they come in, and whoever dies."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rchw.codesign.engine import LocalEngine, RayEngine, engine
from rchw.errors import DesignError, RchwError, ToolError
from tests.codesign.work import always_killed, first_last, killed_once, refused, square, threads_of


def test_results_are_in_the_order_of_the_items(tmp_path: Path) -> None:
    """The first is done last: when this process has been told of the last."""
    seen: list[tuple[int, int]] = []
    mark = tmp_path / "told"

    def told(place: int, result: int) -> None:
        seen.append((place, result))
        if place == 7:
            mark.touch()

    with LocalEngine(2) as local:
        found = local.map(first_last, [(number, str(mark)) for number in range(8)], told)
        pids = {pid for pid, *_ in local.map(threads_of, range(6))}
        inner = local.map(threads_of, [0])[0]
    assert found == [item * item for item in range(8)]
    assert seen == [*list(enumerate(found))[1:], (0, 0)]
    assert os.getpid() not in pids and inner[1:] == ("1", "1")
    with LocalEngine(1) as own:
        assert own.map(square, range(8)) == found
        assert own.map(threads_of, [0])[0][0] == os.getpid()


def test_a_killed_worker_is_replaced_and_its_item_done_again(tmp_path: Path) -> None:
    mark, counts = str(tmp_path / "killed"), dict.fromkeys(range(6), 0)

    def count(place: int, result: int) -> None:
        counts[place] += 1

    with LocalEngine(2) as local:
        found = local.map(killed_once, [(number, mark) for number in range(6)], count)
    assert Path(mark).exists()
    assert found == [0, 10, 20, 30, 40, 50]
    assert set(counts.values()) == {1}


def test_what_kills_every_worker_ends_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rchw.codesign.engine._ATTEMPTS", 2)  # not 5, for time
    with LocalEngine(2) as local, pytest.raises(RchwError, match=r"^workers died 2 times in a row"):
        local.map(always_killed, [0])


def test_an_error_of_the_function_is_raised_here() -> None:
    with LocalEngine(2) as local:
        with pytest.raises(DesignError, match=r"^item must be even, not 1$"):
            local.map(refused, range(3))
        assert local.map(square, [3]) == [9]  # and the engine goes on


def test_bad_engines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DesignError, match=r"^engine must be one of local, ray, not 'slurm'$"):
        engine("slurm")
    with pytest.raises(DesignError, match=r"^workers must be from 1 to 1024, not 0$"):
        engine("local", 0)
    with pytest.raises(DesignError, match=r"^address must be left out for engine local"):
        engine("local", address="auto")
    with pytest.raises(DesignError, match=r"^workers must be left out for the cluster at auto$"):
        RayEngine("auto", 2)
    with pytest.raises(ToolError, match=r"^no Ray cluster answers at 127.0.0.1:1: "):
        RayEngine("127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ToolError, match=r"^the Python package ray is missing: .*rchw\[cluster\]"):
        engine("ray")


ORPHANS = """
import os, sys, time
from tests.codesign.work import sleep
from rchw.codesign.engine import LocalEngine

if __name__ == "__main__":
    with LocalEngine(2) as local:
        local.map(sleep, [sys.argv[1]] * 2)
"""


def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    """Nothing is left behind by kill -9, which no handler sees."""
    script, folder = tmp_path / "orphans.py", tmp_path / "pids"
    script.write_text(ORPHANS, encoding="utf-8")
    folder.mkdir()
    parent = subprocess.Popen(
        [sys.executable, str(script), str(folder)],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    try:
        wait_for(lambda: len(list(folder.iterdir())) == 2)
    finally:
        parent.kill()
        parent.wait()
    pids = [int(path.name) for path in folder.iterdir()]
    wait_for(lambda: not any(alive(pid) for pid in pids))
    assert len(pids) == 2


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_for(what: Callable[[], bool], seconds: float = 600.0) -> None:
    """Wait until something is true; a machine under load takes its time."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


GUARD = 'if __name__ == "__main__":'
SCRIPT = """
from rchw.codesign.engine import LocalEngine
{guard}
    with LocalEngine(2) as engine:
        print(engine.map(abs, [-1, -2]))
"""


@pytest.mark.parametrize("guard", [GUARD, "if True:"])
def test_a_script_without_a_guard_is_told_what_to_do(tmp_path: Path, guard: str) -> None:
    """Workers read the script and come to its search: one sentence, not theirs but ours."""
    script = tmp_path / "search.py"
    script.write_text(SCRIPT.format(guard=guard), encoding="utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    if guard == GUARD:
        assert (done.returncode, done.stdout, done.stderr) == (0, "[1, 2]\n", "")
        return
    assert done.returncode == 1 and not done.stdout
    assert f"must stand below `{GUARD}`" in done.stderr
    assert done.stderr.count("Traceback") == 2  # of the pool that broke, and of this sentence
