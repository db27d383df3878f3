"""An interruption in any step of any command leaves every file of the folder as it was."""

import ctypes
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from rchw import demo
from tests.cli.command_line import commands, contents, refused

Capture = pytest.CaptureFixture[str]

STEPS = {
    "train": ["rchw.tasks.load_task", "rchw.experiment.train", "rchw.experiment.floors",
              "rchw.experiment.train_ideal", "rchw.experiment.evaluate", "rchw.trained.save"],
    "run": ["rchw.reference.run", "rchw.cli.run.write_atomic"],
    "import": ["rchw.importing.read_network", "rchw.importing.outcome.tune",
               "rchw.importing.outcome.save"],
    "verilog": ["rchw.boards.package.write_package", "rchw.boards.package.bench_verilog"],
    "verify": ["rchw.sim.verify.write_verilog", "rchw.sim.verify.build",
               "rchw.sim.runner.simulate"],
    "prove": ["rchw.sim.prove.command.write_verilog", "rchw.sim.prove.command.elaborate",
              "rchw.sim.prove.command.prove_words", "rchw.sim.prove.command.searched"],
    "netlist": ["rchw.boards.verify.write_verilog", "rchw.boards.verify.synthesize_core",
                "rchw.boards.verify.netlist_sources", "rchw.sim.verify.build"],
    "build": ["rchw.boards.of_design.write_verilog", "rchw.boards.of_design.build",
              "rchw.boards.build.place_seeds"],
    "demo": ["rchw.demo.experiment", "rchw.demo.verify", "rchw.demo.build_design"],
}  # fmt: skip


def interrupt(*_: Any, **__: Any) -> NoReturn:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("name", "step"), [(name, step) for name, steps in STEPS.items() for step in steps]
)
def test_an_interruption_in_any_step(
    name: str, step: str, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of every name that the command writes are there before, and stay as they are."""
    words, target = {
        **commands(folder),
        "demo": (("demo", "-o"), folder / "out"),
    }[name]
    if name == "train":
        target = folder / "small.json"
    else:
        records = ("verify.json", "prove.json", "netlist-ecp5.json", "report.json")
        for place in (folder / "out", folder / "out/board", folder / "out/simulation"):
            place.mkdir()
            for file in ("small.v", "small_.v", "small_.json", "laser.json", "life.json", *records):
                (place / file).write_text("earlier")
    if name == "demo":
        _quick_demo(monkeypatch)
    before = contents(folder)
    monkeypatch.setattr(step, interrupt)
    refused(capsys, [*words, target], "interrupted, and nothing earlier was changed")
    assert contents(folder) == before
    assert not [path for path in folder.rglob(".*") if path.is_dir()]


def test_an_interruption_that_a_callback_keeps_is_not_lost(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out of C no exception comes: Python tells of it and goes on, as in numba's compiler."""
    callback = ctypes.CFUNCTYPE(None)(lambda: signal.raise_signal(signal.SIGINT))

    def busy(*_: Any, **__: Any) -> None:
        callback()
        time.sleep(30)

    words, target = commands(folder)["train"]
    monkeypatch.setattr("rchw.experiment.train", busy)
    refused(capsys, [*words, target], "interrupted, and nothing earlier was changed")


def _quick_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the demo train a small design, and nothing of its circuit take long."""

    def nothing(*_: Any, **__: Any) -> dict[str, Any]:
        return {}

    small = replace(demo.OPTIONS, units=8, search="none")
    usual = demo.run_demo.__kwdefaults__ or {}
    quick = {**usual, "source": "henon", "options": small, "split": (300, 100, 100)}
    monkeypatch.setattr(demo.run_demo, "__kwdefaults__", quick)
    for name in ("verify", "measure_rtl", "show_sample", "life_record", "build_design"):
        monkeypatch.setattr(demo, name, nothing)


@pytest.mark.parametrize("name", ["train", "verify"])
def test_a_real_interruption(name: str, folder: Path) -> None:
    first = {
        "train": ("training small_ on narma10", ["narma10", "-o", folder / "small.json"]),
        "verify": ("verifying small_ ...", [folder / "small.json", "-o", folder / "out"]),
    }
    line, words = first[name]
    (folder / "out").mkdir()
    (folder / "out/small_.v").write_text("earlier")
    before = contents(folder)
    more = ["--search", "full"] if name == "train" else ["--samples", "20000"]
    with subprocess.Popen(
        [sys.executable, "-m", "rchw.cli", name, *map(str, words), *more],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stderr is not None
            assert process.stderr.readline().startswith(line)
            if name == "verify":
                assert "compiling" in process.stderr.readline()
                assert list(folder.glob("out/.part-*/small_.v")), "it is at work"
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 2 and out == ""
    assert err.splitlines()[-1] == "error: interrupted, and nothing earlier was changed"
    assert "Traceback" not in err
    assert contents(folder) == before
    assert not list(folder.rglob(".*"))


def test_an_interruption_inside_exec(folder: Path) -> None:
    """CPython would end by the signal, with exit code -2, although the interrupt is handled."""
    program = """\
import sys, rchw.cli, rchw.cli.run
strike = "import os, signal, time; os.kill(os.getpid(), signal.SIGINT); time.sleep(9)"
rchw.cli.run.load = lambda path: exec(strike)
sys.exit(rchw.cli.main(["run", "a", "b"]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "error: interrupted, and nothing earlier was changed\n"


def test_an_interruption_while_a_circuit_is_built(folder: Path) -> None:
    """Amaranth would tell at the end which parts were never used."""
    program = f"""\
import sys, rchw.cli, rchw.hdl.folded, rchw.hdl.top

def struck(self, platform):
    core = rchw.hdl.folded.FoldedCore(self.design)
    raise KeyboardInterrupt

rchw.hdl.top.AxiTop.elaborate = struck
sys.exit(rchw.cli.main(["verilog", {str(folder / "small.json")!r}, "-o", {str(folder / "v")!r}]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "error: interrupted, and nothing earlier was changed"
