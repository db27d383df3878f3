"""The ``.sby`` file: which rules are proved together, by which engine, on which circuit."""

from rchw.design import Design
from rchw.sim.rules.checker import FAULTS, groups

__all__ = ["fault_tasks", "sby"]


def fault_tasks() -> dict[str, str]:
    """Tasks that must be refuted, and the fault of each."""
    return {f"fault_{name.lower()}": name for name in FAULTS}


def sby(design: Design, timeout: float) -> str:
    """Text of ``NAME_rules.sby``.

    Sums of data are cut: what adds or multiplies anything that the input reaches gives any value at
    all. What holds for all of these holds for the right ones.

    Parameters
    ----------
    design : Design
    timeout : float
        Seconds for each task.
    """
    name, tasks, faults = design.name, list(groups(design)), fault_tasks()
    defines = [f"{task}: read_verilog -formal -D{task.upper()} {name}_rules.v" for task in tasks]
    defines += [
        f"{task}: read_verilog -formal -DBEATS -DFAULT_{fault} {name}_rules.v"
        for task, fault in faults.items()
    ]
    seconds = max(1, round(timeout))  # 0 would be no limit
    lines = [
        f"# The stream rules of {name}: `sby -f {name}_rules.sby {tasks[0]}`. Written by rchw.",
        "# The tasks whose name begins with `fault` plant a fault, and must fail.",
        "",
        "[tasks]",
        *tasks,
        *faults,
        "",
        "[options]",
        "mode prove",
        "expect pass,fail,unknown,timeout",
        "aigsmt z3",
        f"timeout {2 * seconds + 120}",  # the engine ends by itself before
        "",
        "[engines]",
        f"abc pdr -T {seconds}",
        "",
        "[script]",
        f"read_verilog {name}.v",
        "# Any state at the start: initial values of registers do not count.",
        f"prep -flatten -top {name}",
        "setattr -unset init w:*",
        "# Additions of nothing go, or cutting them would cut what they pass on.",
        "opt_expr -full",
        "wreduce",
        "opt_expr -full",
        "# Sums and products that data reach give any value.",
        "select -set sums t:$add t:$sub %u t:$neg %u t:$mul %u",
        "cutpoint @sums i:s_axis_tdata %co* %i",
        "opt_clean -purge",
        *defines,
        f"prep -flatten -top {name}_rules",
        "opt_clean -purge",
        "# Here, so that what this leaves undriven has a name in traces.",
        "memory_map -formal",
        "setundef -undriven -anyseq",
        "",
        "[files]",
        f"{name}.v",
        f"{name}_rules.v",
        "",
    ]
    return "\n".join(lines)
