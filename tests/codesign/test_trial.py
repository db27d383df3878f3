"""Trials: what is refused beforehand could not have been met, and sums in doubles are exact."""

from dataclasses import replace

import numpy as np
import pytest

from rchw.codesign.objectives import Limits, costs
from rchw.codesign.series import SeriesTrials, exact_outputs
from rchw.codesign.space import Readout, Space, ask, candidate
from rchw.codesign.trial import FULL, SHORT
from rchw.reference.readout import ReadoutReference
from rchw.train.readout import aligned_features
from tests.codesign.test_space import Drawn
from tests.train.test_readout import trained
from tests.train.tiny import tiny_task

SPACE = Space(units=(6, 16), readout_bits=(6, 12), output_bits=(12,), lanes=(1, 2, 16))
TRIALS = SeriesTrials(task=tiny_task(), space=SPACE, board="ulx3s", limits=Limits())


def test_a_readout_of_zeros_costs_no_more_than_a_trained_one() -> None:
    """So a limit that it exceeds is exceeded by whatever is trained."""
    seen = 0
    for seed in range(16):
        point = ask(SPACE, Drawn(seed))
        options, hyper = candidate(SPACE, point)
        for entry in TRIALS((point, SHORT)).get("designs", ()):
            readout = Readout.of(entry)
            least, _, _ = costs(TRIALS.design(options, hyper, readout), "ulx3s")
            assert all(least[k] <= entry[k] for k in ("cells", "luts", "rams", "dsps", "latency"))
            assert least["rate"] >= entry["rate"]
            seen += 1
    assert seen > 16


def test_a_trial_is_refused_before_it_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the limit that its readout of zeros breaks; nothing is run for it."""
    monkeypatch.setattr("rchw.codesign.series.run_states", lambda *_: pytest.fail("it was run"))
    point = ask(SPACE, Drawn(3))
    slow = SeriesTrials(
        task=tiny_task(), space=SPACE, board="ulx3s", limits=Limits((("latency", 1e-9),))
    )
    found = slow((point, FULL))
    assert found["refused"].startswith("latency must be at most 1e-09, not ")
    assert found["broken"] > 0 and "designs" not in found


def test_a_target_may_rest_where_short_trials_look() -> None:
    """The first quarter of the validation samples; then they look at all of them."""
    task = tiny_task()
    targets, first = task.targets.copy(), task.validation.start
    targets[first : first + 40] = 1.0
    resting = replace(TRIALS, task=replace(task, targets=targets))
    found = resting((ask(SPACE, Drawn(3)), SHORT))
    assert found["designs"] and all(np.isfinite(entry["error"]) for entry in found["designs"])


@pytest.mark.parametrize("bits", [6, 16])
def test_sums_in_doubles_are_those_of_the_reference(bits: int) -> None:
    fit, _, states, codes = trained(tiny_task(outputs=2), readout_bits=bits, state_bits=12)
    features, finest = aligned_features(fit.design, states, codes)
    values, largest = features.astype(np.float64), float(np.abs(features).max())
    found = exact_outputs(fit.design, values, finest, largest)
    assert found is not None
    assert np.array_equal(found, ReadoutReference(fit.design).outputs(states, codes))
    assert exact_outputs(fit.design, values, finest, 2.0**52) is None
