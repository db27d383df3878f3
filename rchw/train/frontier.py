"""Integer weights for budgets of adders and of features, each of the least error that is found.

Compensated rounding (`rchw.train.quantize`) pays ``d_i (scale_i (t - c))**2`` for rounding what is
asked of weight i, t, to the code c, whatever the others are. So a price on digits fits in: each
weight takes the code for which this and ``price * digits(c)`` are least, and what it costs is made
up for by the weights that are still open. Prices from none to one that leaves almost nothing, on
supports of many sizes (`rchw.train.elimination`), make a few hundred candidates, all rounded at
once. Of the best with few digits, digits are then exchanged between the weights
(`rchw.train.exchange`). All errors are exact. What a budget gets is the best candidate that fits:
since the candidates do not hang on the budget, the error cannot rise with it, and no budget is
exceeded.

The idea of a price is that of rate-distortion optimisation in coders; the plane is Babai's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.train.digits import MAX_TABLE_WIDTH, count_adders, digit_table
from rchw.train.elimination import Nested, add_greedily, eliminate
from rchw.train.exchange import exchange
from rchw.train.quantize import QuantizedRow, largest_exponent, quantize_row
from rchw.train.ridge import Normal, Solution
from rchw.train.statistics import exact_products

__all__ = ["Frontier", "frontier"]

Values = NDArray[np.float64]
Codes = NDArray[np.int64]
Integers = NDArray[Any]

_PRICES = np.ldexp(1.0, -np.arange(3, 27, 2))  # of the variance of the target, per digit
_SIZES = 40  # supports on which digits have a price; without one, all sizes are tried
_EVERY, _LEVELS = 16, 48  # numbers of adders, below and in all, at which digits are exchanged
_FEW = 16  # features of the supports that grow
_MOST = 64  # weights that are not 0; where there are more, exchanges gain next to nothing


@dataclass(frozen=True)
class Frontier:
    """Candidates for one output.

    Attributes
    ----------
    rows : tuple of QuantizedRow
        The one without any budget first.
    adders, nonzeros : int64 arrays (C,)
        Of every row; the constant weight counts in neither. There is always one of 0 or 1 weight
        of one digit, so that every budget has a row.
    """

    rows: tuple[QuantizedRow, ...]
    adders: Codes
    nonzeros: Codes

    def within(self, adders: int | None = None, nonzeros: int | None = None) -> QuantizedRow:
        """Row of the least error on the training samples that keeps to the budgets.

        Parameters
        ----------
        adders : int, optional
            At least 0.
        nonzeros : int, optional
            At least 1.

        Raises
        ------
        DesignError
            If a budget is below what any readout takes.
        """
        for what, value, least in (("adders", adders, 0), ("nonzeros", nonzeros, 1)):
            if value is not None and value < least:
                raise DesignError(f"readout {what} must be at least {least}, not {value}")
        fits = np.ones(len(self.rows), dtype=bool)
        if adders is not None:
            fits &= self.adders <= adders
        if nonzeros is not None:
            fits &= self.nonzeros <= nonzeros
        places = np.flatnonzero(fits)
        return self.rows[min(places, key=lambda k: (self.rows[k].error, self.adders[k]))]


def frontier(
    normal: Normal, solution: Solution, output: int, width: int, *, digits: bool = True
) -> Frontier:
    """Candidates for all budgets of one output.

    Parameters
    ----------
    normal : Normal
    solution : Solution
        Of `normal`.
    output : int
    width : int
        Bits of a weight, 2 to 24; 2 to 16 with `digits`.
    digits : bool
        Whether budgets of adders will be asked for; without, only supports are tried.

    Raises
    ------
    DesignError
        If the width is out of range.
    """
    if digits and not 2 <= width <= MAX_TABLE_WIDTH:
        raise DesignError(
            f"readout bits must be from 2 to {MAX_TABLE_WIDTH} with readout adders, not {width}"
        )
    plain = min(quantize_row(normal, solution, output, width), key=lambda row: row.error)
    nested = eliminate(normal, solution, output)
    rows = [plain, *_tried(normal, nested, _trials(len(nested.order), digits), output, width)]
    if not digits:
        return _of(rows, normal)
    few = add_greedily(normal, solution, output, _FEW)
    rows += _tried(normal, few, _priced_trials(len(few.order)), output, width)
    better = _exchanged(normal, solution, _of(rows, normal), output, width)
    return _of([*rows, *better], normal)


def _tried(
    normal: Normal, nested: Nested, trials: "_Trials", output: int, width: int
) -> list[QuantizedRow]:
    """Round all that is tried on nested supports."""
    scale = normal.scale[nested.order]
    sizes, place = np.unique(trials.sizes, return_inverse=True)
    ordered = nested.weights(sizes) / scale
    exponents = _exponents(normal, nested, ordered, output, width)[place] + trials.finer
    real = ordered[place] * np.exp2(exponents)[:, None]
    codes = _planes(nested, scale, real, trials, exponents, _spread(normal, output), width)
    return _rows(normal, normal.active[nested.order], codes, exponents, output, width)


def _of(rows: Sequence[QuantizedRow], normal: Normal) -> Frontier:
    weights = np.stack([row.weights for row in rows])
    free = weights[:, :-1] if normal.constant else weights
    return Frontier(tuple(rows), count_adders(weights, normal.constant), (free != 0).sum(axis=1))


def _exchanged(
    normal: Normal, solution: Solution, found: Frontier, output: int, width: int
) -> list[QuantizedRow]:
    """The best rows for many numbers of adders, of few weights, with their digits exchanged."""
    most = int(found.adders.max()) + 1
    levels = {*range(_EVERY), *np.geomspace(1, most, _LEVELS).astype(int).tolist()}
    starts = {id(row): row for row in (found.within(adders=level) for level in sorted(levels))}
    active, table = normal.active, digit_table(width)
    codes, exponents = [], []
    for row in starts.values():
        if 0 < np.count_nonzero(row.weights[active]) <= _MOST:
            real = np.ldexp(solution.weights[active, output], row.exponent)
            begun = row.weights[active].astype(np.float64)
            codes.append(exchange(solution, normal.scale, real, begun, table))
            exponents.append(row.exponent)
    if not codes:
        return []
    return _rows(normal, active, np.stack(codes), np.array(exponents), output, width)


@dataclass(frozen=True)
class _Trials:
    """What is tried, the largest supports first: arrays (R,)."""

    sizes: Codes
    prices: Values  # of a digit, in variances of the target
    most: Codes  # digits of a weight; -1: as many as it takes
    finer: Codes  # bits by which the step is below the largest one that fits

    @classmethod
    def of(cls, listed: Sequence[tuple[int, float, int, int]]) -> "_Trials":
        ordered = sorted(listed, key=lambda trial: -trial[0])
        sizes, prices, most, finer = zip(*ordered, strict=True)
        return cls(np.array(sizes), np.array(prices), np.array(most), np.array(finer))


def _trials(size: int, digits: bool) -> _Trials:
    """All sizes without a price, and with `digits` some with one."""
    listed = [(k, 0.0, -1, finer) for k in range(1, size + 1) for finer in (0, 1)]
    return _Trials.of([*listed, *(_priced_list(size) if digits else ())])


def _priced_trials(size: int) -> _Trials:
    return _Trials.of(_priced_list(size))


def _priced_list(size: int) -> list[tuple[int, float, int, int]]:
    some = np.unique(np.round(np.geomspace(1, size, min(size, _SIZES))).astype(int)).tolist()
    ways = [(price, -1) for price in _PRICES.tolist()] + [(0.0, most) for most in (1, 2, 3)]
    # A coarser step as well: then the largest weight may be the next power of two.
    return [(k, *way, finer) for k in some for way in ways for finer in (-1, 0)]


def _spread(normal: Normal, output: int) -> float:
    """Squared target, about its mean where there is a constant feature, summed over samples."""
    statistics = normal.statistics
    power = int(statistics.power[output])
    if normal.constant:
        total = int(statistics.target_sums[output])
        power -= total * total // statistics.count
    return float(max(power, 1))


def _exponents(normal: Normal, nested: Nested, ordered: Values, output: int, width: int) -> Codes:
    """Largest exponents (R,) with which real weights (R, M) fit, and their constant weight."""
    whole = np.zeros((len(ordered), len(normal.statistics.sums)))
    whole[:, normal.active[nested.order]] = ordered
    if normal.constant:
        sums = normal.statistics.sums
        total = np.full(len(ordered), float(int(normal.statistics.target_sums[output])))
        for j in range(whole.shape[1] - 1):
            total = total - float(int(sums[j])) * whole[:, j]
        whole[:, -1] = total / float(int(sums[-1]))
    return np.array([largest_exponent(row, width) for row in whole], dtype=np.int64)


def _planes(
    nested: Nested,
    scale: Values,
    real: Values,
    trials: _Trials,
    exponents: Codes,
    spread: float,
    width: int,
) -> Values:
    """Round all rows (R, M) at once, the last feature first; larger supports come first."""
    limit = (1 << (width - 1)) - 1
    codes, asked = np.zeros(real.shape), np.zeros(real.shape)
    prices = trials.prices * spread * np.exp2(2.0 * exponents)
    paid = (trials.prices > 0) | (trials.most >= 0)
    starts = np.searchsorted(-trials.sizes, -np.arange(real.shape[1]), side="left")
    for i in range(real.shape[1] - 1, -1, -1):
        n = int(starts[i])  # rows whose support has this feature
        target = real[:n, i] + asked[:n, i] / scale[i]
        worth = nested.diagonal[i] * scale[i] * scale[i]
        chosen = np.clip(np.floor(target + 0.5), -limit, limit)
        if paid[:n].any():
            paying = paid[:n]
            most = trials.most[:n][paying]
            chosen[paying] = _priced(target[paying], worth, prices[:n][paying], most, width)
        codes[:n, i] = chosen
        error = scale[i] * (real[:n, i] - chosen)
        asked[:n, :i] += nested.lower[i, :i] * error[:, None]
    return codes


def _priced(target: Values, worth: float, prices: Values, most: Codes, width: int) -> Values:
    """Code (R,) for which the error and the price of the digits are least."""
    table = digit_table(width)
    found = table.nearest(target)
    count = table.count[np.abs(found).astype(np.int64)]
    missed = target - found
    cost = worth * missed * missed + prices * count
    cost[(most >= 0) & (count > most)] = np.inf
    best = np.argmin(cost, axis=0)
    return np.asarray(found[best, np.arange(len(target))])


def _rows(
    normal: Normal, places: Codes, codes: Values, exponents: Codes, output: int, width: int
) -> list[QuantizedRow]:
    """Rows of codes (R, A) of the features at `places`, with constant weights; equal ones once."""
    statistics = normal.statistics
    weights = np.zeros((len(codes), len(statistics.sums)), dtype=np.int64)
    weights[:, places] = codes.astype(np.int64)
    keys = np.column_stack([weights, exponents])
    first = np.sort(np.unique(keys, axis=0, return_index=True)[1])
    weights, exponents = weights[first], exponents[first]
    if normal.constant:
        limit = (1 << (width - 1)) - 1
        each = exact_products(weights.T, statistics.sums[:, None])[:, 0].astype(object)
        step = int(statistics.sums[-1])
        for k, exponent in enumerate(exponents.tolist()):
            up, down = max(exponent, 0), max(-exponent, 0)
            wanted = (int(statistics.target_sums[output]) << up) - (int(each[k]) << down)
            divisor = step << down
            offset = (2 * wanted + divisor) // (2 * divisor)
            weights[k, -1] = min(max(offset, -limit), limit)
    errors = _errors(normal, weights, exponents, output)
    return [
        QuantizedRow(row, exponent, error, "budget")
        for row, exponent, error in zip(weights, exponents.tolist(), errors, strict=True)
    ]


def _errors(normal: Normal, weights: Codes, exponents: Codes, output: int) -> list[float]:
    """Mean squared errors of rows (R, F), exact up to the last division."""
    statistics = normal.statistics
    products = exact_products(statistics.gram, weights.T.copy()).astype(object)
    whole = weights.T.astype(object)
    quadratic = (products * whole).sum(axis=0)
    linear = (statistics.moment[:, output].astype(object)[:, None] * whole).sum(axis=0)
    power, found = int(statistics.power[output]), []
    for square, cross, exponent in zip(quadratic, linear, exponents.tolist(), strict=True):
        up, down = max(exponent, 0), max(-exponent, 0)
        exact = (int(square) << (2 * down)) - (int(cross) << (1 + up + down)) + (power << (2 * up))
        found.append(exact / (statistics.count << (2 * up)))
    return found
