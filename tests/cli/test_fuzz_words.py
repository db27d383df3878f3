"""Command lines drawn from the commands as they are declared: whatever is asked, one answer."""

import inspect
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from rchw.cli import app
from rchw.devices import BOARDS
from rchw.nodes.presets import NODES
from rchw.tasks import TASKS
from tests.cli.command_line import Called
from tests.cli.fuzzing import LONG, behaves, examples, fresh, idle, spoken

INTEGERS = [
    *range(-2, 9), 12, 15, 16, 17, 24, 25, 47, 48, 49, 63, 64, 100, 255, 256, 1000, 4096, 4097,
    10**6, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 10**30, -(2**63) - 1,
]  # fmt: skip
REALS = ["nan", "inf", "-inf", "-1", "0", "-0.0", "1e-320", "1e-9", "0.5", "60", "1e9", "1e400"]
DIGITS = "9" * 5000  # more than Python makes an integer of
HUGE = str(1 << 62)
TEXTS = [
    "", " ", ",", ",,", "0", "1", "-1", "0,1", "1,1", "0,,1", DIGITS, f"1,{DIGITS}", "\u0663", "²",
    f"{DIGITS},3,3", f"{HUGE},{HUGE},{HUGE}", "999999999999999999,3,3", "2000000000,3,3", "3,3,3",
    "200,100,99", "2,2,2,2", "1_0", "1.5", "x", "x,noise", "noise", "x, noise", "nan", "None",
    "--", "-", "-o", "--json", "=", "a=b", "*", "~", "$HOME", "a" * 300, "a" * 5000, "é", "true",
    "\U0001d54f", "\u202e", "\udcff", "line\nbreak", "tab\t", ":smile:", "[red]x", "{x}", "%s", "'",
    '"', "small_", "output", "last", "always",
]  # fmt: skip
PLACES = [
    "", ".", "..", "~", "small.json", "small.csv", "other.csv", "folder.json", "out", "out/y.csv",
    "out/new.json", "out/deep/er", "missing", "missing.json", "missing.csv", "missing/x.json",
    "m.npz", "loop", "loop/x", "loop.json", "loop.csv", "dangling.json", "dangling.csv", ".json",
    "small.csv/x", "small.json/x.json", "small.train.json", "x.train.json", "a.json.csv", ".csv",
    "..json", "X.JSON", "new.CSV", "always.json", "é.json", "\udcff.json", "\udcff.csv", "a b.json",
    ":smile:.json", "[red].csv", "a" * 300 + ".json", "d/" * 3000 + "x.csv", "/proc/nothing/x.csv",
    "/proc/nothing/x.json", "/proc/self/mem", "notes", "broken.json",
]  # fmt: skip
FOUND = [
    "build small.json --board hx8k -o b --seeds DIGITS",
    "build small.json --board hx8k -o b --seeds 2147483648",
    "build small.json --board hx8k -o b --timeout inf",
    "prove small.json -o p --timeout inf",
    "run small.json small.csv --input-columns DIGITS",
    "train small.csv -o a.json --split DIGITS,3,3",
    "train small.csv -o a.json --split 999999999999999999,999999999999999999,3",
    "train henon -o a.json --split 2000000000,3,3",
    "verify small.json --samples 2000000000",
    "verify small.json --coverage --seed 2147483648",
    "verilog small.json -o v --samples 2000000000",
    "verilog small.json -o \udcff.csv",
]
STRAY = [*TEXTS, "--bogus", "-h", "--help", "--version", "-x"]
USUAL = ["small.json", "small.csv", "out", "out/y.csv", "out/new.json"]
COMMANDS = {command.name: command.callback for command in app.registered_commands}


def options(name: str | None) -> dict[str, tuple[Any, Any]]:
    """Type and declaration of every parameter of a command."""
    callback = COMMANDS[name]
    assert callback is not None
    hints = get_type_hints(callback, include_extras=True)
    found = {}
    for key in inspect.signature(callback).parameters:
        if hints[key] is typer.Context:  # not of the command line: typer's own
            continue
        kind, *declared = get_args(hints[key])
        found[key] = (kind, declared[0])
    return found


def kind_of(kind: Any) -> type:
    """Type of a value, where None means that it is left out."""
    parts = [part for part in (*get_args(kind), kind) if part is not type(None)]
    found: type = get_origin(parts[0]) or parts[0]
    return found


def spellings(key: str, declared: Any) -> list[str]:
    """How an option may be written."""
    first = [declared.default] if isinstance(declared.default, str) else []  # typer's own place
    given = [part for text in (*first, *(declared.param_decls or ())) for part in text.split("/")]
    if any(text.startswith("--") for text in given):
        return given
    return [*given, f"--{key.replace('_', '-')}"]


# Words of the help of all options: among them are the values that they take.
VOCABULARY = sorted(
    {*TASKS, *BOARDS, *NODES}
    | {
        word
        for name in COMMANDS
        for _, declared in options(name).values()
        for word in re.findall(r"[a-z0-9-]{3,}", f"{declared.help} {declared.metavar}")
    }
)


def values(kind: type) -> st.SearchStrategy[str]:
    """Values for a type; now and then of another type."""
    texts = st.one_of(st.sampled_from(VOCABULARY), st.sampled_from(TEXTS))
    if kind is int:
        return st.one_of(st.sampled_from(INTEGERS).map(str), st.integers(1, 8).map(str), texts)
    if kind is float:
        return st.one_of(st.sampled_from(REALS), texts)
    if kind is Path:
        return st.one_of(st.sampled_from(USUAL), st.sampled_from(PLACES))
    return st.one_of(st.sampled_from(VOCABULARY), texts, st.sampled_from(USUAL + PLACES))


@st.composite
def lines(draw: Any) -> list[str]:
    """A command with its arguments, some options, and now and then a word that does not belong."""
    name = draw(st.sampled_from(sorted(map(str, COMMANDS))))
    words: list[list[str]] = []
    others = []
    for key, (kind, declared) in options(name).items():
        if type(declared).__name__ != "ArgumentInfo":
            others.append(key)
        elif draw(st.integers(0, 31)):
            place = "small.json" if "DESIGN" in str(declared.metavar) else "small.csv"
            words.append([place if draw(st.integers(0, 3)) else draw(values(kind_of(kind)))])
    chosen = draw(st.lists(st.sampled_from(others), max_size=4))
    if "output" in others and draw(st.integers(0, 15)):
        chosen.append("output")
    for key in chosen:
        kind, declared = options(name)[key]
        option = draw(st.sampled_from(spellings(key, declared)))
        if kind_of(kind) is bool:
            words.append([option])
            continue
        value = draw(values(kind_of(kind)))
        words.append(draw(st.sampled_from([[option, value], [f"{option}={value}"]])))
    if not draw(st.integers(0, 15)):
        words.append([draw(st.sampled_from(STRAY))])
    ordered = draw(st.permutations(words)) if draw(st.booleans()) else words
    return [name, *(word for part in ordered for word in part)]


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a design, data, results of before, strangers' files, and traps."""
    with fresh(made) as folder:
        (folder / "out").mkdir()
        for name in ("small_.v", "verify.json", "y.csv", "new.json", "letter.txt"):
            (folder / "out" / name).write_text("earlier")
        (folder / "notes").write_text("a stranger's")
        (folder / "broken.json").write_text('{"format": "rchw-design", "version": 1')
        os.symlink("loop", folder / "loop")
        os.symlink("loop.json", folder / "loop.json")
        os.symlink("loop.csv", folder / "loop.csv")
        os.symlink("nowhere/x.json", folder / "dangling.json")
        os.symlink("nowhere/x.csv", folder / "dangling.csv")
        idle(monkeypatch, folder / "small.json")
        monkeypatch.setattr("rchw.cli.tables.survey", lambda: [])
        yield folder


def check(line: list[str], place: Path) -> Called:
    with fresh(place) as folder:
        return behaves(line, folder)


def test_command_lines(place: Path) -> None:
    def one(line: list[str]) -> None:
        check(line, place)

    given(line=lines())(examples(150)(one))()


@pytest.mark.slow
def test_command_lines_for_long(place: Path) -> None:
    def one(line: list[str]) -> None:
        check(line, place)

    given(line=lines())(LONG(one))()


@pytest.mark.parametrize("line", FOUND, ids=ascii)
def test_what_was_found(line: str, place: Path) -> None:
    """Command lines that once ended in a traceback, without end, or in a sentence on a tool."""
    done = check(line.replace("DIGITS", DIGITS).split(), place)
    assert done.code == (0 if "\udcff" in line else 2)
    assert "No tool starts" not in done.err and "memory" not in done.err, done.err


@pytest.mark.parametrize("name", COMMANDS)
def test_options_are_found_as_they_are_declared(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn from is what the help shows, so that a new option is drawn too."""
    monkeypatch.setenv("COLUMNS", "200")
    shown = spoken([name, "--help"]).out
    for key, (_, declared) in options(name).items():
        if type(declared).__name__ != "ArgumentInfo":
            assert all(spelling in shown for spelling in spellings(key, declared)), key
    assert all(isinstance(kind_of(kind), type) for kind, _ in options(name).values())
    assert "as_json" in options(name)
