"""What is fixed of a network that is trained in its recurrence, before anything is drawn."""

from dataclasses import dataclass

import numpy as np

from rchw.errors import DesignError
from rchw.layers import check_range

__all__ = ["ACTIVATIONS", "TEACHINGS", "ForceOptions"]

TEACHINGS = ("force", "full-force", "partial-force")
ACTIVATIONS = ("pwl", "table", "clip")


@dataclass(frozen=True)
class ForceOptions:
    """What is fixed of a network that is trained in its recurrence.

    Attributes
    ----------
    teaching : str
        ``force``, ``full-force`` or ``partial-force``.
    units : int
        N, from 2.
    density : float
        Share of J that is not 0.
    gain : float
        g: J has entries of standard deviation ``g / sqrt(density N)``. Above 1 the untaught network
        is chaotic; the paper has 1.5.
    feedback_scaling : float
        v is uniform to plus and minus this; of the targets in full scales of the output, of which
        they fill four fifths.
    input_scaling : float
        V is uniform to plus and minus this; of inputs within -1 to 1.
    leak_shift : int
        S.
    alpha : float
        ``P(0) = I / alpha``.
    every : int
        Samples from update to update.
    trained_units : int or None
        M, of ``partial-force``: how many units learn their weights.
    activation : str
        ``pwl``, whose real function the float network has; ``table``, tanh; or ``clip``.
    weight_bits : int
        Of J, of which the network has the codes from the start.
    seed : int
    """

    teaching: str = "force"
    units: int = 300
    density: float = 0.1
    gain: float = 1.5
    feedback_scaling: float = 2.0
    input_scaling: float = 1.0
    leak_shift: int = 2
    alpha: float = 1.0
    every: int = 2
    trained_units: int | None = None
    activation: str = "pwl"
    weight_bits: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        for what, value, known in (
            ("teaching", self.teaching, TEACHINGS),
            ("activation", self.activation, ACTIVATIONS),
        ):
            if value not in known:
                raise DesignError(f"{what} must be one of {', '.join(known)}, not {value!r}")
        check_range("units", self.units, 2, 4096)
        check_range("leak shift", self.leak_shift, 0, 15)
        check_range("samples from update to update", self.every, 1, 2**31 - 1)
        if self.seed < 0:
            raise DesignError(f"seed must be at least 0, not {self.seed}")
        if not 0 < self.density <= 1:
            raise DesignError(f"density must be above 0 and at most 1, not {self.density}")
        for what, number in (("gain", self.gain), ("alpha", self.alpha)):
            if not 0 < number < np.inf:
                raise DesignError(f"{what} must be above 0 and finite, not {number}")
        for what, number in (
            ("feedback scaling", self.feedback_scaling),
            ("input scaling", self.input_scaling),
        ):
            if not 0 <= number < np.inf:
                raise DesignError(f"{what} must be at least 0 and finite, not {number}")
        if (self.trained_units is not None) != (self.teaching == "partial-force"):
            rule = "given" if self.teaching == "partial-force" else "left out"
            raise DesignError(
                f"trained units must be {rule} for {self.teaching}, not {self.trained_units}"
            )
        if self.trained_units is not None:
            check_range("trained units", self.trained_units, 0, self.units)

    @property
    def trained(self) -> int:
        """M: none of ``force``, all of ``full-force``."""
        return {"force": 0, "full-force": self.units}.get(self.teaching, self.trained_units or 0)
