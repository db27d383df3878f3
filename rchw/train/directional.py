"""Recursive least squares with adaptive directional forgetting: old data make room for new ones.

Of a sample with ``u = P x`` and ``xi = x'u``, with e its error before it is learnt:

    w <- w + u e / (1 + xi)
    1 / phi = 1 + (1 + rho) (ln(1 + xi) + ((nu + 1) eta / (1 + xi + eta) - 1) xi / (1 + xi))
    eta = e**2 / scatter
    P <- P - u u' / (1 / epsilon + xi),   epsilon = phi - (1 - phi) / xi
    scatter <- phi (scatter + e**2 / (1 + xi)),   nu <- phi (nu + 1)

So ``1 / P`` changes by ``epsilon x x'`` alone: what was known of other directions stays, and P
cannot wind up where nothing is excited. How much is forgotten, 1 - phi, follows the error: nothing
to the first order in xi while errors are small, much after a jump. The update of P is computed as
``u u' (1 - 1 / (phi (1 + xi))) / xi``, the same number, which does not divide by epsilon where it
passes through 0. nu is the number of samples that are remembered, ``scatter / nu`` their variance.

Sources: R. Kulhavy, "Restricted exponential forgetting in real-time identification", Automatica 23,
1987; in this form, with the numbers of equations in Kulhavy's thesis (5.48 to 5.92), in `sid.m` of
the Self-Tuning Controllers Simulink Library of V. Bobal and P. Chalupa. Books of V. Bobal print
``1 + (1 + rho) ln(1 + xi) + (...) xi / (1 + xi)``, where rho multiplies the logarithm alone: that
forgets ``rho xi`` even of samples without an error.

The literature has rho = 0.99 and plants of few weights and little noise. On average, over errors of
the stated variance, ``(1 + rho) ln(1 + xi)`` is forgotten where a sample brings xi: from rho = 0 on
that keeps xi from going to 0, and at 0.99 hardly a sample is remembered: quick after a jump, poor
where targets are noisy and stay what they are. Hence the default.
"""

import math

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.train.online import OnlineReadout, mirror

__all__ = ["DirectionalForgetting"]

Values = NDArray[np.float64]


class DirectionalForgetting(OnlineReadout):
    """Recursive least squares with adaptive directional forgetting.

    Parameters
    ----------
    n_features, n_outputs : int
        Several outputs share P, so their errors decide together, by the mean of their squares:
        they should be of one scale.
    ridge : float
        ``P(0) = I / ridge``.
    rho : float
        How willingly is forgotten, above -1; the literature has 0.99, see above.
    scatter, samples : float
        At first, above 0: the weighted sum of squared errors, and nu, of how many samples it is.

    Attributes
    ----------
    inverse : float64 array (F, F)
        P, exactly symmetric.
    phi : float
        The last forgetting factor, above 0 and at most 1.

    Raises
    ------
    DesignError
        If a number is out of range.
    """

    def __init__(
        self,
        n_features: int,
        n_outputs: int = 1,
        *,
        ridge: float = 1e-6,
        rho: float = -0.5,
        scatter: float = 1e-3,
        samples: float = 1e-6,
    ) -> None:
        super().__init__(n_features, n_outputs)
        for what, value in (("ridge", ridge), ("scatter", scatter), ("samples", samples)):
            if not 0 < value < math.inf:
                raise DesignError(f"{what} must be above 0 and finite, not {value:g}")
        if not -1 < rho < math.inf:
            raise DesignError(f"rho must be above -1 and finite, not {rho:g}")
        self.rho, self.scatter, self.samples = rho, scatter, samples
        self.phi = 1.0
        self.inverse: Values = np.eye(n_features) / ridge

    def _learn(self, features: Values, errors: Values) -> None:
        moved = self.inverse @ features
        xi = float(features @ moved)
        if not xi > 0:
            return  # features of 0 say nothing
        self.weights += np.multiply.outer(moved / (1 + xi), errors)
        square = float(errors @ errors) / len(errors)
        eta = square / self.scatter
        surprise = (self.samples + 1) * eta / (1 + xi + eta) - 1
        self.phi = 1 / (1 + (1 + self.rho) * (math.log1p(xi) + surprise * xi / (1 + xi)))
        kept = (1 - 1 / (self.phi * (1 + xi))) / xi
        self.inverse -= np.multiply.outer(kept * moved, moved)
        mirror(self.inverse)
        self.scatter = self.phi * (self.scatter + square / (1 + xi))
        self.samples = self.phi * (self.samples + 1)
