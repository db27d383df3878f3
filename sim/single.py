"""Checks that know one layer only refuse layers in series before they do anything."""

from rchw.design import Design
from rchw.errors import DesignError

__all__ = ["of_one_layer"]


def of_one_layer(what: str, design: Design) -> None:
    """Refuse layers in series.

    Raises
    ------
    DesignError
        If there are several layers; the sentence begins with `what`.
    """
    count = len(design.layers)
    if count > 1:
        raise DesignError(f"{what} must be of one layer in this release, not of {count} in series")
