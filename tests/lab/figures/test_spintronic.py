"""Spintronic figures: tasks, bands, what can fail, and shortened runs."""

import json
from dataclasses import replace

import numpy as np
import pytest

from rchw.lab.figures import spintronic
from rchw.lab.figures.capacity import CONDITIONS, bits_task, capacities
from rchw.lab.figures.figure import Measured
from rchw.lab.figures.spintronic import FIGURES
from rchw.nodes.presets import Size

SPLIT = (200, 100, 150)
SHORT = replace(
    spintronic._LOCKED,
    axes={"swing": (0.6e-3,), "pulse": (40e-9,), "detuning": (0.0,), "injection": (20e6,)},
)


def quiet(_: str) -> None:
    """Hear nothing."""


def is_whole(measured: Measured) -> None:
    """JSON-ready, with the hash of every split and all that was chosen."""
    details = json.loads(json.dumps(dict(measured.details), allow_nan=False))
    assert details["runs"] and details["searched"]
    text = json.dumps(details["runs"])
    assert text.count('"test": "') >= len(details["runs"]) and '"regularisation"' in text
    assert [run["seed"] for run in details["runs"]] == list(range(len(details["runs"])))


def test_names_and_bands() -> None:
    """As they were set beforehand."""
    bands = {figure.name: (figure.band.low, figure.band.high) for figure in FIGURES}
    assert list(bands) == ["torrejon-waveform", "torrejon-digits", "tsunegi-ratio", "spinwave-ring"]
    assert bands["torrejon-waveform"] == (0.98, np.inf)
    assert bands["tsunegi-ratio"] == (1.5, 2.5)
    assert bands["spinwave-ring"] == pytest.approx((3.339, 6.201))
    assert (spintronic._PARITY.low, spintronic._PARITY.high) == pytest.approx((1.029, 1.911))


def test_licensed_data_are_not_run() -> None:
    (digits,) = (figure for figure in FIGURES if figure.run is None)
    assert digits.name == "torrejon-digits" and "TI-46" in digits.status


# --- Torrejon ------------------------------------------------------------------------------------


def test_waveforms() -> None:
    task = spintronic._waveform_task((60, 20, 20), 1)
    inputs, targets = task.inputs.reshape(-1, 8), task.targets.reshape(-1, 8)
    half = np.sqrt(0.5)
    for shape, kind in zip(inputs, targets, strict=True):
        wanted = (
            [1, 1, 1, 1, -1, -1, -1, -1] if kind[0] else [0, half, 1, half, 0, -half, -1, -half]
        )
        assert np.allclose(shape, wanted, atol=1e-12) and np.ptp(kind) == 0
    assert 30 < targets[:, 0].sum() < 70


def test_the_floor_is_that_of_the_best_table() -> None:
    """Every level gets the kind that it is more often, over one sine and one square."""
    sine = np.round(np.sin(2 * np.pi * np.arange(8) / 8), 9)
    square = np.where(np.arange(8) < 4, 1.0, -1.0)
    right = sum(max((sine == level).sum(), (square == level).sum()) for level in {*sine, *square})
    assert right / 16 == spintronic._FLOOR == 0.875


def test_a_short_waveform_figure() -> None:
    measured = spintronic._torrejon_waveform(quiet, seeds=1, periods=(150, 80, 150))
    is_whole(measured)
    assert measured.noisy is not None and measured.score > 0.98 > measured.noisy
    assert measured.baselines["no memory, derived"] == 0.875
    assert measured.baselines["memoryless cubic"] == pytest.approx(0.875, abs=0.03)
    assert measured.baselines["NVAR"] > 0.98, "two samples tell a sine from a square"
    assert set(measured.details["accuracy"]) == {"no noise", "1 %"}
    times = ["20 ns", "100 ns", "250 ns", "410 ns", "1000 ns"]
    assert all(list(found) == times for found in measured.details["accuracy"].values())
    assert measured.details["accuracy"]["no noise"]["20 ns"] < 0.95
    assert len(measured.checks) == 3


# --- Tsunegi -------------------------------------------------------------------------------------


def test_an_oscillator_that_is_not_locked_slips() -> None:
    """Beyond the locking range, or with an input that drives it out of the range."""
    inputs = bits_task(SPLIT, 0, parity=False).inputs[:100]

    def turns(**point: float) -> float:
        preset = replace(SHORT, axes=dict(SHORT.axes) | {k: (v,) for k, v in point.items()})
        _, trials = capacities(preset, 0, SPLIT, parity=False)
        return spintronic._turns(trials[1], inputs)

    assert turns() < 0.2
    assert turns(detuning=2.0) > 5
    assert turns(injection=1e6, detuning=0.0, swing=3e-3) > 1


def test_the_free_oscillator_is_tuned_to_the_injected_signal() -> None:
    """Without input its phase stands still, and so it is the same without injection."""
    point = {"swing": 0.6e-3, "pulse": 40e-9, "detuning": 0.0, "injection": 0.0}
    node = SHORT.reservoir(Size(20), point).node
    readings, state = node.run(np.full((5, 20), 6e-3), node.start())
    assert np.allclose(readings, readings[0, 0], rtol=1e-9)
    assert np.allclose(state, node.start(), atol=1e-6)


def test_a_short_ratio() -> None:
    measured = spintronic._tsunegi_ratio(quiet, seeds=1, split=SPLIT, preset=SHORT)
    is_whole(measured)
    assert measured.checks == {"the phase never slips": True}
    ratios, means = measured.details["ratio"], measured.details["capacities"]
    assert measured.score == ratios["40 dB"] and measured.noisy == ratios["30 dB"]
    for name in CONDITIONS:
        expected = means["locked memory"][name] / means["free memory"][name]
        assert ratios[name] == pytest.approx(expected)
    # With one point on the axes the best of each is at the same swing and pulse.
    assert measured.details["ratio at the swing and pulse of the locked one"] == measured.score
    assert measured.score > 1.4


# --- Watt and Kostylev ---------------------------------------------------------------------------


@pytest.mark.parametrize("gain", [0.5, 4.0])
@pytest.mark.parametrize("round_trip", [6, 18])
def test_the_ring_has_the_gain_that_is_asked_for(gain: float, round_trip: int) -> None:
    """Whatever the film loses: its rest is that of the gain alone."""
    preset = spintronic._ring_preset(round_trip)
    node = preset.reservoir(Size(20), {"gain": gain}).node
    assert node.n_state == round_trip
    assert node.start()[0] == pytest.approx(1e-3 * (10 ** (gain / 10) - 1), rel=0.01)


def test_a_short_ring() -> None:
    axes = {"gain": (0.5, 4.0), "swing": (0.1, 3.0)}
    measured = spintronic._spinwave_ring(quiet, seeds=1, split=SPLIT, others=(6,), axes=axes)
    is_whole(measured)
    assert measured.noisy is not None
    means = measured.details["capacities"]
    assert means["memory"]["no noise"] > measured.score > measured.noisy > 2
    assert measured.baselines["present bit alone"] < 0.5
    assert list(measured.checks) == ["parity capacity 1.029 to 1.911"]
    assert list(measured.details["other round trips at 40 dB"]["6"]) == ["memory", "parity"]
