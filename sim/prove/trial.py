"""Forms with numbers put in: what differs there differs, and what agrees may be equal."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rchw.sim.prove.forms import Atom, Form

__all__ = ["Trial", "value_of"]


def value_of(form: Form, values: Mapping[Atom, int], known: dict[Atom, int] | None = None) -> int:
    """Value of a form.

    Parameters
    ----------
    form : Form
    values : mapping of Atom to int
        Of every unknown inside.
    known : dict, optional
        Values of other atoms, which are added to it.
    """
    known = {} if known is None else known
    total = 0
    for monomial, factor in form.terms.items():
        for atom in monomial:
            if atom.kind == "unknown":
                factor *= values[atom]
                continue
            if atom not in known:
                known[atom] = _value(atom, values, known)
            factor *= known[atom]
        total += factor
    return total


def _value(atom: Atom, values: Mapping[Atom, int], known: dict[Atom, int]) -> int:
    parts: list[Any] = [
        value_of(part, values, known) if isinstance(part, Form) else part for part in atom.parts
    ]
    if atom.kind == "floor":
        return int(parts[0] >> parts[1])
    if atom.kind == "atleast":
        return int(parts[0] >= 0)
    if atom.kind == "zero":
        return int(parts[0] == 0)
    if atom.kind == "choice":
        return int(parts[1] if parts[0] else parts[2])
    if atom.kind == "entry":
        return int(parts[0][parts[1]])
    return int(parts[0] * parts[1])


class Trial:
    """Several values for every unknown, drawn within its bounds.

    Parameters
    ----------
    count : int
        How many.
    seed : int
    meaning : callable
        Tells of an unknown what it is the name of, if it is one: then it is not drawn.

    Attributes
    ----------
    count : int
    """

    def __init__(
        self, count: int, seed: int, meaning: Callable[[Atom], Form | None] = lambda atom: None
    ) -> None:
        self.count, self._meaning = count, meaning
        self._rng = np.random.default_rng(seed)
        self._values: list[dict[Atom, int]] = [{} for _ in range(count)]
        self._known: list[dict[Atom, int]] = [{} for _ in range(count)]
        self._found: dict[Form, tuple[int, ...]] = {}

    def values(self, form: Form) -> tuple[int, ...]:
        """Values of a form."""
        found = self._found.get(form)
        if found is None:
            for atom in form.unknowns():
                if atom not in self._values[0]:
                    meaning = self._meaning(atom)
                    drawn = None if meaning is None else self.values(meaning)
                    for case, values in enumerate(self._values):
                        values[atom] = self._draw(atom) if drawn is None else drawn[case]
            found = self._found[form] = tuple(
                value_of(form, values, known)
                for values, known in zip(self._values, self._known, strict=True)
            )
        return found

    def case(self, form: Form, number: int) -> dict[Atom, int]:
        """Values of the unknowns of a form in one of the trials."""
        self.values(form)
        return {atom: self._values[number][atom] for atom in form.unknowns()}

    def _draw(self, atom: Atom) -> int:
        span = atom.high - atom.low + 1
        if span < 1 << 62:
            return atom.low + int(self._rng.integers(span))
        return atom.low + int.from_bytes(self._rng.bytes(span.bit_length() // 8 + 8), "big") % span
