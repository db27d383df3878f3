"""Currents of a crossbar whose wires have resistance: the exact solution of all its nodes.

Every crossing has a node on its row wire and one on its column wire, the device between them::

    V_n --r-- o --r-- o --r-- o        row n, driven at the left
              |G      |G      |G
              o       o       o
              r       r       r        columns run downwards
             ...     ...     ...
              r       r       r
              0 V     0 V     0 V      virtual grounds: here the currents are read

There is a segment r before the first device of a row and one after the last device of a column.
"""

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError

__all__ = ["transfer"]

Values = NDArray[np.float64]


def transfer(conductances: Values, segment: float) -> Values:
    """Current of each column per volt on each row, with all other rows at 0 V.

    Parameters
    ----------
    conductances : float64 array (N, L)
        Of the devices, in siemens: N rows, L columns.
    segment : float
        Resistance of one segment of wire, in ohm; 0 stands for ideal wires.

    Returns
    -------
    float64 array (N, L)
        In siemens. Without resistance of the wires it is `conductances`.

    Raises
    ------
    DesignError
        If a conductance is negative or not finite, or the segment negative.
    """
    given = np.asarray(conductances, dtype=np.float64)
    if given.ndim != 2 or not given.size:
        raise DesignError(f"conductances must have shape (N, L), not {given.shape}")
    if not (np.isfinite(given).all() and (given >= 0).all()):
        raise DesignError(f"conductances must be finite and at least 0 S, not {given.min():g}")
    if not 0 <= segment < np.inf:
        raise DesignError(f"resistance of a segment must be finite and at least 0, not {segment}")
    if segment == 0:
        return given.copy()
    from scipy.sparse import csc_array
    from scipy.sparse.linalg import splu

    rows, columns = given.shape
    wire = 1.0 / segment
    upper = np.arange(rows * columns).reshape(rows, columns)  # nodes of the row wires
    lower = upper + rows * columns  # nodes of the column wires
    # Pairs of nodes and what conducts between them.
    one = np.concatenate([upper.ravel(), upper[:, :-1].ravel(), lower[:-1].ravel()])
    other = np.concatenate([lower.ravel(), upper[:, 1:].ravel(), lower[1:].ravel()])
    between = np.full(one.size, wire)
    between[: given.size] = given.ravel()
    sources, grounds = upper[:, 0], lower[-1]
    ends = np.concatenate([sources, grounds])
    matrix = csc_array(
        (
            np.concatenate([between, between, -between, -between, np.full(ends.size, wire)]),
            (
                np.concatenate([one, other, one, other, ends]),
                np.concatenate([one, other, other, one, ends]),
            ),
        ),
        shape=(2 * given.size, 2 * given.size),
    )
    # The network is reciprocal, so the columns are driven and the rows read: L solutions, not N.
    driven = np.zeros((2 * given.size, columns))
    driven[grounds, np.arange(columns)] = wire
    solver = splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    return np.asarray(solver.solve(driven)[sources] * wire)
