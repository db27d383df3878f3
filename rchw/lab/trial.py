"""Try a preset on a task: tune it on validation samples, and measure it once on test samples.

The node runs once for each point of its axes; noise, converter and readout are then tried on what
it gave, for every condition in turn. So comparisons over bits and noise cost little more than one.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes import Observation, PhysicalReservoir
from rchw.nodes.observe import Observed
from rchw.nodes.presets import Point, Preset, Size
from rchw.tasks import Task
from rchw.train.linear import LinearReadout, train_linear

__all__ = ["Condition", "Measurement", "Progress", "Trial", "observed", "try_preset"]

Values = NDArray[np.float64]
Progress = Callable[[int, int, float], None]
_DECIBELS = (-100, 300)


@dataclass(frozen=True)
class Condition:
    """How well the states are seen.

    Attributes
    ----------
    snr_decibels : float or None
        Signal-to-noise ratio of the readings; None is without noise.
    adc_bits : int or None
        Of the converter; None reads exactly.
    """

    snr_decibels: float | None = None
    adc_bits: int | None = None

    def __post_init__(self) -> None:
        low, high = _DECIBELS
        if self.snr_decibels is not None and not low <= self.snr_decibels <= high:
            raise DesignError(
                f"signal-to-noise ratio must be from {low} to {high} dB, not {self.snr_decibels:g}"
            )
        Observation(bits=self.adc_bits)  # has a rule for bits

    def __str__(self) -> str:
        noise = "no noise" if self.snr_decibels is None else f"{self.snr_decibels:g} dB"
        bits = "no converter" if self.adc_bits is None else f"{self.adc_bits} bits"
        return f"{noise}, {bits}"


@dataclass(frozen=True)
class Measurement:
    """States that were seen, and what a readout of them reached.

    Attributes
    ----------
    condition : Condition
    readout : LinearReadout
        With its validation error.
    states : Observed
        Of the whole series.
    prediction : float64 array (T, L)
        Of the test samples.
    error : float
        On the test samples, in the task's metric.
    """

    condition: Condition
    readout: LinearReadout
    states: Observed
    prediction: Values
    error: float

    @property
    def clipped(self) -> float:
        """Share of the readings that lay outside the range of the converter."""
        return self.states.clipped / self.states.values.size

    @classmethod
    def of(
        cls, task: Task, condition: Condition, readout: LinearReadout, states: Observed
    ) -> "Measurement":
        """Read the test samples, once, after every choice is made."""
        prediction = readout.predict(states.values[task.test])
        error = float(task.error(prediction, task.targets[task.test]))
        return cls(condition, readout, states, prediction, error)


@dataclass(frozen=True)
class Trial:
    """What a preset reached under one condition.

    Attributes
    ----------
    measurement : Measurement
    point : dict
        What was chosen on the validation samples.
    reservoir : PhysicalReservoir
        Fitted to the training samples.
    candidates, refused : int
        Points tried, and how many of them the node refused.
    """

    measurement: Measurement
    point: dict[str, float]
    reservoir: PhysicalReservoir
    candidates: int
    refused: int

    @property
    def error(self) -> float:
        """On the test samples, in the task's metric."""
        return self.measurement.error


@dataclass(frozen=True)
class _Found:
    point: dict[str, float]
    reservoir: PhysicalReservoir
    readout: LinearReadout


def observed(reservoir: PhysicalReservoir, readings: Values) -> Observed:
    """States of readings (T, N) that began at rest."""
    node = reservoir.node
    return reservoir.observation.observe(readings, node.interval, np.zeros(node.n_devices), 0)


def try_preset(
    task: Task,
    preset: Preset,
    size: Size,
    conditions: Sequence[Condition],
    *,
    tune: bool = True,
    point: Point | None = None,
    observation: Observation | None = None,
    progress: Progress | None = None,
) -> list[Trial]:
    """Try a preset on a task under some conditions, each with its own best point.

    Parameters
    ----------
    task : Task
    preset : Preset
    size : Size
    conditions : sequence of Condition
    tune : bool
        Look at all points of the preset's axes; else only at the default.
    point : mapping, optional
        Axes that are set, and not tuned.
    observation : Observation, optional
        What the noise and the converter of the conditions are added to.
    progress : callable, optional
        Called with (points done, points in all, best validation error so far).

    Raises
    ------
    DesignError
        If the node refuses every point; the sentence is that of the first.
    """
    if preset.bits_axis is None:
        return _try(task, preset, size, conditions, tune, point, observation, progress)
    # The states are codes of some bits: those are the converter's, and there is no noise.
    axis = preset.bits_axis
    if axis in (point or {}):
        raise DesignError(f"{axis} must be left to the bits of the converter, not be set")
    wanted = [condition.adc_bits or int(preset.default()[axis]) for condition in conditions]
    by_bits: dict[int, Trial] = {}
    for bits in dict.fromkeys(wanted):
        exact = Observation(bits=bits, low=-1.0, high=1.0)
        fixed = dict(point or {}) | {axis: float(bits)}
        seen = Condition(None, bits)
        show = _part(progress, len(by_bits), len(set(wanted)))
        (found,) = _try(task, preset, size, (Condition(),), tune, fixed, exact, show)
        by_bits[bits] = replace(found, measurement=replace(found.measurement, condition=seen))
    return [by_bits[bits] for bits in wanted]


def _part(progress: Progress | None, done: int, parts: int) -> Progress | None:
    """Progress of one of so many equal parts, as that of the whole."""
    if progress is None:
        return None
    return lambda k, points, best: progress(done * points + k, parts * points, best)


def _try(
    task: Task,
    preset: Preset,
    size: Size,
    conditions: Sequence[Condition],
    tune: bool,
    point: Point | None,
    observation: Observation | None,
    progress: Progress | None,
) -> list[Trial]:
    """Try a preset whose states a converter reads; see `try_preset`."""
    fixed = dict(point or {})
    preset.check(fixed)
    points = [
        p for p in preset.points() if all(p[name] == preset.default()[name] for name in fixed)
    ]
    points = [p | fixed for p in points] if tune else [preset.default() | fixed]
    best: list[_Found | None] = [None] * len(conditions)
    reason: DesignError | None = None
    refused = 0
    for done, each in enumerate(points, start=1):
        try:
            found = _fit(task, preset.reservoir(size, each), conditions, observation)
        except DesignError as error:
            found, reason, refused = [], reason or error, refused + 1
        for index, (reservoir, readout) in enumerate(found):
            old = best[index]
            if old is None or readout.validation < old.readout.validation:
                best[index] = _Found(each, reservoir, readout)
        if progress is not None:
            known = [one.readout.validation for one in best if one is not None]
            progress(done, len(points), min(known, default=math.inf))
    trials, runs = [], dict[tuple[float, ...], Values]()
    for condition, chosen in zip(conditions, best, strict=True):
        if chosen is None:
            raise reason or DesignError(f"preset {preset.name} must have points, not none")
        key = tuple(chosen.point.values())
        if key not in runs:
            runs[key] = chosen.reservoir.readings(task.inputs)
        states = observed(chosen.reservoir, runs[key])
        measurement = Measurement.of(task, condition, chosen.readout, states)
        trials.append(Trial(measurement, chosen.point, chosen.reservoir, len(points), refused))
    return trials


def _fit(
    task: Task,
    bare: PhysicalReservoir,
    conditions: Sequence[Condition],
    observation: Observation | None,
) -> list[tuple[PhysicalReservoir, LinearReadout]]:
    """Reservoir and readout for every condition, from training and validation samples."""
    if observation is not None:
        bare = replace(bare, observation=observation)
    scaled = replace(bare, drive=bare.drive.fitted(task.inputs[task.train]))
    readings, node = scaled.readings(task.inputs[: task.validation.stop]), bare.node
    found = []
    for condition in conditions:
        seen = bare.observation.matched(
            readings[task.train],
            node.interval,
            node.n_devices,
            snr_decibels=condition.snr_decibels,
            adc_bits=condition.adc_bits,
        )
        reservoir = replace(scaled, observation=seen)
        found.append((reservoir, train_linear(task, observed(reservoir, readings).values)))
    return found
