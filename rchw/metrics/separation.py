"""Input separation: how far states are apart when inputs are, from alike to unrelated.

Source: W. Maass, T. Natschlaeger, H. Markram, "Real-time computing without stable states", Neural
Computation 14 (2002) 2531 (the separation property); G. Morales, C. Mirasso, M. Soriano, "Unveiling
the role of plasticity rules in reservoir computing", Neurocomputing 461 (2021) 705, which compares
it before and after plasticity. Here distances are averages over a run, which is a choice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.reservoir import Reservoir

__all__ = ["InputSeparation", "input_separation"]

Values = NDArray[np.float64]
LEVELS = (0.01, 0.03, 0.1, 0.3, 1.0)


@dataclass(frozen=True)
class InputSeparation:
    """Distances of inputs, and of the states they lead to.

    Attributes
    ----------
    inputs : float64 array (M,)
        Root mean square distance of two series of inputs, in deviations of the inputs.
    states : float64 array (M,)
        The same of the states, in deviations of the states.
    """

    inputs: Values
    states: Values

    @property
    def ratios(self) -> Values:
        """State over input distance; all alike if the reservoir is linear.

        Above 1 at small distances: alike inputs are driven apart, noise with them. Far below 1:
        inputs that differ are hardly told apart.
        """
        return np.divide(
            self.states, self.inputs, out=np.zeros_like(self.states), where=self.inputs > 0
        )


def input_separation(
    reservoir: Reservoir,
    inputs: ArrayLike,
    levels: Sequence[float] = LEVELS,
    *,
    washout: int = 100,
    rng: np.random.Generator | None = None,
) -> InputSeparation:
    """Run a reservoir on a series, and on series from alike to unrelated.

    The other series are ``u + s (w - u)``, w being the same samples in another order and s a level:
    they stay in the range of the inputs. Runs start alike.

    Parameters
    ----------
    reservoir : Reservoir
        Of any kind, before or after its weights are adapted.
    inputs : array (T, K)
        Values, or codes: then the other series are rounded, and a level may make no difference.
    levels : sequence of float
        Above 0 and at most 1.
    washout : int
        First samples left out.
    rng : numpy.random.Generator, optional
        Draws the order; seed 0 by default, so that two reservoirs see the same series.

    Raises
    ------
    DesignError
        If a number is out of range, or inputs or states do not vary.
    """
    signal = np.asarray(inputs)
    if not levels or not all(0 < level <= 1 for level in levels):
        raise DesignError(f"levels must be above 0 and at most 1, not {tuple(levels)}")
    if not 0 <= washout < len(signal):
        raise DesignError(f"washout must be from 0 to {len(signal) - 1}, not {washout}")
    draw = np.random.default_rng(0) if rng is None else rng
    other = signal[draw.permutation(len(signal))]
    plain = reservoir.run(signal)[washout:].astype(np.float64)
    spread = np.sqrt(plain.var(axis=0).mean())
    varied = np.sqrt(signal[washout:].var(axis=0).mean())
    if spread == 0 or varied == 0:
        raise DesignError("inputs and states must vary for a separation, not stay where they are")
    apart = []
    for level in levels:
        mixed = signal + level * (other - signal)
        if signal.dtype.kind in "iu":
            mixed = np.rint(mixed).astype(signal.dtype)
        moved = reservoir.run(mixed)[washout:]
        apart.append(
            (
                np.sqrt(np.mean((mixed - signal)[washout:] ** 2)) / varied,
                np.sqrt(np.mean((moved - plain) ** 2)) / spread,
            )
        )
    table = np.array(apart, dtype=np.float64).T
    return InputSeparation(table[0], table[1])
