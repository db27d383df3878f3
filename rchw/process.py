"""Run one external program: output to a log file, a time limit, errors as one sentence."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rchw.errors import DesignError, ToolError

__all__ = ["CompletedRun", "Progress", "check_timeout", "run_program", "stop"]

Progress = Callable[[str], None]

_ERROR = re.compile(r"(?:\berror\b[^:]*:|%Warning-)(?!.*Exiting due to)", re.IGNORECASE)
_LONGEST = 1_000_000.0  # seconds; z3 and the system's clocks count no further than some weeks
_ALARM = re.compile(r"trap|terminate|exception|exiting|no space left|denied", re.IGNORECASE)


def check_timeout(seconds: float) -> None:
    """Refuse what is no time limit.

    Raises
    ------
    DesignError
        If it is not above 0 seconds, or above a million of them.
    """
    if not seconds > 0:
        raise DesignError(f"timeout must be above 0 seconds, not {seconds:g}")
    if seconds > _LONGEST:
        raise DesignError(f"timeout must be at most {_LONGEST:.0f} seconds, not {seconds:g}")


@dataclass(frozen=True, slots=True)
class CompletedRun:
    """A tool run that ended with exit code 0."""

    tool: str
    args: tuple[str, ...]
    seconds: float
    log: Path

    @property
    def text(self) -> str:
        """Everything the tool printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that has a group of its own, and its children: politely, then not."""
    for number, patience in ((signal.SIGINT, 2.0), (signal.SIGKILL, 10.0)):
        try:
            os.killpg(process.pid, number)
            process.wait(patience)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _telling(text: str) -> str:
    """Return the line that says why: the first error, else the last line that sounds like one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if _ERROR.search(line)][:1]
    alarms = [line for line in lines if _ALARM.search(line)]
    return (errors or alarms or lines or ["it printed nothing"])[-1][:300]


def _follow(process: subprocess.Popen[bytes], log: Path, end: float, progress: Progress) -> int:
    """Wait for the end, passing on the lines that appear in the log."""
    pending = b""
    with log.open("rb") as source:
        while True:
            try:
                code: int | None = process.wait(0.05)
            except subprocess.TimeoutExpired:
                if time.monotonic() > end:
                    raise
                code = None
            *lines, pending = (pending + source.read()).split(b"\n")
            for line in lines:
                progress(line.decode(errors="replace"))
            if code is not None:
                if pending:  # a last line without its end
                    progress(pending.decode(errors="replace"))
                return code


def run_program(
    name: str,
    path: Path,
    args: Sequence[str],
    *,
    cwd: Path,
    log: Path,
    timeout: float = 600.0,
    progress: Progress | None = None,
    env: Mapping[str, str] | None = None,
    own_log: bool = False,
) -> CompletedRun:
    """Run a program inside `cwd` with its output in `log`, and return when it has succeeded.

    The program gets a process group of its own, which is ended when the time is over or when this
    process is interrupted: nothing keeps running behind the user's back.

    Parameters
    ----------
    name : str
        What error sentences call it.
    path : Path
        The executable.
    args : sequence of str
        Arguments; files relative to `cwd`.
    cwd, log : Path
        Working folder and the file that receives everything printed.
    timeout : float
        Seconds.
    progress : callable, optional
        Receives every line as it is printed.
    env : mapping, optional
        Environment; the present one when nothing is given.
    own_log : bool
        The program writes `log` itself; what it prints goes into a second file beside it.

    Raises
    ------
    ToolError
        If the program cannot be started, fails or does not end in time.
    """
    asked = " ".join(" ".join(args).split())[:120]
    printed = log.with_name(f"{log.name}.out") if own_log else log
    start = time.monotonic()
    try:
        log.unlink(missing_ok=True)
        with printed.open("wb") as sink:
            process = subprocess.Popen(
                [str(path), *args],
                cwd=cwd,
                env=env,
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        try:
            code = _follow(process, printed, start + timeout, progress or (lambda line: None))
        except subprocess.TimeoutExpired:
            stop(process)
            raise ToolError(
                f"{name} did not finish `{asked}` within {timeout:g} s (log: {log})"
            ) from None
        except BaseException:
            stop(process)
            raise
    except OSError as error:
        raise ToolError(f"{name} could not be run in {cwd}: {error.strerror or error}") from error
    log = log if log.exists() else printed
    done = CompletedRun(name, tuple(args), time.monotonic() - start, log)
    if code != 0:
        own = done.text if log != printed else ""
        reason = _telling(printed.read_text(encoding="utf-8", errors="replace") + own)
        raise ToolError(f"{name} failed at `{asked}` with exit code {code}: {reason} (log: {log})")
    return done
