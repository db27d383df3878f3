"""Diagonal Schur stability: whether a weighted norm exists in which a matrix shrinks everything.

W is diagonally Schur stable if ``P - W' P W`` is positive definite for some diagonal ``P > 0``:
then ``|W x| < |x|`` in the norm ``x' P x``, and diagonal factors of at most 1, which are what the
slopes of units are, change nothing about it. With ``P = D D`` this is the same as a largest
singular value of ``D W D^-1`` below 1, minimised over all diagonal D.

Finding P is a convex problem. It is solved here by Newton's method with a logarithmic barrier, in
numpy alone: of this one problem the derivatives are four products of matrices, so that a general
solver of semidefinite programs would cost more and do no better.

Units that reach each other are taken together, and such blocks one by one: between blocks W is
triangular, so that entries of P that differ enough from block to block make what joins them as
small as need be. Without that a block of its own that grows would look as if it were on the edge.

Source: the criterion, I. B. Yildiz, H. Jaeger, S. J. Kiebel, "Re-visiting the echo state property",
Neural Networks 35 (2012) 1; in its form with D, M. Buehner and P. Young, "A tighter bound for the
echo state property", IEEE Trans. Neural Networks 17 (2006) 820. The barrier method, S. Boyd and
L. Vandenberghe, "Convex Optimization", 2004, chapter 11. The derivatives are derived here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError

__all__ = ["SchurStability", "schur_stability"]

Values = NDArray[np.float64]
_SMALLEST = 1e-9  # a margin that counts as none
_FASTER = 8.0  # by which the barrier gives way


@dataclass(frozen=True)
class SchurStability:
    """What the search for P came to.

    Attributes
    ----------
    stable : bool or None
        True with a P that was checked, False where none can exist, None where neither was shown:
        on the very edge, where no margin exceeds 1e-9, and without a search.
    margin : float
        Smallest eigenvalue of ``P - W' P W`` of any block, for the best P of mean 1 that was found.
    bound : float
        What the margin of no such P can exceed, as far as it was followed; below 0 it shows that
        there is none.
    weights : float64 array (N,)
        The diagonals of these P, each of its block.
    blocks : int64 array (N,)
        The block of each unit, from 0: units that reach each other.
    """

    stable: bool | None
    margin: float
    bound: float
    weights: Values
    blocks: NDArray[np.int64]


def schur_stability(weights: ArrayLike, *, search: bool = True) -> SchurStability:
    """Decide whether a matrix is diagonally Schur stable.

    Parameters
    ----------
    weights : array (N, N)
        W. Of 100 units it takes less than a second, of 300 about ten.
    search : bool
        Look for P beyond the identity. Without, only a largest singular value below 1 is seen.

    Returns
    -------
    SchurStability

    Raises
    ------
    DesignError
        If W is no square of finite numbers.

    >>> schur_stability([[0.5, 2.0], [0.0, 0.5]]).stable, schur_stability([[1.5]]).stable
    (True, False)
    """
    matrix = np.asarray(weights, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise DesignError(f"weights must have shape (N, N), not {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise DesignError("weights must be finite, not NaN or infinite")
    if not search:
        p, margin = np.ones(len(matrix)), _margin(matrix, np.ones(len(matrix)))
        verdict = True if margin > _SMALLEST else None
        return SchurStability(verdict, margin, np.inf, p, np.zeros(len(matrix), dtype=np.int64))
    blocks = _blocks(matrix)
    p = np.empty(len(matrix))
    stable: bool | None = True
    margin = bound = np.inf
    for block in range(blocks.max() + 1):
        units = np.flatnonzero(blocks == block)
        verdict, found, most, p[units] = _search(matrix[np.ix_(units, units)])
        margin, bound = min(margin, found), min(bound, most)
        if verdict is not True and stable is not False:
            stable = verdict
    return SchurStability(stable, float(margin), float(bound), p, blocks)


def _blocks(matrix: Values) -> NDArray[np.int64]:
    """Number of the block of each unit: strongly connected components, by reachability."""
    reached = (matrix != 0) | np.eye(len(matrix), dtype=bool)
    for _ in range(len(matrix).bit_length()):
        steps = reached.astype(np.float64)
        reached = steps @ steps > 0
    both = reached & reached.T
    first = np.argmax(both, axis=1)  # the first unit of its block
    return np.unique(first, return_inverse=True)[1].astype(np.int64)


def _margin(matrix: Values, p: Values) -> float:
    """Smallest eigenvalue of ``P - W' P W``."""
    return float(np.linalg.eigvalsh(np.diag(p) - matrix.T @ (p[:, None] * matrix))[0])


def _search(matrix: Values) -> tuple[bool | None, float, float, Values]:
    """Verdict, margin, bound and P of one block.

    Maximise s with ``P - W' P W - s I`` and P positive, the entries of P adding up to N.
    """
    n = len(matrix)
    p = np.ones(n)
    s = _margin(matrix, p) - 1.0
    push = 1.0 / max(1.0, abs(s))  # weight of s against the barrier
    best, best_p, bound = _margin(matrix, p), p, np.inf
    if best > _SMALLEST:
        return True, best, bound, best_p
    while True:
        decrement = np.inf
        for _ in range(50):
            p, s, decrement = _newton(matrix, p, s, push)
            if decrement < 1e-6:
                break
        found = _margin(matrix, p)
        if found > best:
            best, best_p = found, p
        if decrement < 1e-6:
            # At the centre the optimum is at most the number of barriers over the push beyond s;
            # one more for what is left to the centre.
            bound = min(bound, s + (2 * n + 1) / push)
        if best > _SMALLEST:
            return True, best, bound, best_p
        if bound < -_SMALLEST:
            return False, best, bound, best_p
        if 2 * n / push < _SMALLEST:
            return None, best, bound, best_p
        push *= _FASTER


def _newton(matrix: Values, p: Values, s: float, push: float) -> tuple[Values, float, float]:
    """One damped Newton step for ``-push s - log det(P - W' P W - s I) - sum log p``."""
    n = len(p)
    inside = np.diag(p) - matrix.T @ (p[:, None] * matrix) - s * np.eye(n)
    inverse = np.linalg.inv(inside)
    inverse = (inverse + inverse.T) / 2
    read = inverse @ matrix.T  # G W'
    both = matrix @ read  # W G W'
    square = inverse @ inverse
    # Derivative of the argument by p_i is e_i e_i' - w_i w_i', by s it is -1.
    slope = np.append(np.diag(both) - np.diag(inverse) - 1 / p, np.trace(inverse) - push)
    curve = np.empty((n + 1, n + 1))
    curve[:n, :n] = inverse**2 - read**2 - read.T**2 + both**2 + np.diag(1 / p**2)
    cross = np.einsum("ij,jk,ik->i", matrix, square, matrix) - np.diag(square)
    curve[:n, n] = curve[n, :n] = cross
    curve[n, n] = np.trace(square)
    # Steps keep the sum of p: one more row and column for its multiplier.
    kept = np.append(np.ones(n), 0.0)
    system = np.block([[curve, kept[:, None]], [kept[None], np.zeros((1, 1))]])
    step = _solved(system, np.append(-slope, 0.0))[:-1]
    decrement = float(-slope @ step)
    # By self-concordance such a step stays inside.
    size = 1.0 if decrement < 0.25 else 1.0 / (1.0 + np.sqrt(decrement))
    p, s = p + size * step[:n], s + size * float(step[n])
    rounding = n / p.sum()  # P and s may be multiplied by a number, so that the sum is kept
    return p * rounding, s * rounding, decrement


def _solved(system: Values, wanted: Values) -> Values:
    try:
        return np.asarray(np.linalg.solve(system, wanted), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(system, wanted, rcond=None)[0], dtype=np.float64)
