"""What a user fixes (`TrainOptions`) and what the search chooses (`Hyperparameters`)."""

import math
import re
from dataclasses import dataclass

from numpy.typing import ArrayLike

from rchw.adapt import Stopping, parse_parameters, parse_stopping
from rchw.errors import DesignError
from rchw.fixed import Rounding
from rchw.matrix import RULES
from rchw.train.budget import Each, ReadoutBudgets
from rchw.train.digits import MAX_TABLE_WIDTH
from rchw.train.families import (
    ADAPTABLE,
    EULERS,
    MATRICES,
    RESERVOIRS,
    kind_of,
    layer_sizes,
    one_of,
    parse_range,
    within,
)

__all__ = ["Hyperparameters", "TrainOptions"]

_OWNERS = {
    "kappa": ("integer",),
    "bounded": EULERS,
    "scaling": MATRICES,
    "density": ("leaky",),
    "leak_shifts": ("leaky", "deep"),
    "weight_bits": MATRICES,
    "layers": ("deep",),
    "layer_reservoir": ("deep",),
    "adapt": ADAPTABLE,
}


@dataclass(frozen=True)
class TrainOptions:
    """Fixed by the user before training; the names are those of the command line.

    Parameters
    ----------
    reservoir : str
        ``cycle``, ``delay-line``, ``delay-line-feedback``, ``cycle-jumps``, ``integer``,
        ``euler-ring``, ``leaky``, ``euler`` or ``deep``: layers in series.
    units : int
        N, of all layers: ``floor(N / D)`` in each, and what remains in the first.
    layers : int, optional
        Of ``deep``: D, 1 to 64; 3 if not given.
    layer_reservoir : str, optional
        Of ``deep``: what every layer is, any of the above but ``integer``; ``leaky`` if not given.
        What is said below of a reservoir is true of such layers.
    lanes : int or tuple of int
        P; of ``deep`` of every layer, or one for each.
    input_bits : int, optional
        8 if not given; for ``integer`` with bipolar codes the fewest that hold the amplitude.
    readout_bits : int or tuple of int
        Of all outputs, or of each.
    readout_adders, readout_nonzeros : int or tuple of int, optional
        Budgets of the readout's additions, its weights being sums of signed powers of two, and of
        weights that are not 0: of every output, or one for each. The constant weight is free.
    output_bits : int
    state_bits : int, optional
        8 if not given, for ``euler-ring``, ``leaky``, ``euler`` and ``deep`` 12; for ``integer``
        the fewest that hold kappa.
    activation : str
        ``clip``, ``pwl`` or ``table``; ``clip`` for ``integer``.
    leak_shift : int, optional
        0 replaces the state. Without it ``leaky`` searches it, ``deep`` one for each layer, and
        for all others it is 0.
    leak_shifts : str, optional
        ``A..B``: units of ``leaky`` have shifts from A to B, as many units each; layers of ``deep``
        from A in the first to B in the last.
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
    adapt : str, optional
        A rule of `rchw.adapt.RULES`, by which every candidate is adapted to the training inputs in
        floating point before its readout is trained; not of ``integer`` and of Euler's steps.
    adapt_with : str, optional
        Its parameters, such as ``std=0.2,epochs=5``; those not given have the rule's defaults.
    adapt_stop : str, optional
        Early stopping of a plasticity, such as ``patience=3``, by a readout on held-out training
        samples; parameters of `rchw.adapt.Stopping`. Without it the rule takes all its epochs.
    gain_bits : int, optional
        Of gains and biases that it changes, 2 to 24; 8 if not given.
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
    readout_bits: Each = 12
    readout_adders: Each | None = None
    readout_nonzeros: Each | None = None
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
    adapt: str | None = None
    adapt_with: str | None = None
    adapt_stop: str | None = None
    gain_bits: int | None = None
    signs: str = "auto"
    rounding: str = "truncate"
    lanes: int | tuple[int, ...] = 1
    layers: int | None = None
    layer_reservoir: str | None = None
    multipliers: int | None = None
    encoder: str = "min-max"
    weights: str = "shift-add"
    levels: bool | None = None
    bias: bool | None = None
    search: str = "quick"
    seed: int = 0
    name: str = "reservoir"

    def __post_init__(self) -> None:
        one_of("reservoir", self.reservoir, RESERVOIRS)
        one_of("activation", self.activation, ("clip", "pwl", "table"))
        one_of("signs", self.signs, ("auto", "pi", "random"))
        one_of("rounding", self.rounding, tuple(r.value for r in Rounding))
        one_of("encoder", self.encoder, ("min-max", "mean-std"))
        one_of("weights", self.weights, ("shift-add", "integer"))
        one_of("search", self.search, ("quick", "full", "none"))
        self._check_lanes()
        if self.input_bits is not None:
            within("input bits", self.input_bits, 2, 24)
        self._check_budgets()
        within("output bits", self.output_bits, 2, 24)
        if self.leak_shift is not None:
            within("leak shift", self.leak_shift, 0, 15)
        if self.weight_bits is not None:
            within("weight bits", self.weight_bits, 2, 24)
        if self.scaling is not None:
            one_of("scaling", self.scaling, RULES)
        if self.density is not None and not 0 < self.density <= 1:
            raise DesignError(f"density must be above 0 and at most 1, not {self.density:g}")
        within("seed", self.seed, 0, 2**63 - 1)
        if self.state_bits is not None:
            within("state bits", self.state_bits, 2, 24)
        if self.kappa is not None:
            top = (1 << ((self.state_bits or 24) - 1)) - 1
            within("kappa", self.kappa, 1, top)
        if self.bounded is not None:
            within("bounded", self.bounded, 1, 2**20)
        self._refuse_without_effect()
        if self.adapt is not None:
            parse_parameters(self.adapt, self.adapt_with)
            self.stopping(())
        if self.gain_bits is not None:
            within("gain bits", self.gain_bits, 2, 24)
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", self.name):
            raise DesignError(
                f"name must be a lower-case identifier of at most 40, not {self.name!r}"
            )

    @property
    def budgets(self) -> ReadoutBudgets:
        """Of the readout."""
        return ReadoutBudgets(self.readout_bits, self.readout_adders, self.readout_nonzeros)

    @property
    def leak_range(self) -> tuple[int, int] | None:
        """Ends of the leak shifts, if there are several."""
        return None if self.leak_shifts is None else parse_range(self.leak_shifts)

    @property
    def kind(self) -> str:
        """What each layer is: the reservoir itself, but where it is ``deep``."""
        return kind_of(self.reservoir, self.layer_reservoir)

    @property
    def layer_units(self) -> tuple[int, ...]:
        """Units of every layer, (D,)."""
        return layer_sizes(self.reservoir, self.layers, self.kind, self.units)

    @property
    def layer_lanes(self) -> tuple[int, ...]:
        """Lanes of every layer, (D,)."""
        if isinstance(self.lanes, tuple):
            return self.lanes
        return (self.lanes,) * len(self.layer_units)

    def _check_budgets(self) -> None:
        for what, value, low, high in (
            ("readout bits", self.readout_bits, 2, 24),
            ("readout adders", self.readout_adders, 0, 10**6),
            ("readout nonzeros", self.readout_nonzeros, 1, 10**6),
        ):
            if value is None:
                continue
            for each in (value,) if isinstance(value, int) else value:
                within(what, each, low, high)
        if self.readout_adders is not None and self.budgets.width > MAX_TABLE_WIDTH:
            raise DesignError(
                f"readout bits must be at most {MAX_TABLE_WIDTH} with readout adders, not "
                f"{self.budgets.width}"
            )

    def _check_lanes(self) -> None:
        sizes = self.layer_units
        if isinstance(self.lanes, int):
            within("lanes" + " of every layer" * (len(sizes) > 1), self.lanes, 1, min(sizes))
            return
        if len(self.lanes) != len(sizes):
            several = f", or {len(sizes)} for {len(sizes)} layers" * (self.reservoir == "deep")
            raise DesignError(f"lanes must be one number{several}, not {len(self.lanes)}")
        for number, (lanes, size) in enumerate(zip(self.lanes, sizes, strict=True), start=1):
            within(f"lanes of layer {number}", lanes, 1, size)

    def _refuse_without_effect(self) -> None:
        """Refuse what was asked for and would be ignored."""
        reservoir = f"reservoir {self.reservoir}"
        if self.reservoir == "deep":
            reservoir += f" with {self.kind} layers"
        idle = {
            name: (getattr(self, name), reservoir)
            for name, owners in _OWNERS.items()
            if self.reservoir not in owners and self.kind not in owners
        }
        if self.kind in EULERS:
            idle["leak_shifts"] = (self.leak_shifts, reservoir)
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
        if self.adapt is None:
            names = ("adapt_with", "adapt_stop", "gain_bits")
            idle |= {name: (getattr(self, name), "no adapt") for name in names}
        if self.leak_shifts is not None:
            idle["leak_shift"] = (self.leak_shift, f"leak shifts {self.leak_shifts}")
        for what, (given, owner) in idle.items():
            if given is not None:
                words = what.replace("_", " ")
                raise DesignError(f"{words} must be left out for {owner}, not {given}")
        if self.kind in EULERS and self.leak_shift:
            raise DesignError(f"leak shift must be 0 for {reservoir}, not {self.leak_shift}")
        if self.kind == "euler" and self.scaling == "leaky-radius":
            raise DesignError(
                f"scaling must be radius or circular for {reservoir}, not leaky-radius"
            )
        self._check_leaks()

    def stopping(self, targets: ArrayLike) -> Stopping | None:
        """Early stopping of the rule by the targets (T, L) of its inputs, if it was asked for."""
        if self.adapt is None or self.adapt_stop is None:
            return None
        return parse_stopping(self.adapt, self.adapt_stop, targets)

    def _check_leaks(self) -> None:
        ends, layers = self.leak_range, len(self.layer_units)
        if ends is None or layers > 1:
            return  # of several layers neighbours may have the same shift, or skip some
        most, each = (self.units, "units") if self.reservoir == "leaky" else (1, "layer")
        if ends[1] - ends[0] >= most:
            raise DesignError(
                f"leak shifts must be at most {most} for {most} {each}, not {self.leak_shifts}"
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
        Of ``leaky``, where the options leave it open; of ``deep`` that of the first layer.
    leak_rise : int
        Of ``deep``: by how much the leak shift of a layer exceeds that of the layer before; no
        shift exceeds 15.
    inter_scaling : float
        Of ``deep``: the 2-norm of what a layer reads of the layer before.
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
    leak_rise: int = 1
    inter_scaling: float = 1.0

    def __post_init__(self) -> None:
        one_of("bias signs", self.bias_signs, ("same", "independent", "none"))
        one_of("input coding", self.input_coding, ("level", "bipolar"))
        within("window", self.window, 0, 63)
        within("headroom", self.headroom, 0, 12)
        within("leak shift", self.leak_shift, 0, 15)
        within("leak rise", self.leak_rise, 0, 15)
        for what, value in (("radius", self.radius), ("inter scaling", self.inter_scaling)):
            if not 0 <= value < math.inf:
                raise DesignError(f"{what} must be at least 0 and finite, not {value}")
        within("kappa", self.kappa, 1, (1 << 23) - 1)
        within("amplitude", self.amplitude, 1, (1 << 22) - 1)
