"""Rings as tables of taps, sign patterns, and the checks that keep a pattern from losing rank.

A tap is ``(offset, weights)``: unit ``i`` reads unit ``(i - offset) mod N`` of the previous sample,
times ``weights[i]``, and a zero weight says that unit ``i`` has no such connection. Offsets are
distinct and run from 0 to N - 1. Input weights here are rows, one per channel: shape ``(K, N)``.

Source: A. Rodan, P. Tino, "Minimum complexity echo state network", IEEE Trans. Neural Networks
22(1), 2011 (cycle, delay lines, signs from pi); "Simple deterministically constructed cycle
reservoirs with regular jumps", Neural Computation 24(7), 2012 (jumps).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError

__all__ = [
    "TapTable",
    "auto_signs",
    "cycle",
    "cycle_jumps",
    "delay_line",
    "delay_line_feedback",
    "dense",
    "euler_ring",
    "is_regular",
    "level_weights",
    "pi_digits",
    "pi_signs",
    "random_signs",
    "ring_regularity",
    "spectral_radius",
]

TapTable = list[tuple[int, NDArray[Any]]]

_GUARD_DIGITS = 20
_BLOCK = 2000  # digits converted at once: Python refuses int to str beyond 4300


def _check_units(n_units: int, at_least: int = 1) -> None:
    if n_units < at_least:
        raise DesignError(f"number of units must be at least {at_least}, not {n_units}")


def _taps(n_units: int, *entries: tuple[int, slice | NDArray[np.int64], float | int]) -> TapTable:
    """Collect (offset, units, weight) into taps with distinct offsets; entries are set, not added.

    Integer weights stay integers.
    """
    table: dict[int, NDArray[Any]] = {}
    dtype = np.int64 if all(isinstance(e[2], (int, np.integer)) for e in entries) else np.float64
    for offset, units, weight in entries:
        weights = table.setdefault(offset % n_units, np.zeros(n_units, dtype=dtype))
        weights[units] = weight
    return list(table.items())


def cycle(n_units: int, feedback: float | int) -> TapTable:
    """Simple cycle reservoir (SCR): unit ``i`` reads unit ``i - 1``, unit 0 the last.

    Parameters
    ----------
    n_units : int
        N, at least 1.
    feedback : float or int
        The one weight r.

    Returns
    -------
    TapTable
        One tap of offset 1 (0 if N is 1).
    """
    _check_units(n_units)
    return _taps(n_units, (1, slice(None), feedback))


def delay_line(n_units: int, feedback: float | int) -> TapTable:
    """Delay line reservoir (DLR): the cycle without the connection into unit 0."""
    _check_units(n_units)
    return _taps(n_units, (1, slice(1, None), feedback))


def delay_line_feedback(n_units: int, feedback: float | int, backward: float | int) -> TapTable:
    """Delay line with feedback (DLRB): unit ``i`` also reads unit ``i + 1``, the last does not.

    Parameters
    ----------
    n_units : int
        N, at least 3: with fewer, both neighbours are the same unit.
    feedback, backward : float or int
        Weights r (from the unit before) and b (from the unit after).

    Returns
    -------
    TapTable
        Offsets 1 and N - 1.
    """
    _check_units(n_units, 3)
    return _taps(
        n_units, (1, slice(1, None), feedback), (n_units - 1, slice(0, n_units - 1), backward)
    )


def cycle_jumps(
    n_units: int, feedback: float | int, jump_length: int, jump_weight: float | int
) -> TapTable:
    """Cycle reservoir with jumps (CRJ): the cycle plus two-way jumps between regular units.

    With ``l = jump_length`` there are ``floor(N / l)`` jumps, number ``m`` joining the units
    ``m l`` and ``(m + 1) l mod N`` in both directions. If ``l`` divides N the last jump returns to
    unit 0; otherwise it ends in unit ``floor(N / l) l`` and nothing joins that unit to unit 0. An
    entry named twice (``l = N / 2``) is set once.

    Parameters
    ----------
    n_units : int
        N, at least 4.
    feedback : float or int
        Weight r of the cycle.
    jump_length : int
        l, from 2 to ``floor(N / 2)``.
    jump_weight : float or int
        Weight of every jump.

    Returns
    -------
    TapTable
        Offsets 1, l and N - l (the last two coincide if ``l = N / 2``).

    Raises
    ------
    DesignError
        If N or the jump length is out of range.
    """
    _check_units(n_units, 4)
    if not 2 <= jump_length <= n_units // 2:
        raise DesignError(f"jump length must be from 2 to {n_units // 2}, not {jump_length}")
    starts = np.arange(n_units // jump_length, dtype=np.int64) * jump_length
    ends = (starts + jump_length) % n_units
    return _taps(
        n_units,
        (1, slice(None), feedback),
        (jump_length, ends, jump_weight),
        (n_units - jump_length, starts, jump_weight),
    )


def euler_ring(n_units: int, feedback: float | int, diffusion: float | int) -> TapTable:
    """Antisymmetric ring with diffusion, ``r (P - P') - gamma I``, for Euler steps.

    Unit ``i`` reads unit ``i - 1`` times r, unit ``i + 1`` times -r, and itself times -gamma. The
    eigenvalues are ``-gamma - 2j r sin(2 pi k / N)``, k from 0 to N - 1.

    Parameters
    ----------
    n_units : int
        N, at least 3: with fewer, both neighbours are the same unit.
    feedback, diffusion : float or int
        r and gamma.

    Returns
    -------
    TapTable
        Offsets 1, N - 1 and 0.
    """
    _check_units(n_units, 3)
    every = slice(None)
    return _taps(
        n_units, (1, every, feedback), (n_units - 1, every, -feedback), (0, every, -diffusion)
    )


def dense(taps: Sequence[tuple[int, ArrayLike]]) -> NDArray[Any]:
    """Matrix of a tap table: entry ``[i, (i - offset) mod N]`` is ``weights[i]``, shape (N, N)."""
    columns = [(offset, np.asarray(weights)) for offset, weights in taps]
    if not columns:
        raise DesignError("taps must have at least one entry, not none")
    n_units = columns[0][1].size
    matrix = np.zeros((n_units, n_units), dtype=np.result_type(*(w for _, w in columns)))
    units = np.arange(n_units)
    for offset, weights in columns:
        if weights.shape != (n_units,):
            raise DesignError(
                f"weights of tap {offset} must have shape ({n_units},), not {weights.shape}"
            )
        matrix[units, (units - offset) % n_units] += weights
    return matrix


def spectral_radius(taps: Sequence[tuple[int, ArrayLike]]) -> float:
    """Largest eigenvalue modulus; through the Fourier transform if no weight depends on the unit.

    >>> round(spectral_radius(cycle(8, 0.75)), 12), spectral_radius(delay_line(8, 0.75))
    (0.75, 0.0)
    """
    matrix = dense(taps)
    if all(np.all(np.asarray(weights) == np.asarray(weights)[0]) for _, weights in taps):
        return float(np.abs(np.fft.fft(matrix[0])).max())
    return float(np.abs(np.linalg.eigvals(matrix.astype(np.float64))).max())


def _arctan_inverse(x: int, unit: int) -> int:
    """``unit * arctan(1 / x)`` by the Gregory series in integers."""
    power = total = unit // x
    divisor, sign = 3, -1
    while power := power // (x * x):
        total += sign * (power // divisor)
        divisor, sign = divisor + 2, -sign
    return total


@lru_cache(maxsize=8)
def _pi_text(n_digits: int) -> str:
    """Return `n_digits` digits of pi after the point, from Machin's formula in integers."""
    unit = 10 ** (n_digits + _GUARD_DIGITS)
    value = 4 * (4 * _arctan_inverse(5, unit) - _arctan_inverse(239, unit))
    rest = (value - 3 * unit) // 10**_GUARD_DIGITS
    blocks = []
    for start in range(0, n_digits, _BLOCK):
        width = min(_BLOCK, n_digits - start)
        digits, rest = divmod(rest, 10 ** (n_digits - start - width))
        blocks.append(str(digits).zfill(width))
    return "".join(blocks)


def pi_digits(n_digits: int, skip: int = 0) -> NDArray[np.int64]:
    """Decimal digits of pi after the point, the first `skip` left out; shape (n_digits,).

    >>> pi_digits(7).tolist()
    [1, 4, 1, 5, 9, 2, 6]
    """
    if n_digits < 0 or skip < 0:
        raise DesignError(f"digit counts must be at least 0, not {n_digits} and {skip}")
    needed = max(1024, 1 << (n_digits + skip - 1).bit_length()) if n_digits + skip else 1024
    text = _pi_text(needed)[skip : skip + n_digits]
    return np.frombuffer(text.encode(), dtype=np.uint8).astype(np.int64) - ord("0")


def pi_signs(n_units: int, skip: int = 0) -> NDArray[np.int64]:
    """Signs from the digits of pi after the point: 0 to 4 give -1, 5 to 9 give +1; shape (N,).

    This is the convention of Rodan and Tino; others in use start at the leading 3 or take odd
    digits. It is singular for 29 sizes below 513, among them 32: see `ring_regularity`.
    """
    _check_units(n_units)
    return np.where(pi_digits(n_units, skip) > 4, np.int64(1), np.int64(-1))


def random_signs(n_units: int, n_inputs: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Fair signs of shape (K, N) from `rng`, drawn channel by channel until regular."""
    return _regular_rows(n_units, n_inputs, lambda: 2 * rng.integers(0, 2, size=n_units) - 1)


def auto_signs(n_units: int, n_inputs: int = 1, skip: int = 0) -> NDArray[np.int64]:
    """Regular signs from pi: per channel the next window of N digits that keeps full rank.

    The first channel starts at the first digit, so this is the plain pi pattern wherever that is
    regular. A singular window moves on by one digit; the next channel starts where the last ended.

    Parameters
    ----------
    n_units, n_inputs : int
        N and K, at least 1.
    skip : int
        Digits of pi to leave out first.

    Returns
    -------
    int64 array (K, N), -1 or +1

    Raises
    ------
    DesignError
        If N is 2, where no pattern of equal magnitudes is regular.
    """
    position = skip - 1
    window_end = skip

    def window() -> NDArray[np.int64]:
        nonlocal position, window_end
        position = max(position + 1, window_end)
        signs = pi_signs(n_units, position)
        if is_regular(signs):
            window_end = position + n_units
        return signs

    return _regular_rows(n_units, n_inputs, window)


def _regular_rows(n_units: int, n_inputs: int, draw: Any) -> NDArray[np.int64]:
    _check_units(n_units)
    if n_inputs < 1:
        raise DesignError(f"number of inputs must be at least 1, not {n_inputs}")
    if n_units == 2:
        raise DesignError("number of units must be other than 2 for a regular sign pattern, not 2")
    rows: list[NDArray[np.int64]] = []
    while len(rows) < n_inputs:
        signs = draw()
        if is_regular(signs):
            rows.append(signs)
    return np.array(rows, dtype=np.int64)


def level_weights(
    signs: ArrayLike, levels: Sequence[float] = (0.25, 0.5, 0.75, 1.0), skip: int = 0
) -> NDArray[np.float64]:
    """Input weights of a few magnitudes, chosen by digits of pi; the signs are kept.

    A digit ``d`` picks ``levels[d mod len(levels)]``; digits that would make the levels unequally
    likely (8 and 9 for four levels) are passed over.

    Parameters
    ----------
    signs : array (K, N) or (N,) of -1, +1
    levels : sequence of float
        1 to 10 magnitudes, above 0.
    skip : int
        Digits of pi to leave out first.

    Returns
    -------
    float64 array, same shape
    """
    array = np.asarray(signs, dtype=np.float64)
    if not 1 <= len(levels) <= 10 or min(levels) <= 0:
        raise DesignError(f"levels must be 1 to 10 magnitudes above 0, not {tuple(levels)}")
    limit = 10 // len(levels) * len(levels)
    digits = np.empty(0, dtype=np.int64)
    wanted = 2 * array.size + 16
    while digits.size < array.size:
        digits = pi_digits(wanted, skip)
        digits = digits[digits < limit]
        wanted *= 2
    magnitudes = np.asarray(levels, dtype=np.float64)[digits[: array.size] % len(levels)]
    return array * magnitudes.reshape(array.shape)


def ring_regularity(weights: ArrayLike) -> NDArray[np.float64]:
    """Smallest Fourier magnitude of each channel's input weights; zero means lost rank on a ring.

    A linear cycle driven through weights ``v`` reaches exactly as many dimensions as the discrete
    Fourier transform of ``v`` has non-zero bins.

    Parameters
    ----------
    weights : array (K, N) or (N,)

    Returns
    -------
    float64 array (K,)
        ``min |DFT|`` per channel; compare with `is_regular` rather than with 0.
    """
    array = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    return np.asarray(np.abs(np.fft.fft(array, axis=1)).min(axis=1), dtype=np.float64)


def is_regular(weights: ArrayLike) -> bool:
    """Tell whether every channel keeps full rank: no Fourier bin below 1e-9 of its norm."""
    array = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    floor = 1e-9 * np.linalg.norm(array, axis=1)
    return bool(np.all(ring_regularity(array) > floor))
