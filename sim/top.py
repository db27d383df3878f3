"""The emitted top of a design, as the harness sees it."""

from rchw.design import Design
from rchw.sim.harness import Top

__all__ = ["top_of"]


def top_of(design: Design, name: str | None = None) -> Top:
    """Lanes of the emitted top module."""
    return Top(
        name or design.name,
        tuple(channel.format for channel in design.beat),
        tuple(output.format for output in design.readout.answers),
        tuple(output.name for output in design.readout.answers),
        design.readout.pooled,
    )
