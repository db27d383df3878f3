"""Which sums of the reference stand in registers, and whether they fit there."""

from dataclasses import dataclass

from rchw.ranges import Interval
from rchw.sim.prove.forms import Form
from rchw.sim.prove.reach import Reach

__all__ = ["Sum", "held_sums"]

_KINDS = {"p": "pre-activation", "t": "readout"}


@dataclass(frozen=True)
class Sum:
    """Sums of one kind.

    Attributes
    ----------
    kind : str
        ``pre-activation`` or ``readout``.
    low, high : int
        What they can be, by the ranges of what is added.
    needs : int
        Bits for that.
    held : int
        Bits that stand in registers, the sign among them.
    """

    kind: str
    low: int
    high: int
    needs: int
    held: int


def held_sums(reach: Reach) -> tuple[Sum, ...]:
    """Sums of the reference that the registers of a proved circuit hold, by their kinds.

    A kind is missing where its sums become codes without a register between.

    Parameters
    ----------
    reach : Reach
        Of a proof that holds.
    """
    roles, forms = reach.expected.roles, reach.forms
    places: dict[Form, int] = {}
    for contents in reach.contents.values():
        for bits in contents.values():
            for bit in bits:
                if not isinstance(bit, int):
                    places[bit[0]] = max(bit[1], places.get(bit[0], 0))
    found: dict[str, tuple[Interval, int]] = {}
    for form, place in places.items():
        atom = form.plus(-form.constant).atom
        role = None if atom is None else roles.get(atom)
        if role is not None and role.kind in _KINDS:
            own, held = found.get(role.kind, (Interval(*forms.bounds(form)), 0))
            found[role.kind] = own.hull(Interval(*forms.bounds(form))), max(held, place + 1)
    return tuple(
        Sum(_KINDS[kind], own.low, own.high, own.width, held)
        for kind, (own, held) in sorted(found.items())
    )
