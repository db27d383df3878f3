"""Every design in the repository, each made by the code that makes it where it is shown.

Designs of the notebooks and of the README come from their own text: of all statements, those are
run on which the design depends.
"""

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from benchmarks import (
    accuracy,
    codesign,
    force,
    linear_floor,
    proof,
    readouts,
    size,
    soak,
    speed,
)
from benchmarks.accuracy_rows import trained
from rchw import demo
from rchw.design import Design
from rchw.errors import DesignError
from rchw.tasks import load_task
from rchw.train import TrainOptions, train

__all__ = ["Listed", "from_text", "listed", "text_of"]

ROOT = Path(__file__).parents[1]
# Per notebook the expressions that give its designs; the first notebook has none in integers.
NOTEBOOKS: Mapping[str, Mapping[str, str]] = {
    "7-proof": {"twelve": "design", "four": "small", "twelve-parallel": "parallel"},
    "3-to-gates": {
        "narma": "design",
        "narma-1-lane": "shaped(1, 1)",
        "narma-4-lanes": "shaped(4, 4)",
        "narma-parallel": "shaped(40, 80)",
    },
    "2-to-integers": {
        "tuned": "design",
        "tuned-linear": "linear",
        "copied-8-bits": "copied_8",
        "copied-16-bits": "copied_16",
    },
    "4-families": {
        "cycle": "made['cycle']",
        "leaky": "made['leaky']",
        "euler-ring": "made['euler-ring']",
        "deep": "made['deep']",
    },
    "8-codesign": {"codesign": "design"},
    "9-physical": {"physical": "made.design"},
}
# At least one of every kind: a whole search takes minutes, and another stream another one.
ACCURACY = (
    "tasks/santa-fe/int8-squares",
    "tasks/santa-fe/int16-squares",
    "activation/santa-fe/int8-pwl",
    "activation/santa-fe/int8-table",
    "activation/santa-fe/int16-pwl",
    "activation/santa-fe/int16-table",
    "tasks/mackey-glass/int8-squares",
    "tasks/henon/int8-squares",
    "tasks/channel/int8-squares",
    "tasks/sunspots/int8-squares",
    "tasks/narma20/int8-squares",
    "loop/int8-squares",
    "loop/int16-squares",
    "narma/50/int8-squares",
    "narma/50/int16",
)
# Faults are planted in designs of every kind, and not in all: they tell of the checks.
_PLANTED = (
    "readouts-parallel-16-adders",
    "notebook-twelve",
    "notebook-four",
    "notebook-twelve-parallel",
    "notebook-narma-parallel",
    "readme",
    "demo",
    "soak-100-units-1-lane",
    "soak-100-units-parallel",
    "proof-100-units-8-bits-clip-squares-4-lanes",
    "proof-100-units-16-bits-piecewise-linear-1-lane",
    "accuracy-activation-santa-fe-int8-table",
)
_RECORDED = ("codesign", "force", "linear_floor", "readouts")  # pages whose records make designs
_FIRST = ("benchmarks/soak.md", "benchmarks/proof.md")  # of those that are drawn; others are many


@dataclass(frozen=True)
class Listed:
    """A design of the list.

    Attributes
    ----------
    key : str
        Unique; the name of its folder.
    place : str
        Where in the repository it is.
    make : callable
        Gives the design; of a trained one it trains.
    """

    key: str
    place: str
    make: Callable[[], Design]

    @property
    def planted(self) -> bool:
        """Whether faults are planted in it."""
        return self.key in _PLANTED


def text_of(path: Path) -> str:
    """Python in a notebook, or in the first block of a page."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        return "\n".join("".join(cell["source"]) for cell in cells)
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    if found is None:
        raise DesignError(f"{path.name} must have a block of Python, but has none")
    return found.group(1)


def _names(node: ast.AST, kind: type[ast.expr_context]) -> set[str]:
    names = (n for n in ast.walk(node) if isinstance(n, ast.Name))
    return {n.id for n in names if isinstance(n.ctx, kind)}


def _binds(node: ast.stmt) -> set[str]:
    """Names that a statement gives a value."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    if isinstance(node, ast.FunctionDef):
        return {node.name}
    return _names(node, ast.Store)


def from_text(text: str, expression: str) -> Design:
    """Value of an expression at the end of a text, of which only what it depends on is run.

    Raises
    ------
    DesignError
        If it is no design.
    """
    wanted = _names(ast.parse(expression), ast.Load)
    kept: list[ast.stmt] = []
    for node in reversed(ast.parse(text).body):
        bound = _binds(node)
        if not bound & wanted:
            continue
        if isinstance(node, ast.Assign | ast.FunctionDef):
            wanted -= bound  # what they were before does not matter
        wanted |= _names(node, ast.Load)
        kept.insert(0, node)
    space: dict[str, object] = {}
    exec(compile(ast.Module(kept, []), "text", "exec"), space)
    found = eval(expression, space)
    if not isinstance(found, Design):
        raise DesignError(f"{expression} must be a design, not {type(found).__name__}")
    return found


def _of_demo() -> Design:
    options = demo.OPTIONS
    return train(load_task(demo.SOURCE, seed=options.seed), options)


@cache
def _rows() -> dict[str, Callable[[], Design]]:
    """Ways to the designs of the integer rows of the accuracy tables."""
    jobs = (job for section in accuracy.all_jobs().values() for job in section)
    return {key: partial(trained, row, streams) for key, streams, row, _ in jobs if row is not None}


def _of_records() -> Iterator[Listed]:
    """Designs that searches chose, trained anew from what their records say, and a drawn one."""
    made: dict[str, Callable[[], Design]] = {
        "readouts-parallel-16-adders": partial(readouts.parallel, 16),
        "readouts-narma10-256-adders": partial(readouts.budgeted, "narma10", 256),
        "linear-floor-8-bits-gain": partial(linear_floor.recorded, 8, "gain"),
        "codesign-1000-cells": partial(codesign.recorded, "all", "cells/1000"),
        "codesign-16-bits": partial(codesign.recorded, "n200-16", "best"),
        "codesign-8-bits": partial(codesign.recorded, "n200-8", "best"),
        "force-four-sines": _of_force,
    }
    for name, make in made.items():
        page = next(page for page in _RECORDED if name.startswith(page.replace("_", "-")))
        yield Listed(name, f"benchmarks/{page}.md", make)
    yield Listed("adapted", "docs/adaptation.md", _adapted)


def _of_force() -> Design:
    return force.drawn()[0].design


def _adapted() -> Design:
    """The reservoir of the page of adaptation, without its search."""
    options = TrainOptions(
        reservoir="leaky", units=100, state_bits=12, activation="table", gain_bits=8,
        adapt="intrinsic-plasticity", adapt_with="std=0.3,epochs=10", search="none", name="ip",
    )  # fmt: skip
    return train(load_task("narma10"), options)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _drawn() -> Iterator[tuple[str, str, Design]]:
    """Designs of the benchmarks that are drawn and not trained."""
    for title, (design, _) in soak.DESIGNS.items():
        yield f"soak-{_slug(title)}", "benchmarks/soak.md", design
    for title, design in proof.DESIGNS.items():
        yield f"proof-{_slug(title)}", "benchmarks/proof.md", design
    for design in sorted(size.designs(), key=lambda design: design.n_units):
        bits = f"-{design.layer.state.width}-bits" if design.layer.state.width > 8 else ""
        squares = "-squares" if design.features.squares else ""
        yield f"size-{design.name}{bits}{squares}", "benchmarks/size.md", design
    for n_units in speed.SIZES:
        for table in (False, True):
            key = f"speed-{n_units}-{'table' if table else 'clip'}"
            yield key, "benchmarks/speed.md", speed.ring(n_units, table)


def listed() -> list[Listed]:
    """Every design, once, small ones first where a benchmark has many."""
    found = [
        Listed(f"notebook-{name}", f"notebooks/{notebook}.ipynb", partial(_of_page, path, text))
        for notebook, designs in NOTEBOOKS.items()
        for path in (ROOT / "notebooks" / f"{notebook}.ipynb",)
        for name, text in designs.items()
    ]
    found.append(Listed("readme", "README.md", partial(_of_page, ROOT / "README.md", "design")))
    found.append(Listed("demo", "rchw/demo.py", _of_demo))
    drawn: dict[Design, Listed] = {}
    for key, place, design in _drawn():
        drawn.setdefault(design, Listed(key, place, partial(_same, design)))
    found += [item for item in drawn.values() if item.place in _FIRST]
    for key in ACCURACY:
        found.append(Listed(f"accuracy-{_slug(key)}", "benchmarks/accuracy.md", _rows()[key]))
    found += _of_records()
    found += [item for item in drawn.values() if item.place not in _FIRST]
    return found


def _of_page(path: Path, expression: str) -> Design:
    return from_text(text_of(path), expression)


def _same(design: Design) -> Design:
    return design
