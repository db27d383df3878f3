"""Least mean squares: the cheapest rule that learns online, a multiplication per weight.

``w <- w + rate e x``. A direction of the features of power p (an eigenvalue of ``E[x x']``) is
learnt with a time constant of about ``1 / (rate p)`` samples, and the rate must be below 2 over the
largest power: so the spread of the eigenvalues is the number of time constants by which the slowest
direction lags behind. States of a reservoir have spreads of many decades. The normalised rule
divides by ``|x|**2``, so that any rate between 0 and 2 is stable; the spread remains.

Source: S. Haykin, "Adaptive Filter Theory", chapters on the LMS and normalised LMS algorithms.
"""

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.train.online import OnlineReadout

__all__ = ["LeastMeanSquares"]

Values = NDArray[np.float64]


class LeastMeanSquares(OnlineReadout):
    """Least mean squares, plain or normalised.

    Parameters
    ----------
    n_features, n_outputs : int
    rate : float
        Above 0; of the normalised rule below 2.
    normalised : bool
        Divide by ``|x|**2``: with a rate of 1 the sample just learnt has no error any more.

    Raises
    ------
    DesignError
        If a number is out of range.
    """

    def __init__(
        self, n_features: int, n_outputs: int = 1, *, rate: float = 0.5, normalised: bool = True
    ) -> None:
        super().__init__(n_features, n_outputs)
        if not 0 < rate < (2 if normalised else np.inf):
            most = " and below 2" if normalised else " and finite"
            raise DesignError(f"rate must be above 0{most}, not {rate:g}")
        self.rate, self.normalised = rate, normalised

    def _learn(self, features: Values, errors: Values) -> None:
        rate = self.rate
        if self.normalised:
            power = float(features @ features)
            if power == 0:
                return  # nothing can be said of any weight
            rate /= power
        self.weights += np.multiply.outer(rate * features, errors)
