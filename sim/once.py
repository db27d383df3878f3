"""Checks that know circuits which answer every sample with their outputs, and refuse the others."""

from rchw.design import Design
from rchw.errors import DesignError

__all__ = ["check_every_sample"]


def check_every_sample(design: Design, what: str) -> None:
    """Refuse a design that answers once per sequence, or with a class.

    Parameters
    ----------
    design : Design
    what : str
        The check, for the sentence.

    Raises
    ------
    DesignError
        If it is such a design.
    """
    readout = design.readout
    if readout.pooled or readout.argmax:
        given = "once per sequence" if readout.pooled else "with a class"
        raise DesignError(
            f"readout of {design.name} must answer every sample with its outputs for {what} in "
            f"this release, not {given}"
        )
