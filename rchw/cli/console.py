"""What a command shows: tables or one JSON record on stdout, progress on stderr."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

__all__ = ["Outcome", "Screen", "clocks_words", "pairs", "table"]


@dataclass(frozen=True)
class Outcome:
    """What a command leaves: a record for machines, something to look at, a verdict.

    Attributes
    ----------
    record : mapping
        JSON-ready; printed on stdout with ``--json``.
    shown : sequence
        What is printed on stdout without it: a string as it is, anything else by rich.
    passed : bool
        False when a check ran and failed: exit code 1.
    """

    record: Mapping[str, Any]
    shown: Sequence[RenderableType] = ()
    passed: bool = True


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> Table:
    """Table whose columns starting with ``>`` are right-aligned."""
    made = Table(
        box=SIMPLE_HEAD, title=title or None, title_justify="left", title_style="bold",
        pad_edge=False,
    )  # fmt: skip
    for index, name in enumerate(columns):
        made.add_column(
            name.removeprefix(">"),
            justify="right" if name.startswith(">") else "left",
            no_wrap=index == 0,
            overflow="fold",
        )
    for row in rows:
        made.add_row(*row)
    return made


def clocks_words(record: Mapping[str, Any]) -> str:
    """Clocks per sample of a trained design, and what they come of."""
    lanes = ", ".join(str(layer["lanes"]) for layer in record["layers"])
    return (
        f"{record['clocks_per_sample']} with {lanes} lanes and {record['multipliers']} multipliers"
    )


def pairs(rows: Mapping[str, str]) -> Table:
    """Names and values without rules."""
    made = Table(box=None, show_header=False, padding=(0, 2, 0, 1))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows.items():
        made.add_row(name, value)
    return made


class Screen:
    """The two streams of one command.

    Parameters
    ----------
    as_json : bool
        Print one record on stdout and nothing else there. Progress still goes to stderr when that
        is a terminal.
    """

    def __init__(self, as_json: bool = False) -> None:
        self.as_json = as_json
        # A file or a pipe has no width of its own: there, lines may be longer than 80 characters.
        width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 120
        self._out = Console(highlight=False, markup=False, emoji=False, width=width)
        self._err = Console(stderr=True, highlight=False, markup=False, emoji=False)

    @property
    def _quiet(self) -> bool:
        return self.as_json and not self._err.is_terminal

    def show(self, outcome: Outcome) -> None:
        """Print what a command leaves."""
        if self.as_json:
            sys.stdout.write(json.dumps(outcome.record, allow_nan=False) + "\n")
        else:
            for item in outcome.shown:
                if isinstance(item, str):
                    sys.stdout.write(item)
                else:
                    self._out.print(item)
        sys.stdout.flush()

    def fail(self, sentence: str) -> None:
        """Print the one sentence of an error, on stderr and with ``--json`` as a record too."""
        line = "".join(
            c if c.isprintable() else c.encode("unicode_escape").decode()
            for c in " ".join(sentence.split())  # a terminal must obey no name of a file or column
        )
        if self.as_json:
            sys.stdout.write(json.dumps({"error": line}) + "\n")
            sys.stdout.flush()
        self._err.print(f"error: {line}", style="red", soft_wrap=True)

    def _done(self, title: str, start: float) -> None:
        seconds = time.monotonic() - start
        self._err.print(f"{title} ({seconds:.1f} s)", soft_wrap=True)

    @contextmanager
    def step(self, title: str) -> Iterator[Callable[[str], None]]:
        """Show a long step with its elapsed time; yields what receives a line of detail."""
        start = time.monotonic()
        if self._quiet:
            yield lambda line: None
            return
        if not self._err.is_terminal:
            self._err.print(f"{title} ...", soft_wrap=True)
            yield lambda line: self._err.print(f"  {line}", soft_wrap=True)
            self._done(title, start)
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}", style="dim", markup=False),
        )
        with Progress(*columns, console=self._err, transient=True) as progress:
            task = progress.add_task(title, total=None, detail="")
            width = max(20, self._err.width - len(title) - 16)
            yield lambda line: progress.update(task, detail=line[:width])
        self._done(title, start)

    @contextmanager
    def bar(self, title: str) -> Iterator[Callable[[int, int, float], None]]:
        """Show a search; yields what receives (done, total, best so far)."""
        with self.count(title, every=10) as show:
            yield lambda done, total, best: show(done, total, f"best {best:.4g}")

    @contextmanager
    def count(self, title: str, every: int) -> Iterator[Callable[[int, int, str], None]]:
        """Show how far a step is; yields what receives (done, total, a few words).

        Where there is no terminal, every so many are told.
        """
        start = time.monotonic()
        if self._quiet:
            yield lambda done, total, words: None
            return
        if not self._err.is_terminal:
            self._err.print(f"{title} ...", soft_wrap=True)
            told: list[tuple[int, str]] = []

            def line(done: int, total: int, words: str) -> None:
                if (done % every == 0 or done == total) and (done, words) not in told:
                    told.append((done, words))
                    self._err.print(f"  {done} of {total}, {words}", soft_wrap=True)

            yield line
            self._done(title, start)
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[words]}", style="dim", markup=False),
        )
        with Progress(*columns, console=self._err, transient=True) as progress:
            task = progress.add_task(title, total=None, words="")
            yield lambda done, total, words: progress.update(
                task, completed=done, total=total, words=words
            )
        self._done(title, start)
