"""One program for many mutants: a wrapper with the design's ports; an argument chooses one."""

import re
from collections.abc import Sequence
from pathlib import Path

from rchw.design import Design
from rchw.process import Progress
from rchw.sim.mutate.draw import Mutant, module_of
from rchw.sim.mutate.netlist import Netlist, select_of, to_verilog
from rchw.sim.soak.program import Program

__all__ = ["batches", "build_program"]

_PORT = re.compile(r"^  (input|output) (?:\[(\d+):0\] )?([a-z_]+);$", re.MULTILINE)
_BATCH = 4_000_000  # bytes of Verilog of one program

# Mutants of the netlist are one module with a select input; each changed design is a module of its
# own, whose clock and inputs stand still unless it is chosen, so that the others cost no time.
_WRAPPER = """\
module {name} ({ports});
{declared}
  reg [31:0] mutant;
  initial if (!$value$plusargs("mutant=%d", mutant)) mutant = 0;
{instances}
{assigned}
endmodule
"""


def batches(mutants: Sequence[Mutant]) -> list[list[Mutant]]:
    """Cut into parts of which each becomes a program: one for all, if it is not too large."""
    found = [[m for m in mutants if m.edit is not None]]
    size = 0
    for mutant in mutants:
        if mutant.verilog is None:
            continue
        more = mutant.verilog.stat().st_size
        if size + more > _BATCH:
            found.append([])
            size = 0
        found[-1].append(mutant)
        size += more
    return found


def build_program(
    design: Design,
    netlist: Netlist,
    mutants: Sequence[Mutant],
    folder: Path,
    progress: Progress | None = None,
    optimize: str = "-O0",
) -> Program:
    """Compile the circuit and some mutants; ``+mutant=NUMBER`` chooses one, 0 is the circuit.

    Raises
    ------
    ToolError
        If a tool is missing or fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    whole = netlist.copy()
    select = select_of(whole, 32)
    for mutant in mutants:
        if mutant.edit is not None:
            number = list(f"{mutant.number:032b}"[::-1])
            hit = whole.add("$eq", 1, A=select, B=[*number])[0]
            mutant.edit(whole, hit)
    # The circuit itself goes by the number 0.
    inner = to_verilog(whole, design.name, folder)
    text = re.sub(rf"\bmodule {design.name}\b", f"module {module_of(design, 0)}", inner.read_text())
    inner.write_text(text)
    others = [m for m in mutants if m.verilog is not None]
    wrapper = folder / f"{design.name}.v"
    wrapper.write_text(_wrapper(design, text, others))
    return Program.build(
        design, wrapper, folder / "program",
        libraries=[inner, *(m.verilog for m in others if m.verilog is not None)],
        allow=["lint", "style", "UNOPTFLAT"], optimize=optimize, progress=progress,
    )  # fmt: skip


def _wrapper(design: Design, inner: str, others: Sequence[Mutant]) -> str:
    ports = [(way, int(top or 0) + 1, name) for way, top, name in _PORT.findall(inner)]
    ports = [port for port in ports if port[2] != "mutant"]
    declared, instances, assigned = [], [], []
    chosen = {0: " & ".join(["1'b1", *(f"mutant != {m.number}" for m in others)])}
    chosen |= {m.number: f"mutant == {m.number}" for m in others}
    for number, condition in chosen.items():
        instances.append(f"  wire on{number} = {condition};")
        pins = [".mutant(mutant)"] if number == 0 else []
        for way, width, name in ports:
            if way == "input":
                pins.append(f".{name}({name} & {{{width}{{on{number}}}}})")
            else:
                instances.append(f"  wire [{width - 1}:0] {name}_{number};")
                pins.append(f".{name}({name}_{number})")
        module = module_of(design, number)
        instances.append(f"  {module} of{number} ({', '.join(pins)});")
    for way, width, name in ports:
        declared.append(f"  {way} [{width - 1}:0] {name};" if width > 1 else f"  {way} {name};")
        if way == "output":
            gates = [f"({name}_{n} & {{{width}{{on{n}}}}})" for n in chosen]
            assigned.append(f"  assign {name} = {' | '.join(gates)};")
    return _WRAPPER.format(
        name=design.name,
        ports=", ".join(name for _, _, name in ports),
        declared="\n".join(declared),
        instances="\n".join(instances),
        assigned="\n".join(assigned),
    )
