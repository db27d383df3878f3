"""Recursive least squares: the weights of the ridge after every sample, by updates of an inverse.

``u = P x``, ``k = u / (forget + x'u)``, ``w <- w + k e``, ``P <- Tri[(P - k u') / forget]``. All
outputs share P and k. Without forgetting P is ``(X'X + ridge I)**-1`` and the weights are those of
the ridge, exactly; with it a sample t steps ago counts ``forget**t``, and so does the ridge.

Tri computes one triangle and mirrors it. Left out, rounding makes P unsymmetric, which forgetting
multiplies from sample to sample until the weights diverge; it also halves the work of a circuit.
Directions that no sample excites are forgotten all the same: there P grows by ``1 / forget`` per
sample (windup). `rchw.train.directional` forgets only where something new is learnt.

Sources: S. Haykin, "Adaptive Filter Theory" (RLS); B. Farhang-Boroujeny, "Adaptive Filters" (the
form with Tri).
"""

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.train.online import OnlineReadout, mirror

__all__ = ["RecursiveLeastSquares"]

Values = NDArray[np.float64]


class RecursiveLeastSquares(OnlineReadout):
    """Recursive least squares with exponential forgetting.

    Parameters
    ----------
    n_features, n_outputs : int
    forget : float
        What a sample counts after one more; above 0 and at most 1, which forgets nothing.
    ridge : float
        ``P(0) = I / ridge``: the strength of a ridge that is forgotten with the first samples.

    Attributes
    ----------
    inverse : float64 array (F, F)
        P, exactly symmetric.

    Raises
    ------
    DesignError
        If a number is out of range.
    """

    def __init__(
        self, n_features: int, n_outputs: int = 1, *, forget: float = 1.0, ridge: float = 1e-6
    ) -> None:
        super().__init__(n_features, n_outputs)
        if not 0 < forget <= 1:
            raise DesignError(f"forget must be above 0 and at most 1, not {forget:g}")
        if not 0 < ridge < np.inf:
            raise DesignError(f"ridge must be above 0 and finite, not {ridge:g}")
        self.forget, self.ridge = forget, ridge
        self.inverse: Values = np.eye(n_features) / ridge

    def _learn(self, features: Values, errors: Values) -> None:
        moved = self.inverse @ features
        gain = moved / (self.forget + features @ moved)
        self.weights += np.multiply.outer(gain, errors)
        self.inverse -= np.multiply.outer(gain, moved)
        self.inverse /= self.forget
        mirror(self.inverse)
