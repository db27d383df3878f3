"""Small networks for the tests: one of every structure, with a readout that forecasts a series."""

from typing import Any

import numpy as np

from rchw.importing import Network
from rchw.tasks import Task
from rchw.tasks.task import split_slices

__all__ = ["KINDS", "Quiet", "arrays_of", "network_of", "small_task"]

N = 10


class Quiet:
    """Steps that show nothing."""

    def step(self, title: str) -> Any:
        return self

    def bar(self, title: str) -> Any:
        return self

    def __enter__(self) -> Any:
        return lambda *told: None

    def __exit__(self, *error: object) -> None:
        pass


def small_task(channels: int = 1) -> Task:
    """Sums of sines, one sample ahead."""
    times = np.arange(601)
    columns = [np.sin(times / (3.0 + k)) + 0.5 * np.cos(times / 7.3 + k) for k in range(channels)]
    series = 3.0 + 2.0 * np.stack(columns, axis=1)
    train, validation, test = split_slices((300, 150, 150))
    return Task(
        name="sines", inputs=series[:-1], targets=series[1:, :1], washout=40, train=train,
        validation=validation, test=test, metric="nmse", source="sines",
    )  # fmt: skip


def arrays_of(kind: str, channels: int = 1) -> dict[str, Any]:
    """Arrays of a network: ``ring``, ``sparse``, ``dense``, ``antisymmetric`` or ``euler-ring``."""
    rng = np.random.default_rng(11)
    dense = rng.normal(size=(N, N)) / np.sqrt(N)
    cycle = np.roll(np.eye(N), 1, axis=0)
    arrays: dict[str, Any] = {
        "W_in": rng.uniform(-0.3, 0.3, (N, channels)),
        "bias": rng.uniform(-0.2, 0.2, N),
        "input_offset": 3.0,
        "W_out": rng.normal(size=(1, N)),
        "b_out": 0.5,
    }
    if kind == "antisymmetric":
        return arrays | {"W": dense - dense.T - 0.1 * np.eye(N), "step": 0.125}
    if kind == "euler-ring":
        return arrays | {"W": 0.8 * (cycle - cycle.T) - 0.1 * np.eye(N), "step": 0.125}
    weights = {
        "ring": 0.75 * cycle,
        "dense": 0.8 * dense,
        "sparse": np.where(rng.uniform(size=(N, N)) < 0.3, dense, 0.0),
    }
    return arrays | {"W": weights[kind], "leak_rate": 0.5}


KINDS = ("ring", "sparse", "dense", "antisymmetric", "euler-ring")


def network_of(kind: str, channels: int = 1, **more: Any) -> Network:
    """A network of these arrays, some of them others; None leaves one out."""
    arrays = arrays_of(kind, channels) | more
    return Network.of({name: value for name, value in arrays.items() if value is not None})
