"""When plasticity stops: once a readout no longer errs less on samples that it was not fitted to.

These are the last part of the samples that the rule was given, which are training samples: so
neither validation nor test samples of a task are read. The rule learns from the part before.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.metrics import nmse

__all__ = ["Stopping"]

Values = NDArray[np.float64]
CUTOFF = 1e-8  # of the largest singular value of the states: what the readout does not resolve


@dataclass(frozen=True, eq=False)
class Stopping:
    """Early stopping.

    Parameters
    ----------
    targets : array (T, L), or (T,) if L is 1
        One row per input that the rule is given.
    washout : int
        First samples that the readout is not fitted to.
    held_out : float
        Part of the samples, at the end, that only judge.
    patience : int
        Epochs without a new least error after which the rule stops.

    Raises
    ------
    DesignError
        If a number is out of range.
    """

    targets: ArrayLike
    washout: int = 100
    held_out: float = 0.25
    patience: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.held_out < 1:
            raise DesignError(f"held_out must be between 0 and 1, not {self.held_out}")
        if self.patience < 1:
            raise DesignError(f"patience must be at least 1, not {self.patience}")

    @property
    def parameters(self) -> dict[str, float]:
        """Its numbers, for a record."""
        return {
            "washout": self.washout, "held_out": self.held_out, "patience": self.patience,
        }  # fmt: skip

    def first_held_out(self, samples: int) -> int:
        """Number of the first of the samples that only judge.

        Raises
        ------
        DesignError
            If targets are not one per sample, or too few samples are left on either side.
        """
        given = len(np.asarray(self.targets))
        if given != samples:
            raise DesignError(f"targets must be one per input, {samples}, not {given}")
        first = samples - int(self.held_out * samples)
        if not 0 <= self.washout <= first - 2 or samples - first < 2:
            raise DesignError(
                f"washout must leave at least 2 of the {first} samples that are learnt from, and "
                f"2 must be held out of {samples}, not {self.washout} and {samples - first}"
            )
        return first

    def error(self, states: Values) -> float:
        """NMSE on the held-out samples of a readout of states (T, N) fitted to those before."""
        wanted = np.asarray(self.targets, dtype=np.float64).reshape(len(states), -1)
        first = self.first_held_out(len(states))
        features = np.column_stack([states, np.ones(len(states))])
        fitted = slice(self.washout, first)
        weights = np.linalg.lstsq(features[fitted], wanted[fitted], rcond=CUTOFF)[0]
        return nmse(features[first:] @ weights, wanted[first:])
