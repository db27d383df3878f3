"""Mutants of a design, drawn evenly over all operators that find a place in it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from rchw.design import Design
from rchw.errors import DesignError, ToolError
from rchw.hdl.emit import write_verilog
from rchw.sim.mutate.gates import GATES, Edit
from rchw.sim.mutate.netlist import Netlist
from rchw.sim.mutate.numbers import NUMBERS, operators

__all__ = ["Drawn", "Mutant", "draw_mutants", "module_of"]

_TRIES = 40  # draws of an operator that give nothing new before it counts as used up


@dataclass(frozen=True)
class Mutant:
    """One fault.

    Attributes
    ----------
    number : int
        From 1; by it the program chooses the mutant.
    operator, where : str
    edit : callable or None
        Of the netlist, for an operator of `GATES`.
    verilog : Path or None
        Of the changed design, for one of `NUMBERS`; its top is ``module_of(design, number)``.
    """

    number: int
    operator: str
    where: str
    edit: Edit | None = None
    verilog: Path | None = None


@dataclass(frozen=True)
class Drawn:
    """Mutants, and what was drawn in vain.

    Attributes
    ----------
    mutants : list of Mutant
    not_built : Counter
        Per operator: changes that make no design, or no Verilog; they do not count.
    """

    mutants: list[Mutant] = field(default_factory=list)
    not_built: Counter[str] = field(default_factory=Counter)


def module_of(design: Design, number: int) -> str:
    """Name of the top module of a mutant: never that of the design, nor a beginning of it."""
    return f"{'planted' if design.name.startswith('m') else 'mutant'}{number}"


def draw_mutants(
    design: Design,
    netlist: Netlist,
    count: int,
    seed: int,
    folder: Path,
    say: Callable[[str], None] = lambda line: None,
) -> Drawn:
    """Draw mutants, all different, in turns over the operators.

    Parameters
    ----------
    design : Design
    netlist : Netlist
        Of its Verilog.
    count : int
        Fewer are made only where the design has no more places.
    seed : int
    folder : Path
        For the Verilog of changed designs.
    say : callable, optional
        Receives a line per turn.
    """
    rng = np.random.default_rng(seed)
    drawn, seen = Drawn(), set[tuple[str, str]]()
    possible = operators(design)
    waiting = [*(name for name in NUMBERS if name in possible), *GATES]
    while waiting and len(drawn.mutants) < count:
        say(f"planting: {len(drawn.mutants)} of {count}")
        # A last turn that is not whole takes some of the operators, and not the first ones.
        turn = [waiting[place] for place in rng.permutation(len(waiting)).tolist()]
        for operator in turn:
            if len(drawn.mutants) == count:
                break
            if not _draw(design, netlist, operator, rng, folder, drawn, seen):
                waiting.remove(operator)
    return drawn


def _draw(
    design: Design,
    netlist: Netlist,
    operator: str,
    rng: np.random.Generator,
    folder: Path,
    drawn: Drawn,
    seen: set[tuple[str, str]],
) -> bool:
    """Add a mutant of an operator, if it still finds a place."""
    number = len(drawn.mutants) + 1
    for _ in range(_TRIES):
        try:
            if operator in GATES:
                planted = GATES[operator](netlist, rng)
                if planted is None or (operator, planted[0]) in seen:
                    continue
                where, edit = planted
                mutant = Mutant(number, operator, where, edit=edit)
            else:
                changed = NUMBERS[operator](design, rng)
                if changed is None or changed[1] == design or (operator, changed[0]) in seen:
                    continue
                where, wrong = changed
                seen.add((operator, where))
                verilog = _emitted(wrong, module_of(design, number), folder)
                mutant = Mutant(number, operator, where, verilog=verilog)
        except (DesignError, ToolError):
            drawn.not_built[operator] += 1
            continue
        seen.add((operator, where))
        drawn.mutants.append(mutant)
        return True
    return False


def _emitted(design: Design, name: str, folder: Path) -> Path:
    return write_verilog(replace(design, name=name), folder)
