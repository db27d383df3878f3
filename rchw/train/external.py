"""Integer readouts of states that come from outside: of emulated, or of recorded, devices."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.design import AffineEncoder, Design, ExternalLayer, Features, Readout
from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.schedule import default_multipliers, schedule
from rchw.train.build import fit_outputs, squares_format
from rchw.train.readout import outputs_of, train_readout
from rchw.train.ridge import LAMBDAS
from rchw.train.search import TrainingTask, training_rows

__all__ = ["ExternalOptions", "external_codes", "train_external"]


@dataclass(frozen=True)
class ExternalOptions:
    """What a user fixes of a readout.

    Parameters
    ----------
    name : str
        Of the design.
    readout_bits, output_bits : int
        Widths of weights and of output codes.
    squares : bool
        The readout sees squared states too.
    lanes : int
        P, states at hand in one clock.
    multipliers : int, optional
        M; as many as keep pace with the lanes.
    """

    name: str = "readout"
    readout_bits: int = 12
    output_bits: int = 16
    squares: bool = False
    lanes: int = 1
    multipliers: int | None = None


def external_codes(design: Design, readings: ArrayLike) -> NDArray[np.int64]:
    """Codes (T, N) of readings (T, N) in the unit of the design's encoder.

    Raises
    ------
    DesignError
        If the shape is wrong, a reading is not finite, or the layer is a ring.
    """
    layer, values = design.layer, np.asarray(readings, dtype=np.float64)
    if not isinstance(layer, ExternalLayer):
        raise DesignError(f"layer {layer.name} must be external to take readings, not a ring")
    if values.ndim != 2 or values.shape[1] != layer.n_units:
        raise DesignError(f"readings must have shape (T, {layer.n_units}), not {values.shape}")
    return layer.encoder.encode(values, layer.state)


def train_external(
    task: TrainingTask,
    codes: ArrayLike,
    state: QFormat,
    encoder: AffineEncoder,
    options: ExternalOptions | None = None,
    regularisations: Sequence[float] = LAMBDAS,
) -> Design:
    """Train the readout of states that come from outside.

    Lambda is chosen on the validation samples; the test samples are not read.

    Parameters
    ----------
    task : Task
        Its inputs are not features: what the states know of them is all there is.
    codes : integer array (T, N)
        Of the states after each sample, up to the end of the validation samples at least.
    state : QFormat
        Of these codes.
    encoder : AffineEncoder
        By which readings became codes; `rchw.nodes.Observation` has it.
    options : ExternalOptions, optional
    regularisations : sequence of float
        To choose from.

    Returns
    -------
    Design
        With one external layer. `provenance` holds options, lambda, the validation error and the
        hashes of the splits.

    Raises
    ------
    DesignError
        If shapes do not fit, a code lies outside its format, or nothing can be solved.
    """
    options = options or ExternalOptions()
    states = np.asarray(codes)
    rows, check = training_rows(task), task.validation
    end = check.indices(len(task.inputs))[1]
    right = states.ndim == 2 and states.shape[1] > 0 and len(states) >= end
    if not right or states.dtype.kind not in "iu":
        raise DesignError(
            f"state codes must be integers of shape (T, N) with T at least {end} and N at least 1, "
            f"not {states.dtype} of {states.shape}"
        )
    states = states[:end].astype(np.int64)
    if states.min() < state.min or states.max() > state.max:
        raise DesignError(
            f"state codes must be from {state.min} to {state.max} ({state}), not from "
            f"{states.min()} to {states.max()}"
        )
    start = _design(task, states.shape[1], state, encoder, options)
    none = np.zeros((end, 0), dtype=np.int64)
    fits = train_readout(start, states[rows], none[rows], task.targets[rows], regularisations)
    errors = [
        task.error(outputs_of(fit.design, states[check], none[check]), task.targets[check])
        for fit in fits
    ]
    best = int(np.argmin(errors))
    provenance: dict[str, Any] = {
        "task": task.name,
        "metric": task.metric,
        "split_sha256": task.hashes(),
        "options": asdict(options),
        "regularisation": fits[best].solution.regularisation,
        "training_samples": rows.stop - rows.start,
        "quantisation": list(fits[best].method),
        "validation": {"quantised": float(errors[best])},
    }
    return replace(fits[best].design, provenance=provenance)


def _design(
    task: TrainingTask,
    n_units: int,
    state: QFormat,
    encoder: AffineEncoder,
    options: ExternalOptions,
) -> Design:
    """Design with a readout of zeros."""
    features = Features(squares=squares_format(state) if options.squares else None)
    outputs = tuple(fit_outputs(task.targets[task.train], options.output_bits, task.output_names))
    products = n_units * features.per_unit
    multipliers = options.multipliers
    if multipliers is None:
        multipliers = default_multipliers(n_units, options.lanes, len(outputs), products)
    readout = Readout(
        outputs=outputs,
        weight_format=QFormat(options.readout_bits),
        weights=((0,) * (products + 1),) * len(outputs),
        multipliers=multipliers,
    )
    layer = ExternalLayer(n_units, state, encoder, options.lanes)
    design = Design(options.name, (), (layer,), features, readout)
    schedule(design)
    return design
