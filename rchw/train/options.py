"""What a user fixes (`TrainOptions`) and what the search chooses (`Hyperparameters`)."""

import re
from dataclasses import dataclass

from rchw.errors import DesignError
from rchw.fixed import Rounding

__all__ = ["LEAST_UNITS", "LINES", "RESERVOIRS", "WINDOWS", "Hyperparameters", "TrainOptions"]

RESERVOIRS = (
    "cycle", "delay-line", "delay-line-feedback", "cycle-jumps", "integer", "euler-ring"
)  # fmt: skip
LINES = ("delay-line", "delay-line-feedback")  # not closed: no Fourier bin of signs to lose
LEAST_UNITS = {"delay-line-feedback": 3, "cycle-jumps": 4, "euler-ring": 3}  # else 1
WINDOWS = 16  # sign patterns that a search looks at


def _one_of(what: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise DesignError(f"{what} must be one of {', '.join(allowed)}, not {value!r}")


def _within(what: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise DesignError(f"{what} must be from {low} to {high}, not {value}")


@dataclass(frozen=True)
class TrainOptions:
    """Fixed by the user before training; the names are those of the command line.

    Parameters
    ----------
    reservoir : str
        ``cycle``, ``delay-line``, ``delay-line-feedback``, ``cycle-jumps``, ``integer`` or
        ``euler-ring``.
    units, lanes : int
        N and P.
    input_bits : int, optional
        8 if not given; for ``integer`` with bipolar codes the fewest that hold the amplitude.
    readout_bits, output_bits : int
    state_bits : int, optional
        8 if not given, for ``euler-ring`` 12; for ``integer`` the fewest that hold kappa.
    activation : str
        ``clip``, ``pwl`` or ``table``; ``clip`` for ``integer``.
    leak_shift : int
        0 replaces the state.
    squares, input_features : bool
        Whether the readout also sees squared states, and the input codes.
    kappa : int, optional
        Clip of ``integer``; searched if not given.
    bounded : int, optional
        Samples of a sequence in which no state of an ``euler-ring`` can saturate: its format then
        grows by as many bits as that takes. Without it states saturate where `state_bits` end.
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
    leak_shift: int = 0
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
        _within("leak shift", self.leak_shift, 0, 15)
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

    def _refuse_without_effect(self) -> None:
        """Refuse what was asked for and would be ignored."""
        reservoir = f"reservoir {self.reservoir}"
        euler = self.reservoir == "euler-ring"
        if self.bounded is not None and not euler:
            raise DesignError(f"bounded must be left out for {reservoir}, not {self.bounded}")
        if self.leak_shift and euler:
            raise DesignError(f"leak shift must be 0 for {reservoir}, not {self.leak_shift}")
        if self.reservoir != "integer":
            idle = {"kappa": (self.kappa, reservoir)}
            if self.weights == "integer":
                idle["levels"] = (self.levels, "weights integer")
        else:
            idle = {"levels": (self.levels, reservoir), "bias": (self.bias, reservoir)}
            for what, value, only in (
                ("activation", self.activation, "clip"),
                ("weights", self.weights, "shift-add"),
            ):
                if value != only:
                    raise DesignError(f"{what} must be {only} for {reservoir}, not {value}")
        for what, (given, owner) in idle.items():
            if given is not None:
                raise DesignError(f"{what} must be left out for {owner}, not {given}")


@dataclass(frozen=True)
class Hyperparameters:
    """Chosen by the search, at the given widths; all magnitudes are multiples of 2**-12.

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
        ring decides which products of past inputs squares can tell apart.
    backward, jump_weight : float
    jump_length : int
    kappa, amplitude : int
        Clip of the integer ring, and largest code of its bipolar input.
    input_coding : str
        Of the integer ring: ``level`` (thresholds) or ``bipolar`` (signs times code).
    step, diffusion : float
        Of the Euler ring, whose coupling is `feedback`.
    headroom : int
        Bits of an Euler ring's states beyond those that hold -1 to 1.
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

    def __post_init__(self) -> None:
        _one_of("bias signs", self.bias_signs, ("same", "independent", "none"))
        _one_of("input coding", self.input_coding, ("level", "bipolar"))
        _within("window", self.window, 0, 63)
        _within("headroom", self.headroom, 0, 12)
        _within("kappa", self.kappa, 1, (1 << 23) - 1)
        _within("amplitude", self.amplitude, 1, (1 << 22) - 1)
