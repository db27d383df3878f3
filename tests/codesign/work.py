"""What workers of an engine are given to do; their processes import this and little else."""

import os
import signal
import time
from pathlib import Path

from rchw.errors import DesignError

__all__ = ["always_killed", "first_last", "killed_once", "refused", "sleep", "square", "threads_of"]


def square(item: int) -> int:
    return item * item


def first_last(item: tuple[int, str]) -> int:
    """Square; the first item waits until the file is there, but not for ever."""
    number, mark = item
    end = time.monotonic() + 60
    while number == 0 and not Path(mark).exists() and time.monotonic() < end:
        time.sleep(0.01)
    return number * number


def threads_of(item: int) -> tuple[int, str | None, str | None]:
    return os.getpid(), os.environ.get("OMP_NUM_THREADS"), os.environ.get("OPENBLAS_NUM_THREADS")


def killed_once(item: tuple[int, str]) -> int:
    """The third item kills its worker, but only where nobody has done so before."""
    number, mark = item
    if number == 2 and not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 10 * number


def always_killed(item: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return item


def refused(item: int) -> int:
    if item == 1:
        raise DesignError("item must be even, not 1")
    return item


def sleep(folder: str) -> None:
    Path(folder, str(os.getpid())).touch()
    time.sleep(300)
