"""Say at the end of a run how many designs were simulated, and of which kinds."""

from collections import Counter

import pytest

TALLY: dict[str, Counter[str]] = {}


@pytest.fixture(scope="session")
def tally() -> dict[str, Counter[str]]:
    """Sentence about a set of designs, with its number first, to counts per kind of design."""
    return TALLY


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print both for every set."""
    if TALLY:
        terminalreporter.section("designs simulated")
    for sentence, kinds in TALLY.items():
        terminalreporter.write_line(sentence)
        counts = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
        terminalreporter.write_line(f"  {counts}")
