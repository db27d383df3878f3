"""The map in ARCHITECTURE.md names every module with the first line of its docstring.

``python -m tests.test_architecture_page`` writes the map anew.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "ARCHITECTURE.md"
FOLDERS = (
    "rchw", "rchw/model", "rchw/reference", "rchw/metrics", "rchw/adapt", "rchw/tasks",
    "rchw/train", "rchw/report", "rchw/cli", "hdl", "sim", "boards", "benchmarks",
)  # fmt: skip
HEADING = "## Map\n\n"


def summary(path: Path) -> str:
    """First sentence line of a module's docstring."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert text is not None, f"{path} must have a docstring"
    return text.splitlines()[0].rstrip(".")


def expected_map() -> str:
    """One line for each module, folder by folder."""
    lines = []
    for folder in FOLDERS:
        lines += [f"`{folder}/`: {summary(ROOT / folder / '__init__.py')}", ""]
        names = sorted(path for path in (ROOT / folder).glob("*.py") if path.stem != "__init__")
        lines += [f"- `{path.stem}`: {summary(path)}" for path in names]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def test_map_is_that_of_the_tree() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.split(HEADING)[1] == expected_map()


if __name__ == "__main__":
    head = PAGE.read_text(encoding="utf-8").split(HEADING)[0]
    PAGE.write_text(head + HEADING + expected_map(), encoding="utf-8")
