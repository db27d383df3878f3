"""Published figures, each run by `rchw reproduce`: `FIGURES`, by name."""

from rchw.lab.figures import (
    chips,
    mechanical,
    memristive,
    networks,
    photonic,
    spintronic,
    theory,
)
from rchw.lab.figures.figure import Band, Measured, PublishedFigure, Told

__all__ = ["FIGURES", "Band", "Measured", "PublishedFigure", "Told"]

FIGURES: dict[str, PublishedFigure] = {
    figure.name: figure
    for family in (memristive, photonic, chips, spintronic, mechanical, networks, theory)
    for figure in family.FIGURES
}
