"""Equality of circuit and reference for every state and every input, asked of a solver."""

from rchw.tools import need

__all__: list[str] = []

need("z3", "sim")
