"""What reservoirs there are to train, by name, and what layers in series are made of."""

import re

from rchw.design import MAX_LAYERS
from rchw.errors import DesignError
from rchw.model.deep import split_units

__all__ = [
    "ADAPTABLE",
    "EULERS",
    "LAYER_RESERVOIRS",
    "LEAST_UNITS",
    "MATRICES",
    "OPEN",
    "RESERVOIRS",
    "WINDOWS",
    "kind_of",
    "layer_sizes",
    "one_of",
    "parse_range",
    "within",
]

RESERVOIRS = (
    "cycle", "delay-line", "delay-line-feedback", "cycle-jumps", "integer", "euler-ring", "leaky",
    "euler", "deep",
)  # fmt: skip
LAYER_RESERVOIRS = tuple(name for name in RESERVOIRS if name not in ("integer", "deep"))
MATRICES = ("leaky", "euler")
EULERS = ("euler-ring", "euler")
OPEN = ("delay-line", "delay-line-feedback", *MATRICES)  # no ring: no Fourier bin of signs to lose
ADAPTABLE = tuple(name for name in LAYER_RESERVOIRS if name not in EULERS)
LEAST_UNITS = {"delay-line-feedback": 3, "cycle-jumps": 4, "euler-ring": 3, "euler": 2}  # else 1
WINDOWS = 16  # sign patterns, and draws of a matrix, that a search looks at
_LAYERS = 3  # of deep, if nothing is said


def one_of(what: str, value: object, allowed: tuple[str, ...]) -> None:
    """Refuse what is none of the words."""
    if value not in allowed:
        raise DesignError(f"{what} must be one of {', '.join(allowed)}, not {value!r}")


def within(what: str, value: int, low: int, high: int) -> None:
    """Refuse what is outside ``[low, high]``."""
    if not low <= value <= high:
        raise DesignError(f"{what} must be from {low} to {high}, not {value}")


def parse_range(text: str) -> tuple[int, int]:
    """Both ends of a range of leak shifts.

    Raises
    ------
    DesignError
        If it is none, is empty, or leaves 0 to 15.

    >>> parse_range("1..6")
    (1, 6)
    """
    match = re.fullmatch(r"(\d{1,2})\.\.(\d{1,2})", text)
    ends = tuple(int(part) for part in match.groups()) if match else ()
    if not ends or not 0 <= ends[0] <= ends[1] <= 15:
        raise DesignError(
            f"leak shifts must be A..B with A at most B, both from 0 to 15, not {text[:40]!r}"
        )
    return ends[0], ends[1]


def kind_of(reservoir: str, layer_reservoir: str | None) -> str:
    """What each layer is: the reservoir itself, but where it is ``deep``."""
    return reservoir if reservoir != "deep" else layer_reservoir or "leaky"


def layer_sizes(reservoir: str, layers: int | None, kind: str, units: int) -> tuple[int, ...]:
    """Units of every layer, (D,); there is one layer but where the reservoir is ``deep``.

    Raises
    ------
    DesignError
        If there is no layer, there are too many, or the units are too few or too many for them.
    """
    if reservoir != "deep":
        within("units", units, LEAST_UNITS.get(reservoir, 1), 4096)
        return (units,)
    one_of("layer reservoir", kind, LAYER_RESERVOIRS)
    count = _LAYERS if layers is None else layers
    within("layers", count, 1, MAX_LAYERS)
    least = count * LEAST_UNITS.get(kind, 1)
    if not least <= units <= 4096:
        raise DesignError(
            f"units must be from {least} to 4096 for {count} layers of {kind}, not {units}"
        )
    return split_units(units, count)
