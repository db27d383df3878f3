"""stdout is for results and stderr for progress; a terminal sees more of it than a pipe."""

import io
import json
from collections.abc import Callable

import pytest
from rich.console import Console

from rchw.cli.console import Outcome, Screen, pairs, table


def with_stderr(screen: Screen, *, terminal: bool) -> Callable[[], str]:
    """Give a screen another stderr; returns what reads it."""
    file = io.StringIO()
    screen._err = Console(file=file, force_terminal=terminal, width=90, highlight=False)
    return file.getvalue


def test_a_pipe_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    with screen.step("synthesis [1]") as say:
        say("yosys [red]")
    with screen.bar("search") as show:
        for done in range(1, 26):
            show(done, 25, 0.5)
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert lines[:2] == ["synthesis [1] ...", "  yosys [red]"]
    assert lines[2].startswith("synthesis [1] (") and lines[2].endswith(" s)")
    assert lines[3] == "search ..."
    assert [line for line in lines if "best" in line] == [
        "  10 of 25, best 0.5", "  20 of 25, best 0.5", "  25 of 25, best 0.5",
    ]  # fmt: skip


def test_json_is_silent_but_for_the_record(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(True)
    with screen.step("synthesis") as say:
        say("yosys")
    with screen.bar("search") as show:
        show(1, 1, 0.1)
    screen.show(Outcome({"kind": "x", "value": 0.1}, [table(["a"], [["b"]])]))
    out, err = capsys.readouterr()
    assert json.loads(out) == {"kind": "x", "value": 0.1} and err == ""


@pytest.mark.parametrize("as_json", [False, True])
def test_a_terminal_sees_progress_and_the_time_it_took(as_json: bool) -> None:
    screen = Screen(as_json)
    shown = with_stderr(screen, terminal=True)
    with screen.step("synthesis") as say:
        say("yosys")
    with screen.bar("search") as show:
        show(3, 30, 0.25)
    assert "yosys" in shown() and "3/30" in shown() and "best 0.25" in shown()
    assert "synthesis (" in shown() and "search (" in shown()


def test_an_error_is_one_line_even_with_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(True).fail("inputs[0] must be\n[bold]this[/bold], " + "long " * 40)
    out, err = capsys.readouterr()
    sentence = json.loads(out)["error"]
    assert err == f"error: {sentence}\n" and "\n" not in sentence
    assert sentence.startswith("inputs[0] must be [bold]this[/bold], long")


def test_an_error_shows_names_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    """No picture for words between colons, and nothing that a terminal would obey."""
    Screen(True).fail(":smile: \x1b[2J\x08 \udcff \u202e é")
    out, err = capsys.readouterr()
    sentence = r":smile: \x1b[2J\x08 \udcff \u202e é"
    assert json.loads(out)["error"] == sentence and err == f"error: {sentence}\n"


def test_results_go_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    made = table(["name", ">value"], [["a", "1"]], "title")
    Screen().show(Outcome({}, [made, pairs({"key": "word"}), "raw [b]\n"]))
    out, err = capsys.readouterr()
    assert err == ""
    for part in ("title", "name", "key", "word", "raw [b]\n"):
        assert part in out


def test_a_record_without_numbers_for_json_is_a_fault(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        Screen(True).show(Outcome({"value": float("nan")}))
