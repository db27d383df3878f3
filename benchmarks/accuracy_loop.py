"""A chaotic series one step ahead, and the outputs fed back as inputs: valid prediction times."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy_rows import Options, Row, Streams, search, summary
from rchw.design import Design
from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.metrics import valid_prediction_time
from rchw.reference import run
from rchw.tasks import Task
from rchw.train import Tuned, evaluate, fit
from rchw.train.build import fit_outputs
from rchw.train.ideal import IdealOptions, TunedIdeal, fit_ideal

__all__ = ["STARTS", "STEPS", "free_run", "loop_row", "rounding_floor_row"]

Values = NDArray[np.float64]
FreeRun = Callable[[Values, int], Values]

STARTS = 5  # closed loops per stream, spread over the split
STEPS = 500  # of each
_LAMBDAS = tuple(10.0**k for k in range(-14, 0))


def free_run(design: Design, inputs: Values, steps: int) -> Values:
    """Close the loop of an integer design: each decoded output goes through the encoder.

    Parameters
    ----------
    design : Design
        With as many outputs as inputs.
    inputs : float64 array (T, K)
        Drive it first.
    steps : int

    Returns
    -------
    float64 array (steps, L)
        The first row is the output after the last of `inputs`.
    """
    trace = run(design, design.encode(inputs))
    found = np.empty((steps, design.n_outputs))
    for t in range(steps):
        found[t] = design.decode(trace.outputs[-1:])[0]
        trace = run(design, design.encode(found[t][None]), state=trace.final_state)
    return found


def _times(loop: FreeRun, task: Task, split: slice) -> list[int]:
    """Valid prediction times of closed loops begun at `STARTS` samples of a split."""
    last = split.stop - STEPS
    found = []
    for start in np.linspace(split.start, last, STARTS).astype(int).tolist():
        truth = task.targets[start : start + STEPS]
        drive = task.inputs[max(start - 1000, 0) : start + 1]  # older samples are forgotten
        prediction = np.clip(np.nan_to_num(loop(drive, STEPS), nan=1e9), -1e9, 1e9)
        found.append(valid_prediction_time(prediction, truth))
    return found


def _trained(
    task: Task, options: Options, tuned: TunedIdeal | Tuned
) -> tuple[FreeRun, Callable[[], float]]:
    """Train a readout: its closed loop, and its error on the test samples."""
    if isinstance(options, IdealOptions):
        assert isinstance(tuned, TunedIdeal)
        ideal = fit_ideal(task, options, tuned)
        return ideal.free_run, lambda: ideal.error(task)
    assert isinstance(tuned, Tuned)
    design = fit(task, options, tuned)
    return (
        lambda inputs, steps: free_run(design, inputs, steps),
        lambda: float(evaluate(design, task)["error"]),
    )


def _stable(
    tuning: Sequence[Task], options: Options, tuned: TunedIdeal | Tuned
) -> TunedIdeal | Tuned:
    """Lambda of the longest mean valid prediction time on the validation samples.

    One step ahead the smallest error wins, in a closed loop the one that does not blow up.
    """
    best, longest = tuned, -1.0
    for value in _LAMBDAS:
        tried: TunedIdeal | Tuned = replace(tuned, regularisation=value)
        try:
            times = [
                time
                for task in tuning
                for time in _times(_trained(task, options, tried)[0], task, task.validation)
            ]
        except DesignError:
            continue  # lambda too small for these integers
        if np.mean(times) > longest:
            best, longest = tried, float(np.mean(times))
    return best


def loop_row(row: Row, streams: Streams) -> dict[str, Any]:
    """Tune a row one step ahead, then its lambda for the closed loop; test both.

    Returns
    -------
    dict
        ``errors`` one step ahead with ``mean`` and ``median``; ``times`` (one per stream and
        start) with ``mean_time`` and ``median_time``, in samples of at most `STEPS`.
    """
    begin = time.perf_counter()
    tuning, tests = streams.load(streams.tuning), streams.load(streams.test)
    options, tuned = search(row, tuning)
    stable = _stable(tuning, options, tuned)
    errors = [_trained(task, options, tuned)[1]() for task in tests]
    times = [
        steps
        for task in tests
        for steps in _times(_trained(task, options, stable)[0], task, task.test)
    ]
    return {
        "title": row.title,
        **summary(errors),
        "options": asdict(options),
        "searches": len(row.tries()),
        "regularisation": tuned.regularisation,
        "validation": tuned.error,
        "regularisation_loop": stable.regularisation,
        "times": times,
        "mean_time": float(np.mean(times)),
        "median_time": float(np.median(times)),
        "steps": STEPS,
        "seconds": round(time.perf_counter() - begin, 1),
    }


def rounding_floor_row(streams: Streams, output_bits: int) -> dict[str, Any]:
    """Measure the error of a perfect prediction rounded to the outputs' format."""
    errors = []
    for task in streams.load(streams.test):
        (output,) = fit_outputs(task.targets[task.train], output_bits)
        fmt: QFormat = output.format
        truth = task.targets[task.test]
        codes = np.floor((truth - output.offset) / output.scale * 2.0**fmt.frac + 0.5)
        errors.append(task.error(output.decode(np.clip(codes, fmt.min, fmt.max)), truth))
    return {"title": f"rounding of {output_bits}-bit outputs alone", **summary(errors)}
