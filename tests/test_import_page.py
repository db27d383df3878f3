"""The page `docs/import.md`: its code and commands run, and its tables are those of the code."""

import json
import re
import shlex
from pathlib import Path

import pytest

from rchw.cli import main
from rchw.importing.network import KEYS
from rchw.importing.options import READOUTS
from rchw.importing.structure import MOST_TAPS, SPARSE_BELOW

PAGE = (Path(__file__).parents[1] / "docs" / "import.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found.group(1)


def prepared(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Run the Python of the page in a folder; its commands as words."""
    monkeypatch.chdir(folder)
    exec(compile(block("python"), "import.md", "exec"), {})
    return [shlex.split(line, comments=True) for line in block("sh").splitlines()]


def test_the_code_and_the_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = prepared(tmp_path, monkeypatch)
    assert [words[:2] for words in commands] == [
        ["rchw", "import"], ["rchw", "run"], ["rchw", "verify"]
    ]  # fmt: skip
    for words in commands[:2]:
        assert main(words[1:]) == 0
    record = json.loads((tmp_path / "imported" / "wave.import.json").read_text())
    assert record["errors"]["test"]["outputs"] < 0.01
    assert (tmp_path / "forecast.csv").read_text().startswith("level_ahead\n")
    listed = re.findall(r"^\| `(\w+)` \|", PAGE.split("## The record")[1], re.MULTILINE)
    assert set(listed) <= set(record)


@pytest.mark.slow
def test_the_circuit_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in prepared(tmp_path, monkeypatch):
        assert main(words[1:]) == 0


def test_tables_are_those_of_the_code() -> None:
    names = PAGE.split("## Matrices")[1].split("| W | engine |")[0]
    listed = [name for row in re.findall(r"^\| (`.*?) \|", names, re.MULTILINE)
              for name in re.findall(r"`(\w+)`", row)]  # fmt: skip
    assert listed == list(KEYS)
    assert f"at most {MOST_TAPS} diagonals" in PAGE
    assert SPARSE_BELOW == 0.5 and "fewer than half of the entries" in PAGE
    readouts = PAGE.split("`--readout` says")[1].split("is the default")[0]
    assert re.findall(r"^\| `(\w+)` \|", readouts, re.MULTILINE) == list(READOUTS)
