"""Values of unknowns at which long sums are extreme, or next to where a comparison turns.

Whether a sum of a hundred products can pass a rail is a question that a solver may not answer in
minutes, and a walk through the corners of the ranges in no time.
"""

from collections.abc import Iterator

from rchw.sim.prove.forms import Atom, Form
from rchw.sim.prove.trial import value_of

__all__ = ["corners"]

Values = dict[Atom, int]


def corners(condition: Form) -> Iterator[Values]:
    """Values of all unknowns of a condition, by what it compares, rounds or cuts.

    For each form of which a floor or a sign is taken: where it is greatest, where it is least, and
    on the way from there to there two neighbours between which a sign turns.
    """
    unknowns = sorted(condition.unknowns())
    middle = {atom: min(max(0, atom.low), atom.high) for atom in unknowns}
    for form, turns in _compared(condition).items():
        inside = [atom for atom in unknowns if atom in form.unknowns()]
        high, low = (_pushed(form, inside, middle, way) for way in (1, -1))
        yield high
        yield low
        for turn in sorted(turns):
            yield from _between(form, inside, high, low, turn)


def _compared(condition: Form) -> dict[Form, set[int]]:
    """Forms of which a floor or a sign is taken, without constants, and where the sign turns."""
    found: dict[Form, set[int]] = {}
    waiting, seen = [condition], {condition}
    while waiting:
        for atom in sorted({atom for monomial in waiting.pop().terms for atom in monomial}):
            parts = [part for part in atom.parts if isinstance(part, Form)]
            if atom.kind in ("floor", "atleast"):
                form = parts[0].plus(-parts[0].constant)
                turns = found.setdefault(form, set())
                if atom.kind == "atleast":
                    turns.add(-parts[0].constant)
            waiting += [part for part in parts if part not in seen]
            seen |= {*parts}
    return found


def _pushed(form: Form, inside: list[Atom], middle: Values, way: int) -> Values:
    """Each unknown in turn at an end of its range, or in the middle, where it makes a form greater.

    Or less; in the middle squares are least.
    """
    values = dict(middle)
    for atom in inside:
        places = (values | {atom: place} for place in (atom.low, atom.high, middle[atom]))
        values = max(places, key=lambda given: way * value_of(form, given))
    return values


def _between(
    form: Form, inside: list[Atom], high: Values, low: Values, turn: int
) -> Iterator[Values]:
    """Values at which a form is hardly a number, or just not: it is walked down from the top."""
    if not value_of(form, high) >= turn > value_of(form, low):
        return

    def reach(atom: Atom) -> int:
        return value_of(form, high | {atom: low[atom]})

    above, below = high, low
    for atom in sorted(inside, key=reach):  # long steps first, short ones come closer
        under = above | {atom: low[atom]}
        if value_of(form, under) >= turn:
            above = under
            continue
        while abs(above[atom] - under[atom]) > 1:
            half = under | {atom: (above[atom] + under[atom]) // 2}
            above, under = (half, under) if value_of(form, half) >= turn else (above, half)
        below = under
    yield above
    yield below
