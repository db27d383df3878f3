"""The readout of observed states in an FPGA: converter codes in, an integer readout behind them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rchw.design import Design
from rchw.errors import DesignError
from rchw.nodes import Observation
from rchw.tasks import Task
from rchw.train import ExternalOptions, train_external
from rchw.train.readout import outputs_of

__all__ = ["FpgaReadout", "fpga_readout"]


@dataclass(frozen=True)
class FpgaReadout:
    """A design that reads converter codes, and what it reached.

    Attributes
    ----------
    design : Design
        With an external layer.
    error : float
        Of its integer outputs on the test samples, in the task's metric.
    """

    design: Design
    error: float


def fpga_readout(
    task: Task, codes: NDArray[np.int64], observation: Observation, options: ExternalOptions
) -> FpgaReadout:
    """Train the integer readout of codes (T, N), and measure it once on the test samples.

    Raises
    ------
    DesignError
        If the converter has too many bits for a design, or nothing can be solved.
    """
    design = train_external(task, codes, observation.format, observation.encoder, options)
    test = codes[task.test]
    outputs = outputs_of(design, test, np.zeros((len(test), 0), dtype=np.int64))
    error = float(task.error(outputs, task.targets[task.test]))
    if not np.isfinite(error):
        raise DesignError(f"error of the integer readout must be finite, not {error}")
    return FpgaReadout(design, error)
