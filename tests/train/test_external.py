"""A readout of an emulated device: trained on codes, the same in circuit and reference."""

from dataclasses import replace

import numpy as np
import pytest

from rchw.design import Design
from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.metrics import nmse
from rchw.nodes import Drive, Mask, PhysicalReservoir
from rchw.nodes.memristive import DynamicMemristor, DynamicParameters
from rchw.reference import run
from rchw.tasks import Task, load_task
from rchw.train import ExternalOptions, train_external
from rchw.train.external import external_codes
from tests.hdl.test_generated import check


@pytest.fixture(scope="module")
def task() -> Task:
    return load_task("henon", split=(600, 300, 300), washout=50, seed=1)


@pytest.fixture(scope="module")
def reservoir(task: Task) -> PhysicalReservoir:
    node = DynamicMemristor(6, 4, DynamicParameters(retention=0.9))
    made = PhysicalReservoir(node, Drive(-0.8, 2.5, bits=10), Mask("binary", 3))
    return made.fitted(task.inputs[task.train], snr_decibels=50.0, adc_bits=10)


@pytest.fixture(scope="module")
def codes(task: Task, reservoir: PhysicalReservoir) -> np.ndarray:
    found = reservoir.observe(task.inputs)[0].codes
    assert found is not None
    return found


def trained(task: Task, reservoir: PhysicalReservoir, codes: np.ndarray) -> Design:
    """Fourteen bits behind the converter of the reservoir."""
    seen = reservoir.observation
    options = ExternalOptions("henon", readout_bits=14, squares=True, lanes=4)
    return train_external(task, codes, seen.format, seen.encoder, options)


def test_it_predicts_as_well_as_a_real_readout(
    task: Task, reservoir: PhysicalReservoir, codes: np.ndarray
) -> None:
    design = trained(task, reservoir, codes)
    outputs = design.decode(run(design, codes).outputs)
    error = nmse(outputs[task.test], task.targets[task.test])
    states = codes / 2.0**9
    features = np.hstack([states, states**2, np.ones((len(states), 1))])
    rows = slice(50, 600)
    best = np.inf
    for ridge in 10.0 ** np.arange(-9, 0):
        gram = features[rows].T @ features[rows] + ridge * np.eye(features.shape[1])
        weights = np.linalg.solve(gram, features[rows].T @ task.targets[rows])
        guess = features @ weights
        best = min(best, nmse(guess[task.test], task.targets[task.test]))
    assert error < 1.1 * best and error < 0.1
    straight = np.polyfit(task.inputs[rows, 0], task.targets[rows, 0], 1)
    assert error < 0.2 * nmse(np.polyval(straight, task.inputs[task.test, 0]),
                              task.targets[task.test, 0])  # fmt: skip


def test_the_circuit_gives_its_codes(
    task: Task, reservoir: PhysicalReservoir, codes: np.ndarray
) -> None:
    design = trained(task, reservoir, codes)
    assert (design.n_inputs, design.n_lanes, design.layer.lanes) == (0, 24, 4)
    check(design, 1, "never", "bursts:2:3")


def test_readings_and_codes_are_one(
    task: Task, reservoir: PhysicalReservoir, codes: np.ndarray
) -> None:
    """What a laboratory writes down in ampere becomes the codes of its converter again."""
    design = trained(task, reservoir, codes)
    readings = reservoir.run(task.inputs)
    assert np.array_equal(external_codes(design, readings), codes)
    assert np.array_equal(design.encode(readings), codes)


def test_the_test_samples_are_not_read(
    task: Task, reservoir: PhysicalReservoir, codes: np.ndarray
) -> None:
    targets, other = task.targets.copy(), codes.copy()
    targets[task.test] = targets[task.test][::-1]
    other[task.test] = 10**6  # no code of the converter, but nobody looks
    changed = replace(task, targets=targets)
    assert trained(changed, reservoir, other) == trained(task, reservoir, codes)
    assert trained(task, reservoir, codes[: task.test.start]) == trained(task, reservoir, codes)
    targets[task.validation] = targets[task.validation][::-1]
    chosen = trained(replace(task, targets=targets), reservoir, codes)
    assert (
        chosen.provenance["regularisation"]
        != trained(task, reservoir, codes).provenance["regularisation"]
    )


def test_bad_codes_are_refused(task: Task, reservoir: PhysicalReservoir, codes: np.ndarray) -> None:
    seen = reservoir.observation
    with pytest.raises(DesignError, match=r"^state codes must be integers of shape \(T, N\) with "):
        train_external(task, codes[:500], seen.format, seen.encoder)
    with pytest.raises(DesignError, match=r"N at least 1, not int64 of \(1200, 0\)$"):
        train_external(task, codes[:, :0], seen.format, seen.encoder)
    with pytest.raises(DesignError, match=r"^state codes must be integers of shape .* not float64"):
        train_external(task, codes / 2, seen.format, seen.encoder)
    with pytest.raises(DesignError, match=r"^state codes must be from -128 to 127 \(sfix8_en7\)"):
        train_external(task, codes, QFormat(8, 7), seen.encoder)
    with pytest.raises(DesignError, match=r"^readings must have shape \(T, 24\), not \(3, 2\)$"):
        external_codes(trained(task, reservoir, codes), np.zeros((3, 2)))
