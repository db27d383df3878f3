"""What is fixed of a float reservoir (`IdealOptions`) and what its search chooses (`IdealPoint`).

The counterpart of `rchw.train.options`: the same names, but values that need no dyadic form.
"""

import math
from dataclasses import dataclass
from typing import Any

from rchw.adapt import parse_parameters
from rchw.errors import DesignError
from rchw.model.ring import ACTIVATIONS
from rchw.train.families import (
    EULERS,
    MATRICES,
    RESERVOIRS,
    WINDOWS,
    kind_of,
    layer_sizes,
    within,
)
from rchw.train.proposals import BUDGETS

__all__ = ["IdealOptions", "IdealPoint", "TunedIdeal", "ideal_axes"]

_FEEDBACK = (0.2, 0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98)
_SCALING = (0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2)
_BIAS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)
_RADIUS = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0, 1.05, 1.1, 1.25, 1.5)
_EULER_RADIUS = (0.1, 0.2, 0.4, 0.7, 0.9, 1.5, 2.0, 3.0, 4.0)
_LEAK_RATE = (1.0, 0.8, 0.6, 0.4, 0.25, 0.15, 0.1, 0.05, 0.03)
_LEAK_RATIO = (1.0, 0.7, 0.5, 0.35, 0.25)
_INTER_SCALING = (0.1, 0.2, 0.4, 0.7, 1.0, 1.4, 2.0, 3.0)


@dataclass(frozen=True)
class IdealOptions:
    """What is fixed before the search.

    Parameters
    ----------
    reservoir : str
        As in `rchw.train.TrainOptions`; ``integer`` means a cycle here, for its clip and its
        weights are what makes it an integer one.
    n_units : int
        N.
    squares : bool
        Whether the readout also sees squared states.
    activation : str
        ``tanh``, ``clip`` or ``linear``.
    levels, bias : bool, optional
        Force input weights of four levels, or a bias, on or off; searched if not given.
    windows : int
        Sign patterns searched; 1 with levels off is the classic reservoir, signs of pi and one
        magnitude.
    encoder : str
        ``min-max`` or ``mean-std`` (3 standard deviations at 1), of the training inputs.
    scaling, density, leak_shifts
        As in `rchw.train.TrainOptions`. Leak rates of a range of shifts are real: their logarithms
        are evenly spread over it. Without a range one rate is searched.
    adapt, adapt_with
        As in `rchw.train.TrainOptions`; the rule works on the float reservoir itself.
    least_regularisation : float
        Smallest lambda tried.
    search : str
        ``quick`` (30 candidates), ``full`` (200) or ``none`` (the defaults).
    seed : int

    Raises
    ------
    DesignError
        If a value is not possible.
    """

    reservoir: str = "cycle"
    n_units: int = 100
    squares: bool = False
    activation: str = "tanh"
    levels: bool | None = None
    bias: bool | None = None
    windows: int = WINDOWS
    encoder: str = "min-max"
    scaling: str | None = None
    density: float | None = None
    leak_shifts: str | None = None
    layers: int | None = None
    layer_reservoir: str | None = None
    adapt: str | None = None
    adapt_with: str | None = None
    least_regularisation: float = 1e-14
    search: str = "quick"
    seed: int = 0

    def __post_init__(self) -> None:
        for what, value, allowed in (
            ("reservoir", self.reservoir, RESERVOIRS),
            ("activation", self.activation, ACTIVATIONS),
            ("encoder", self.encoder, ("min-max", "mean-std")),
            ("search", self.search, tuple(BUDGETS)),
        ):
            if value not in allowed:
                raise DesignError(f"{what} must be one of {', '.join(allowed)}, not {value!r}")
        _ = self.layer_units
        if self.adapt is not None:
            parse_parameters(self.adapt, self.adapt_with)
        elif self.adapt_with is not None:
            raise DesignError(f"adapt with must be left out for no adapt, not {self.adapt_with}")
        within("windows", self.windows, 1, 64)
        if not 0 < self.least_regularisation <= 0.1:
            raise DesignError(
                f"least regularisation must be above 0 and at most 0.1, "
                f"not {self.least_regularisation}"
            )

    @property
    def kind(self) -> str:
        """What each layer is: the reservoir itself, but where it is ``deep``."""
        return kind_of(self.reservoir, self.layer_reservoir)

    @property
    def layer_units(self) -> tuple[int, ...]:
        """Units of every layer, (D,)."""
        return layer_sizes(self.reservoir, self.layers, self.kind, self.n_units)

    def lambdas(self) -> list[float]:
        """Powers of ten from the least regularisation to 0.1."""
        count = round(math.log10(0.1 / self.least_regularisation))
        return [self.least_regularisation * 10.0**k for k in range(count + 1)]


@dataclass(frozen=True)
class IdealPoint:
    """What the search chooses of the reservoir; meanings as in `rchw.train.Hyperparameters`.

    The leak rate of a layer of ``deep`` is `leak_ratio` times that of the layer before.
    """

    feedback: float = 0.75
    input_scaling: float = 0.1
    bias: float = 0.1
    bias_signs: str = "same"
    levels: bool = False
    window: int = 0
    backward: float = 0.1
    jump_weight: float = 0.2
    jump_length: int = 5
    step: float = 0.1
    diffusion: float = 0.25
    radius: float = 0.9
    leak_rate: float = 1.0
    leak_ratio: float = 0.5
    inter_scaling: float = 1.0


@dataclass(frozen=True)
class TunedIdeal:
    """The chosen point, its lambda, and its mean validation error over the tasks."""

    point: IdealPoint
    regularisation: float
    error: float
    candidates: int


def ideal_axes(options: IdealOptions) -> dict[str, tuple[Any, ...]]:
    """Values of every axis that the options leave open, neighbours side by side."""
    axes: dict[str, tuple[Any, ...]] = {
        "feedback": _FEEDBACK,
        "input_scaling": _SCALING,
        "bias": (0.0,) if options.bias is False else _BIAS[options.bias is True :],
        "bias_signs": ("same", "independent"),
        "levels": (False, True) if options.levels is None else (options.levels,),
        "window": tuple(range(options.windows)),
    }
    kind, layers = options.kind, len(options.layer_units)
    if kind in MATRICES:
        del axes["feedback"]
        axes["radius"] = _EULER_RADIUS if kind == "euler" else _RADIUS
    leaks = options.reservoir == "leaky" or (options.reservoir == "deep" and kind not in EULERS)
    if leaks and options.leak_shifts is None:
        axes["leak_rate"] = _LEAK_RATE
        if layers > 1:
            axes["leak_ratio"] = _LEAK_RATIO
    if layers > 1:
        axes["inter_scaling"] = _INTER_SCALING
    if kind == "euler-ring":
        axes["feedback"] = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0)
    if kind in EULERS:
        axes["step"] = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
        axes["diffusion"] = (0.0, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)
    if kind == "delay-line-feedback":
        axes["backward"] = (0.02, 0.05, 0.1, 0.2)
    if kind == "cycle-jumps":
        axes["jump_weight"] = (0.05, 0.1, 0.2, 0.3, 0.5)
        half = options.layer_units[-1] // 2
        axes["jump_length"] = tuple(sorted({min(max(v, 2), half) for v in (2, 3, 5, 8, 13, 21)}))
    return axes
