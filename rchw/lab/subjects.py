"""What `rchw metrics` measures: a reservoir of any kind, inputs that suit it, and its ranges."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.activation import PiecewiseLinear
from rchw.design import Design
from rchw.document import digest
from rchw.errors import DesignError
from rchw.lab.trial import Condition
from rchw.layers import ExternalLayer
from rchw.metrics import EchoConditions, echo_conditions
from rchw.model import DeepModel
from rchw.model.recurrence import FloatModel
from rchw.nodes import PhysicalReservoir
from rchw.nodes.digital import ReservoirNode
from rchw.nodes.presets import NodeInfo, Point, Preset, Size
from rchw.reference import ReferenceReservoir
from rchw.reservoir import Reservoir
from rchw.units import MatrixLayer, RingLayer

__all__ = ["Subject", "of_design", "of_model", "of_node"]

Values = NDArray[np.float64]
_WIDEST = 300  # units of a layer, up to which the Schur condition is searched for
_CODES_MOVED = 8.0  # of a state of 6 bits or more; of fewer, an eighth of the range


@dataclass(frozen=True, eq=False)
class Subject:
    """A reservoir, and what has to be known to measure it.

    Attributes
    ----------
    facts : dict
        What it is, JSON-ready.
    reservoir : Reservoir
    low, high : arrays (K,)
        Ends of the inputs: values, or codes.
    integer : bool
        Whether inputs and states are codes.
    sizes : tuple of int
        Units of each layer.
    rails : (array (N,), array (N,)) or None
        Ends of each unit's states; None where nothing but the run tells.
    bits : int or None
        Of a state.
    size, least : float or None
        How far a perturbation moves a state, and what counts as none, see
        `rchw.metrics.perturbation_exponent`.
    tolerance : float or None
        Within which two runs are one, see `rchw.metrics.echo_index`.
    conditions : tuple of EchoConditions, or str
        Of each layer; or why there are none.
    noise : float or None
        Deviation of the noise of a state, see `rchw.metrics.state_rank`; None where there is none.
    """

    facts: dict[str, Any]
    reservoir: Reservoir
    low: NDArray[Any]
    high: NDArray[Any]
    integer: bool
    sizes: tuple[int, ...]
    rails: tuple[Values, Values] | None = None
    bits: int | None = None
    size: float | None = None
    least: float | None = None
    tolerance: float | None = None
    conditions: tuple[EchoConditions, ...] | str = "not known"
    noise: float | None = None

    def inputs(self, samples: int, rng: np.random.Generator) -> NDArray[Any]:
        """Independent samples, uniform between the ends of every channel; (T, K)."""
        shape = (samples, self.reservoir.n_inputs)
        if self.integer:
            return rng.integers(self.low, self.high + 1, shape)
        return rng.uniform(self.low, self.high, shape)

    @property
    def ends(self) -> tuple[float, float]:
        """Ends of the first channel, for polynomials: codes stand for the cells around them."""
        rim = 0.5 if self.integer else 0.0
        return float(self.low[0]) - rim, float(self.high[0]) + rim

    def levels(self, count: int) -> NDArray[Any]:
        """Inputs that stand for so many symbols: levels of the first channel, others mid-way."""
        table = np.tile((self.low + self.high) / 2.0, (count, 1))
        table[:, 0] = np.linspace(self.low[0], self.high[0], count)
        return np.rint(table).astype(np.int64) if self.integer else table


def of_design(design: Design, make: Callable[[Design], Reservoir] = ReferenceReservoir) -> Subject:
    """The integers of a design; all codes of every input are equally likely.

    Parameters
    ----------
    design : Design
    make : callable
        What runs them: the reference, or the circuit, `rchw.sim.reservoir.CircuitReservoir`.

    Raises
    ------
    DesignError
        If the states come from outside, or there is no input.
    """
    reservoir = make(design)
    if not design.n_inputs:
        raise DesignError(f"design {design.name} must have an input to be measured, not run alone")
    formats = [channel.format for channel in design.beat]
    layers = [layer for layer in design.layers if not isinstance(layer, ExternalLayer)]
    states = [layer.state for layer in layers for _ in range(layer.n_units)]
    return Subject(
        facts={"kind": "design", "name": design.name, "digest": digest(design),
               "families": [layer.family for layer in layers]},
        reservoir=reservoir,
        low=np.array([fmt.min for fmt in formats]),
        high=np.array([fmt.max for fmt in formats]),
        integer=True,
        sizes=tuple(layer.n_units for layer in layers),
        rails=(np.array([float(fmt.min) for fmt in states]),
               np.array([float(fmt.max) for fmt in states])),
        bits=max(layer.state.width for layer in layers),
        size=min(_codes_moved(layer.state.width) for layer in layers),
        conditions=_of_layers(design, layers),
        noise=1 / np.sqrt(12),
    )  # fmt: skip


def _codes_moved(width: int) -> float:
    return min(_CODES_MOVED, max(1.0, 2.0 ** (width - 3)))


def _of_layers(
    design: Design, layers: list[RingLayer | MatrixLayer]
) -> tuple[EchoConditions, ...] | str:
    if design.feedback:
        return "outputs are fed back, and their weights are not among those of the units"
    if any(layer.step is not None for layer in layers):
        return "an Euler step keeps the whole state"
    found = []
    for layer in layers:
        gains = np.ones(layer.n_units)
        if layer.gain is not None:
            gains = np.array(layer.gain.codes) / 2.0**layer.gain.format.frac
        if isinstance(layer.activation, PiecewiseLinear):
            gains = gains * 2.0 ** -min(shift for _, shift, _ in layer.activation.segments)
        weights = np.zeros((layer.n_units, layer.n_units))
        for unit, row in enumerate(layer.connections):
            for source, code in row:
                weights[unit, source] = code / 2.0**layer.connection_format.frac
        rates = 2.0 ** -np.array(layer.leak_shifts, dtype=np.float64)
        found.append(_conditions(gains[:, None] * weights, rates))
    return tuple(found)


def _conditions(weights: Values, rates: Values) -> EchoConditions:
    return echo_conditions(weights, rates, search=len(weights) <= _WIDEST)


def of_model(model: FloatModel | DeepModel) -> Subject:
    """A model in floating point, its inputs uniform from -1 to 1."""
    layers = _flat(model)
    return Subject(
        facts={"kind": "model", "name": type(model).__name__},
        reservoir=model,
        low=np.full(model.n_inputs, -1.0),
        high=np.ones(model.n_inputs),
        integer=False,
        sizes=tuple(layer.n_units for layer in layers),
        conditions=_of_models(layers),
    )


def _flat(model: Reservoir) -> list[Reservoir]:
    if isinstance(model, DeepModel):
        return [layer for part in model.layers for layer in _flat(part)]
    return [model]


def _of_models(layers: list[Reservoir]) -> tuple[EchoConditions, ...] | str:
    found = []
    for layer in layers:
        if not isinstance(layer, FloatModel):
            return "the weights are not known"
        if layer.leak_rates is None:
            return "an Euler step keeps the whole state"
        slope = 0.25 if getattr(layer, "activation", None) == "fermi" else 1.0
        found.append(_conditions(slope * layer.recurrent_weights, layer.leak_rates))
    return tuple(found)


def of_node(
    info: NodeInfo,
    preset: Preset,
    size: Size,
    condition: Condition,
    point: Point | None = None,
    samples: int = 1000,
) -> Subject:
    """A node between its converters, as a preset has it, its inputs uniform from -1 to 1.

    Parameters
    ----------
    info : NodeInfo
    preset : Preset
        One of its presets.
    size : Size
    condition : Condition
        Noise and converter; a digital node has neither.
    point : mapping, optional
        Axes of the preset that are set; the others take their defaults.
    samples : int
        To fit the converters to.

    Raises
    ------
    DesignError
        If the node cannot be built so.
    """
    reservoir = preset.reservoir(size, point)
    drawn = np.random.default_rng([size.seed, 5]).uniform(-1, 1, (samples, size.inputs))
    digital = isinstance(reservoir.node, ReservoirNode)
    fitted = reservoir.fitted(
        drawn,
        snr_decibels=None if digital else condition.snr_decibels,
        adc_bits=None if digital else condition.adc_bits,
    )
    seen = fitted.observation
    rails = None
    if seen.low is not None and seen.high is not None:
        rails = (np.full(fitted.n_units, seen.low), np.full(fitted.n_units, seen.high))
    inner = fitted.node.reservoir if isinstance(fitted.node, ReservoirNode) else None
    layers = [] if inner is None else _flat(inner)
    moved, least, alike, bits = None, None, None, seen.bits
    if isinstance(fitted.node, ReservoirNode) and fitted.node.state_format is not None:
        fmt = fitted.node.state_format
        # Codes under the name of values: distances are those of codes.
        code = 2.0**-fmt.frac / max(float(fitted.run(drawn).std(axis=0).mean()), 2.0**-fmt.frac)
        moved, alike, bits = _codes_moved(fmt.width) * code, max(1e-3, code), fmt.width
        least = code / float(np.sqrt(fitted.n_units))
        ends = [np.full(fitted.n_units, end / 2.0**fmt.frac) for end in (fmt.min, fmt.max)]
        rails = ends[0], ends[1]
    conditions: tuple[EchoConditions, ...] | str = "a device has no weights"
    if inner is not None:
        conditions = _of_models(layers)
        if isinstance(inner, ReferenceReservoir):
            conditions = of_design(inner.design).conditions
    return Subject(
        facts={"kind": "node", "name": info.name, "preset": preset.name, "source": preset.source,
               "point": preset.default() | dict(point or {}),
               "snr_decibels": None if digital else condition.snr_decibels,
               "adc_bits": None if digital else condition.adc_bits,
               "unit": fitted.node.reading_unit},
        reservoir=fitted,
        low=np.full(size.inputs, -1.0),
        high=np.ones(size.inputs),
        integer=False,
        sizes=_sizes(fitted, inner, layers),
        rails=rails,
        bits=bits,
        size=moved,
        least=least,
        tolerance=alike,
        conditions=conditions,
        noise=_noise(fitted),
    )  # fmt: skip


def _sizes(
    reservoir: PhysicalReservoir, inner: Reservoir | None, layers: list[Reservoir]
) -> tuple[int, ...]:
    if isinstance(inner, ReferenceReservoir):
        return tuple(layer.n_units for layer in inner.design.layers)
    return tuple(layer.n_units for layer in layers) or (reservoir.n_units,)


def _noise(reservoir: PhysicalReservoir) -> float | None:
    """Deviation of one reading: of its noise, and of the step of its converter."""
    seen, node = reservoir.observation, reservoir.node
    step = 0.0
    if isinstance(node, ReservoirNode) and node.state_format is not None:
        step = 2.0**-node.state_format.frac
    if seen.bits is not None and seen.low is not None and seen.high is not None:
        step = (seen.high - seen.low) / (2**seen.bits - 1)
    found = float(np.hypot(seen.noise_absolute, step / np.sqrt(12)))
    return found or None
