"""All values of the unknowns of a question, one by one, where they are few together.

A solver may search for minutes where two codes of 8 bits have no more than 65,536 pairs.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.sim.prove.forms import Atom, Form, Forms

__all__ = ["MOST", "exhaust", "is_small"]

MOST = 1 << 24
_AT_ONCE = 1 << 13  # values of an atom that are in memory together
_FITS = 1 << 62

Codes = NDArray[np.int64]


def is_small(forms: Forms, condition: Form, order: Sequence[Atom]) -> bool:
    """Whether all values can be tried: no more than `MOST`, and every number inside of 63 bits.

    Parameters
    ----------
    forms : Forms
    condition : Form
    order : sequence of Atom
        Its unknowns.
    """
    if prod(atom.high - atom.low + 1 for atom in order) > MOST:
        return False
    bounds = (forms.bounds(form) for form in _inside(condition))
    return all(-_FITS <= low and high < _FITS for low, high in bounds)


def exhaust(
    condition: Form, order: Sequence[Atom], seconds: float = 60.0
) -> dict[Atom, int] | None:
    """Values at which a condition is 0; None if it is 1 for all there are.

    Parameters
    ----------
    condition : Form
        As `is_small` has it.
    order : sequence of Atom
        Its unknowns.
    seconds : float

    Raises
    ------
    TimeoutError
        If that is over before all are tried.
    """
    end = time.monotonic() + seconds
    total = prod(atom.high - atom.low + 1 for atom in order)
    for start in range(0, total, _AT_ONCE):
        if time.monotonic() > end:
            raise TimeoutError
        rest = np.arange(start, min(start + _AT_ONCE, total), dtype=np.int64)
        values: dict[Atom, Codes] = {}
        for atom in order:
            rest, place = np.divmod(rest, atom.high - atom.low + 1)
            values[atom] = place + atom.low
        wrong = np.flatnonzero(_value(condition, values, {}) == 0)
        if len(wrong):
            return {atom: int(codes[wrong[0]]) for atom, codes in values.items()}
    return None


def _inside(condition: Form) -> Iterator[Form]:
    """A form and all those in its atoms."""
    waiting, seen = [condition], {condition}
    while waiting:
        form = waiting.pop()
        yield form
        atoms = {atom for monomial in form.terms for atom in monomial}
        parts = {part for atom in atoms for part in atom.parts if isinstance(part, Form)} - seen
        waiting += parts
        seen |= parts


def _value(form: Form, values: Mapping[Atom, Codes], known: dict[Atom, Codes]) -> Codes:
    """Values of a form; what does not fit in between comes back, as the sum does fit."""
    total = np.zeros(len(next(iter(values.values()))), np.int64)
    for monomial, factor in form.terms.items():
        product = np.full_like(total, (factor + (1 << 63)) % (1 << 64) - (1 << 63))
        for atom in monomial:
            product *= _of(atom, values, known)
        total += product
    return total


def _of(atom: Atom, values: Mapping[Atom, Codes], known: dict[Atom, Codes]) -> Codes:
    if atom.kind == "unknown":
        return values[atom]
    if atom not in known:
        parts: list[Any] = [
            _value(part, values, known) if isinstance(part, Form) else part for part in atom.parts
        ]
        known[atom] = _made(atom.kind, parts)
    return known[atom]


def _made(kind: str, parts: list[Any]) -> Codes:
    result: Codes
    if kind == "floor":
        result = parts[0] >> parts[1]
    elif kind == "atleast":
        result = (parts[0] >= 0).astype(np.int64)
    elif kind == "zero":
        result = (parts[0] == 0).astype(np.int64)
    elif kind == "choice":
        result = np.where(parts[0] != 0, parts[1], parts[2])
    elif kind == "entry":
        result = np.array(parts[0], np.int64)[parts[1]]
    else:
        result = parts[0] * parts[1]
    return result
