"""The program of a soak: compile it for a design, run it, read what it says."""

import json
import math
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.design import Design
from rchw.document import save
from rchw.errors import ToolError
from rchw.files import write_atomic
from rchw.process import Progress, run_program
from rchw.schedule import latency, schedule
from rchw.sim.compile import compile_simulator
from rchw.sim.soak.data import Data
from rchw.tools import find

__all__ = ["Heard", "Program", "window_of"]

_MAIN = Path(__file__).parent / "cpp" / "main.cpp"
_LONGEST = 65536  # samples of a block
_AUDIT = 64  # of so many blocks one is audited, and the first eight


@dataclass(frozen=True)
class Heard:
    """What a run has said.

    Attributes
    ----------
    done : dict
        Counts of all blocks.
    failure : dict or None
        The failure in the block of the lowest number.
    audited : list of dict
        ``block``, ``samples`` and ``digest`` of some blocks.
    """

    done: dict[str, Any]
    failure: dict[str, Any] | None
    audited: list[dict[str, Any]]


def window_of(design: Design) -> int:
    """Clocks without any transfer after which a circuit counts as stuck."""
    return 8 * schedule(design).clocks + 2000


def _native(compiler: Path | None) -> str:
    """Option that uses all of this machine's instructions, where the compiler has it."""
    option = "-march=native"
    try:
        asked = [str(compiler), option, "-E", "-x", "c++", "/dev/null"]
        done = subprocess.run(asked, capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return option if done.returncode == 0 else ""


@dataclass(frozen=True)
class Program:
    """The Verilated design with stimulus and checker around it.

    Attributes
    ----------
    design : Design
    path : Path
    file : Path
        Of the design, as the program reads it.
    seconds : float
        What building took.
    data : Data or None
        What is sent; None for drawn codes.
    """

    design: Design
    path: Path
    file: Path
    seconds: float
    data: Data | None = None

    @classmethod
    def build(
        cls,
        design: Design,
        verilog: Path,
        folder: Path,
        *,
        libraries: Sequence[Path] = (),
        allow: Sequence[str] = (),
        optimize: str = "-O3",
        progress: Progress | None = None,
    ) -> "Program":
        """Compile a program, or use again the one in `folder`.

        Parameters
        ----------
        design : Design
        verilog : Path
            Whose top module has the name of the design.
        folder : Path
        libraries : sequence of Path
            Cell models of a netlist.
        allow : sequence of str
            Verilator warnings that do not stop the build.
        optimize : str
            C++ optimisation.
        progress : callable, optional
            Receives a line per step.

        Raises
        ------
        ToolError
            If a tool is missing, too old or fails.
        """
        start = time.monotonic()
        options = f"{optimize} {_native(find('c++').path)}"
        path = compile_simulator(
            [verilog, *libraries], design.name, folder, flags=["-O3", "--no-assert"], allow=allow,
            optimize=options.strip(), main=_MAIN, progress=progress,
        )  # fmt: skip
        file = save(design, folder / f"{design.name}.json")
        return cls(design, path.resolve(), file, round(time.monotonic() - start, 2))

    def for_design(self, design: Design) -> "Program":
        """Return the same circuit with another design file, whose ports have the same widths."""
        folder, data = self.path.parent / "other", self.data
        file = save(design, folder / f"{design.name}.json")
        data = data and Data.of(design, data.codes, data.last)
        return replace(self, design=design, file=file, data=data)

    def fed(self, codes: ArrayLike, last: ArrayLike | None = None) -> "Program":
        """Return the same program with rows of data, which it sends in place of drawn codes.

        Parameters
        ----------
        codes : integer array (R, K)
            Each block begins at a row that is drawn, and goes on with the first after the last.
        last : bool array (R,), optional
            Rows that end a sequence; drawn if it is left out.

        Raises
        ------
        DesignError
            If there is no row, a shape or type is wrong, or a code lies outside its format.
        """
        return replace(self, data=Data.of(self.design, codes, last))

    def _run(
        self,
        name: str,
        progress: Progress | None = None,
        plus: Sequence[str] = (),
        **options: int,
    ) -> list[str]:
        words: dict[str, str | int] = {
            "design": str(self.file.resolve()),
            "clocks": schedule(self.design).clocks,
            "latency": latency(self.design),
            "window": window_of(self.design),
            "audit": _AUDIT,
            **options,
        }
        folder = self.path.parent
        table = folder.resolve() / "data.bin"
        if self.data is not None:
            write_atomic(table, self.data.table().tobytes())
            words["data"] = str(table)
        try:
            done = run_program(
                "the soak", self.path, [*(f"{k}={v}" for k, v in words.items()), *plus], cwd=folder,
                log=folder / f"{name}.log", timeout=math.inf, progress=progress,
            )  # fmt: skip
        finally:
            table.unlink(missing_ok=True)
        return done.text.splitlines()

    def run(
        self,
        samples: int,
        seed: int,
        jobs: int,
        progress: Progress | None = None,
        plus: Sequence[str] = (),
    ) -> Heard:
        """Run blocks of `samples` samples altogether; stop at the first that fails.

        Parameters
        ----------
        samples, seed : int
        jobs : int
            Threads, each with a circuit of its own; what is found does not depend on it.
        progress : callable, optional
            Receives samples done, samples per second and time left.
        plus : sequence of str
            What the Verilog finds by ``$value$plusargs``, as ``+NAME=VALUE``.

        Raises
        ------
        ToolError
            If the program does not run to its end.
        """

        def line(text: str) -> None:
            if progress is not None and text.startswith("@progress "):
                said = json.loads(text.partition(" ")[2])
                progress(_pace(said["samples"], samples, said["seconds"]))

        said: dict[str, list[dict[str, Any]]] = {"@block": [], "@failure": [], "@done": []}
        for text in self._run("soak", line, plus, samples=samples, seed=seed, jobs=jobs):
            mark, _, record = text.partition(" ")
            if mark in said:
                said[mark].append(json.loads(record))
        if not said["@done"]:
            raise ToolError(f"the soak did not write all of its output into {self.path.parent}")
        failure = said["@failure"][0] if said["@failure"] else None
        return Heard(said["@done"][0], failure, sorted(said["@block"], key=lambda b: b["block"]))

    def show(
        self, seed: int, block: int, samples: int = _LONGEST
    ) -> tuple[dict[str, Any], NDArray[np.int64]]:
        """What the program makes of a block, without the circuit.

        Parameters
        ----------
        seed, block : int
        samples : int
            At which the block is cut short.

        Returns
        -------
        dict
            ``samples``, ``before``, ``clocks``, ``digest``.
        int64 array (T, K + 3 + L)
            Codes, ``tlast``, pauses of source and sink, answers of its interpreter, 0 where a
            sample has none.
        """
        head, *rows = self._run("show", seed=seed, show=block, samples=samples, jobs=1)
        table = np.array([row.split() for row in rows], dtype=np.int64)
        return json.loads(head.partition(" ")[2]), table


def _pace(done: int, wanted: int, seconds: float) -> str:
    rate = done / seconds
    left = f"{max(wanted - done, 0) / rate:,.0f} s left" if rate else "time left not known"
    return f"{done:,} of {wanted:,} samples, {rate:,.0f} per second, {left}"
