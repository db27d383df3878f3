"""The invariant that ABC found, checked again by z3: it holds at the start, goes on, and suffices.

``problem.aig`` is the circuit, the rules and the assumptions as ABC saw them, ``invariant.pla`` the
combinations of registers that it says cannot occur. Three questions to another solver then make the
proof one by induction, and ABC need not be trusted. What ABC wrote beside its proof is left out.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import z3

from rchw.errors import ToolError
from rchw.sim.solver import checked

__all__ = ["Problem", "prove_by", "read_aiger", "read_invariant"]

Cube = dict[int, bool]  # latch by number


@dataclass(frozen=True)
class Problem:
    """A sequential circuit of AND gates; a literal is twice a variable, plus 1 if inverted.

    Attributes
    ----------
    inputs : int
    latches : tuple of (next, start)
        Start is 0, 1, or None where it is free.
    wrong : tuple of int
        Literals that must never be 1.
    gates : tuple of (literal, literal)
    """

    inputs: int
    latches: tuple[tuple[int, int | None], ...]
    wrong: tuple[int, ...]
    gates: tuple[tuple[int, int], ...]


def read_aiger(path: Path) -> Problem:
    """Read a binary AIGER file without constraints.

    Raises
    ------
    ToolError
        If it is none, or has sections that this reader does not know.
    """
    data = path.read_bytes()
    header, _, rest = data.partition(b"\n")
    words = header.split()
    if words[:1] != [b"aig"] or any(int(word) for word in words[7:]):
        raise ToolError(f"{path} must be an AIGER file without constraints, not {header!r}")
    _, inputs, latches, outputs, gates, *more = map(int, words[1:])
    lines = latches + outputs + (more[0] if more else 0)
    *texts, body = rest.split(b"\n", lines)
    nexts: list[tuple[int, int | None]] = []
    for number, text in enumerate(texts[:latches]):
        following, *start = map(int, text.split())
        own = 2 * (inputs + number + 1)
        nexts.append((following, None if start == [own] else (start or [0])[0]))
    pairs, position = [], 0

    def delta() -> int:
        nonlocal position
        value = shift = 0
        while True:
            byte = body[position]
            position += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    for number in range(gates):
        first = 2 * (inputs + latches + number + 1) - delta()
        pairs.append((first, first - delta()))
    return Problem(inputs, tuple(nexts), tuple(map(int, texts[latches:])), tuple(pairs))


def read_invariant(path: Path) -> list[Cube]:
    """Combinations of latches that cannot occur.

    Raises
    ------
    ToolError
        If the file does not say that it is an inductive invariant.
    """
    lines = path.read_text().splitlines()
    if not lines or not lines[0].startswith("# Inductive invariant"):
        raise ToolError(f"{path} must hold an inductive invariant, but does not say so")
    names = next((line.split()[1:] for line in lines if line.startswith(".ilb")), [])
    numbers = [int(name.removeprefix("lo")) for name in names]
    cubes = []
    for line in lines:
        if line[:1] in ("0", "1", "-"):
            cubes.append(
                {
                    n: sign == "1"
                    for n, sign in zip(numbers, line.split()[0], strict=True)
                    if sign != "-"
                }
            )
    return cubes


def prove_by(problem: Problem, cubes: list[Cube], timeout: float = 600.0) -> tuple[str | None, int]:
    """What is wrong with an invariant, as a sentence or None, and how many of its cubes prove it.

    Of the dumps of ABC one in thirty holds cubes that its own proof does without, and that do not
    go on from clock to clock. They are left out until what remains does; this largest inductive
    part must then suffice.

    Parameters
    ----------
    problem : Problem
    cubes : list of dict
        As from `read_invariant`.
    timeout : float
        Seconds for all questions together.
    """
    free = [z3.Bool(f"i{k}") for k in range(problem.inputs)]
    held = [z3.Bool(f"l{k}") for k in range(len(problem.latches))]
    variables: list[Any] = [z3.BoolVal(False), *free, *held]
    solver = z3.Solver()
    end = time.monotonic() + timeout

    def value(literal: int) -> Any:
        return z3.Not(variables[literal >> 1]) if literal & 1 else variables[literal >> 1]

    for number, (a, b) in enumerate(problem.gates):
        gate = z3.Bool(f"g{number}")  # a name for each, so that no term grows
        solver.add(gate == z3.And(value(a), value(b)))
        variables.append(gate)

    following = [value(after) for after, _ in problem.latches]

    def inside(values: list[Any]) -> list[Any]:
        return [z3.And(*(values[k] == sign for k, sign in cube.items())) for cube in cubes]

    def model(*conditions: Any) -> Any:
        """Values that meet the conditions; None if there are none."""
        solver.set("timeout", max(1, round(1000 * (end - time.monotonic()))))
        solver.push()
        solver.add(*conditions)
        answer = checked(solver)
        found = solver.model() if answer == z3.sat else None
        solver.pop()
        if answer == z3.unknown:
            raise TimeoutError
        return found

    question = "the invariant holds at the start"
    try:
        starts = [held[k] == bool(s) for k, (_, s) in enumerate(problem.latches) if s is not None]
        if model(*starts, z3.Or(*inside(held))) is not None:
            return "the invariant does not hold at the start", 0
        question = "the invariant goes on from one clock to the next"
        while (found := model(z3.Not(z3.Or(*inside(held))), z3.Or(*inside(following)))) is not None:
            values = [z3.is_true(found.eval(bit, model_completion=True)) for bit in following]
            cubes = [c for c in cubes if any(values[k] != sign for k, sign in c.items())]
        question = "the invariant rules out a broken rule"
        wrong = z3.Or(*(value(literal) for literal in problem.wrong))
        if model(z3.Not(z3.Or(*inside(held))), wrong) is not None:
            return "what goes on of the invariant does not rule out a broken rule", len(cubes)
    except TimeoutError:
        return f"z3 could not tell within {timeout:g} s whether {question}", 0
    return None, len(cubes)
