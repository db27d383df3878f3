"""Wrong netlists: of a design that was changed before synthesis, or with a bit turned after it."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rchw import tools
from rchw.activation import Table
from rchw.boards.check import Netlist
from rchw.boards.join import write_netlist
from rchw.boards.netlist import netlist_sources
from rchw.boards.synth import synthesize_core
from rchw.boards.verify import FAMILIES
from rchw.design import Design
from rchw.devices import DEVICES
from rchw.fixed import Rounding
from rchw.hdl.emit import write_verilog
from rchw.sim.runner import build
from rchw.sim.verify import job_for

__all__ = ["DESIGN_FAULTS", "block_rams", "luts", "turned", "verdicts"]

_LUTS = ("SB_LUT4", "LUT4", "LUT3", "LUT2", "LUT1")
_RAMS = ("SB_RAM40_4K", "DP16KD", "SP", "SPX9", "SDPB", "SDPX9B", "DPB", "DPX9B")


def _weight(design: Design) -> Design:
    (first, *rest), *others = design.readout.weights
    weights = ((first + (1 if first < 0 else -1), *rest), *others)
    return replace(design, readout=replace(design.readout, weights=tuple(map(tuple, weights))))


def _entry(design: Design) -> Design:
    """One entry of the table of the activation, in the middle, where most sums are."""
    table = design.ring.activation
    assert isinstance(table, Table)
    entries = list(table.entries)
    entries[len(entries) // 2 + 3] += 1
    layer = replace(design.ring, activation=replace(table, entries=tuple(entries)))
    return replace(design, layers=(layer,))


def _rounding(design: Design) -> Design:
    other = {Rounding.TRUNCATE: Rounding.HALF_UP}.get(design.readout.rounding, Rounding.TRUNCATE)
    return replace(design, readout=replace(design.readout, rounding=other))


def _lanes(design: Design) -> Design:
    """Two units of one word have their biases exchanged."""
    bias = list(design.ring.bias)
    assert design.layer.lanes > 1 and bias[0] != bias[1]
    bias[:2] = bias[1::-1]
    return replace(design, layers=(replace(design.ring, bias=tuple(bias)),))


DESIGN_FAULTS: dict[str, Callable[[Design], Design]] = {
    "weight": _weight,
    "entry": _entry,
    "rounding": _rounding,
    "lanes": _lanes,
}


def luts(module: Netlist) -> list[tuple[str, int]]:
    """Bits of LUTs that the constants at their inputs leave in use: cell and place."""
    ties = {
        cell["connections"][pin][0]: value
        for cell in module["cells"].values()
        for kind, pin, value in (("GND", "G", "0"), ("VCC", "V", "1"))
        if cell["type"] == kind
    }
    found = []
    for name, cell in sorted(module["cells"].items()):
        if cell["type"] not in _LUTS:
            continue
        wires = cell["connections"]
        pins = [pin for pin in sorted(wires) if cell["port_directions"][pin] == "input"]
        bits = [wires[pin][0] for pin in pins]  # the first one counts 1, the next 2, ...
        fixed = [ties.get(bit, str(bit)).replace("x", "0") for bit in bits]
        found += [
            (name, place)
            for place in range(1 << len(pins))
            if all(
                bit not in ("0", "1") or int(bit) == place >> k & 1 for k, bit in enumerate(fixed)
            )
        ]
    return found


def block_rams(module: Netlist, part: str) -> list[str]:
    """Block RAMs of a memory whose name has some part."""
    cells = module["cells"].items()
    return sorted(name for name, cell in cells if part in name and cell["type"] in _RAMS)


def turned(module: Netlist, cell: str, bit: int) -> Netlist:
    """Turn one bit of what a cell holds."""
    wrong = copy.deepcopy(module)
    parameters = wrong["cells"][cell]["parameters"]
    first = next(name for name in ("INIT", "LUT_INIT", "INIT_0", "INITVAL_00", "INIT_RAM_00")
                 if name in parameters)  # fmt: skip
    bits = parameters[first]
    place = len(bits) - 1 - bit
    parameters[first] = bits[:place] + "10"[int(bits[place])] + bits[place + 1 :]
    return wrong


def verdicts(
    design: Design,
    family: str,
    wrong: dict[str, Callable[[Netlist], Netlist]],
    changed: dict[str, Callable[[Design], Design]],
    folder: Path,
    samples: int = 120,
) -> dict[str, str | None]:
    """Hold the netlist and wrong ones against the reference, all in one simulator program.

    Returns
    -------
    dict
        The sentence of each, or none if it is right; the netlist as it is comes as ``right``.
    """
    device = DEVICES[FAMILIES[family]]
    modules: dict[str, Netlist] = {}
    for name, change in {"right": lambda same: same, **changed}.items():
        made = replace(change(design), name=f"case_{name}")
        write_verilog(made, folder)
        modules[name] = synthesize_core(made.name, device, folder).module
    for name, turn in wrong.items():
        modules[name] = turn(modules["right"])
    script = []
    for name, module in modules.items():
        write_netlist(folder / f"netlist_{name}.json", f"case_{name}", module)
        script.append(f"read_json netlist_{name}.json")
    text = "; ".join([*script, "write_verilog -noattr all.v"])
    tools.run(tools.find("yosys"), ["-q", "-p", text], cwd=folder, log=folder / "all.log")
    sources = netlist_sources(folder / "all.v", "all", family, folder)
    allow = [argument.removeprefix("-Wno-") for argument in sources.arguments]
    jobs = [job_for(design, samples, 1, f"case_{name}")[0] for name in modules]
    program = build(
        sources.sources, [job.top for job in jobs], folder / "simulation", allow=allow,
        optimize="-O0",
    )  # fmt: skip
    found = program.run_all(jobs, witness=False)
    return {name: record["sentence"] for name, record in zip(modules, found, strict=True)}
