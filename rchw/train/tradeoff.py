"""What a readout loses by less: the best design for each of several budgets, side by side.

The reservoir stays as it is, and so do its statistics: one Gram matrix serves all budgets, widths
and strengths of the ridge. Which lambda is best hangs on the budget, so it is chosen for each, by
an error that the caller measures on validation samples.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import ArrayLike, NDArray

from rchw.design import Design
from rchw.errors import DesignError
from rchw.train.budget import Each, ReadoutBudgets, readout_facts
from rchw.train.readout import normal_of, with_rows
from rchw.train.ridge import LAMBDAS

__all__ = [
    "COLUMNS",
    "Point",
    "around",
    "point_facts",
    "readout_words",
    "tradeoff",
    "tradeoff_rows",
]

_FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Point:
    """The design of one budget.

    Attributes
    ----------
    budgets : ReadoutBudgets
    design : Design
    regularisation : float
    error : float
        As the caller scored it.
    """

    budgets: ReadoutBudgets
    design: Design
    regularisation: float
    error: float


def around(budgets: ReadoutBudgets) -> list[ReadoutBudgets]:
    """A quarter to four times the budgets, and bits alone."""

    def times(value: Each | None, factor: float, least: int) -> Each | None:
        if value is None:
            return None
        if isinstance(value, int):
            return max(round(value * factor), least)
        return tuple(max(round(each * factor), least) for each in value)

    scaled = [
        replace(
            budgets,
            adders=times(budgets.adders, factor, 0),
            nonzeros=times(budgets.nonzeros, factor, 1),
        )
        for factor in _FACTORS
    ]
    return [*scaled, ReadoutBudgets(budgets.bits)]


def tradeoff(
    design: Design,
    states: NDArray[Any],
    inputs: NDArray[Any],
    targets: ArrayLike,
    asked: Sequence[ReadoutBudgets],
    score: Callable[[Design], float],
    regularisations: Sequence[float] = LAMBDAS,
) -> list[Point]:
    """Best design of each budget.

    Parameters
    ----------
    design, states, inputs, targets
        As of `rchw.train.train_readout`: training samples.
    asked : sequence of ReadoutBudgets
        All of the same bits.
    score : callable
        Error of a design, on validation samples.
    regularisations : sequence of float

    Raises
    ------
    DesignError
        As of `rchw.train.train_readout`, or if bits differ.
    """
    if not asked or len({budgets.bits for budgets in asked}) > 1:
        raise DesignError("budgets must be at least one, all of the same bits")
    normal, finest = normal_of(design, states, inputs, targets)
    priced = next((each for each in asked if each.adders is not None), asked[0])
    best: list[Point | None] = [None] * len(asked)
    for solution in normal.solve_all(regularisations):
        candidates = priced.frontiers(normal, solution)
        for place, budgets in enumerate(asked):
            made = with_rows(design, budgets.pick(candidates), finest, budgets.width)
            error, known = score(made), best[place]
            if known is None or error < known.error:
                best[place] = Point(budgets, made, solution.regularisation, error)
    return [point for point in best if point is not None]


def point_facts(point: Point) -> dict[str, Any]:
    """What a record says of a point."""
    return {
        "budget": {"adders": point.budgets.adders, "nonzeros": point.budgets.nonzeros},
        **readout_facts(point.design),
        "regularisation": point.regularisation,
        "validation": point.error,
    }


COLUMNS = ("budget", ">adders", ">weights not 0", ">lambda", ">validation")
"""Of `tradeoff_rows`; columns that start with ``>`` hold numbers."""


def readout_words(facts: Mapping[str, Any]) -> str:
    """Adders and non-zero weights of a record, as a phrase."""
    return (
        f"{_listed(facts['nonzeros'])} of {facts['weights']} weights are not 0, "
        f"{_listed(facts['adders'])} additions as constants"
    )


def tradeoff_rows(facts: Mapping[str, Any]) -> list[list[str]]:
    """Rows of the points of a record; none where no budget was asked for."""
    rows = []
    for point in facts.get("tradeoff", ()):
        asked = [
            f"{_listed(value)} {what}"
            for what, value in point["budget"].items()
            if value is not None
        ]
        rows.append(
            [
                ", ".join(asked) or "none",
                _listed(point["adders"]),
                _listed(point["nonzeros"]),
                f"{point['regularisation']:g}",
                f"{point['validation']:.6g}",
            ]
        )
    return rows


def _listed(value: int | Sequence[int]) -> str:
    return str(value) if isinstance(value, int) else ", ".join(map(str, value))
