"""The command line: ``rchw COMMAND``, or ``python -m rchw.cli``.

Exit code 0: done; 1: a check ran and failed; 2: bad input, a missing tool, or an interruption, told
in one sentence on stderr.
"""

import io
import math
import os
import shutil
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from rchw import __version__
from rchw.cli.bring import import_command
from rchw.cli.build import (
    build_command,
    demo_command,
    report_command,
    verilog_command,
)
from rchw.cli.compare import compare_command
from rchw.cli.console import Outcome, Screen
from rchw.cli.emulate import emulate_command
from rchw.cli.energy import energy_command
from rchw.cli.estimate import estimate_command
from rchw.cli.evidence import evidence_command
from rchw.cli.explore import explore_command
from rchw.cli.metrics import metrics_command
from rchw.cli.prove import prove_command
from rchw.cli.reproduce import reproduce_command
from rchw.cli.run import run_command
from rchw.cli.tables import (
    EXTRAS,
    boards_command,
    doctor_command,
    nodes_command,
    tasks_command,
)
from rchw.cli.train import train_command
from rchw.cli.verify import verify_command
from rchw.errors import MismatchError, RchwError, ToolError
from rchw.files import STOPPING

__all__ = ["app", "main"]

_TYPER_INTERRUPTED = 130
_LITTLE = 200_000  # bytes
_CLEANING = 15.0  # seconds; ending a program that does not want to end takes up to 12
_MOMENT = 0.05  # seconds, in which a callback comes to its end
_INTERRUPTED = "interrupted, and nothing earlier was changed"
# Errors of typer's parser, wherever the installed version keeps them.
_UsageError = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="rchw",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Every command takes --json. Exit code 1: a check failed; 2: bad input, missing tool.",
)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Reservoir computers from a time series to silicon, bit for bit."""
    if version:
        typer.echo(f"rchw {__version__}")
        raise typer.Exit(0)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(0)


class _Interrupt(KeyboardInterrupt):
    """Ctrl-C, as a class of its own.

    Python remembers a plain one that passes through `exec`, as in numba's imports, although it is
    handled, and then ends by the signal instead of with our exit code.
    """


@contextmanager
def _interruptible() -> Iterator[None]:
    """Turn Ctrl-C, and other signals that end a process, into `_Interrupt`.

    Only then are temporary files removed, and are programs ended that were started. A second signal
    must not break that off.
    """
    last = -math.inf
    again: list[threading.Timer] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal last
        if time.monotonic() - last > _CLEANING:
            last = time.monotonic()
            raise _Interrupt

    def ignored(what: Any) -> None:
        """Signal once more: a callback out of C, as of numba's cache, had kept it to itself."""
        nonlocal last
        if not isinstance(what.exc_value, _Interrupt):
            hook(what)
            return
        last = -math.inf
        again.append(threading.Timer(_MOMENT, os.kill, (os.getpid(), signal.SIGINT)))
        again[-1].start()

    hook = sys.unraisablehook
    usual = {number: signal.getsignal(number) for number in STOPPING}
    if threading.current_thread() is not threading.main_thread():
        usual = {}
    for number, handler in usual.items():
        if handler in (signal.default_int_handler, signal.SIG_DFL):
            signal.signal(number, interrupt)
    sys.unraisablehook = ignored
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for timer in again:
            timer.cancel()
        for number, handler in usual.items():
            if handler in (signal.default_int_handler, signal.SIG_DFL):
                signal.signal(number, handler)


def _is_full(output: Path | None) -> bool:
    """Whether the disk of a folder is full: tools often fail on that without a word."""
    folder = (output or Path()).absolute()
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free < _LITTLE


def _quiet() -> None:
    """Drop what is said at the end of the process of a circuit that was never finished."""
    warnings.simplefilter("ignore")


def _register(name: str, function: Callable[..., Outcome]) -> None:
    """Make a command of a function; `main` receives what it returns."""

    @wraps(function)
    def run(**arguments: Any) -> Outcome:
        try:
            return function(**arguments)
        except KeyboardInterrupt:
            # typer would turn it into exit code 130, without a word.
            _quiet()
            raise RchwError(_INTERRUPTED) from None
        except ToolError as error:
            if _is_full(arguments.get("output")):
                raise ToolError(f"{error}; the disk is full") from error
            raise

    app.command(name)(run)


_register("train", train_command)
_register("import", import_command)
_register("run", run_command)
_register("verilog", verilog_command)
_register("verify", verify_command)
_register("prove", prove_command)
_register("estimate", estimate_command)
_register("build", build_command)
_register("report", report_command)
_register("evidence", evidence_command)
_register("energy", energy_command)
_register("emulate", emulate_command)
_register("compare", compare_command)
_register("reproduce", reproduce_command)
_register("explore", explore_command)
_register("metrics", metrics_command)
_register("tasks", tasks_command)
_register("nodes", nodes_command)
_register("boards", boards_command)
_register("doctor", doctor_command)
_register("demo", demo_command)


def _usage(error: Exception, given: Sequence[str]) -> str:
    """Sentence of the parser, and where to read on."""
    sentence = str(getattr(error, "format_message", error.__str__)()).rstrip(".")
    names = [word for word in given[:1] if not word.startswith("-")]
    known = [command.name for command in app.registered_commands]
    return f"{sentence} (see `{' '.join(['rchw', *(n for n in names if n in known), '--help'])}`)"


def _missing(error: ImportError) -> str:
    name = (error.name or str(error)).partition(".")[0]
    what = f"'rchw[{EXTRAS[name]}]'" if name in EXTRAS else name
    return f"the Python package {name} is missing: install it with `pip install {what}`"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; by default those of the process.

    Returns
    -------
    int
        The exit code.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # paths may be no text; as stderr does
    screen = Screen("--json" in given)
    try:
        with _interruptible():
            outcome = app(given, prog_name="rchw", standalone_mode=False)
        if outcome == _TYPER_INTERRUPTED:
            raise KeyboardInterrupt
        if not isinstance(outcome, Outcome):
            return 0  # help or version
        screen.show(outcome)
        return 0 if outcome.passed else 1
    except MismatchError as error:
        screen.fail(str(error))
        return 1
    except RchwError as error:
        screen.fail(str(error))
    except KeyboardInterrupt:
        _quiet()
        screen.fail(_INTERRUPTED)
    except BrokenPipeError:
        # Nobody reads on; Python must not complain about it at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except ImportError as error:
        screen.fail(_missing(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        screen.fail(f"{where}{error.strerror or error}")
    except MemoryError:
        screen.fail("there is not enough memory for this")
    except Exception as error:
        if isinstance(error, _UsageError):
            screen.fail(_usage(error, given))
            return 2
        traceback.print_exc()
        screen.fail(f"internal error, please report it: {type(error).__name__}: {error}")
    return 2
