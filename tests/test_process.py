"""One program: its output in the log, its end within the time, its failure in one sentence."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from rchw.errors import ToolError
from rchw.process import CompletedRun, run_program

PYTHON = Path(sys.executable)


def python(script: str, folder: Path, **options: Any) -> CompletedRun:
    """Run a script with a log in the folder."""
    arguments: dict[str, Any] = {"cwd": folder, "log": folder / "log", "timeout": 60.0}
    return run_program("python", PYTHON, ["-c", script], **(arguments | options))


def test_what_is_printed_is_in_the_log_in_order(tmp_path: Path) -> None:
    script = (
        "import os, sys; print('one', flush=True); print('two', file=sys.stderr, flush=True); "
        "print(os.getcwd())"
    )
    done = python(script, tmp_path)
    assert done.text.splitlines() == ["one", "two", str(tmp_path.resolve())]
    assert done.tool == "python" and done.args == ("-c", script) and done.seconds > 0


def test_every_line_is_passed_on_and_the_last_one_too(tmp_path: Path) -> None:
    lines: list[str] = []
    script = (
        "import sys, time; print('a', flush=True); time.sleep(0.2); "
        "sys.stdout.buffer.write(b'b\\xff\\nc')"
    )
    python(script, tmp_path, progress=lines.append)
    assert lines == ["a", "b\ufffd", "c"]


def test_the_environment_is_the_one_that_was_given(tmp_path: Path) -> None:
    script = "import os; print(os.environ.get('RCHW_TEST'), os.environ.get('HOME'))"
    assert python(script, tmp_path, env={"RCHW_TEST": "1"}).text == "1 None\n"
    assert python(script, tmp_path).text.split()[1] == str(os.environ.get("HOME"))


def test_nothing_is_read_from_the_terminal(tmp_path: Path) -> None:
    assert python("import sys; print(repr(sys.stdin.read()))", tmp_path).text == "''\n"


def test_an_old_log_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("ERROR: of yesterday")
    with pytest.raises(ToolError, match=r"exit code 3: it printed nothing \(log: .*log\)$"):
        python("raise SystemExit(3)", tmp_path)


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ("start\\nERROR: no cell\\nERROR: later\\nbye", "ERROR: no cell"),
        ("%Warning-WIDTH: a.v:3\\n%Error: Exiting due to 1 warning", "%Warning-WIDTH: a.v:3"),
        ("fine\\nterminate called\\nbye", "terminate called"),
        ("fine\\nlast words", "last words"),
    ],
)
def test_the_telling_line_is_told(printed: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ToolError) as error:
        python(f"print('{printed}'); raise SystemExit(1)", tmp_path)
    assert f"exit code 1: {told} (log: " in str(error.value)
    assert "\n" not in str(error.value)


def test_a_program_with_its_own_log(tmp_path: Path) -> None:
    script = "print('aside'); open('log', 'w').write('inside')"
    assert python(script, tmp_path, own_log=True).text == "inside"
    assert (tmp_path / "log.out").read_text() == "aside\n"
    assert python("print('aside')", tmp_path, own_log=True).text == "aside\n"


def test_an_error_in_the_progress_ends_the_program(tmp_path: Path) -> None:
    script = (
        "import os, time; open('pid', 'w').write(str(os.getpid())); print('x', flush=True); "
        "time.sleep(60)"
    )

    def refuse(line: str) -> None:
        raise RuntimeError(line)

    with pytest.raises(RuntimeError, match="x"):
        python(script, tmp_path, progress=refuse)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_program_that_will_not_end_politely_is_killed(tmp_path: Path) -> None:
    script = (
        "import os, signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); "
        "open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
    )
    with pytest.raises(ToolError, match=r"^python did not finish `-c .*` within 3 s \(log: "):
        python(script, tmp_path, timeout=3.0)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
