"""What a rule of adaptation changes comes into the integers, from training inputs alone."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rchw.adapt import RULES, Stopping, intrinsic_plasticity
from rchw.adapt.layer import Layer
from rchw.design import Design, MatrixLayer, RingLayer
from rchw.document import digest, from_document, to_document
from rchw.errors import DesignError
from rchw.fixed import decode
from rchw.reference import run
from rchw.train import Hyperparameters, TrainOptions, build_design, train
from rchw.train.adapted import _coded
from rchw.train.families import ADAPTABLE
from rchw.train.ideal import train_ideal
from rchw.train.twin import float_twin
from tests.train.tiny import tiny_task

TASK = tiny_task(channels=2)
RULE = "intrinsic-plasticity"


def build(adapt: str | None = RULE, hyper: Hyperparameters | None = None, **more: Any) -> Design:
    """A design of 20 units for the training samples of the tiny task."""
    options = TrainOptions(**{"units": 20, "adapt": adapt, **more})
    return build_design(
        options, hyper or Hyperparameters(), TASK.inputs[TASK.train], TASK.targets[TASK.train]
    )


def parts_of(model: Any) -> list[Layer]:
    """Layers of a model, taken apart."""
    return [Layer.of(part) for part in getattr(model, "layers", [model])]


def deviation(design: Design) -> float:
    """Mean deviation of the integer states of a unit, on samples after those of the training."""
    states = run(design, design.encode(TASK.inputs)).states[TASK.train.stop :]
    layer = design.driven
    return float(states.std(axis=0).mean() * layer.state.resolution)


@pytest.mark.parametrize("activation", ["clip", "table"])
@pytest.mark.parametrize("reservoir", ["cycle", "leaky"])
def test_integer_states_have_the_deviation_asked_for(reservoir: str, activation: str) -> None:
    """At 12 bits, with gains of 8, within 10 % on samples that nothing has seen."""
    more: dict[str, Any] = {"reservoir": reservoir, "activation": activation, "state_bits": 12}
    if activation == "clip":
        more["rounding"] = "half-up"
    found = build(adapt_with="std=0.15,epochs=60", **more)
    assert deviation(found) == pytest.approx(0.15, rel=0.1)
    assert abs(deviation(build(None, **more)) / 0.15 - 1) > 0.15
    assert found.driven.gain is not None
    assert found.driven.gain.format.width == 8 and found.driven.bias_format.width == 8


@pytest.mark.parametrize("reservoir", (*ADAPTABLE, "deep"))
def test_every_adaptable_reservoir_comes_to_integers(reservoir: str) -> None:
    """Each layer has gains near those of the rule on the twin; the file says it all again."""
    found, plain = build(reservoir=reservoir), build(None, reservoir=reservoir)
    assert from_document(to_document(found)) == found
    signal = decode(plain.encode(TASK.inputs[TASK.train]), plain.inputs[0].format)
    model, history = intrinsic_plasticity(float_twin([s.layer for s in plain.stages]), signal)
    for stage, part in zip(found.stages, parts_of(model), strict=True):
        layer, gain = stage.layer, part.gain
        assert layer.gain is not None
        half = layer.gain.format.resolution / 2
        assert np.abs(decode(layer.gain.codes, layer.gain.format) - gain).max() <= half
    told = found.provenance["adaptation"]
    assert told == history.summary()
    assert told["layers"][0]["after"]["radius"] >= 0


@pytest.mark.parametrize("reservoir", ["cycle", "leaky"])
@pytest.mark.parametrize("rule", RULES)
def test_every_rule_comes_to_integers(rule: str, reservoir: str) -> None:
    """Whatever it changes: the twin of the adapted design is the adapted twin, to half a code."""
    more: dict[str, Any] = {"reservoir": reservoir, "activation": "table", "units": 10}
    found, plain = build(rule, **more), build(None, **more)
    assert from_document(to_document(found)) == found
    assert found.layers != plain.layers
    signal = decode(plain.encode(TASK.inputs[TASK.train]), plain.inputs[0].format)
    model, history = RULES[rule](float_twin([s.layer for s in plain.stages]), signal)
    coded = float_twin([s.layer for s in found.stages])
    for stage, want, got in zip(found.stages, parts_of(model), parts_of(coded), strict=True):
        layer = stage.layer
        gain = 0.0 if layer.gain is None else layer.gain.format.resolution / 2
        assert np.abs(got.gain - want.gain).max() <= gain
        assert np.abs(got.bias - want.bias).max() <= layer.bias_format.resolution / 2
        finest = layer.connection_format.resolution / 2
        assert np.abs(got.matrix() - want.matrix()).max() <= finest
    assert found.provenance["adaptation"] == history.summary()
    assert history.rule == rule


def test_only_training_inputs_are_read() -> None:
    """Other validation and test inputs leave the reservoir as it is; other training inputs not."""
    options = TrainOptions(units=12, adapt=RULE, search="none")

    def gains(first: int, stop: int | None) -> Any:
        inputs = TASK.inputs.copy()
        inputs[first:stop] = inputs[first:stop][::-1] / 2
        return train(replace(TASK, inputs=inputs), options).driven

    own = train(TASK, options).driven
    assert gains(TASK.train.stop, None) == own
    assert gains(100, 150) != own


def test_plasticity_stops_early_on_held_out_training_samples() -> None:
    """A harmful rule is given up: the weights of the best epoch are those of the design.

    Told by training targets: other validation and test targets choose the same, others do not.
    """
    more: dict[str, Any] = {
        "reservoir": "leaky", "activation": "table", "units": 12, "search": "none",
    }  # fmt: skip
    options = TrainOptions(
        adapt="hebbian", adapt_with="learning_rate=1e-2,epochs=9",
        adapt_stop="patience=2,washout=20", **more,
    )  # fmt: skip
    found = train(TASK, options)
    told = found.provenance["adaptation"]["layers"][0]
    assert told["kept"] == 0 and told["after"] == told["before"]
    assert told["stopped"] == "no less error in 2 epochs; weights of epoch 0"
    assert found.layers == train(TASK, TrainOptions(**more)).layers
    untold = build("hebbian", adapt_with="learning_rate=1e-2,epochs=9", **more)
    assert untold.layers != found.layers
    known = found.provenance["adaptation"]["parameters"]
    assert (known["patience"], known["washout"], known["held_out"]) == (2, 20, 0.25)
    targets = TASK.targets.copy()
    targets[TASK.train.stop :] = targets[TASK.train.stop :][::-1]
    assert train(replace(TASK, targets=targets), options).layers == found.layers


def test_what_is_kept_is_the_epoch_of_least_error() -> None:
    """The codes are of its weights: those of as many epochs on the samples that it learns from."""
    more: dict[str, Any] = {"reservoir": "leaky", "activation": "table", "weight_bits": 12}
    found = build(
        "anti-oja", adapt_with="learning_rate=1e-3,epochs=6", adapt_stop="patience=6,washout=20",
        **more,
    )  # fmt: skip
    plain = build(None, **more)
    signal = decode(plain.encode(TASK.inputs[TASK.train]), plain.inputs[0].format)
    twin, numbers = float_twin([s.layer for s in plain.stages]), {"learning_rate": 1e-3}
    stopping = Stopping(TASK.targets[TASK.train], washout=20, patience=6)
    _, history = RULES["anti-oja"](twin, signal, epochs=6, stopping=stopping, **numbers)
    assert history.summary() == found.provenance["adaptation"]
    layer = history.layers[0]
    best = int(layer.values["error"].argmin())
    assert 0 < best < 6 and layer.kept == layer.steps[best] == best * 300
    model, _ = RULES["anti-oja"](twin, signal[:300], epochs=best, **numbers)
    coded = Layer.of(float_twin([s.layer for s in found.stages])).matrix()
    half = found.driven.connection_format.resolution / 2
    assert np.abs(coded - Layer.of(model).matrix()).max() <= half


def test_wider_gains_are_finer() -> None:
    coarse, fine = build(gain_bits=4).driven.gain, build(gain_bits=14).driven.gain
    assert coarse is not None and fine is not None
    assert fine.format.frac == coarse.format.frac + 10
    difference = decode(coarse.codes, coarse.format) - decode(fine.codes, fine.format)
    assert 0 < np.abs(difference).max() <= coarse.format.resolution / 2 + fine.format.resolution


def test_without_a_rule_nothing_changes() -> None:
    plain = build(None)
    assert plain.driven.gain is None and plain.provenance == {}


@pytest.mark.parametrize("more", [{}, {"density": 0.3}])
def test_changed_weights_are_coded_anew(more: dict[str, Any]) -> None:
    """Of a matrix: nearest codes of as many bits; connections that are absent stay absent."""
    layer = build(None, reservoir="leaky", **more).driven
    assert isinstance(layer, MatrixLayer)
    before = Layer.of(float_twin([layer]))
    after = before.with_(weights=np.where(before.present, before.weights / 3 + 0.1, 0.0))
    found = _coded(layer, before, after, 8, 6)
    assert isinstance(found, MatrixLayer) and found.matrix.kind == layer.matrix.kind
    assert found.matrix.format.width == 6 and found.gain is None and found.bias == layer.bias
    coded = Layer.of(float_twin([found])).matrix()
    assert np.abs(coded - after.matrix()).max() <= found.matrix.format.resolution / 2
    assert not coded[after.matrix() == 0].any()


def test_changed_weights_of_a_ring_are_coded_anew() -> None:
    layer = build(None, reservoir="cycle-jumps").driven
    assert isinstance(layer, RingLayer)
    before = Layer.of(float_twin([layer]))
    after = before.with_(weights=before.weights * np.linspace(0.5, 1, 20))
    found = _coded(layer, before, after, 8, 8)
    assert isinstance(found, RingLayer)
    assert [tap.offset for tap in found.taps] == [tap.offset for tap in layer.taps]
    coded = [decode(tap.weights, found.tap_format) for tap in found.taps]
    assert np.abs(coded - after.weights).max() <= found.tap_format.resolution / 2


def test_provenance_and_digest_tell_of_the_rule() -> None:
    plain, found = (
        train(TASK, TrainOptions(units=12, search="none", adapt=rule)) for rule in (None, RULE)
    )
    assert digest(plain) != digest(found)
    assert "adaptation" not in plain.provenance
    told = found.provenance["adaptation"]
    assert told["rule"] == RULE and told["parameters"]["std"] == 0.2
    assert found.provenance["options"]["adapt"] == RULE
    assert found.provenance["validation"]["quantised"] > 0


def test_a_float_reservoir_is_adapted_on_training_inputs_too() -> None:
    """The deviation of its states is that asked for, before any readout."""
    more: dict[str, Any] = {"n_units": 15, "search": "none"}
    found = train_ideal(TASK, adapt=RULE, adapt_with="std=0.3,epochs=60", **more)
    inputs = (TASK.inputs - found.offset) * found.gain
    assert found.model.run(inputs)[50:].std(axis=0).mean() == pytest.approx(0.3, rel=0.08)
    assert found.error(TASK) != train_ideal(TASK, **more).error(TASK)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "rule": ({"adapt": "magic"}, "rule of adaptation must be one of "),
    "parameter": ({"adapt": RULE, "adapt_with": "stdd=1"}, f"parameter of {RULE} must be one of "),
    "form": (
        {"adapt": RULE, "adapt_with": "std"},
        "parameters of adaptation must be NAME=NUMBER,... such as epochs=5, not 'std'",
    ),
    "number": (
        {"adapt": RULE, "adapt_with": "std=nan"},
        "parameters of adaptation must be NAME=NUMBER,... such as epochs=5, not 'std=nan'",
    ),
    "bits": ({"adapt": RULE, "gain_bits": 1}, "gain bits must be from 2 to 24, not 1"),
    "idle": ({"gain_bits": 8}, "gain bits must be left out for no adapt, not 8"),
    "idle parameters": (
        {"adapt_with": "std=1"}, "adapt with must be left out for no adapt, not std=1",
    ),
    "idle stopping": (
        {"adapt_stop": "patience=1"}, "adapt stop must be left out for no adapt, not patience=1",
    ),
    "stopping of gains": (
        {"adapt": RULE, "adapt_stop": "patience=1"},
        f"stopping must be left out for {RULE}, and is there for hebbian, anti-hebbian, oja, ",
    ),
    "stopping": (
        {"adapt": "oja", "adapt_stop": "epochs=1"},
        "parameter of stopping of oja must be one of washout, held_out, patience, not 'epochs'",
    ),
    "patience": ({"adapt": "oja", "adapt_stop": "patience=0"}, "patience must be at least 1, not"),
    "part": ({"adapt": "bcm", "adapt_stop": "held-out=1"}, "held_out must be between 0 and 1, not"),
    "euler": (
        {"adapt": RULE, "reservoir": "euler"},
        f"adapt must be left out for reservoir euler, not {RULE}",
    ),
    "integer": (
        {"adapt": RULE, "reservoir": "integer"},
        f"adapt must be left out for reservoir integer, not {RULE}",
    ),
    "deep euler": (
        {"adapt": RULE, "reservoir": "deep", "layer_reservoir": "euler"},
        f"adapt must be left out for reservoir deep with euler layers, not {RULE}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_options_are_refused(case: str) -> None:
    options, words = BAD[case]
    with pytest.raises(DesignError, match=f"^{re.escape(words)}"):
        TrainOptions(**{"units": 20, **options})


def test_a_gain_that_does_not_fit_is_refused() -> None:
    """Weak inputs want large gains, and 2 bits end at 1."""
    weak = Hyperparameters(input_scaling=2.0**-6, bias=0.0, feedback=0.25)
    with pytest.raises(DesignError, match=r"^gains must fit 2 bits, not be as large as "):
        build(hyper=weak, gain_bits=2, adapt_with="epochs=60")
