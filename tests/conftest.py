"""Designs simulated and time per area at the end of a run; one place for Hypothesis settings."""

import gc
import os
import signal
import subprocess
import sysconfig
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples on every machine, and no database: a run must be reproducible from the checkout.
settings.register_profile("rchw", derandomize=True, database=None, deadline=None, print_blob=True)
settings.load_profile("rchw")

# Beside other workers, threads of the linear algebra only wait for each other; and the width of the
# terminal is nothing to tests: what a command prints there does not depend on it.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.pop("COLUMNS", None)

# A shell without job control starts what runs in the background deaf to Ctrl-C, children included;
# tests of interruptions need it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_seconds: dict[str, float] = defaultdict(float)
_counts: dict[str, int] = defaultdict(int)
_simulated: dict[str, dict[str, int]] = {}
_SIMULATED = "designs simulated"


@pytest.fixture
def tally(
    record_property: Callable[[str, object], None],
) -> Iterator[dict[str, Counter[str]]]:
    """Sentence about a set of designs, with its number first, to counts per kind of design.

    It is printed at the end of a run; a report carries it there from whichever worker ran the test.
    """
    found: dict[str, Counter[str]] = defaultdict(Counter)
    yield found
    record_property(_SIMULATED, {sentence: dict(kinds) for sentence, kinds in found.items()})


# Programs that are WebAssembly: the first call of each takes half a minute of both cores.
_COMPILED = ("yosys", "nextpnr-ice40", "icepack", "nextpnr-ecp5", "ecppack")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Before several workers begin, let such programs be compiled once, not once per worker."""
    if getattr(session.config.option, "numprocesses", None):
        for name in _COMPILED:
            program = Path(sysconfig.get_path("scripts"), f"yowasp-{name}")
            if program.is_file():
                subprocess.run([program, "--version"], capture_output=True, check=False)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Search for garbage less often, and not in what is there by now: that took an eighth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _area(nodeid: str) -> str:
    """Folder below tests, or the file of a test directly in it, or the doctests."""
    parts = Path(nodeid.split("::")[0]).parts
    if parts[0] != "tests":
        return "doctests"
    return parts[1] if len(parts) > 2 else Path(parts[1]).stem.removeprefix("test_")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up set-up, call and tear-down."""
    if report.when == "teardown":
        told = (value for name, value in report.user_properties if name == _SIMULATED)
        for found in told:
            assert isinstance(found, dict)
            _simulated.update(found)
    area = _area(report.nodeid)
    _seconds[area] += report.duration
    _counts[area] += report.when == "call"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was simulated, and the table, the slowest area first."""
    if _simulated:
        terminalreporter.section(_SIMULATED)
    for sentence, kinds in _simulated.items():
        terminalreporter.write_line(sentence)
        counts = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
        terminalreporter.write_line(f"  {counts}")
    terminalreporter.section("time per area")
    for area, seconds in sorted(_seconds.items(), key=lambda item: -item[1]):
        terminalreporter.write_line(f"{seconds:8.1f} s  {_counts[area]:5d} tests  {area}")
