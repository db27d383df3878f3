"""What a user fixes (`TrainOptions`) and what the search chooses (`Hyperparameters`)."""

import math
import re
from dataclasses import dataclass

from rchw.errors import DesignError
from rchw.fixed import Rounding
from rchw.matrix import RULES

__all__ = [
    "EULERS",
    "LEAST_UNITS",
    "MATRICES",
    "OPEN",
    "RESERVOIRS",
    "WINDOWS",
    "Hyperparameters",
    "TrainOptions",
    "parse_range",
]

RESERVOIRS = (
    "cycle", "delay-line", "delay-line-feedback", "cycle-jumps", "integer", "euler-ring", "leaky",
    "euler",
)  # fmt: skip
MATRICES = ("leaky", "euler")
EULERS = ("euler-ring", "euler")
OPEN = ("delay-line", "delay-line-feedback", *MATRICES)  # no ring: no Fourier bin of signs to lose
LEAST_UNITS = {"delay-line-feedback": 3, "cycle-jumps": 4, "euler-ring": 3, "euler": 2}  # else 1
WINDOWS = 16  # sign patterns, and draws of a matrix, that a search looks at
_OWNERS = {
    "kappa": ("integer",),
    "bounded": EULERS,
    "scaling": MATRICES,
    "density": ("leaky",),
    "leak_shifts": ("leaky",),
    "weight_bits": MATRICES,
}


def _one_of(what: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise DesignError(f"{what} must be one of {', '.join(allowed)}, not {value!r}")


def _within(what: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise DesignError(f"{what} must be from {low} to {high}, not {value}")


def parse_range(text: str) -> tuple[int, int]:
    """Both ends of a range of leak shifts.

    Raises
    ------
    DesignError
        If it is none, is empty, or leaves 0 to 15.

    >>> parse_range("1..6")
    (1, 6)
    """
    match = re.fullmatch(r"(\d{1,2})\.\.(\d{1,2})", text)
    ends = tuple(int(part) for part in match.groups()) if match else ()
    if not ends or not 0 <= ends[0] <= ends[1] <= 15:
        raise DesignError(
            f"leak shifts must be A..B with A at most B, both from 0 to 15, not {text[:40]!r}"
        )
    return ends[0], ends[1]


@dataclass(frozen=True)
class TrainOptions:
    """Fixed by the user before training; the names are those of the command line.

    Parameters
    ----------
    reservoir : str
        ``cycle``, ``delay-line``, ``delay-line-feedback``, ``cycle-jumps``, ``integer``,
        ``euler-ring``, ``leaky`` or ``euler``.
    units, lanes : int
        N and P.
    input_bits : int, optional
        8 if not given; for ``integer`` with bipolar codes the fewest that hold the amplitude.
    readout_bits, output_bits : int
    state_bits : int, optional
        8 if not given, for ``euler-ring``, ``leaky`` and ``euler`` 12; for ``integer`` the fewest
        that hold kappa.
    activation : str
        ``clip``, ``pwl`` or ``table``; ``clip`` for ``integer``.
    leak_shift : int, optional
        0 replaces the state. Without it ``leaky`` searches it, and for all others it is 0.
    leak_shifts : str, optional
        ``A..B``: units of ``leaky`` have shifts from A to B, as many units each.
    scaling : str, optional
        What the radius of ``leaky`` and ``euler`` is: ``radius`` (if not given), ``leaky-radius``
        or ``circular``, as of `rchw.model.scaling`; of the first and the last only for ``euler``.
    density : float, optional
        Of ``leaky``: the part of all units that each unit reads, above 0 and at most 1; 1 (if not
        given) is a dense matrix, less a sparse one.
    weight_bits : int, optional
        Of the matrix of ``leaky`` and ``euler``, 2 to 24; 8 if not given.
    squares, input_features : bool
        Whether the readout also sees squared states, and the input codes.
    kappa : int, optional
        Clip of ``integer``; searched if not given.
    bounded : int, optional
        Samples of a sequence in which no state of an ``euler-ring`` or ``euler`` can saturate: its
        format then grows by as many bits as that takes. Without it states saturate where
        `state_bits` end.
    signs : str
        ``auto``, ``pi`` or ``random``.
    rounding : str
        Of states and squares: ``truncate``, ``half-up`` or ``half-even``.
    multipliers : int, optional
        M; the fewest that keep pace with the lanes if not given.
    encoder : str
        ``min-max`` or ``mean-std`` (3 standard deviations at full scale), of the training inputs.
    weights : str
        ``shift-add``, short sums of powers of two, or ``integer``: 8-bit codes, drawn uniformly for
        inputs. ``integer`` reservoirs know ``shift-add`` only, for their weights are 1 and -1.
    levels, bias : bool, optional
        Force input weights of four levels, or a bias, on or off; searched if not given. Neither is
        for ``integer`` reservoirs, nor levels for ``integer`` weights.
    search : str
        ``quick`` (30 candidates), ``full`` (200) or ``none`` (the defaults).
    seed : int
    name : str
        Of the design.

    Raises
    ------
    DesignError
        If a value is not possible, or has no effect on such a reservoir.
    """

    reservoir: str = "cycle"
    units: int = 100
    input_bits: int | None = None
    state_bits: int | None = None
    readout_bits: int = 12
    output_bits: int = 16
    activation: str = "clip"
    leak_shift: int | None = None
    leak_shifts: str | None = None
    scaling: str | None = None
    density: float | None = None
    weight_bits: int | None = None
    squares: bool = False
    input_features: bool = False
    kappa: int | None = None
    bounded: int | None = None
    signs: str = "auto"
    rounding: str = "truncate"
    lanes: int = 1
    multipliers: int | None = None
    encoder: str = "min-max"
    weights: str = "shift-add"
    levels: bool | None = None
    bias: bool | None = None
    search: str = "quick"
    seed: int = 0
    name: str = "reservoir"

    def __post_init__(self) -> None:
        _one_of("reservoir", self.reservoir, RESERVOIRS)
        _one_of("activation", self.activation, ("clip", "pwl", "table"))
        _one_of("signs", self.signs, ("auto", "pi", "random"))
        _one_of("rounding", self.rounding, tuple(r.value for r in Rounding))
        _one_of("encoder", self.encoder, ("min-max", "mean-std"))
        _one_of("weights", self.weights, ("shift-add", "integer"))
        _one_of("search", self.search, ("quick", "full", "none"))
        least = LEAST_UNITS.get(self.reservoir, 1)
        _within("units", self.units, least, 4096)
        _within("lanes", self.lanes, 1, self.units)
        if self.input_bits is not None:
            _within("input bits", self.input_bits, 2, 24)
        _within("readout bits", self.readout_bits, 2, 24)
        _within("output bits", self.output_bits, 2, 24)
        if self.leak_shift is not None:
            _within("leak shift", self.leak_shift, 0, 15)
        if self.weight_bits is not None:
            _within("weight bits", self.weight_bits, 2, 24)
        if self.scaling is not None:
            _one_of("scaling", self.scaling, RULES)
        if self.density is not None and not 0 < self.density <= 1:
            raise DesignError(f"density must be above 0 and at most 1, not {self.density:g}")
        _within("seed", self.seed, 0, 2**63 - 1)
        if self.state_bits is not None:
            _within("state bits", self.state_bits, 2, 24)
        if self.kappa is not None:
            top = (1 << ((self.state_bits or 24) - 1)) - 1
            _within("kappa", self.kappa, 1, top)
        if self.bounded is not None:
            _within("bounded", self.bounded, 1, 2**20)
        self._refuse_without_effect()
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", self.name):
            raise DesignError(
                f"name must be a lower-case identifier of at most 40, not {self.name!r}"
            )

    @property
    def leak_range(self) -> tuple[int, int] | None:
        """Ends of the leak shifts, if there are several."""
        return None if self.leak_shifts is None else parse_range(self.leak_shifts)

    def _refuse_without_effect(self) -> None:
        """Refuse what was asked for and would be ignored."""
        reservoir = f"reservoir {self.reservoir}"
        idle = {
            name: (getattr(self, name), reservoir)
            for name, owners in _OWNERS.items()
            if self.reservoir not in owners
        }
        if self.reservoir == "integer":
            idle |= {"levels": (self.levels, reservoir), "bias": (self.bias, reservoir)}
            for what, value, only in (
                ("activation", self.activation, "clip"),
                ("weights", self.weights, "shift-add"),
            ):
                if value != only:
                    raise DesignError(f"{what} must be {only} for {reservoir}, not {value}")
        elif self.weights == "integer":
            idle["levels"] = (self.levels, "weights integer")
        if self.leak_shifts is not None:
            idle["leak_shift"] = (self.leak_shift, f"leak shifts {self.leak_shifts}")
        for what, (given, owner) in idle.items():
            if given is not None:
                words = what.replace("_", " ")
                raise DesignError(f"{words} must be left out for {owner}, not {given}")
        if self.reservoir in EULERS and self.leak_shift:
            raise DesignError(f"leak shift must be 0 for {reservoir}, not {self.leak_shift}")
        if self.reservoir == "euler" and self.scaling == "leaky-radius":
            raise DesignError(
                f"scaling must be radius or circular for {reservoir}, not leaky-radius"
            )
        ends = self.leak_range
        if ends is not None and ends[1] - ends[0] >= self.units:
            raise DesignError(
                f"leak shifts must be at most {self.units} for {self.units} units, not "
                f"{self.leak_shifts}"
            )


@dataclass(frozen=True)
class Hyperparameters:
    """Chosen by the search, at the given widths; magnitudes but the radius are multiples of 2**-12.

    Parameters
    ----------
    feedback : float
        Weight of the cycle or line.
    input_scaling : float
        Magnitude of the input weights.
    bias : float
        Magnitude of the bias.
    bias_signs : str
        ``same`` (as the first input), ``independent`` or ``none``.
    levels : bool
        Input weights of 1/4, 1/2, 3/4 and 1 times the magnitude.
    window : int
        Signs ``auto`` and levels leave out this many times N digits of pi: which signs meet on the
        ring decides which products of past inputs squares can tell apart. Each window also has a
        matrix of its own.
    backward, jump_weight : float
    jump_length : int
    kappa, amplitude : int
        Clip of the integer ring, and largest code of its bipolar input.
    input_coding : str
        Of the integer ring: ``level`` (thresholds) or ``bipolar`` (signs times code).
    step, diffusion : float
        Of an Euler ring, whose coupling is `feedback`, and of ``euler``.
    headroom : int
        Bits of the states of both beyond those that hold -1 to 1.
    radius : float
        Of the matrix of ``leaky`` and ``euler``, by the convention of the options; at least 0.
    leak_shift : int
        Of ``leaky``, where the options leave it open.
    """

    feedback: float = 0.75
    input_scaling: float = 0.25
    bias: float = 0.125
    bias_signs: str = "same"
    levels: bool = False
    window: int = 0
    backward: float = 0.125
    jump_weight: float = 0.25
    jump_length: int = 5
    kappa: int = 7
    amplitude: int = 3
    input_coding: str = "bipolar"
    step: float = 0.125
    diffusion: float = 0.25
    headroom: int = 1
    radius: float = 0.9
    leak_shift: int = 0

    def __post_init__(self) -> None:
        _one_of("bias signs", self.bias_signs, ("same", "independent", "none"))
        _one_of("input coding", self.input_coding, ("level", "bipolar"))
        _within("window", self.window, 0, 63)
        _within("headroom", self.headroom, 0, 12)
        _within("leak shift", self.leak_shift, 0, 15)
        if not 0 <= self.radius < math.inf:
            raise DesignError(f"radius must be at least 0 and finite, not {self.radius}")
        _within("kappa", self.kappa, 1, (1 << 23) - 1)
        _within("amplitude", self.amplitude, 1, (1 << 22) - 1)
