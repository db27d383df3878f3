"""Other packages' reservoirs in the harness: the contract, and a row with a tiny budget."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import peers
from benchmarks.accuracy_rows import Streams
from benchmarks.peers_page import markdown, verdict
from benchmarks.peers_reservoirs import PEERS, Draw, draws
from benchmarks.peers_rows import features_of, loop_rows, sequence_rows, series_rows
from rchw.reservoir import Reservoir
from rchw.tasks import Task, load_task
from rchw.tasks.sequences import SequenceTask

DRAW = Draw(radius=0.8, scaling=0.3, bias=0.2, leak=0.7, density=0.3)
FAST = ("reservoirpy", "reservoirpy-cycle", "reservoir-computing", "deepesn", "deepesn-5")


@pytest.mark.parametrize("name", FAST)
def test_a_reservoir_of_a_package_keeps_the_contract(name: str) -> None:
    """Equal seeds, chunks and the whole, another seed; its states are what drives it."""
    made = PEERS[name].make(20, 2, DRAW, 3)
    assert isinstance(made, Reservoir)
    inputs = np.random.default_rng(1).uniform(-1, 1, (60, 2))
    states = made.run(inputs)
    assert states.shape == (60, made.n_units) and np.isfinite(states).all()
    twin = PEERS[name].make(20, 2, DRAW, 3).run(inputs)
    np.testing.assert_allclose(twin, states, atol=1e-12)  # of a sparse matrix but for rounding
    first, state = made.advance(inputs[:25])
    again = np.concatenate([first, made.run(inputs[25:], state)])
    np.testing.assert_allclose(again, states, atol=1e-12)
    assert np.abs(PEERS[name].make(20, 2, DRAW, 4).run(inputs) - states).max() > 1e-3
    stronger = replace(DRAW, scaling=1.0)
    assert PEERS[name].make(20, 2, stronger, 3).run(inputs).std() > states.std()


def test_reservoirpy_computes_its_equation() -> None:
    """New states are (1 - a) x + a tanh(W x + W_in u + b), with its own matrices."""
    import reservoirpy.nodes as nodes

    made = PEERS["reservoirpy"].make(12, 1, DRAW, 5)
    rng = np.random.default_rng(5)
    bias = rng.uniform(-DRAW.bias, DRAW.bias, 12)
    node = nodes.Reservoir(
        units=12, lr=DRAW.leak, sr=DRAW.radius, input_scaling=DRAW.scaling, bias=bias,
        input_connectivity=1.0, rc_connectivity=DRAW.density, seed=5,
    )  # fmt: skip
    node.initialize(np.zeros((1, 1)))
    inputs, x = np.random.default_rng(2).uniform(-1, 1, (30, 1)), np.zeros(12)
    states = made.run(inputs)
    for sample, wanted in zip(inputs, states, strict=True):
        drive = node.W @ x + node.Win @ sample + bias
        x = (1 - DRAW.leak) * x + DRAW.leak * np.tanh(drive)
        np.testing.assert_allclose(x, wanted, atol=1e-12)


def test_draws_are_the_same_for_everybody() -> None:
    assert list(draws(5, 1)) == list(draws(5, 1))[:5] == list(draws(7, 1))[:5]
    assert all(0.4 <= draw.radius <= 1.2 and 0 < draw.leak <= 1 for draw in draws(20, 2))


class _Short(Streams):
    """Short series, so that a row takes no time."""

    def load(self, seeds: Sequence[int]) -> list[Task]:
        return [
            load_task(self.task, horizon=self.horizon, seed=seed, washout=50, split=(400, 700, 700))
            for seed in seeds
        ]


def test_a_row_of_a_series_reads_the_test_samples_once() -> None:
    streams = _Short("henon", (1,), (2, 3), None)
    rows = series_rows(PEERS["reservoirpy-cycle"], 20, streams, budget=2)
    assert set(rows) == {"linear", "squares"}
    for row in rows.values():
        assert len(row["errors"]) == 2 and row["candidates"] == 2
        assert all(0 < error < 1 for error in row["errors"])
    assert rows["squares"]["mean"] < rows["linear"]["mean"]  # the map is quadratic


class _Spoilt(_Short):
    """The same with noise for test samples."""

    def load(self, seeds: Sequence[int]) -> list[Task]:
        found = []
        for task in super().load(seeds):
            rng = np.random.default_rng(7)
            inputs, targets = task.inputs.copy(), task.targets.copy()
            for values in (inputs, targets):
                values[task.test] = rng.uniform(-1, 1, values[task.test].shape)
            found.append(replace(task, inputs=inputs, targets=targets))
        return found


def test_no_choice_reads_a_test_sample() -> None:
    given = ("henon", (1,), (2,), None)
    plain, spoilt = (
        series_rows(PEERS["reservoirpy-cycle"], 20, kind(*given), budget=3)
        for kind in (_Short, _Spoilt)
    )
    for readout, row in plain.items():
        assert row["chosen"] == spoilt[readout]["chosen"]
        assert row["validation"] == pytest.approx(spoilt[readout]["validation"], rel=1e-6)
        assert row["mean"] < spoilt[readout]["mean"]  # and what is told is of the test samples


def test_a_closed_loop_stays_with_the_series_for_a_while() -> None:
    streams = _Short("mackey-glass", (1,), (2,), 1)
    rows = loop_rows(PEERS["reservoirpy-cycle"], 20, streams, budget=2)
    assert all(len(row["times"]) == 5 and row["time_mean"] > 1 for row in rows.values())


def test_sequences_that_differ_in_their_mean_are_told_apart() -> None:
    rng = np.random.default_rng(3)
    labels = np.arange(40) % 2
    sequences = [rng.normal(label, 0.3, (12, 2)) for label in labels]
    task = SequenceTask(
        "means", tuple(sequences), labels, ("low", "high"), np.arange(30), np.arange(30, 40), "", ""
    )
    rows = sequence_rows(PEERS["reservoirpy"], 10, task, budget=1)
    assert all(row["errors"] == [0] * 5 and row["sequences"] == 10 for row in rows.values())


def test_squares_stand_beside_the_states() -> None:
    states = np.array([[2.0, -3.0]])
    assert features_of(states, "squares").tolist() == [[2.0, -3.0, 4.0, 9.0]]
    assert features_of(states, "linear") is states


def _entry(title: str, readout: str, errors: list[float], ours: bool = False) -> dict[str, object]:
    return {
        "title": title, "readout": readout, "ours": ours, "errors": errors,
        "mean": float(np.mean(errors)), "median": float(np.median(errors)),
    }  # fmt: skip


def test_the_page_says_who_is_behind() -> None:
    rows = {
        "henon/100/linear": {"title": "x", "errors": [0.5], "mean": 0.5, "median": 0.5},
        "henon/100/int8-linear": _entry("rchw, 8 bits", "linear", [0.4, 0.2], True)
        | {"validation": 0.3},
        "henon/100/int8-squares": _entry("rchw, 8 bits", "squares", [0.1, 0.1], True)
        | {"validation": 0.1},
        "henon/100/float-linear": _entry("rchw, float", "linear", [0.01], True),
        "henon/100/a-linear": _entry("a, random", "linear", [0.2, 0.2]),
        "henon/100/a-squares": _entry("a, random", "squares", [0.05, 0.05]),
    }
    page = markdown({"command": "python", "budget": 3, "rows": rows})
    assert "| linear filter, 60 taps | 0.5 | |" in page
    assert "| rchw, 8 bits | **0.3 (0.3)** | **0.1 (0.1)** |" in page
    assert "| a, random | **0.2 (0.2)** | **0.05 (0.05)** |" in page
    assert verdict({key.split("/")[2]: row for key, row in rows.items()}) == [
        "- Beside a linear readout of peers, a, random (0.2): 8 bits ahead (0.1).",
        "- Both with [x, 1], a, random (0.2): 8 bits **behind** (0.3).",
        "- Both with [x, x², 1], a, random (0.05): 8 bits **behind** (0.1).",
        "- The best floor, linear filter, 60 taps (0.5): 8 bits ahead (0.1).",
    ]


def test_the_page_tells_what_rounding_costs() -> None:
    cases = [
        {"activation": name, "bits": bits, "linear": 0.5, "squares": error}
        for name, bits, error in (
            ("tanh", 0, 0.001), ("tanh", 16, 0.004), ("pwl", 0, 0.003), ("pwl", 16, 0.0036),
        )
    ]  # fmt: skip
    rows = {
        "henon/100/rounding": {"title": "rounded", "cases": cases},
        "henon/100/a-linear": _entry("a, random", "linear", [0.2]),
    }
    page = markdown({"command": "python", "budget": 3, "rows": rows})
    assert "| tanh | float | 0.5 | 0.001 |" in page and "| pwl | 16 | 0.5 | 0.0036 |" in page
    assert "multiplies the error of tanh by 4.0 and that of straight segments by 1.2." in page
    assert "| rounded |" not in page


def test_validation_chooses_among_our_rows_and_the_test_among_those_of_peers() -> None:
    table = {
        "a": _entry("rchw ring, 8 bits", "linear", [0.1], True) | {"validation": 0.3},
        "b": _entry("rchw leaky, 8 bits", "linear", [0.2], True) | {"validation": 0.2},
        "c": _entry("rchw ring, 16 bits", "squares", [0.05], True) | {"validation": 0.1},
        "d": _entry("p, random", "linear", [0.3]) | {"validation": 0.1},
        "e": _entry("q, random", "linear", [0.06]) | {"validation": 0.2},
        "volterra": {"title": "x", "errors": [0.1], "mean": 0.1, "median": 0.1},
    }
    assert verdict(table) == [
        "- Beside a linear readout of peers, q, random (0.06): 8 bits **behind** (0.2), 16 bits "
        "ahead (0.05).",
        "- Both with [x, 1], q, random (0.06): 8 bits **behind** (0.2).",
        "- The best floor, Volterra filter (0.1): 8 bits **behind** (0.2), 16 bits ahead (0.05).",
        "- The activation is worth something at 16 bits: 8 bits 2.00, 16 bits 0.50 of the lesser "
        "quadratic floor.",
    ]


def test_the_page_is_that_of_the_record() -> None:
    record = json.loads(peers.RESULTS.read_text(encoding="utf-8"))
    page = (peers.FOLDER / "peers.md").read_text(encoding="utf-8")
    assert page == markdown(record), "python -m benchmarks.peers --page"
    known = {name for _, name, _ in peers.jobs(100)}
    assert known & set(record["rows"])
    assert record["budget"] == peers.BUDGET
