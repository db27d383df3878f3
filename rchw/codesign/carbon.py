"""Grams of CO2 of a computation, by the formula of the Machine Learning Emissions Calculator.

    energy = power x time x PUE        emissions = energy x carbon intensity of the grid

Lacoste, Luccioni, Schmidt, Dandres, "Quantifying the Carbon Emissions of Machine Learning",
arXiv 1910.09700 (2019); their page leaves the power usage effectiveness (PUE) at 1, here it is an
argument. The time is that of the processors, so that other work on the machine does not count, and
the power that of one busy core (`rchw.codesign.processor`): a model, not a measurement.
"""

from dataclasses import asdict, dataclass
from math import inf
from typing import Any

from rchw.codesign.processor import CORE_WATTS
from rchw.errors import DesignError

__all__ = ["INTENSITY", "Footprint", "footprint"]

_CALCULATOR = "github.com/mlco2/impact, data/impact.csv (2018 to 2019)"
_MIX = "mix of 2023, as in codecarbon 3.3.2, global_energy_mix.json"

INTENSITY: dict[str, tuple[float, str]] = {
    "world": (475.0, "IEA, Global Energy and CO2 Status Report 2019"),
    "austria": (111.0, _MIX),
    "brazil": (98.0, _MIX),
    "canada": (170.0, _MIX),
    "china": (582.0, _MIX),
    "france": (56.0, _MIX),
    "germany": (381.0, _MIX),
    "india": (713.0, _MIX),
    "italy": (331.0, _MIX),
    "japan": (485.0, _MIX),
    "netherlands": (268.0, _MIX),
    "norway": (30.0, _MIX),
    "poland": (662.0, _MIX),
    "spain": (174.0, _MIX),
    "sweden": (41.0, _MIX),
    "switzerland": (35.0, _MIX),
    "united-kingdom": (238.0, _MIX),
    "united-states": (369.0, _MIX),
    "montreal-2019": (34.5, _CALCULATOR),
    "frankfurt-2019": (615.0, _CALCULATOR),
    "mumbai-2019": (920.0, _CALCULATOR),
}
"""g CO2 equivalent per kWh by region, and where the figure is from."""


@dataclass(frozen=True)
class Footprint:
    """What a computation took.

    Attributes
    ----------
    processor_seconds : float
        Summed over processes and cores.
    watts : float
        Of one busy core.
    pue : float
        Power usage effectiveness of the place.
    grams_per_kwh : float
        Carbon intensity of the grid.
    region : str
        Of which it is; empty where it was given.
    source : str
        Of the intensity.
    """

    processor_seconds: float
    watts: float
    pue: float
    grams_per_kwh: float
    region: str
    source: str

    @property
    def kwh(self) -> float:
        """Energy at the meter of the place."""
        return self.processor_seconds * self.watts * self.pue / 3.6e6

    @property
    def grams(self) -> float:
        """Emissions in g CO2 equivalent."""
        return self.kwh * self.grams_per_kwh

    def facts(self) -> dict[str, Any]:
        """As a record has it."""
        return (
            {"label": "model, not a measurement"}
            | asdict(self)
            | {
                "kwh": self.kwh,
                "grams": self.grams,
            }
        )


def footprint(
    processor_seconds: float,
    *,
    watts: float = CORE_WATTS,
    pue: float = 1.0,
    region: str = "world",
    grams_per_kwh: float | None = None,
) -> Footprint:
    """Energy and emissions of a computation.

    Parameters
    ----------
    processor_seconds : float
    watts : float
        Of one busy core.
    pue : float
        At least 1.
    region : str
        A key of `INTENSITY`.
    grams_per_kwh : float, optional
        In place of that of a region.

    Raises
    ------
    DesignError
        If a figure cannot be, or the region is unknown.

    >>> round(footprint(3600, watts=250, grams_per_kwh=400).grams, 9)
    100.0
    """
    for name, value, least in (
        ("processor seconds", processor_seconds, 0.0),
        ("watts", watts, 0.0),
        ("PUE", pue, 1.0),
        ("grams per kWh", 0.0 if grams_per_kwh is None else grams_per_kwh, 0.0),
    ):
        if not least <= value < inf:
            raise DesignError(f"{name} must be at least {least:g} and finite, not {value:g}")
    if grams_per_kwh is not None:
        return Footprint(processor_seconds, watts, pue, grams_per_kwh, "", "given")
    if region not in INTENSITY:
        raise DesignError(f"region must be one of {', '.join(INTENSITY)}, not {region[:40]!r}")
    grams, source = INTENSITY[region]
    return Footprint(processor_seconds, watts, pue, grams, region, source)
