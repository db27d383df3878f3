"""Parameters of devices: SI numbers, each with its unit, its source and its valid range.

A node's parameters are a frozen dataclass whose fields are made by `quantity`. Every parameter is
one number, or one number per device where devices differ; see `rchw.nodes.variation`.
"""

import math
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError

__all__ = ["Fact", "Parameters", "Quantity", "quantity"]

Quantity = float | tuple[float, ...]


@dataclass(frozen=True)
class Fact:
    """What is known of a parameter.

    Attributes
    ----------
    name : str
    unit : str
        SI, ``"1"`` where there is none.
    source : str
        Paper, data sheet or code that the default is from.
    loose : bool
        Whether the default is a loose fit: of the right order, not measured on one device.
    above, least, below, most : float
        The value lies above, at least at, below, at most at these.
    """

    name: str
    unit: str
    source: str
    loose: bool
    above: float
    least: float
    below: float
    most: float

    def check(self, value: float) -> None:
        """Refuse what is not finite or outside the range.

        Raises
        ------
        DesignError
        """
        words = self.name.replace("_", " ")
        if not (isinstance(value, int | float) and math.isfinite(value)):
            raise DesignError(f"{words} must be a finite number, not {value!r}")
        if value > self.above and value >= self.least and value < self.below and value <= self.most:
            return
        rules = [
            f"{name} {bound:g}"
            for name, bound in (
                ("above", self.above),
                ("at least", self.least),
                ("below", self.below),
                ("at most", self.most),
            )
            if math.isfinite(bound)
        ]
        unit = "" if self.unit == "1" else f" {self.unit}"
        raise DesignError(f"{words} must be {' and '.join(rules)}{unit}, not {value:g}")


def quantity(
    default: float,
    unit: str,
    source: str,
    *,
    loose: bool = False,
    above: float = -math.inf,
    least: float = -math.inf,
    below: float = math.inf,
    most: float = math.inf,
) -> Any:
    """Make a field of `Parameters`; see `Fact` for the arguments."""
    known = (unit, source, loose, above, least, below, most)
    return field(default=default, metadata={"fact": known})


@dataclass(frozen=True)
class Parameters:
    """Base of the parameters of every node; checks each field against what is known of it.

    Raises
    ------
    DesignError
        If a value is no finite number, or outside its range.
    """

    def __post_init__(self) -> None:
        for fact in self.facts():
            value = getattr(self, fact.name)
            for each in value if isinstance(value, tuple) else (value,):
                fact.check(each)

    @classmethod
    def facts(cls) -> tuple[Fact, ...]:
        """What is known of every parameter, in order."""
        return tuple(
            Fact(each.name, *each.metadata["fact"]) for each in fields(cls) if each.metadata
        )

    def of_devices(self, devices: int) -> dict[str, NDArray[np.float64]]:
        """Every parameter as float64 array (devices,).

        Raises
        ------
        DesignError
            If a parameter has another number of values than one or `devices`.
        """
        found = {}
        for fact in self.facts():
            value = getattr(self, fact.name)
            if isinstance(value, tuple) and len(value) != devices:
                raise DesignError(
                    f"{fact.name.replace('_', ' ')} must be one value or {devices}, one per "
                    f"device, not {len(value)}"
                )
            found[fact.name] = np.broadcast_to(np.asarray(value, np.float64), (devices,)).copy()
        return found
