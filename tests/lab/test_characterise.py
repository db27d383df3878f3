"""Every metric over every kind of reservoir: model, integers, circuit and devices alike."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rchw import topology
from rchw.errors import DesignError
from rchw.lab.characterise import FILES, Characterised, MetricOptions, characterise
from rchw.lab.subjects import Subject, of_design, of_model, of_node
from rchw.lab.trial import Condition
from rchw.metrics import echo_conditions
from rchw.model import DeepModel, EulerRingModel, FeedbackModel, MatrixModel, RingModel
from rchw.nodes.presets import NODES, Size
from rchw.sim.reservoir import CircuitReservoir
from tests.examples import DEEP, EXTERNAL
from tests.test_common import fading, leaky, looped, steps

# As little as a circuit of five units needs.
BRIEF = MetricOptions(
    samples=150, washout=10, longest=4, degrees={1: 3, 2: 2}, probe=50, stream=8, starts=2,
    trials=1, interval=10, symbols=2, suffix=3,
)  # fmt: skip


class Silent:
    """Shows nothing of the steps."""

    @contextmanager
    def step(self, title: str) -> Iterator[Callable[[str], None]]:
        yield lambda line: None

    @contextmanager
    def bar(self, title: str) -> Iterator[Callable[[int, int, float], None]]:
        yield lambda done, total, best: None


def measure(subject: Subject, options: MetricOptions = BRIEF) -> Characterised:
    return characterise(subject, options, Silent())


def device(name: str, units: int, condition: Condition | None = None) -> Subject:
    info = NODES[name]
    return of_node(info, info.preset(), Size(units), condition or Condition())


def ring(activation: str = "tanh") -> RingModel:
    return RingModel(topology.cycle(6, 0.8), topology.auto_signs(6), activation=activation)


def deep() -> DeepModel:
    rng = np.random.default_rng(0)
    second = MatrixModel(0.4 * np.eye(4), rng.normal(size=(6, 4)), leak_rate=0.3)
    return DeepModel([ring(), second])


KINDS: dict[str, Callable[[], Subject]] = {
    "float ring": lambda: of_model(ring()),
    "float layers": lambda: of_model(deep()),
    "reference": lambda: of_design(leaky()),
    "reference, layers": lambda: of_design(DEEP),
    "reference, Euler": lambda: of_design(steps(1)),
    "device": lambda: device("memristive", 8, Condition(40.0, 8)),
    "digital device": lambda: device("integer-deep", 6),
}


def numbers(entry: Any) -> Iterator[float]:
    if isinstance(entry, dict):
        for value in entry.values():
            yield from numbers(value)
    elif isinstance(entry, list):
        for value in entry:
            yield from numbers(value)
    elif isinstance(entry, float):
        yield entry


def check(subject: Subject, found: Characterised) -> None:
    """All of a record is there, finite, and what forgets is seen to forget."""
    record = json.loads(json.dumps(found.record, allow_nan=False))
    assert record["source"] == subject.facts and record["units"] == subject.reservoir.n_units
    assert sum(record["layers"]["units"]) == record["units"]
    every = [number for key in record for number in numbers(record[key])]
    assert len(every) > 80 and np.isfinite(every).all()
    assert record["lyapunov"]["maximum"] < 0 and record["suffix"]["rate"] < 0
    assert 0 < record["ranks"]["generalisation"] <= record["ranks"]["kernel"] <= record["units"]
    assert 1 <= record["effective_rank"] <= record["units"]
    assert record["processing"]["per_degree"]["1"] > 0.5  # beside what the other channel does


@pytest.mark.parametrize("kind", KINDS)
def test_every_metric_works_on_every_kind(kind: str) -> None:
    subject = KINDS[kind]()
    check(subject, measure(subject))


def test_a_circuit_measures_like_its_reference() -> None:
    """Every metric works on it too, and gives the same numbers to the last bit."""
    design = fading(5)
    subjects = [of_design(design), of_design(design, CircuitReservoir)]
    first, second = (measure(subject) for subject in subjects)
    check(subjects[1], second)
    for found in (first, second):
        del found.record["seconds"]
    assert first.record == second.record


def test_a_model_and_its_fine_integers_measure_alike() -> None:
    """The preset of the integer cycle, which clips, against the same ring in floating point."""
    options = MetricOptions(samples=3000, longest=20, degrees={1: 20, 2: 4}, probe=400)
    found = measure(device("integer-cycle", 12), options).record
    point = NODES["integer-cycle"].preset().default()
    signs = topology.auto_signs(12).astype(float)
    model = RingModel(
        topology.cycle(12, point["feedback"]), point["scaling"] * signs,
        point["bias"] * signs[0], activation="clip",
    )  # fmt: skip
    ideal = measure(of_model(model), options).record
    assert found["memory"]["total"] == pytest.approx(ideal["memory"]["total"], rel=0.1)
    assert found["lyapunov"]["maximum"] == pytest.approx(ideal["lyapunov"]["maximum"], abs=0.05)
    assert found["layers"]["centroids"] == pytest.approx(ideal["layers"]["centroids"], rel=0.05)
    conditions = found["conditions"][0]
    assert conditions["radius"] == pytest.approx(ideal["conditions"][0]["radius"], abs=0.02)


def test_conditions_of_a_design_are_those_of_its_weights() -> None:
    """Taps of 3/8 and 1/8; and a sparse matrix whose units leak."""
    told = of_design(fading(1)).conditions
    assert not isinstance(told, str)
    taps = [(1, np.array([3, 3, -2, 3, 3]) / 8), (4, np.array([0, 1, 1, 1, 0]) / 8)]
    want = echo_conditions(topology.dense(taps))
    assert (told[0].radius, told[0].largest_singular) == (want.radius, want.largest_singular)
    told = of_design(leaky()).conditions
    assert not isinstance(told, str)
    weights = np.zeros((5, 5))
    rows = ((3, -2), (1,), (), (2, 3, -4), (1, 1))
    for unit, (codes, places) in enumerate(
        zip(rows, ((1, 4), (0,), (), (0, 2, 3), (0, 4)), strict=True)
    ):
        weights[unit, list(places)] = np.array(codes) / 16
    rates = np.array([0.5, 1, 0.5, 1, 0.5])
    assert told[0].absolute_radius == echo_conditions(weights, rates).absolute_radius
    assert told[0].sufficient


def test_the_slope_of_a_unit_counts() -> None:
    """The logistic function is a quarter as steep as tanh."""
    steep, flat = (of_model(ring(name)).conditions for name in ("tanh", "fermi"))
    assert not isinstance(steep, str) and not isinstance(flat, str)
    assert steep[0].radius == pytest.approx(0.8) and flat[0].radius == pytest.approx(0.2)


def test_where_there_are_no_conditions_it_is_said_why() -> None:
    assert of_design(steps(1)).conditions == "an Euler step keeps the whole state"
    assert "fed back" in str(of_design(looped(1)).conditions)
    assert device("memristive", 8).conditions == "a device has no weights"
    euler = EulerRingModel(0.5, np.ones((1, 4)))
    assert of_model(euler).conditions == "an Euler step keeps the whole state"
    loop = FeedbackModel(MatrixModel(np.eye(2), np.ones((2, 2))), lambda x: x[:, :1], 1)
    wrapped = DeepModel([loop])
    assert of_model(wrapped).conditions == "the weights are not known"


def test_a_device_that_knows_no_state_in_between_has_no_exponent() -> None:
    found = measure(device("spintronic-superparamagnetic", 24), replace(BRIEF, samples=300)).record
    assert found["lyapunov"]["maximum"] is None
    assert "whole numbers" in found["lyapunov"]["refused"]


def test_a_loop_of_codes_is_measured() -> None:
    """Codes that are fed back are part of what a perturbation moves."""
    found = measure(of_design(looped(1)))
    assert found.record["lyapunov"]["method"] == "perturbation"


def test_results_repeat_and_follow_the_seed() -> None:
    first, again = (measure(of_model(ring())).record for _ in range(2))
    other = measure(of_model(ring()), replace(BRIEF, seed=1)).record
    assert first["memory"] == again["memory"] != other["memory"]


def test_both_files_are_written(tmp_path: Path) -> None:
    found = measure(of_model(ring("linear")))
    assert [path.name for path in found.write(tmp_path / "out")] == list(FILES)
    assert json.loads((tmp_path / "out" / FILES[0]).read_text()) == found.record
    assert found.record["processing"]["per_degree"]["2"] == 0


def test_refused_with_the_reason() -> None:
    with pytest.raises(DesignError, match=r"^samples must be at least the 600 of a shorter run"):
        MetricOptions(samples=100)
    with pytest.raises(DesignError, match=r"^layer external must be driven, not external$"):
        of_design(EXTERNAL)
