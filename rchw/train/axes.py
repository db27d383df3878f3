"""What a search may choose of a reservoir: values of every hyperparameter that is left open."""

from typing import Any

from rchw.train.families import EULERS, MATRICES, WINDOWS
from rchw.train.options import TrainOptions

__all__ = ["axes"]

# Sums of at most three powers of two; finer near the edge of memory, where 8-bit states end up.
_FEEDBACK = (
    0.25, 0.5, 0.5625, 0.625, 0.6875, 0.75, 0.8125, 0.84375, 0.875, 0.90625, 0.9375, 0.96875
)  # fmt: skip
# Of integer weights: any multiple of 2**-7, closer together near the edge of memory.
_INTEGER_FEEDBACK = tuple(
    k / 128 for k in (32, 45, 59, 71, 78, 86, 93, 96, 101, 105, 109, 113, 117, 121, 123, 125)
)
_SCALING = (
    0.015625, 0.03125, 0.0625, 0.09375, 0.125, 0.1875, 0.25, 0.375, 0.5, 0.75, 1.0
)  # fmt: skip
# Of matrices: their codes are rounded anyway.
_RADIUS = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0, 1.05, 1.1, 1.25, 1.5)
_EULER_RADIUS = (0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
_LEAK_SHIFTS = (0, 1, 2, 3, 4, 5)
_LEAK_RISES = (0, 1, 2)
# Short sums of powers of two, as rings read each other through them.
_INTER_SCALING = (0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
# Of the Euler ring, and of Euler's steps.
_COUPLING = (0.0625, 0.125, 0.25, 0.375, 0.5, 0.75, 1.0, 1.5, 2.0)
_STEP = (0.015625, 0.03125, 0.0625, 0.125, 0.25, 0.375, 0.5, 0.75, 1.0)
_DIFFUSION = (0.0, 0.03125, 0.0625, 0.125, 0.25, 0.5, 0.75, 1.0)
_BIAS = (0.0, 0.03125, 0.0625, 0.125, 0.1875, 0.25, 0.375, 0.5)


def axes(options: TrainOptions) -> dict[str, tuple[Any, ...]]:
    """Values of every hyperparameter that the options leave open, neighbours side by side."""
    if options.reservoir == "integer":
        top = (1 << ((options.state_bits or 24) - 1)) - 1
        kappas = (options.kappa,) if options.kappa else (1, 3, 7, 15, 31, 63)
        largest = (1 << ((options.input_bits or 24) - 1)) - 1
        return {
            "kappa": tuple(k for k in kappas if k <= top),
            "amplitude": tuple(a for a in (1, 2, 3, 5, 7, 11, 15) if a <= largest),
            "input_coding": ("bipolar", "level"),
        }
    least = 2.0 ** (3 - (options.state_bits or 8))
    drawn = options.weights == "integer"
    choose_levels = options.levels is None and not drawn
    found: dict[str, tuple[Any, ...]] = {
        "feedback": _INTEGER_FEEDBACK if drawn else _FEEDBACK,
        "input_scaling": tuple(v for v in _SCALING if v >= min(least, 0.25)),
        "bias": (0.0,) if options.bias is False else _BIAS[options.bias is True :],
        "bias_signs": ("same", "independent"),
        "levels": (False, True) if choose_levels else (bool(options.levels),),
        "window": tuple(range(WINDOWS)) if options.signs == "auto" else (0,),
    }
    kind, layers = options.kind, len(options.layer_units)
    leaks = options.reservoir == "leaky" or (options.reservoir == "deep" and kind not in EULERS)
    if kind == "delay-line-feedback":
        found["backward"] = (0.03125, 0.0625, 0.125, 0.25)
    if kind in MATRICES:
        del found["feedback"]
        found["radius"] = _EULER_RADIUS if kind == "euler" else _RADIUS
    if leaks and options.leak_shift is None and not options.leak_shifts:
        found["leak_shift"] = _LEAK_SHIFTS
        if layers > 1:
            found["leak_rise"] = _LEAK_RISES
    if layers > 1:
        found["inter_scaling"] = _INTER_SCALING
    if kind == "euler-ring":
        found["feedback"] = _COUPLING
    if kind in EULERS:
        found["step"], found["diffusion"] = _STEP, _DIFFUSION
        if options.bounded is None:
            least = 4 if options.activation == "pwl" else 2  # bits that are left
            most = (options.state_bits or 12) - least
            found["headroom"] = tuple(bits for bits in (0, 1, 2, 3) if bits <= most)
    if kind == "cycle-jumps":
        found["jump_weight"] = (0.0625, 0.125, 0.25, 0.375, 0.5)
        half = options.layer_units[-1] // 2
        found["jump_length"] = tuple(sorted({min(max(v, 2), half) for v in (2, 3, 5, 8, 13, 21)}))
    return found
