"""The notebooks run from nothing, show what is stored in them, and hold nothing of a machine."""

import ast
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tests.notebooks import EXACT, FOLDER, NAMES, code_cells, execute, figures, printed, stored

LONG = {"3-to-gates", "4-families", "7-proof", "8-codesign"}  # half a minute and more
MOST_BYTES = 400_000
MOST_LINES = 40  # a screen
MOST_STATEMENTS = 16  # lines of a cell that are neither blank nor imports
MACHINE = re.compile(r"/(?:home|root|tmp|work|usr|var|Users)/|[A-Z]:\\\\|site-packages")


def load(name: str) -> NotebookNode:
    """Read a stored notebook."""
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def check_same(before: NotebookNode, after: NotebookNode) -> None:
    """Refuse a run that prints or draws something else than what is stored."""
    for old, new in zip(code_cells(before), code_cells(after), strict=True):
        if EXACT in old.metadata.get("tags", []):
            assert printed(new) == printed(old), "store again: python -m tests.notebooks"
        assert figures(new) == figures(old)
        assert not [o.text for o in new.outputs if o.get("name") == "stderr"]


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n in LONG else ()) for n in NAMES]
)
def test_a_notebook_runs_and_prints_what_is_stored(name: str, tmp_path: Path) -> None:
    """Its last cell asserts what its text claims; exact cells print the same, digit for digit."""
    notebook = load(name)
    check_same(notebook, execute(notebook, tmp_path))


@pytest.mark.parametrize("name", NAMES)
def test_a_stored_notebook_is_whole_and_of_no_machine(name: str) -> None:
    path = FOLDER / f"{name}.ipynb"
    notebook, text = load(name), path.read_text(encoding="utf-8")
    nbformat.validate(notebook)
    assert path.stat().st_size < MOST_BYTES
    assert MACHINE.findall(text) == []
    assert stored(notebook).metadata == notebook.metadata
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert any(EXACT in cell.metadata.get("tags", []) for cell in cells)
    for cell in cells:
        assert len(printed(cell).splitlines()) <= MOST_LINES
        assert all(output.output_type != "error" for output in cell.outputs)
    assert sum(figures(cell) for cell in cells) >= 1
    claims = ast.parse(cells[-1].source).body
    assert len(claims) >= 5 and all(isinstance(line, ast.Assert) for line in claims)


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_short(name: str) -> None:
    for cell in code_cells(load(name)):
        lines = [line for line in cell.source.splitlines() if line.strip()]
        lines = [line for line in lines if not line.startswith(("import ", "from "))]
        assert len(lines) <= MOST_STATEMENTS, cell.source


def imports_of(notebook: NotebookNode) -> set[str]:
    """Names of the modules that the cells import."""
    found: set[str] = set()
    for cell in code_cells(notebook):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(str(node.module))
    return found


@pytest.mark.parametrize("name", NAMES[:2])
def test_the_first_two_need_only_the_core(name: str) -> None:
    modules = imports_of(load(name))
    others = {m.partition(".")[0] for m in modules} - set(sys.stdlib_module_names)
    assert others == {"matplotlib", "numpy", "rchw"}
    assert not any(m.startswith(("rchw.hdl", "rchw.sim", "rchw.boards")) for m in modules)
    assert not {m for m in imports_of(load(NAMES[2]))} <= modules


def test_a_wrong_claim_and_a_stale_output_are_caught(tmp_path: Path) -> None:
    true, false = new_code_cell("print(3)\nassert True"), new_code_cell("assert 1 + 1 == 3")
    true.metadata["tags"] = [EXACT]
    true.outputs = [new_output("stream", name="stdout", text="3\n")]
    done = execute(new_notebook(cells=[true]), tmp_path)
    check_same(new_notebook(cells=[true]), done)
    true.outputs[0].text = "4\n"
    with pytest.raises(AssertionError, match=r"store again: python -m tests\.notebooks"):
        check_same(new_notebook(cells=[true]), done)
    with pytest.raises(CellExecutionError, match="AssertionError"):
        execute(new_notebook(cells=[true, false]), tmp_path)
