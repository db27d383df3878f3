"""Train a task's targets into a recurrent network, make a design of it, and leave both alone.

Nothing is searched: what the user fixes is what is trained, on training samples only. The design
begins where they end, so that its free run from the reset is measured on all samples behind.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.design import Design
from rchw.errors import DesignError
from rchw.metrics import valid_prediction_time
from rchw.metrics.phase import phase_drift
from rchw.reference import free_beats, run
from rchw.train.force import ForceNetwork, ForceOptions, History, Progress
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

__all__ = ["HELD", "Alone", "Recurrent", "left_alone", "train_recurrent"]

Values = NDArray[np.float64]
HELD = 0.1  # standard deviations: the error of shape up to which an oscillation counts as kept
_REACH = 60  # samples by which the truth is shifted to find the phase


@dataclass(frozen=True, eq=False)
class Recurrent:
    """A trained network and its design.

    Attributes
    ----------
    design : Design
        A reset puts it behind the last training sample.
    network : ForceNetwork
        In floating point, behind the samples that it was trained on.
    begins : int
        First sample that the network predicts; behind it are those for the integers alone.
    history : History
        Of the network.
    tuning : History or None
        Of the readout on integers.
    """

    design: Design
    network: ForceNetwork
    begins: int
    history: History
    tuning: History | None

    def float_run(self, steps: int) -> Values:
        """Real outputs (steps, L) of the network left alone, from sample `begins`."""
        return real_values(self.design.readout.outputs, self.network.run(steps)[0])

    def integer_run(self, steps: int) -> Values:
        """Real outputs (steps, L) of the design left alone, from its reset."""
        return self.design.decode(run(self.design, free_beats(self.design, steps)).outputs)


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
        Its inputs are not read, nor are samples behind the training samples.
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
        If an option is out of range, a target constant, or the training cannot go on.
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
    network, history = train_force(options, scaled[:begins], task.washout, progress)
    design = force_design(network, options, widths, outputs)
    tuning = None
    if integer_samples:
        design, tuning = tune(design, network.readout, scaled[begins:], options, progress)
    provenance: dict[str, Any] = {
        "task": task.name,
        "split_sha256": task.hashes(),
        "options": asdict(options),
        "widths": asdict(widths),
        "training_samples": begins - task.washout,
        "integer_samples": integer_samples,
        "readout_trained_on": "train",
        "history": history.facts(),
        "tuning": None if tuning is None else tuning.facts(),
    }
    return Recurrent(replace(design, provenance=provenance), network, begins, history, tuning)


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
        Samples by which the end of the run is ahead of the truth.
    shape : float
        Error of the end of the run after that shift.
    """

    steps: int
    valid: int
    early: float
    whole: float
    shift: int
    shape: float

    @property
    def held(self) -> bool:
        """Whether the oscillation is kept, in whatever phase."""
        return self.shape < HELD


def left_alone(outputs: Values, truth: Values) -> Alone:
    """Measure a free run (T, L) of at least 20 samples."""
    steps = len(outputs)
    if steps < 20:
        raise DesignError(f"steps must be at least 20 to be measured, not {steps}")
    spread = float(np.sqrt(truth.var(axis=0).mean()))

    def error(rows: int) -> float:
        return float(np.sqrt(np.mean((outputs[:rows] - truth[:rows]) ** 2))) / spread

    reach = min(_REACH, steps // 4)
    drift = phase_drift(outputs, truth, reach, min(1000, steps // 2))
    early = min(max(steps // 10, 1000), steps)
    valid = valid_prediction_time(outputs, truth)
    return Alone(steps, valid, error(early), error(steps), drift.shift, drift.shape)
