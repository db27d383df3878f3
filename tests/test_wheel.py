"""The wheel holds `rchw` and nothing else, and runs where there are neither extras nor a compiler.

It is built from a copy of the checkout, links included, and installed from the package index.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from email.parser import HeaderParser
from pathlib import Path

import nbformat
import pytest

from tests.notebooks import FOLDER, NAMES, code_cells

ROOT = Path(__file__).parents[1]
LINKS = ("hdl", "sim", "boards")
CORE = {"numpy", "numba", "matplotlib", "typer", "rich", "scipy"}
SKIPPED = shutil.ignore_patterns(
    ".*", "build", "dist", "*.egg-info", "__pycache__", "notebooks", "benchmarks", "tests"
)


def run(*words: str | Path, cwd: Path, env: dict[str, str] | None = None, code: int = 0) -> str:
    """Run a program to the expected exit code and return what it said on either stream."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
        check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout
    return done.stdout


def build(source: Path, out: Path, *kinds: str) -> None:
    """Build with the tools of this environment; without `kinds` the wheel is made of the sdist."""
    tool = (sys.executable, "-m", "build", "--no-isolation")
    run(*tool, "--outdir", out, *kinds, source, cwd=source)


def names_of(wheel: Path) -> list[str]:
    """Files of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return [info.filename for info in archive.infolist() if not info.is_dir()]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what a checkout holds, its links as links."""
    path = tmp_path_factory.mktemp("source") / "rchw"
    shutil.copytree(ROOT, path, symlinks=True, ignore=SKIPPED)
    assert all((path / "rchw" / name).is_symlink() for name in LINKS)
    return path


@pytest.fixture(scope="module")
def dist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist, and the wheel from it."""
    out = tmp_path_factory.mktemp("dist")
    build(checkout, out)
    return out


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    """Name the one wheel."""
    (path,) = dist.glob("*.whl")
    return path


def shipped_files() -> set[str]:
    """Every file of the packages on disk, by its name in the wheel."""
    found = set()
    for folder, name in (("rchw", "rchw"), *((link, f"rchw/{link}") for link in LINKS)):
        for path in (ROOT / folder).rglob("*"):  # does not follow links
            if path.is_file() and "__pycache__" not in path.parts:
                found.add(f"{name}/{path.relative_to(ROOT / folder).as_posix()}")
    return found


def test_the_wheel_holds_every_file_of_rchw_once(wheel: Path) -> None:
    names = names_of(wheel)
    assert [name for name, count in Counter(names).items() if count > 1] == []
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"rchw"}
    assert {name for name in names if name.startswith("rchw/")} == shipped_files()
    assert {"rchw/py.typed", "rchw/hdl/emit.py", "rchw/sim/verify.py"} <= set(names)
    assert any(name.startswith("rchw/boards/models/") for name in names)
    assert "rchw/sim/soak/cpp/main.cpp" in names and "rchw/sim/soak/cpp/law.h" in names


def test_the_wheel_is_the_same_from_the_checkout_with_or_without_links(
    checkout: Path, wheel: Path, tmp_path: Path
) -> None:
    """A wheel made of the sdist never meets the links; one made of the checkout does."""
    build(checkout, tmp_path / "linked", "--wheel")
    bare = tmp_path / "bare"
    shutil.copytree(checkout, bare, symlinks=True, ignore=SKIPPED)
    for name in LINKS:
        (bare / "rchw" / name).unlink()
    build(bare, tmp_path / "unlinked", "--wheel")
    for folder in ("linked", "unlinked"):
        (other,) = (tmp_path / folder).glob("*.whl")
        assert sorted(names_of(other)) == sorted(names_of(wheel))


def test_metadata_tells_core_extras_and_licence(dist: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        head = HeaderParser().parsestr(archive.read(name).decode("utf-8"))
    needs = [line for line in head.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert {line.partition(">")[0] for line in needs} == CORE
    assert {"hdl", "sim", "boards"} <= set(head.get_all("Provides-Extra", []))
    assert head["License-Expression"] == "Apache-2.0"
    assert any(name.endswith("/licenses/LICENSE") for name in names_of(wheel))
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive_of_source:
        assert not [member.name for member in archive_of_source if member.issym()]


class Installed:
    """The wheel in an environment of its own, with a PATH on which nothing else is.

    Parameters
    ----------
    folder : Path
    wheel : Path
    """

    def __init__(self, folder: Path, wheel: Path) -> None:
        run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
        self.folder, self.bin = folder, folder / "venv" / "bin"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "RCHW"))}
        self.env = kept | {
            "PATH": str(self.bin), "MPLBACKEND": "agg", "OPENBLAS_NUM_THREADS": "1"
        }  # fmt: skip
        pip = (sys.executable, "-m", "pip", "--python", self.bin / "python", "install")
        options = ("--quiet", "--no-compile", "--only-binary", ":all:")
        run(*pip, *options, wheel, cwd=folder, env=self.env)

    def __call__(self, program: str, *words: str | Path, code: int = 0) -> str:
        """Run one of its programs and return what it said."""
        return run(self.bin / program, *words, cwd=self.folder, env=self.env, code=code)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Install the wheel."""
    return Installed(tmp_path_factory.mktemp("installed"), wheel)


def test_doctor_and_help_run_without_extras_and_compiler(installed: Installed) -> None:
    for compiler in ("cc", "gcc", "g++", "clang", "clang++"):
        assert shutil.which(compiler, path=installed.env["PATH"]) is None
    assert "verilog" in installed("rchw", "--help")
    told = installed("rchw", "doctor")
    assert "amaranth" in told and "missing" in told and "Traceback" not in told
    where = installed("python", "-c", "import rchw; print(rchw.__file__)").strip()
    assert Path(where).is_relative_to(installed.folder)


def test_circuits_without_their_extra_are_refused_in_one_sentence(installed: Installed) -> None:
    want = "the Python package amaranth is missing: install it with `pip install 'rchw[hdl]'`"
    told = installed("python", "-c", "import rchw.hdl.emit", code=1)
    assert told.splitlines()[-1] == f"rchw.errors.ToolError: {want}"
    words = ("--units", "8", "--search", "none", "--name", "small_ring")
    installed("rchw", "train", "henon", "-o", "small.json", *words)
    for command in ("verilog", "verify"):
        told = installed("rchw", command, "small.json", "-o", command, code=2)
        assert [line for line in told.splitlines() if "error" in line] == [f"error: {want}"]
        assert "Traceback" not in told and not (installed.folder / command).exists()


@pytest.mark.slow
def test_the_first_two_notebooks_run_as_scripts(installed: Installed) -> None:
    """Both at once; their last cells assert what they claim."""
    running = []
    for name in NAMES[:2]:
        notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
        script = installed.folder / f"{name}.py"
        script.write_text("\n\n".join(cell.source for cell in code_cells(notebook)))
        process = subprocess.Popen(
            [str(installed.bin / "python"), str(script)],
            cwd=installed.folder, env=installed.env, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        running.append(process)
    for process in running:
        told, _ = process.communicate(timeout=300)
        assert process.returncode == 0, told
        assert "Warning" not in told
