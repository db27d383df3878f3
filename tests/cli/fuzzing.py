"""What every call must keep, whatever is thrown at it, and how much is thrown."""

import io
import json
import os
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, settings

from rchw.cli import main
from rchw.document import load
from rchw.errors import RchwError
from rchw.hdl.emit import emit
from rchw.lab.trial import try_preset
from rchw.train import train
from tests.cli.command_line import Called

__all__ = ["LONG", "Hang", "behaves", "examples", "fresh", "held", "idle", "spoken"]

_PATIENCE = (
    60  # seconds of the processor for one call, after which it hangs; ten times by the clock
)
_MEMORY = 6 << 30  # bytes: more than that no file or command line of these tests may ask for
_HEALTH = list(HealthCheck)  # examples build on files, and some are large on purpose

# The long run draws other examples each time; `--hypothesis-seed` brings them back.
LONG = settings(
    max_examples=int(os.environ.get("RCHW_EXAMPLES", "500")),
    derandomize=False,
    suppress_health_check=_HEALTH,
)


def examples(count: int) -> settings:
    """Settings of the small sample, which is the same in every run."""
    return settings(max_examples=count, suppress_health_check=_HEALTH)


class Hang(BaseException):
    """A call did not come to an end; no handler of errors may take it for one."""


@contextmanager
def _bounded() -> Iterator[None]:
    """Let a call have neither time nor memory without end."""

    def end(number: int, frame: FrameType | None) -> NoReturn:
        raise Hang(f"no end after {_PATIENCE} seconds")

    usual = [signal.signal(number, end) for number in (signal.SIGALRM, signal.SIGPROF)]
    limits = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, limits[1]))
    signal.setitimer(signal.ITIMER_PROF, _PATIENCE)
    signal.alarm(10 * _PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_DATA, limits)
        for number, handler in zip((signal.SIGALRM, signal.SIGPROF), usual, strict=True):
            signal.signal(number, handler)


def spoken(words: Sequence[str]) -> Called:
    """Run the command line in this process, on streams that encode as those of a terminal do."""
    seen = (io.BytesIO(), io.BytesIO())
    out, err = (
        io.TextIOWrapper(stream, encoding="utf-8", errors=errors, write_through=True)
        for stream, errors in zip(seen, ("strict", "backslashreplace"), strict=True)
    )
    with _bounded(), redirect_stdout(out), redirect_stderr(err):
        code = main(list(words))
    return Called(code, *(stream.getvalue().decode() for stream in seen))


def held(folder: Path) -> dict[str, bytes | str]:
    """Everything in a folder: bytes of files, targets of links, and folders that are empty.

    Left out is what failed tools are kept in, ``OUT.failed``.
    """
    found: dict[str, bytes | str] = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file():
            found[name] = path.read_bytes()
        elif not any(path.iterdir()):
            found[name] = "empty folder"
    return {name: what for name, what in found.items() if ".failed/" not in name}


def behaves(words: Sequence[str], folder: Path) -> Called:
    """Call, and hold what it leaves against the law of the command line.

    The exit code is 0, 1 or 2. With 2 there is one sentence on stderr, with ``--json`` the same on
    stdout as a record, and the folder is as it was.
    """
    before = held(folder)
    done = spoken(words)
    assert done.code in (0, 1, 2), done
    assert "Traceback" not in done.err and "internal error" not in done.err, done.err
    told = [line for line in done.err.splitlines() if line.startswith("error: ")]
    if done.code != 2:
        assert not told, done.err
        assert "--json" not in words or done.code == 1 or not done.out or _is_record(done.out), done
        return done
    assert held(folder) == before, "refused, and yet something has changed"
    assert len(told) == 1 and done.err.endswith(f"{told[0]}\n") and len(told[0]) > 12, done.err
    if "--json" in words:
        assert done.err == f"{told[0]}\n", "progress of what is refused"
        assert list(done.record) == ["error"]
        assert f"error: {done.record['error']}" == told[0]
    else:
        assert not done.out, done.out
    return done


def _is_record(out: str) -> bool:
    """Whether one JSON object was printed, or the page of help or the version."""
    lines = out.splitlines()
    return "Usage:" in out or out.startswith("rchw ") or isinstance(json.loads(lines[0]), dict)


@contextmanager
def fresh(made: Path) -> Iterator[Path]:
    """Copy of a folder to work in, gone afterwards."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "copy")
        shutil.copytree(made, folder, symlinks=True)
        earlier = Path.cwd()
        os.chdir(folder)
        try:
            yield folder
        finally:
            os.chdir(earlier)


def idle(monkeypatch: pytest.MonkeyPatch, design: Path) -> None:
    """Let no tool start and nothing train for long; the Verilog of one design is known already."""
    text = emit(load(design))

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise FileNotFoundError(2, "No tool starts in this test")

    def stop(*_: Any, **__: Any) -> NoReturn:
        raise RchwError("nothing that long runs in this test")

    def briefly(task: Any, options: Any, progress: Any) -> Any:
        if options.units > 16 or options.search != "none" or len(task.inputs) > 1000:
            raise RchwError("nothing that trains for long does so in this test")
        return train(task, options, progress)

    def tried(task: Any, preset: Any, size: Any, *rest: Any, **options: Any) -> Any:
        if size.units > 16 or options["tune"] or len(task.inputs) > 1000:
            raise RchwError("nothing that is tuned for long is so in this test")
        return try_preset(task, preset, size, *rest, **options)

    monkeypatch.setattr("rchw.lab.emulate.try_preset", tried)
    monkeypatch.setattr("rchw.lab.compare.try_preset", tried)
    monkeypatch.setattr("rchw.lab.reproduce.reproduce", stop)
    monkeypatch.setattr("rchw.hdl.emit.emit", lambda design: text)
    monkeypatch.setattr(subprocess, "Popen", refuse)
    monkeypatch.setattr("rchw.demo.experiment", stop)
    monkeypatch.setattr("rchw.codesign.explore.explore", stop)
    monkeypatch.setattr("rchw.experiment.train", briefly)
