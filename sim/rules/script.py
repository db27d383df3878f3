"""The ``.sby`` file: which rules are proved together, by which engine, on which circuit."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from rchw.design import Design
from rchw.sim.rules.checker import FAULTS, belt, bounds, groups

__all__ = ["Task", "depth", "sby", "tasks"]

_ENGINES = {
    # A question at a time: z3 takes ten times as long where it could be asked more.
    "induction": "smtbmc --unroll z3 -- --noincr",
    "pdr": "abc pdr -T {seconds}",
    "search": "abc bmc3 -T {seconds}",
}
_MORE = 10  # clocks: of a reset, of the queue


@dataclass(frozen=True)
class Task:
    """One task of the file.

    Attributes
    ----------
    name : str
    group : str
        Of rules, a key of `rchw.sim.rules.checker.groups`.
    method : str
        ``induction`` from one clock to the next, with the table; ``pdr``, which finds an invariant
        or a counterexample; ``search`` for a counterexample of no more than `depth` clocks.
    fault : str or None
        That is planted, a key of `rchw.sim.rules.checker.FAULTS`.
    """

    name: str
    group: str
    method: str
    fault: str | None = None


def tasks(design: Design, table: bool) -> list[Task]:
    """All tasks of a design; of those of one group the first that tells counts.

    Parameters
    ----------
    design : Design
    table : bool
        Whether there is a table of the control, for induction.
    """
    names = {fault: fault.lower() for fault in FAULTS}
    if belt(design):
        proofs = [Task(group, group, "pdr") for group in groups(design)]
        return [*proofs, *(Task(f"fault_{n}", "beats", "pdr", f) for f, n in names.items())]
    listed = [Task(group, group, "induction") for group in groups(design) if table]
    listed += [Task(f"search_{group}", group, "search") for group in groups(design)]
    listed += [Task(f"fault_{n}", "beats", "search", f) for f, n in names.items()]
    listed += [Task(f"fault_{n}_proof", "beats", "induction", f) for f, n in names.items() if table]
    return listed


def depth(design: Design) -> int:
    """How many clocks a search for a counterexample looks at: all beats that there may be, twice.

    Parameters
    ----------
    design : Design
    """
    numbers = bounds(design)
    return 2 * numbers.latency + (numbers.room + 1) * numbers.clocks + _MORE


def sby(
    design: Design, timeout: float, inside: Collection[str] = (), memories: Collection[str] = ()
) -> str:
    """Text of ``NAME_rules.sby``.

    Sums of data are cut: what adds or multiplies anything that the input reaches gives any value at
    all. What holds for all of these holds for the right ones.

    Parameters
    ----------
    design : Design
    timeout : float
        Seconds for each task.
    inside : collection of str
        Registers, and rows of memories, that the table of the control is about; without any there
        is no table, and no task that proves by induction.
    memories : collection of str
        Whose rows these are.
    """
    name, listed = design.name, tasks(design, bool(inside))
    rows = [found for found in inside if found.rpartition("[")[0] in memories]
    registers = [found for found in inside if found not in rows]
    seconds = max(1, round(timeout))  # 0 would be no limit
    used = {task.method for task in listed}
    lines = [
        f"# The stream rules of {name}, by rchw: `sby -f {name}_rules.sby {listed[0].name}`.",
        "# Tasks called `search` look for a run that breaks a rule, where nothing else has told.",
        "# Those called `fault` plant a fault, and must fail.",
        "",
        "[tasks]",
        *(f"{task.name} {task.method}" for task in listed),
        "",
        "[options]",
        "expect pass,fail,unknown,timeout",
        "aigsmt z3",
        *(
            f"{method}: {option}"
            for method in _ENGINES
            if method in used
            for option in _options(method, design, seconds)
        ),
        "",
        "[engines]",
        *(
            f"{method}: {engine.format(seconds=seconds)}"
            for method, engine in _ENGINES.items()
            if method in used
        ),
        "",
        "[script]",
        f"read_verilog {name}.v",
        f"hierarchy -top {name}",
        "proc",
        "flatten",
        *(["# What the table of the control is about becomes an output."] if registers else []),
        *(f"expose w:{_pattern(register)}" for register in registers),
        f"prep -flatten -top {name}",
        "# Any state at the start: initial values of registers do not count.",
        "setattr -unset init w:*",
        "# Additions of nothing go, or cutting them would cut what they pass on.",
        "opt_expr -full",
        "wreduce",
        "opt_expr -full",
        "# Sums and products that data reach give any value.",
        "select -set sums t:$add t:$sub %u t:$neg %u t:$mul %u",
        "cutpoint @sums i:s_axis_tdata %co* %i",
        "opt_clean -purge",
        "memory_map -formal",
        *(f"expose w:{_pattern(row)}" for row in rows),
        *(f"{task.name}: read_verilog -formal {_macros(task)} {name}_rules.v" for task in listed),
        f"prep -flatten -top {name}_rules",
        "opt_clean -purge",
        "setundef -undriven -anyseq",
        "",
        "[files]",
        f"{name}.v",
        f"{name}_rules.v",
        "",
    ]
    return "\n".join(lines)


def _options(method: str, design: Design, seconds: int) -> list[str]:
    if method == "induction":
        return ["mode prove", "depth 2", f"timeout {seconds}"]
    end = f"timeout {2 * seconds + 120}"  # ABC ends by itself before
    if method == "pdr":
        return ["mode prove", end]
    return ["mode bmc", f"depth {depth(design)}", end]


def _macros(task: Task) -> str:
    words = [f"-D{task.group.upper()}"]
    words += ["-DTABLE"] if task.method == "induction" else []
    words += [f"-DFAULT_{task.fault}"] if task.fault else []
    return " ".join(words)


def _pattern(name: str) -> str:
    """A name as Yosys selects it."""
    return re.sub(r"([][*?])", r"\\\1", name)
