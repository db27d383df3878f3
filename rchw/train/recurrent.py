"""Train a task's targets into a recurrent network, make a design of it, and leave both alone.

Nothing is searched: what the user fixes is what is trained, on training samples only. The design
begins where they end, so that its free run from the reset is measured on all samples behind.
"""

from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.design import Design
from rchw.errors import DesignError
from rchw.metrics import valid_prediction_time
from rchw.metrics.phase import phase_drift
from rchw.reference import free_beats, run
from rchw.train.driven import cue_onsets, drive_channels, driven_columns, driven_values
from rchw.train.force import ForceNetwork, ForceOptions, History, Progress, given_inputs
from rchw.train.force_design import (
    Widths,
    force_design,
    force_outputs,
    full_scales,
    real_values,
    tune,
)
from rchw.train.full_force import train_force
from rchw.train.search import TrainingTask

__all__ = ["HELD", "Alone", "Recurrent", "alone", "left_alone", "train_recurrent"]

Values = NDArray[np.float64]
HELD = 0.1  # standard deviations: the error of shape up to which an oscillation counts as kept
_REACH = 60  # samples by which the truth is shifted to find the phase


@dataclass(frozen=True, eq=False)
class Recurrent:
    """A trained network and its design.

    Attributes
    ----------
    design : Design
        A reset puts it behind the last training sample. It has a channel for each of `columns`.
    network : ForceNetwork
        In floating point, behind the samples that it was trained on.
    begins : int
        First sample that the network predicts; behind it are those for the integers alone.
    columns : tuple of int
        Inputs of the task that the network is given; none where they are the outputs' past.
    history : History
        Of the network.
    tuning : History or None
        Of the readout on integers.
    """

    design: Design
    network: ForceNetwork
    begins: int
    columns: tuple[int, ...]
    history: History
    tuning: History | None

    def float_run(self, steps: int, inputs: Values | None = None) -> Values:
        """Real outputs (steps, L) of the network left alone, from sample `begins`.

        Where there are `columns`, under real inputs (steps or more, K) of the task, from there on.
        """
        given = driven_values(self.design.inputs, self._given(steps, inputs))
        outputs = self.network.run(steps, inputs=given)[0]
        return real_values(self.design.readout.outputs, outputs)

    def integer_run(self, steps: int, inputs: Values | None = None) -> Values:
        """Real outputs (steps, L) of the design left alone, from its reset.

        Where there are `columns`, under real inputs (steps or more, K), from where training ended.
        """
        return alone(self.design, steps, self._given(steps, inputs))

    def rounded(self, options: ForceOptions, widths: Widths) -> "Recurrent":
        """The same network as a design of other widths, its readout not trained on integers."""
        outputs, channels = self.design.readout.outputs, self.design.inputs
        design = force_design(self.network, options, widths, outputs, channels)
        return replace(self, design=design, tuning=None)

    def _given(self, steps: int, inputs: Values | None) -> Values:
        if not self.columns:
            return np.zeros((steps, 0))
        return given_inputs(None if inputs is None else inputs[:steps, self.columns], steps)


def alone(design: Design, steps: int, inputs: Values) -> Values:
    """Real outputs (steps, L) of a design from its reset, under real inputs (steps, K) if any."""
    beats = design.encode(inputs) if design.inputs else free_beats(design, steps)
    return design.decode(run(design, beats).outputs)


def train_recurrent(
    task: TrainingTask,
    options: ForceOptions,
    widths: Widths,
    integer_samples: int = 0,
    progress: Progress | None = None,
) -> Recurrent:
    """Train on a task's training targets.

    Parameters
    ----------
    task : TrainingTask
        Samples behind the training samples are not read, nor inputs that are the outputs' past
        (`rchw.train.driven.driven_columns`).
    options : ForceOptions
    widths : Widths
    integer_samples : int
        Last training samples, on which the readout of a FORCE design is trained on while its
        integers run (`rchw.train.force_design.tune`).
    progress : callable, optional
        As for `rchw.train.force.learn`, of the network and then of the integers.

    Raises
    ------
    DesignError
        If an option is out of range or means nothing, a target is constant, or the training cannot
        go on.
    """
    if integer_samples and options.teaching != "force":
        raise DesignError(
            f"integer samples must be left out for {options.teaching}, whose matrix is trained, "
            f"not {integer_samples}"
        )
    end = task.train.stop
    begins = end - integer_samples
    if integer_samples < 0 or begins <= task.washout:
        raise DesignError(
            f"integer samples must be from 0 to below the {end - task.washout} training samples "
            f"behind the washout, not {integer_samples}"
        )
    targets = task.targets[:end]
    # The outputs depend on targets and bits alone, and the network is trained in their full scales.
    outputs = force_outputs(targets, widths, task.output_names)
    scaled = full_scales(outputs, targets)
    columns = driven_columns(task.inputs[:end], targets, task.horizon)
    if not columns:
        _refuse_without_inputs(task, options, widths)
    inputs = task.inputs[:end, columns]
    names = [task.input_names[k] if task.input_names else f"u{k}" for k in columns]
    channels = drive_channels(inputs, widths.input_bits, names)
    network, history = train_force(
        options, scaled[:begins], task.washout, progress,
        inputs=driven_values(channels, inputs[:begins]),
    )  # fmt: skip
    design = force_design(network, options, widths, outputs, channels)
    tuning = None
    if integer_samples:
        design, tuning = tune(
            design, network.readout, scaled[begins:], options, progress, inputs[begins:]
        )
    provenance: dict[str, Any] = {
        "task": task.name,
        "split_sha256": task.hashes(),
        "options": asdict(options),
        "widths": asdict(widths),
        "training_samples": begins - task.washout,
        "integer_samples": integer_samples,
        "inputs": names,
        "readout_trained_on": "train",
        "history": history.facts(),
        "tuning": None if tuning is None else tuning.facts(),
    }
    return Recurrent(
        replace(design, provenance=provenance), network, begins, columns, history, tuning
    )


def _refuse_without_inputs(task: TrainingTask, options: ForceOptions, widths: Widths) -> None:
    """Options of inputs, where there are none."""
    for what, value, usual in (
        ("input scaling", options.input_scaling, ForceOptions.input_scaling),
        ("input bits", widths.input_bits, Widths.input_bits),
    ):
        if value != usual:
            raise DesignError(
                f"{what} must be left out for {task.name}, whose inputs are the outputs' past, not "
                f"{value}"
            )


@dataclass(frozen=True)
class Alone:
    """A free run against the truth.

    Attributes
    ----------
    steps : int
    valid : int
        Samples until the error first exceeds 0.4 standard deviations.
    early, whole : float
        Root mean square error over the standard deviation of the truth, of the first tenth of the
        run (or 1000 samples, if that is more) and of all of it.
    shift : int
        Samples by which the end of the run is ahead of the truth; 0 under inputs, which tell the
        time.
    shape : float
        Error of the end of the run after that shift.
    repetitions : tuple of float
        Error from each cue to the next, where inputs are cues.
    driven : bool
        Whether there were inputs.
    """

    steps: int
    valid: int
    early: float
    whole: float
    shift: int
    shape: float
    repetitions: tuple[float, ...] = ()
    driven: bool = False

    @property
    def held(self) -> bool:
        """Whether the target is kept.

        Of an oscillation by itself its shape, in whatever phase; under cues each repetition in
        time, and under other inputs the whole run.
        """
        if not self.driven:
            return self.shape < HELD
        return all(error < HELD for error in self.repetitions or (self.whole,))


def left_alone(outputs: Values, truth: Values, inputs: Values | None = None) -> Alone:
    """Measure a free run (T, L) of at least 20 samples, under inputs (T, K) if there were any."""
    steps = len(outputs)
    if steps < 20:
        raise DesignError(f"steps must be at least 20 to be measured, not {steps}")
    spread = float(np.sqrt(truth.var(axis=0).mean()))
    driven = inputs is not None and inputs.shape[1] > 0

    def error(first: int, last: int) -> float:
        missed = outputs[first:last] - truth[first:last]
        return float(np.sqrt(np.mean(missed**2))) / spread

    last = min(1000, steps // 2)
    shift, shape = 0, error(steps - last, steps)
    if not driven:
        drift = phase_drift(outputs, truth, min(_REACH, steps // 4), last)
        shift, shape = drift.shift, drift.shape
    return Alone(
        steps,
        valid_prediction_time(outputs, truth),
        error(0, min(max(steps // 10, 1000), steps)),
        error(0, steps),
        shift,
        shape,
        tuple(error(*part) for part in _repetitions(inputs, steps)) if inputs is not None else (),
        driven,
    )


def _repetitions(inputs: Values, steps: int) -> list[tuple[int, int]]:
    """From cue to cue; the last counts if it is as long as the shortest of the others."""
    onsets = cue_onsets(inputs)
    parts = list(pairwise([*onsets, steps])) if onsets else []
    shortest = min((end - begin for begin, end in parts[:-1]), default=0)
    return [part for part in parts if part[1] - part[0] >= shortest]
