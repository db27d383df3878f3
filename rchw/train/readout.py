"""Train the readout of a design whose reservoir is fixed: statistics, ridge, integers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.design import Design, Feedback, Output
from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.reference.readout import ReadoutReference, feature_codes
from rchw.train.budget import ReadoutBudgets
from rchw.train.quantize import QuantizedRow, quantize
from rchw.train.ridge import LAMBDAS, Normal, Solution
from rchw.train.statistics import Statistics

__all__ = [
    "TARGET_FORMAT",
    "Fit",
    "aligned_features",
    "encode_targets",
    "fit_solution",
    "keep_readout",
    "normal_of",
    "outputs_of",
    "train_readout",
    "with_rows",
]

Integers = NDArray[Any]

_KEPT = 1e-9  # lambda of the metric in which given weights are rounded
TARGET_FORMAT = QFormat(26, 22)  # of targets divided by the output scale: +-8, steps of 2.4e-7


def aligned_features(design: Design, states: Integers, inputs: Integers) -> tuple[Integers, int]:
    """All features (T, F) as codes with one number of fraction bits, and that number."""
    blocks = feature_codes(design, states, inputs)
    finest = max(frac for frac, _ in blocks)
    columns = [codes * (1 << (finest - frac)) for frac, codes in blocks]
    return np.concatenate(columns, axis=1), finest


def encode_targets(outputs: Sequence[Output], targets: ArrayLike) -> Integers:
    """Codes of targets (T, L) in `TARGET_FORMAT`, offset and scale of the outputs taken out.

    Raises
    ------
    DesignError
        If a target is not finite.
    """
    values = np.asarray(targets, dtype=np.float64)
    if not np.isfinite(values).all():
        raise DesignError("targets must be finite, not NaN or infinite")
    offset = np.array([output.offset for output in outputs])
    scale = np.array([output.scale for output in outputs])
    codes = np.floor((values - offset) / scale * 2.0**TARGET_FORMAT.frac + 0.5)
    limited: Integers = np.clip(codes, TARGET_FORMAT.min, TARGET_FORMAT.max).astype(np.int64)
    return limited


@dataclass(frozen=True)
class Fit:
    """A trained readout and what it would have been otherwise.

    Attributes
    ----------
    design : Design
        With the rows that do better on the training samples, within their budgets.
    compensated, nearest : Design
        With the rows of one method throughout, whatever adders and non-zeros they take.
    solution : Solution
        The real weights.
    method : tuple of str, one per output
    train_error : tuple of float, one per output
        Mean squared error of the integer weights on the training samples, in units of the output
        scale squared.
    """

    design: Design
    compensated: Design
    nearest: Design
    solution: Solution
    method: tuple[str, ...]
    train_error: tuple[float, ...]

    def real_outputs(self, states: Integers, inputs: Integers) -> NDArray[np.float64]:
        """Compute outputs (T, L) of the real weights, features added one after the other."""
        features, _ = aligned_features(self.design, states, inputs)
        total = np.zeros((len(features), self.design.n_outputs))
        for j, weights in enumerate(self.solution.weights):
            total += features[:, j, None].astype(np.float64) * weights
        return total * TARGET_FORMAT.resolution


def with_rows(design: Design, rows: Sequence[QuantizedRow], finest: int, width: int) -> Design:
    """Put integer rows into a design: one weight format, and one format and scale per output."""
    fractions = [row.exponent - finest + TARGET_FORMAT.frac for row in rows]
    frac = min(max(0, *fractions), 48)
    outputs, shifts = [], [frac - fraction for fraction in fractions]
    for output, shift in zip(design.readout.outputs, shifts, strict=True):
        fmt = output.format
        to = QFormat(fmt.width, min(max(fmt.width - 1 + shift, 0), 48), fmt.signed)
        outputs.append(replace(output, format=to, scale=float(np.ldexp(output.scale, shift))))
    readout = replace(
        design.readout,
        outputs=tuple(outputs),
        weight_format=QFormat(width, frac),
        weights=tuple(tuple(int(w) for w in row.weights) for row in rows),
    )
    feedback = tuple(
        _rescaled(entry, shifts[index])
        for entry, index in zip(design.feedback, design.fed_from, strict=True)
    )
    return replace(design, readout=readout, feedback=feedback)


def _rescaled(entry: Feedback, shift: int) -> Feedback:
    """The same term of an output whose codes now have `shift` more fraction bits."""
    frac = entry.format.frac - shift
    more = max(-frac, 0)  # bits that the format cannot be shifted by
    fmt = QFormat(entry.format.width + more, frac + more, entry.format.signed)
    return replace(entry, format=fmt, weights=tuple(w << more for w in entry.weights))


def train_readout(
    design: Design,
    states: Integers,
    inputs: Integers,
    targets: ArrayLike,
    regularisations: Sequence[float] = LAMBDAS,
    budgets: ReadoutBudgets | None = None,
) -> list[Fit]:
    """Integer readouts for a list of lambdas.

    Parameters
    ----------
    design : Design
        Its outputs must have ``width - 1`` fraction bits, as `rchw.train.build` makes them.
    states, inputs : integer arrays (T, N), (T, K)
        Codes of the training samples, washout left out.
    targets : array (T, L)
        Real values.
    regularisations : sequence of float
    budgets : ReadoutBudgets, optional
        Of bits, adders and non-zeros; without them the bits are those of the design's weights.

    Returns
    -------
    list of Fit, one for each lambda that could be solved

    Raises
    ------
    DesignError
        If no feature varies, a target is not finite, every lambda is too small, or a budget is out
        of range.
    """
    normal, finest = normal_of(design, states, inputs, targets)
    solutions = normal.solve_all(regularisations)
    return [fit_solution(design, normal, solution, finest, budgets) for solution in solutions]


def keep_readout(
    design: Design, states: Integers, inputs: Integers, targets: ArrayLike, weights: ArrayLike
) -> Fit:
    """Integer readout nearest to given real weights, in its outputs on the training samples.

    Parameters
    ----------
    design, states, inputs
        As of `train_readout`.
    targets : array (T, L)
        What the outputs should be: the constant weight makes up for their mean error.
    weights : array (L, F)
        Real outputs per real value of a feature, in the order of the features; the constant one,
        where there is one, is 1.

    Raises
    ------
    DesignError
        As of `train_readout`, or if a weight is not finite.
    """
    normal, finest = normal_of(design, states, inputs, targets)
    real, outputs = np.array(weights, dtype=np.float64).T, design.readout.outputs
    if design.features.one is not None:
        real[-1] -= [output.offset for output in outputs]
    steps = real / [output.scale for output in outputs]
    steps = np.ldexp(steps, TARGET_FORMAT.frac - finest)
    solution = replace(normal.solve(_KEPT), weights=steps)
    return fit_solution(design, normal, solution, finest)


def normal_of(
    design: Design, states: Integers, inputs: Integers, targets: ArrayLike
) -> tuple[Normal, int]:
    """Normal equations of the features of a design, and their fraction bits."""
    features, finest = aligned_features(design, states, inputs)
    encoded = encode_targets(design.readout.outputs, targets)
    return Normal.of(Statistics.of(features, encoded), design.features.one is not None), finest


def fit_solution(
    design: Design,
    normal: Normal,
    solution: Solution,
    finest: int,
    budgets: ReadoutBudgets | None = None,
) -> Fit:
    """Put the integers of a solution into a design.

    Parameters
    ----------
    design : Design
        As of `train_readout`.
    normal : Normal
        Of its features, aligned to `finest` fraction bits, and of targets in `TARGET_FORMAT`.
    solution : Solution
        Of `normal`.
    finest : int
    budgets : ReadoutBudgets, optional
        As of `train_readout`.
    """
    budgets = budgets or ReadoutBudgets(design.readout.weight_format.width)
    result = quantize(normal, solution, budgets.bits)
    rows = budgets.rows(normal, solution) if budgets.bounded else result.rows
    return Fit(
        with_rows(design, rows, finest, budgets.width),
        with_rows(design, result.compensated, finest, budgets.width),
        with_rows(design, result.nearest, finest, budgets.width),
        solution,
        tuple(row.method for row in rows),
        tuple(row.error * TARGET_FORMAT.resolution**2 for row in rows),
    )


def outputs_of(design: Design, states: Integers, inputs: Integers) -> NDArray[np.float64]:
    """Real outputs (T, L) of the integer readout, exactly as the reference computes them."""
    return design.decode(ReadoutReference(design).outputs(states, inputs))
