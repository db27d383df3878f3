"""The page of the energy benchmark, from its record alone."""

from typing import Any

__all__ = ["markdown"]


def markdown(record: dict[str, Any]) -> str:
    """Page."""
    return "x\n"
