"""Tests against packages that are too heavy for every day, and the record of the last run.

``python -m benchmarks.oracle`` runs ``pytest -m oracle`` and writes
``benchmarks/results/oracle.json``: what passed, against which releases.
"""

import json
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from rchw import __version__
from rchw.files import write_atomic

RECORD = Path(__file__).parent / "results" / "oracle.json"
PACKAGES = ("sax", "jax", "numpy", "scipy")


class _Outcomes:
    """Collects the outcome of every test."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep the worst of set-up, call and tear-down."""
        if self.found.get(report.nodeid, "passed") == "passed":
            self.found[report.nodeid] = report.outcome


def main() -> int:
    """Run, and write the record if anything was run."""
    outcomes = _Outcomes()
    code = int(pytest.main(["-q", "-m", "oracle"], plugins=[outcomes]))
    if not outcomes.found:
        return code or 1
    record = {
        "command": "python -m benchmarks.oracle",
        "verdict": "pass" if code == 0 else "fail",
        "tests": dict(sorted(outcomes.found.items())),
        "python": platform.python_version(),
        "versions": {"rchw": __version__} | {name: metadata.version(name) for name in PACKAGES},
    }
    write_atomic(RECORD, json.dumps(record, indent=1) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
