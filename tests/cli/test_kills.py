"""A command that is killed leaves the earlier results or the new ones, never some of both."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from rchw.document import digest, load
from tests.cli.command_line import SMALL_WORDS, contents

OLD = "0" * 64  # stands for the digest of the design of which the earlier results are
KILLS = int(os.environ.get("RCHW_KILLS", "4"))  # of the long run, per command and signal
MARK = "RCHW_TEST_MARK"  # in the environment of every process that a command starts
SAID = "error: interrupted, and nothing earlier was changed"

# What is written where; the last word is the target.
COMMANDS: dict[str, tuple[str, list[str]]] = {
    "train": ("train small.csv -o out/small.json", ["small.json", "small.train.json"]),
    "run": ("run small.json small.csv --input-columns x -o out/y.csv", ["y.csv"]),
    "verilog": ("verilog small.json -o out", ["small_.v", "small__tb.v", "small_.ports.json"]),
    "verify": ("verify small.json --samples 48 -o out", ["small_.v", "verify.json"]),
    "coverage": ("verify small.json --samples 48 --coverage -o out", ["coverage.json"]),
    "mutants": ("verify small.json --mutants 2 -o out", ["small_.v", "mutants.json"]),
    "soak": ("verify small.json --soak --samples 4000 -o out", ["small_.v", "soak.json"]),
    "netlist": ("verify small.json --netlist ecp5 --samples 48 -o out", ["netlist-ecp5.json"]),
    "prove": ("prove small.json -o out", ["small_.v", "small_.json", "prove.json"]),
    "rules": ("prove small.json --rules -o out", ["small_.v", "rules.json"]),
    "build": ("build small.json --board icebreaker -o out", ["small_.v", "report.json"]),
    "evidence": ("evidence checks", ["../checks/evidence.json", "../checks/evidence.html"]),
}

# A process that kills itself when it is about to rename the n-th of what is complete.
SUICIDE = """\
import os, signal, sys
from rchw.cli import main
left = int(sys.argv[1])
def hook(event, arguments):
    global left
    if event == "os.rename" and ".done-" in "".join(map(str, arguments[:2])):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
sys.exit(main(sys.argv[2:]))
"""


def words_of(name: str) -> list[str]:
    return [*COMMANDS[name][0].split(), *(SMALL_WORDS if name == "train" else ())]


@pytest.fixture
def place(folder: Path) -> Path:
    """A folder with results of before of every command."""
    for name in ("out", "checks"):
        (folder / name).mkdir()
    for _, names in COMMANDS.values():
        for name in names:
            (folder / "out" / name).write_text(f'{{"earlier": "{OLD}"}}\n')
    (folder / "out/letter.txt").write_text("a stranger's")
    shutil.copy(folder / "small.json", folder / "checks")
    record = '{"kind": "verify", "verdict": "pass", "design": "small_"}'
    (folder / "checks/verify.json").write_text(record)
    return folder


def shown(folder: Path) -> dict[str, bytes]:
    """Files that are no temporary ones, nor kept of a failure."""
    return {
        name: content
        for name, content in contents(folder).items()
        if not re.search(r"(^|/)\.|\.failed/|^build/", name)
    }


def one_of_both(name: str, folder: Path, before: dict[str, bytes]) -> bool:
    """Whether the results are all new, and not all old; the stranger's file is as it was."""
    now = shown(folder)
    if now == before:
        return False
    written = [str(Path("out", entry)) for entry in COMMANDS[name][1]]
    written = [entry.replace("out/../", "") for entry in written]
    assert now["out/letter.txt"] == before["out/letter.txt"]
    assert all(OLD.encode() not in now[entry] for entry in written), "some are old"
    new = digest(load(folder / "out/small.json" if name == "train" else folder / "small.json"))
    told = [now[entry] for entry in written if not entry.endswith((".csv", ".html", "small.json"))]
    assert all(new.encode() in content for content in told), "some are of something else"
    return True


def alive(mark: str) -> list[int]:
    """Processes with this mark in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if f"{MARK}={mark}".encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


@contextmanager
def started(folder: Path, program: list[str]) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A process in a folder, and its mark; in the end nothing of it is left."""
    mark = uuid.uuid4().hex
    with subprocess.Popen(
        [sys.executable, *program], cwd=folder, env={**os.environ, MARK: mark},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process, mark
        finally:
            for number in alive(mark):
                with suppress(OSError):
                    os.kill(number, signal.SIGKILL)


def killed(
    name: str, folder: Path, number: signal.Signals, seconds: float, writing: bool = False
) -> bool:
    """Start a command, strike some time after its first line, and look at what is left.

    The time may also begin when it is writing. Returns whether it came to its end before.
    """
    before = shown(folder)
    with started(folder, ["-m", "rchw.cli", *words_of(name)]) as (process, mark):
        assert process.stderr is not None
        if name != "run":
            process.stderr.readline()
        while writing and process.poll() is None and not list(folder.rglob(".part-*")):
            time.sleep(0.02)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        process.send_signal(number)
        out, err = process.communicate(timeout=300)
        if number is not signal.SIGKILL:
            end = time.monotonic() + 60  # of what was told to end and is not yet gone
            while alive(mark) and time.monotonic() < end:
                time.sleep(0.05)
            assert not alive(mark), "children go on"
    assert "Traceback" not in err
    new = one_of_both(name, folder, before)
    if number is not signal.SIGKILL:
        assert not [path for path in folder.rglob(".*") if path.is_dir()], "temporary folders"
    if process.returncode == 2:
        assert err.splitlines()[-1] == SAID and not out
    elif number is signal.SIGKILL or name == "run":  # of which nothing is heard when it begins
        assert new or process.returncode == -number
    else:
        # The signal may also come when all is done and Python is about to leave.
        assert new and process.returncode in (0, 1, -number), err
    return new


def rerun(name: str, folder: Path) -> float:
    """Run a command to its end, which gives new results; returns the seconds it took."""
    before, start = shown(folder), time.monotonic()
    with started(folder, ["-m", "rchw.cli", *words_of(name)]) as (process, _):
        _, err = process.communicate(timeout=300)
    assert process.returncode == (name == "evidence"), err  # its record is stale
    assert one_of_both(name, folder, before)
    return time.monotonic() - start


SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL]


@pytest.mark.parametrize("name", COMMANDS)
def test_a_kill(name: str, place: Path) -> None:
    """Each command once, soon after it has begun; the signals go round."""
    turn = list(COMMANDS).index(name)
    delay = np.random.default_rng(turn).uniform(0.0, 1.0)
    soon = name in ("train", "run", "evidence")  # they write at the very end
    new = killed(name, place, SIGNALS[turn % 3], delay, writing=not soon)
    if name in ("train", "run", "verilog", "evidence") and not new:
        rerun(name, place)


@pytest.mark.parametrize("moved", [-1, 2])
def test_a_kill_between_two_files(moved: int, place: Path) -> None:
    """What was complete when it was killed is put in place by the next command, all of it."""
    before = shown(place)
    with started(place, ["-c", SUICIDE, str(moved + 1), *words_of("verilog")]) as (process, _):
        _, err = process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL, err
    assert len(list((place / "out").glob(".done-*"))) == (moved >= 0)
    assert (shown(place) == before) == (moved < 1)
    rerun("train", place)
    now = shown(place)
    for name in COMMANDS["verilog"][1]:
        assert (now[f"out/{name}"] == before[f"out/{name}"]) == (moved < 0)
        assert (OLD.encode() in now[f"out/{name}"]) == (moved < 0)
    assert not list((place / "out").glob(".done-*"))


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("name", COMMANDS)
def test_kills_at_any_time(name: str, number: signal.Signals, place: Path, tmp_path: Path) -> None:
    """At times drawn over the whole run and a little beyond, then once to the end."""
    took = rerun(name, Path(shutil.copytree(place, tmp_path / "whole")))
    rng = np.random.default_rng([list(COMMANDS).index(name), number])
    for attempt in range(KILLS):
        folder = Path(shutil.copytree(place, tmp_path / f"killed{attempt}"))
        if not killed(name, folder, number, rng.uniform(0.0, 1.1 * took)):
            rerun(name, folder)
        shutil.rmtree(folder)
