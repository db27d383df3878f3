"""Budgets of a readout: bits, adders and non-zero weights, of all outputs or of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rchw.design import Design
from rchw.errors import DesignError
from rchw.train.digits import count_adders
from rchw.train.frontier import Frontier, frontier
from rchw.train.quantize import QuantizedRow
from rchw.train.ridge import Normal, Solution

__all__ = ["Each", "ReadoutBudgets", "each_output", "readout_facts"]

Each = int | tuple[int, ...]
"""One number for all outputs, or one for each."""


def each_output(what: str, value: Each, n_outputs: int) -> tuple[int, ...]:
    """Numbers of all outputs.

    Raises
    ------
    DesignError
        If there are several, but not one for each.
    """
    found = (value,) * n_outputs if isinstance(value, int) else value
    if len(found) != n_outputs:
        several = f", or {n_outputs} for {n_outputs} outputs" if n_outputs > 1 else ""
        raise DesignError(f"{what} must be one number{several}, not {len(found)}")
    return found


@dataclass(frozen=True)
class ReadoutBudgets:
    """What the weights of a readout may take.

    Parameters
    ----------
    bits : int or tuple of int
        Of a weight, 2 to 24.
    adders, nonzeros : int or tuple of int, optional
        Of an output: additions and subtractions where its weights are constants of the circuit
        (`rchw.train.digits`), and weights that are not 0. The constant weight counts in neither.
    """

    bits: Each
    adders: Each | None = None
    nonzeros: Each | None = None

    @property
    def width(self) -> int:
        """Bits of the widest weight."""
        return self.bits if isinstance(self.bits, int) else max(self.bits)

    @property
    def bounded(self) -> bool:
        """Whether there is any budget beyond bits."""
        return self.adders is not None or self.nonzeros is not None

    def check(self, n_outputs: int) -> None:
        """Refuse several numbers that are not one for each output.

        Raises
        ------
        DesignError
            If there are some.
        """
        for what, value in (
            ("readout bits", self.bits),
            ("readout adders", self.adders),
            ("readout nonzeros", self.nonzeros),
        ):
            if value is not None:
                each_output(what, value, n_outputs)

    def rows(self, normal: Normal, solution: Solution) -> tuple[QuantizedRow, ...]:
        """Integer weights of every output within the budgets, of the least error in training.

        Raises
        ------
        DesignError
            If a number is out of range, or there is not one for each output.
        """
        return self.pick(self.frontiers(normal, solution))

    def frontiers(self, normal: Normal, solution: Solution) -> tuple[Frontier, ...]:
        """Candidates of every output, which serve all budgets of adders and non-zeros."""
        bits = each_output("readout bits", self.bits, normal.statistics.moment.shape[1])
        digits = self.adders is not None
        return tuple(
            frontier(normal, solution, k, width, digits=digits) for k, width in enumerate(bits)
        )

    def pick(self, frontiers: Sequence[Frontier]) -> tuple[QuantizedRow, ...]:
        """Rows of candidates that keep to the budgets."""
        count = len(frontiers)
        limits: list[tuple[int | None, ...]] = [
            (None,) * count if value is None else each_output(what, value, count)
            for what, value in (
                ("readout adders", self.adders),
                ("readout nonzeros", self.nonzeros),
            )
        ]
        found = zip(frontiers, *limits, strict=True)
        return tuple(each.within(adders, nonzeros) for each, adders, nonzeros in found)


def readout_facts(design: Design) -> dict[str, Any]:
    """Adders and non-zero weights of every output of a design that answers every sample."""
    weights = np.array(design.readout.weights, dtype=np.int64)
    constant = design.features.one is not None
    free = weights[:, :-1] if constant else weights
    return {
        "adders": count_adders(weights, constant).tolist(),
        "nonzeros": (free != 0).sum(axis=1).tolist(),
        "weights": free.shape[1],
    }
