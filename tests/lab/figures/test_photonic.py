"""Figures of delay loops: their tasks and parts, and short versions of the whole."""

import json
from dataclasses import replace

import numpy as np
import pytest

from rchw.lab.figures import photonic
from rchw.lab.figures.figure import Band, Measured
from rchw.nodes.photonic import SineIkeda
from rchw.nodes.presets import Size, node
from rchw.tasks import load_task
from rchw.tasks.series import SYMBOLS, channel

SHORT = (600, 200, 200)
POINT = {"strength": (0.7,), "input_gain": (0.4,), "bias": (0.1,)}


def silent(words: str) -> None:
    """Forget what a figure tells."""


def check_record(measured: Measured) -> None:
    """Details survive JSON as they are, and checks are of Python."""
    assert json.loads(json.dumps(measured.details, allow_nan=False)) == measured.details
    assert all(type(held) is bool for held in measured.checks.values())
    assert all(type(value) is float for value in (measured.score, measured.noisy))


def test_bands_are_those_that_were_set_beforehand() -> None:
    assert {figure.name: figure.band for figure in photonic.FIGURES} == {
        "appeltant-narma10": Band(0.12, 0.2),
        "paquot-narma10": Band(0.15, 0.19),
        "paquot-channel": Band(high=1e-3),
    }


# --- The Mackey-Glass loop -----------------------------------------------------------------------


def test_noise_costs_the_mackey_glass_loop_what_it_had() -> None:
    measured = photonic._appeltant_narma10(silent, seeds=2, units=40, split=SHORT)
    check_record(measured)
    assert measured.noisy is not None and measured.score < 0.45 < measured.noisy
    runs = measured.details["runs"]
    assert [run["seed"] for run in runs] == [0, 1]
    for run in runs:
        assert run["splits"] == load_task("narma10", split=SHORT, seed=run["seed"]).hashes()
        assert run["quiet"]["regularisation"] < 1e-14 < run["at_60_decibels"]["regularisation"]
        assert run["quiet"]["point"] in list(photonic._MACKEY_GLASS.points())
    assert measured.score == pytest.approx(np.mean([run["quiet"]["nrmse"] for run in runs]))
    assert measured.noise.startswith("60 dB; ")


def test_nothing_of_the_mackey_glass_loop_is_chosen_by_test_samples() -> None:
    """Other test samples change the test error and nothing else."""
    whole = load_task("narma10", split=SHORT, seed=0)
    inputs, targets = whole.inputs.copy(), whole.targets.copy()
    inputs[800:], targets[800:] = inputs[400:600], -targets[400:600]
    other = replace(whole, inputs=inputs, targets=targets)
    pairs = zip(*(photonic._mackey_glass_run(task, 0, 20) for task in (whole, other)), strict=True)
    for first, second in pairs:
        assert first.pop("nrmse") != second.pop("nrmse")
        assert first == second


# --- The sine loop -------------------------------------------------------------------------------


def test_the_noise_is_in_the_loop() -> None:
    """And not at the detector: it goes round. Nothing else differs from the preset."""
    point = {"strength": 0.8, "input_gain": 0.2, "bias": 0.1}
    preset = photonic._sine_loop(0.01, photonic._NARMA_AXES)
    noisy = preset.reservoir(Size(20, 1, 7), point)
    assert isinstance(noisy.node, SineIkeda) and noisy.observation.noise_absolute == 0
    assert (noisy.node.noise, noisy.node.seed) == (0.01, 7)
    plain = node("photonic-ikeda").preset("paquot").reservoir(Size(20, 1, 7), point)
    assert replace(noisy, node=replace(noisy.node, noise=0.0, seed=0)) == plain


def test_narma10_on_the_sine_loop() -> None:
    measured = photonic._paquot_narma10(silent, seeds=2, units=30, split=SHORT)
    check_record(measured)
    runs = measured.details["runs"]
    assert measured.score == measured.noisy == pytest.approx(np.mean([r["noisy"] for r in runs]))
    assert measured.details["without_noise"] < measured.score < 0.5
    assert (
        measured.noise
        == f"0.003 in the loop, as ours; {measured.details['without_noise']:.3g} without"
    )
    assert runs[1]["splits"] == load_task("narma10", split=SHORT, seed=1).hashes()
    assert measured.baselines["memoryless cubic"] > measured.score


def test_the_channel_asks_for_the_symbol_two_ago() -> None:
    received, symbols = channel(1002, np.random.default_rng(5), snr=28)
    task = photonic._channel_task(5, 28, SHORT)
    np.testing.assert_array_equal(task.inputs[:, 0], received[2:])
    np.testing.assert_array_equal(task.targets[:, 0], symbols[:1000])
    assert (task.metric, task.symbols, task.washout, task.horizon) == ("ser", SYMBOLS, 200, -2)


def test_levels_of_the_channel_differ_in_noise_alone() -> None:
    one, two, clean = (photonic._channel_task(5, level, SHORT) for level in (12, 32, np.inf))
    np.testing.assert_array_equal(one.targets, two.targets)
    np.testing.assert_allclose(one.inputs - clean.inputs, 10 * (two.inputs - clean.inputs))


@pytest.mark.parametrize(
    ("errors", "falls"),
    [
        ([0.3, 0.2, 0.1], True),
        ([0.3, 0.0, 0.0], True),
        ([0.3, 0.1, 0.1], False),
        ([0.3, 0.0, 0.1], False),
        ([0.1, 0.2], False),
    ],
)
def test_what_falls(errors: list[float], falls: bool) -> None:
    assert photonic._falls(errors) is falls


def test_the_channel_on_the_sine_loop() -> None:
    split = (600, 200, 2000)
    measured = photonic._paquot_channel(silent, seeds=1, units=30, split=split, axes=POINT)
    check_record(measured)
    details = measured.details
    assert details["decibels"] == [12, 16, 20, 24, 28, 32]
    assert measured.score == measured.noisy == details["with_noise"][4]
    assert 0.5 > details["with_noise"][0] > 10 * measured.score
    assert details["without_noise"][0] > 10 * details["without_noise"][4]
    (run,) = details["runs"]
    hashes = {name: set(run["splits"]["28"].values()) for name in ("own_splits", "splits")}
    assert run["splits"]["28"] == photonic._channel_task(0, 28, split).hashes()
    assert not hashes["splits"] & set(run["own_splits"].values())
    assert measured.checks["falls from 12 to 32 dB"] == photonic._falls(details["with_noise"])
