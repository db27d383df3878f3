"""What a preset is: a device with its converters, under a name, and what may be tuned of it."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from rchw.errors import DesignError
from rchw.nodes.physical import PhysicalReservoir

__all__ = ["NodeInfo", "Point", "Preset", "Size", "devices", "whole"]

Point = Mapping[str, float]
MOST_UNITS = 4096


@dataclass(frozen=True)
class Size:
    """What a user asks for.

    Attributes
    ----------
    units : int
        Readings N per sample; a node whose structure allows other numbers only comes near.
    inputs : int
        Channels K.
    seed : int
        Of the mask, and of whatever the node draws.
    """

    units: int
    inputs: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        for words, value, least, most in (
            ("units", self.units, 1, MOST_UNITS),
            ("input channels", self.inputs, 1, MOST_UNITS),
            ("seed", self.seed, 0, 2**63 - 1),
        ):
            if not least <= value <= most:
                raise DesignError(f"{words} must be from {least} to {most}, not {value}")


@dataclass(frozen=True)
class Preset:
    """A device as somebody used it.

    Attributes
    ----------
    name : str
    description, source : str
    units : int
        By default.
    build : callable
        ``build(size, **point)`` gives the reservoir, its converters not fitted yet.
    axes : mapping
        What may be tuned on validation samples: values of each keyword of `build`, the default
        first.
    bits_axis : str, optional
        Of a digital reservoir: the axis that is the width of its states, from -1 to 1. They are
        codes already, so no converter and no noise comes after them.
    """

    name: str
    description: str
    source: str
    units: int
    build: Callable[..., PhysicalReservoir] = field(repr=False)
    axes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    bits_axis: str | None = None

    def default(self) -> dict[str, float]:
        """First value of every axis."""
        return {name: values[0] for name, values in self.axes.items()}

    def points(self) -> Iterator[dict[str, float]]:
        """All combinations, the default first."""
        for values in itertools.product(*self.axes.values()):
            yield dict(zip(self.axes, values, strict=True))

    def reservoir(self, size: Size, point: Point | None = None) -> PhysicalReservoir:
        """Build it at a point; what the point leaves out takes its default.

        Raises
        ------
        DesignError
            If the point names no axis of the preset, or the node cannot be built so.
        """
        self.check(point or {})
        return self.build(size, **(self.default() | dict(point or {})))

    def check(self, point: Point) -> None:
        """Refuse names that are no axis, and values that are no finite number.

        Raises
        ------
        DesignError
        """
        for name, value in point.items():
            if name not in self.axes:
                known = ", ".join(self.axes) or "nothing"
                raise DesignError(
                    f"what is set of preset {self.name} must be {known}, not {name!r}"
                )
            if not math.isfinite(value):
                raise DesignError(f"{name} must be a finite number, not {value}")


@dataclass(frozen=True)
class NodeInfo:
    """A node by name.

    Attributes
    ----------
    name, description : str
    presets : tuple of Preset
        The first is the default.
    """

    name: str
    description: str
    presets: tuple[Preset, ...]

    def preset(self, name: str | None = None) -> Preset:
        """One of the presets; the first without a name.

        Raises
        ------
        DesignError
            If there is no such preset.
        """
        for preset in self.presets:
            if name in (None, preset.name):
                return preset
        names = ", ".join(preset.name for preset in self.presets)
        raise DesignError(f"preset of {self.name} must be one of {names}, not {name!r}")


def whole(name: str, value: float, least: int = 1) -> int:
    """Value of an axis that counts something, from 1 unless said otherwise.

    Raises
    ------
    DesignError
    """
    if value % 1 or value < least:
        raise DesignError(f"{name} must be a whole number from {least}, not {value:g}")
    return int(value)


def devices(size: Size, n_virtual: int) -> int:
    """Devices that give `units` readings of `n_virtual` each.

    Raises
    ------
    DesignError
        If that is not a whole number.
    """
    count, rest = divmod(size.units, n_virtual)
    if rest or not count:
        raise DesignError(
            f"units must be a multiple of the {n_virtual} virtual nodes of a device, not "
            f"{size.units}"
        )
    return count
