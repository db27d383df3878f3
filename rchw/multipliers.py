"""How many multipliers a readout can have, and what they take in a clock."""

from collections.abc import Sequence
from math import gcd

from rchw.design import Design

__all__ = ["default_multipliers", "possible_multipliers", "shapes_of"]


def _shapes(lanes: int, outputs: int, per_unit: int) -> dict[int, tuple[int, int, bool]]:
    """Possible multiplier counts of the folded form: M to (G, H, paired)."""
    shapes = {}
    for hold in range(1, outputs + 1):
        if outputs % hold == 0:
            shapes[outputs // hold] = (1, hold, False)
    for group in range(1, lanes + 1):
        if lanes % group == 0:
            shapes[outputs * group] = (group, 1, False)
    if per_unit == 2:
        shapes[outputs * 2 * lanes] = (lanes, 1, True)
    return shapes


def possible_multipliers(lanes: int | Sequence[int], design: Design) -> list[int]:
    """Multiplier counts that can be built for `lanes`, of every layer, ascending."""
    each = [lanes] if isinstance(lanes, int) else list(lanes)
    counts = set(shapes_of(each, design))
    if each == [layer.n_units for layer in design.layers]:
        counts.add(design.n_products * design.n_outputs)
    return sorted(counts)


def shapes_of(lanes: Sequence[int], design: Design) -> dict[int, tuple[int, int, bool]]:
    """Possible multiplier counts where G divides the lanes of every layer."""
    per_unit = design.features.per_unit if len(lanes) == 1 else 1
    return _shapes(gcd(*lanes), design.n_outputs, per_unit)


def default_multipliers(n_units: int, lanes: int, outputs: int, products: int) -> int:
    """Fewest multipliers that keep the pace of the state pass without squares."""
    return products * outputs if lanes == n_units else lanes * outputs
