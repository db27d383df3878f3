"""Integer readouts of a fixed reservoir: what they promise is what the reference then does."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw.design import Design
from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.reference import run
from rchw.reference.readout import ReadoutReference
from rchw.tasks.task import Task
from rchw.train import Hyperparameters, TrainOptions, build_design, train_readout
from rchw.train.readout import (
    TARGET_FORMAT,
    Fit,
    aligned_features,
    encode_targets,
    outputs_of,
)
from tests.examples import EXAMPLE
from tests.train.tiny import tiny_task

Values = NDArray[np.float64]
ROWS = slice(50, 400)


def trained(
    task: Task, targets: Values | None = None, lambdas: tuple[float, ...] = (1e-7,), **options: Any
) -> tuple[Fit, Design, Any, Any]:
    """Fit a ring of 20 units to the training samples; also the untrained design and its run."""
    chosen = TrainOptions(**({"units": 20, "squares": True} | options))
    wanted = task.targets if targets is None else targets
    design = build_design(chosen, Hyperparameters(), task.inputs[task.train], wanted[task.train])
    codes = design.encode(task.inputs)
    states = run(design, codes).states
    rows = (states[ROWS], codes[ROWS], wanted[ROWS])
    fits = train_readout(design, *rows, lambdas, chosen.budgets)
    return fits[-1], design, states, codes


def test_features_are_aligned_to_the_finest() -> None:
    """Squares of the example have 6 fraction bits, states 5, inputs 3, the constant 2."""
    codes = np.array([[3, -4]])
    states = np.array([[1, -2, 8, 0, -32]])
    features, finest = aligned_features(EXAMPLE, states, codes)
    assert finest == 6
    squares = [0, 0, 4, 0, 64]  # x * x / 16, halves to even
    assert features.tolist() == [[2, -4, 16, 0, -64, *squares, 24, -32, 16]]


def test_targets_are_encoded_in_steps_of_their_output() -> None:
    power, trend = EXAMPLE.readout.outputs
    values = [[3.0, -1.0], [3.25, 1.0], [3.0 + 0.25 * 2.0**-23, -1e30]]
    codes = encode_targets((power, trend), values)
    step = 1 << TARGET_FORMAT.frac
    assert codes.tolist() == [[0, 0], [step, step], [1, TARGET_FORMAT.min]]
    with pytest.raises(DesignError, match=r"^targets must be finite, not NaN or infinite$"):
        encode_targets((power,), [[np.nan]])


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("readout_bits", [6, 12])
def test_the_stated_error_is_that_of_the_reference(outputs: int, readout_bits: int) -> None:
    """On the training samples, up to the rounding of the output, which has 16 bits."""
    task = tiny_task(outputs=outputs)
    fit, _, states, codes = trained(task, readout_bits=readout_bits)
    got = fit.design.decode(run(fit.design, codes).outputs)
    assert np.array_equal(got, outputs_of(fit.design, states, codes))
    error = np.mean((got[ROWS] - task.targets[ROWS]) ** 2, axis=0)
    low, high = task.targets[:400].min(axis=0), task.targets[:400].max(axis=0)
    scale = (high - low) / 2 * 1.25
    assert np.allclose(error / scale**2, fit.train_error, rtol=1e-3)
    assert np.all(error / task.targets.var(axis=0) < 0.25)  # it has learnt something


def test_real_outputs_are_the_real_weights_times_the_features() -> None:
    task = tiny_task(outputs=2)
    fit, design, states, codes = trained(task)
    features, _ = aligned_features(design, states, codes)
    want = features @ fit.solution.weights * TARGET_FORMAT.resolution
    assert np.allclose(fit.real_outputs(states, codes), want, rtol=1e-9, atol=1e-9)
    # 20 bits of weights are as good as real ones, as far as the outputs reach.
    fine, _, states, codes = trained(task, readout_bits=20, output_bits=24)
    got = fine.design.decode(ReadoutReference(fine.design).outputs(states, codes))
    for k, output in enumerate(design.readout.outputs):
        real = output.offset + output.scale * np.clip(want[:, k], -1, 1)
        assert np.abs(got[:, k] - real).max() < 1e-4 * output.scale


def test_the_design_changes_only_in_its_readout() -> None:
    fit, design, _, _ = trained(tiny_task())
    assert replace(fit.design, readout=design.readout) == design
    assert fit.design.readout.weight_format.width == 12
    assert any(any(row) for row in fit.design.readout.weights)
    rows = {d.readout.weights for d in (fit.compensated, fit.nearest)}
    assert fit.design.readout.weights in rows and len(rows) == 2
    assert fit.method == ("compensated",)


@pytest.mark.parametrize("power", [-30, -3, 5, 40])
def test_the_unit_of_the_target_does_not_matter(power: int) -> None:
    """Targets times a power of two give the same integers and another decoder."""
    task = tiny_task()
    plain, *_ = trained(task)
    scaled, *_ = trained(task, task.targets * 2.0**power)
    one, two = plain.design.readout, scaled.design.readout
    assert one.weights == two.weights and one.weight_format == two.weight_format
    assert two.outputs[0].scale == one.outputs[0].scale * 2.0**power
    assert scaled.train_error == plain.train_error


def test_outputs_of_unlike_size_share_one_weight_format() -> None:
    """Where one target uses a sliver of its range its weights are small, and finer by a shift."""
    task = tiny_task(outputs=2)
    targets = task.targets.copy()
    targets[7:9, 1] = targets[:, 1].mean() + np.array([2000, -2000])  # both within the washout
    fit, _, states, codes = trained(task, targets)
    fractions = [output.format.frac for output in fit.design.readout.outputs]
    assert fractions[0] != fractions[1]
    got = outputs_of(fit.design, states, codes)[ROWS]
    error = np.mean((got - targets[ROWS]) ** 2, axis=0) / targets[ROWS].var(axis=0)
    alone, _, states, codes = trained(task, targets[:, :1])
    again = outputs_of(alone.design, states, codes)[ROWS, 0]
    assert np.array_equal(got[:, 0], again)
    assert error[0] < 0.25


def test_training_takes_the_samples_in_any_order() -> None:
    task = tiny_task()
    fit, design, states, codes = trained(task)
    order = np.random.default_rng(0).permutation(np.arange(50, 400))
    (again,) = train_readout(design, states[order], codes[order], task.targets[order], (1e-7,))
    assert again.design == fit.design and again.train_error == fit.train_error


def test_a_wrong_state_bit_changes_the_weights() -> None:
    """One bit of one state in 350 is enough."""
    task = tiny_task()
    fit, design, states, codes = trained(task)
    states[200, 3] ^= 16
    (broken,) = train_readout(design, states[ROWS], codes[ROWS], task.targets[ROWS], (1e-7,))
    assert broken.solution.weights.tolist() != fit.solution.weights.tolist()


def test_wide_features_do_not_wrap() -> None:
    """24-bit states with squares of 40 fraction bits: products need more than 63 bits."""
    task = tiny_task()
    chosen = TrainOptions(units=20, state_bits=24, squares=True, readout_bits=24)
    design = build_design(
        chosen, Hyperparameters(), task.inputs[task.train], task.targets[task.train]
    )
    design = replace(design, features=replace(design.features, squares=QFormat(40, 46, False)))
    codes = design.encode(task.inputs)
    states = run(design, codes).states
    (fit,) = train_readout(design, states[ROWS], codes[ROWS], task.targets[ROWS], (1e-7,))
    got = outputs_of(fit.design, states, codes)[ROWS]
    error = np.mean((got - task.targets[ROWS]) ** 2) / task.targets[ROWS].var()
    assert error < 0.25
    assert fit.design.decode(run(fit.design, codes).outputs)[ROWS].tolist() == got.tolist()


def test_what_cannot_be_trained_is_refused() -> None:
    _, design, states, codes = trained(tiny_task())
    targets = tiny_task().targets
    with pytest.raises(DesignError, match=r"^targets must be finite"):
        train_readout(design, states, codes, targets * np.nan)
    with pytest.raises(DesignError, match=r"^features must vary over the training samples"):
        train_readout(design, states[:5] * 0, codes[:5], targets[:5])
    with pytest.raises(DesignError, match=r"^regularisation must be larger than \[1e-40\]$"):
        twice = np.repeat(states[:, :1], 20, axis=1)
        train_readout(design, twice, codes, targets, (1e-40,))
