"""A linear readout on a crossbar: signed weights as differential pairs, with what goes wrong there.

A weight is the difference of two conductances, one in an array whose currents count positive, one
in an array whose currents count negative; the one that is not needed is at the lowest conductance.
What is done to them, in this order (that of CrossSim):

    weights -> quantised to the levels of a cell -> programming error, or drift where time has
    passed (it replaces the error: drift is measured with it) -> stuck devices
    -> every multiplication anew: read noise

    inputs -> digital-to-analog -> row voltages -> resistance of the wires, solved exactly
    -> difference of the two currents of a pair -> analog-to-digital -> outputs

Each step can be switched off; with all off the outputs are the exact product. This is a readout and
no node: it has no state, and its noise depends on a seed and the number of the sample.
"""

import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.nodes.memristive import cells
from rchw.nodes.memristive.wires import transfer
from rchw.nodes.noise import normals, uniforms
from rchw.nodes.parameters import Parameters, quantity

__all__ = ["Crossbar", "CrossbarParameters", "Product"]

Values = NDArray[np.float64]
_MAX_BITS = 24
_BLOCK = 2**18  # noisy conductances that are held at once
_PROGRAM, _STUCK, _READ = 1, 2, 3  # streams of random numbers
_PCM = "IBM aihwkit, inference noise of PCM, code"


@dataclass(frozen=True)
class CrossbarParameters(Parameters):
    """Of the crossbar; here each is one value, for devices differ by their errors."""

    low_conductance: float = quantity(0.0, "S", _PCM, least=0)
    high_conductance: float = quantity(25e-6, "S", _PCM, above=0)
    read_voltage: float = quantity(
        0.2, "V", "chosen: at full scale, read-safe", loose=True, above=0
    )
    wire: float = quantity(
        0.0, "ohm", "ideal wires; 0.35 ohm a segment is IBM aihwkit's default", least=0
    )
    first_reading: float = quantity(20.0, "s", _PCM + " (t_0)", above=0)
    reading_time: float = quantity(250e-9, "s", _PCM + " (t_read)", above=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        for fact in self.facts():
            if isinstance(getattr(self, fact.name), tuple):
                words = fact.name.replace("_", " ")
                raise DesignError(f"{words} must be one value in a crossbar, not one per device")
        if not self.low_conductance < self.high_conductance:
            raise DesignError(
                f"high conductance must be above the low one, not {self.high_conductance:g} S "
                f"beside {self.low_conductance:g} S"
            )


@dataclass(frozen=True)
class Product:
    """Result of a multiplication.

    Attributes
    ----------
    values : float64 array (T, L)
        Outputs, in the unit of weights times inputs.
    currents : float64 array (T, L)
        Differences of the currents of each pair, in ampere, before the converter.
    clipped_inputs, clipped_outputs : int
        How many lay outside the ranges of the converters.
    """

    values: Values
    currents: Values
    clipped_inputs: int
    clipped_outputs: int


@dataclass(frozen=True, eq=False)
class Crossbar:
    """Weights (L, N) programmed into two arrays of N rows and L columns.

    Parameters
    ----------
    weights : array (L, N)
    parameters : CrossbarParameters
        Its `wire` switches the resistance of the wires.
    kind : str
        Of the devices: ``ideal``, ``pcm`` or ``rram``; see `rchw.nodes.memristive.cells`.
    cell_bits : int, optional
        A cell has ``2**cell_bits`` levels; None programs exactly.
    time : float
        Seconds since programming: 0, or a time for which the kind has a law.
    stuck_low, stuck_high, stuck_open : float
        Share of devices that stay at the lowest conductance, at the highest, at 0.
    read_noise : float
        Standard deviation of each device's conductance, as a share of it, at each multiplication.
    flicker : bool
        Whether the 1/f noise of ``pcm`` is added to it.
    dac_bits, adc_bits : int, optional
        Of the converters, 2 to 24, ``2**bits - 1`` levels on both sides of 0; None is exact and has
        no range.
    input_bound : float
        Input that becomes the read voltage, where the digital-to-analog converter ends.
    current_bound : float, optional
        End of the range of the analog-to-digital converters, in ampere; `fitted` finds it.
    seed : int
    """

    weights: Values
    parameters: CrossbarParameters = field(default_factory=CrossbarParameters)
    kind: str = "ideal"
    cell_bits: int | None = None
    time: float = 0.0
    stuck_low: float = 0.0
    stuck_high: float = 0.0
    stuck_open: float = 0.0
    read_noise: float = 0.0
    flicker: bool = False
    dac_bits: int | None = None
    adc_bits: int | None = None
    input_bound: float = 1.0
    current_bound: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        given = np.array(self.weights, dtype=np.float64)
        if given.ndim != 2 or not given.size:
            raise DesignError(f"weights must have shape (L, N), not {given.shape}")
        if not np.isfinite(given).all():
            raise DesignError("weights must be finite, not NaN or infinite")
        if not given.any():
            raise DesignError("weights must have one that is not 0, not be 0 throughout")
        given.flags.writeable = False
        object.__setattr__(self, "weights", given)
        if self.kind not in cells.KINDS:
            raise DesignError(f"kind must be one of {', '.join(cells.KINDS)}, not {self.kind!r}")
        if self.flicker and self.kind != "pcm":
            raise DesignError(f"flicker must be of pcm, not of {self.kind}")
        for name, least in (("cell_bits", 1), ("dac_bits", 2), ("adc_bits", 2)):
            bits = getattr(self, name)
            if bits is not None and not least <= bits <= _MAX_BITS:
                words = name.replace("_bits", "").replace("dac", "DAC").replace("adc", "ADC")
                raise DesignError(f"{words} bits must be from {least} to {_MAX_BITS}, not {bits}")
        stuck = (self.stuck_low, self.stuck_high, self.stuck_open)
        if not (min(stuck) >= 0 and sum(stuck) <= 1):
            raise DesignError(
                f"shares of stuck devices must be at least 0 and sum to 1, not {stuck}"
            )
        for name in ("time", "read_noise"):
            if not 0 <= getattr(self, name) < math.inf:
                words = name.replace("_", " ")
                raise DesignError(
                    f"{words} must be finite and at least 0, not {getattr(self, name)}"
                )
        for name in ("input_bound", "current_bound"):
            bound = getattr(self, name)
            if bound is not None and not 0 < bound < math.inf:
                raise DesignError(
                    f"{name.replace('_', ' ')} must be finite and above 0, not {bound}"
                )
        if self.seed < 0:
            raise DesignError(f"seed must be at least 0, not {self.seed}")
        if self.time:  # refused here, not at the first multiplication
            self._drifted(self.targets)

    @property
    def scale(self) -> float:
        """Output per ampere."""
        p = self.parameters
        span = p.high_conductance - p.low_conductance
        return float(np.abs(self.weights).max()) * self.input_bound / (p.read_voltage * span)

    @cached_property
    def targets(self) -> Values:
        """Conductances to be programmed, levels included, in siemens; (2, N, L)."""
        p = self.parameters
        low, high = p.low_conductance, p.high_conductance
        shares = self.weights.T / np.abs(self.weights).max()
        both = low + (high - low) * np.stack([np.maximum(shares, 0), np.maximum(-shares, 0)])
        return cells.quantize(both, low, high, self.cell_bits)

    @cached_property
    def conductances(self) -> Values:
        """What the devices have become, before noise, in siemens; (2, N, L)."""
        p, shape = self.parameters, self.targets.shape
        if self.time:
            found = self._drifted(self.targets)
        else:
            found = cells.program(self.targets, p.high_conductance, self.kind, self._drawn())
        chance = uniforms(1, self.targets.size, 0, self.seed, stream=_STUCK).reshape(shape)
        below = 0.0
        for share, stays in (
            (self.stuck_low, p.low_conductance),
            (self.stuck_high, p.high_conductance),
            (self.stuck_open, 0.0),
        ):
            found[(chance >= below) & (chance < below + share)] = stays
            below += share
        return found

    def multiply(self, inputs: ArrayLike, first: int = 0) -> Values:
        """Outputs of inputs (T, N), shape (T, L); see `measure`."""
        return self.measure(inputs, first).values

    def measure(self, inputs: ArrayLike, first: int = 0) -> Product:
        """Multiply, and say what was clipped.

        Parameters
        ----------
        inputs : array (T, N)
        first : int
            Number of the first sample, which its read noise depends on.

        Raises
        ------
        DesignError
            If the shape is wrong, an input is not finite, or the range of the analog-to-digital
            converters is not known.
        """
        values = np.asarray(inputs, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] != self.weights.shape[1]:
            raise DesignError(
                f"inputs must have shape (T, {self.weights.shape[1]}), not {values.shape}"
            )
        if not np.isfinite(values).all():
            raise DesignError("inputs must be finite, not NaN or infinite")
        played, clipped_inputs = _converted(values, self.input_bound, self.dac_bits)
        currents = self._currents(played * (self.parameters.read_voltage / self.input_bound), first)
        if self.adc_bits is not None and self.current_bound is None:
            raise DesignError("ADC must have a current bound, but none is given or fitted")
        seen, clipped = _converted(currents, self.current_bound or 1.0, self.adc_bits)
        return Product(seen * self.scale, currents, clipped_inputs, clipped)

    def fitted(self, inputs: ArrayLike, margin: float = 0.05) -> "Crossbar":
        """Take the ranges of both converters from training inputs (T, N).

        Parameters
        ----------
        inputs : array (T, N)
        margin : float
            Share by which the range of the currents is wider than those that occur.
        """
        greatest = float(np.abs(np.asarray(inputs, dtype=np.float64)).max())
        if not 0 < greatest < math.inf:
            raise DesignError(f"inputs must be finite and not all 0 to fit, not up to {greatest:g}")
        scaled = replace(self, input_bound=greatest, adc_bits=None)
        largest = float(np.abs(scaled.measure(inputs).currents).max())
        if not largest > 0:
            raise DesignError("currents must not all be 0 to fit the range of the ADC")
        return replace(scaled, adc_bits=self.adc_bits, current_bound=(1 + margin) * largest)

    @cached_property
    def _transfers(self) -> Values:
        """Without read noise: differences of currents per volt, (N, L)."""
        return self._difference(self.conductances)

    def _difference(self, conductances: Values) -> Values:
        wire = self.parameters.wire
        return transfer(conductances[0], wire) - transfer(conductances[1], wire)

    def _currents(self, voltages: Values, first: int) -> Values:
        """Of pairs, (T, N) -> (T, L)."""
        if not (self.read_noise or self.flicker):
            return _summed(voltages, self._transfers[None])
        now = self.conductances
        block = max(1, _BLOCK // now.size)
        found = [np.zeros((0, self.weights.shape[0]))]
        for t in range(0, len(voltages), block):
            part = voltages[t : t + block]
            noisy = self._noisy(len(part), first + t)
            if self.parameters.wire:
                pairs = np.stack([self._difference(each) for each in noisy])
            else:
                pairs = noisy[:, 0] - noisy[:, 1]
            found.append(_summed(part, pairs))
        return np.concatenate(found)

    def _noisy(self, samples: int, first: int) -> Values:
        """Conductances as each multiplication finds them, (T, 2, N, L)."""
        p, now = self.parameters, self.conductances
        deviation = self.read_noise * now
        if self.flicker:
            time = max(self.time, p.first_reading)
            slow = cells.flicker_deviation(now, p.high_conductance, time, p.reading_time)
            deviation = np.hypot(deviation, slow)
        drawn = normals(samples, now.size, first, self.seed, stream=_READ)
        return np.maximum(now + deviation * drawn.reshape(samples, *now.shape), 0.0)

    def _drawn(self) -> Values:
        return normals(1, self.targets.size, 0, self.seed, stream=_PROGRAM).reshape(
            self.targets.shape
        )

    def _drifted(self, targets: Values) -> Values:
        p = self.parameters
        return cells.drift(
            targets, p.high_conductance, self.kind, self.time, p.first_reading, self._drawn()
        )


def _summed(voltages: Values, pairs: Values) -> Values:
    """Currents of (T, N) volts through (T or 1, N, L) siemens, (T, L).

    Row by row (no BLAS): a chunk gives the same bits as the whole.
    """
    currents = np.zeros((len(voltages), pairs.shape[2]))
    for n in range(pairs.shape[1]):
        currents += voltages[:, n, None] * pairs[:, n]
    return currents


def _converted(values: Values, bound: float, bits: int | None) -> tuple[Values, int]:
    """Nearest level of a converter from -bound to bound, and how many values lay outside."""
    if bits is None:
        return values, 0
    steps = 2 ** (bits - 1) - 1
    codes = np.clip(np.floor(values / bound * steps + 0.5), -steps, steps)
    return np.asarray(codes * (bound / steps)), int(np.count_nonzero(np.abs(values) > bound))
