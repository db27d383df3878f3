"""The named tasks: what each is, its defaults, and how it is built; `load_task` finds any task."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.tasks import real, series
from rchw.tasks.cued import chirp
from rchw.tasks.files import SUFFIXES, load_file
from rchw.tasks.generators import multi_sine, periodic
from rchw.tasks.lorenz import coupled_lorenz
from rchw.tasks.task import Task, aligned, split_slices

__all__ = ["TASKS", "TaskInfo", "load_task"]

Values = NDArray[np.float64]
Split = tuple[int, int, int]
Column = str | int


@dataclass(frozen=True)
class _Series:
    """Inputs and targets of equal length, aligned at horizon 0, and what to say of them."""

    inputs: Values
    targets: Values
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class TaskInfo:
    """A named task.

    Attributes
    ----------
    name, description : str
    horizon, washout : int
        Defaults.
    split : tuple of int
        Default numbers of training (washout included), validation and test samples.
    metric : str
        ``"nmse"`` or ``"ser"``.
    horizons : tuple of int
        Least and largest horizon.
    origin : str
        Where the data come from: the definition, or the package and who measured them.
    licence : str
    symbols : tuple of float or None
        The alphabet of the targets.
    draw : callable
        ``draw(length, rng)`` gives `length` samples, or all there are.
    seeded : bool
        Whether another seed gives another series.
    """

    name: str
    description: str
    horizon: int
    washout: int
    split: Split
    metric: str
    horizons: tuple[int, int]
    origin: str
    licence: str
    draw: Callable[[int, np.random.Generator], _Series] = field(repr=False)
    symbols: tuple[float, ...] | None = None
    seeded: bool = True

    def build(
        self,
        *,
        horizon: int | None = None,
        washout: int | None = None,
        split: Split | None = None,
        seed: int = 0,
    ) -> Task:
        """Build the task; what is None takes its default.

        Raises
        ------
        DesignError
            If a value is out of range or asks for more samples than the series has.
        ToolError
            If the package that carries the series is missing.
        """
        horizon = self.horizon if horizon is None else horizon
        washout = self.washout if washout is None else washout
        lengths = self.split if split is None else split
        low, high = self.horizons
        if not low <= horizon <= high:
            raise DesignError(
                f"horizon of the task {self.name} must be from {low} to {high}, not {horizon}"
            )
        if seed < 0:
            raise DesignError(f"seed must be at least 0, not {seed}")
        train, validation, test = split_slices(lengths)
        total = test.stop
        if total > _LONGEST:
            raise DesignError(
                f"split must add up to at most {_LONGEST} samples of the task {self.name}, not "
                f"{total}"
            )
        drawn = self.draw(total + abs(horizon), np.random.default_rng(seed))
        inputs, targets = aligned(drawn.inputs, drawn.targets, horizon)
        if len(inputs) < total:
            raise DesignError(
                f"split must add up to at most {len(inputs)} samples at horizon {horizon} of the "
                f"task {self.name}, not {total}"
            )
        return Task(
            name=self.name,
            inputs=inputs[:total],
            targets=targets[:total],
            washout=washout,
            train=train,
            validation=validation,
            test=test,
            metric=self.metric,
            source="; ".join(
                [self.origin, f"horizon {horizon}", *[f"seed {seed}"] * self.seeded, *drawn.remarks]
            ),
            symbols=self.symbols,
            horizon=horizon,
        )


def _narma(order: int) -> Callable[[int, np.random.Generator], _Series]:
    def draw(length: int, rng: np.random.Generator) -> _Series:
        inputs, outputs, rejected = series.narma(order, length, rng)
        return _Series(inputs, outputs, (f"{rejected} diverging draws rejected",))

    return draw


def _mackey_glass(length: int, rng: np.random.Generator) -> _Series:
    x = series.mackey_glass(length, rng)
    return _Series(x, x)


def _henon(length: int, rng: np.random.Generator) -> _Series:
    y, redrawn = series.henon(length, rng)
    return _Series(y, y, (f"{redrawn} noise values redrawn to stay in the basin",))


def _channel(length: int, rng: np.random.Generator) -> _Series:
    received, symbols = series.channel(length, rng)
    return _Series(received, symbols)


def _multi_sine(length: int, rng: np.random.Generator) -> _Series:
    x = multi_sine(length)
    return _Series(x, x)


def _sine(length: int, rng: np.random.Generator) -> _Series:
    x = periodic(length, 60.0, (1.0,))
    return _Series(x, x)


def _four_sines(length: int, rng: np.random.Generator) -> _Series:
    x = periodic(length)
    return _Series(x, x)


def _chirp(length: int, rng: np.random.Generator) -> _Series:
    return _Series(*chirp(length, rng))


def _lorenz(length: int, rng: np.random.Generator) -> _Series:
    states = coupled_lorenz(length, rng)
    return _Series(states[:, 3:], states)


def _santa_fe(length: int, rng: np.random.Generator) -> _Series:
    x = real.santa_fe()
    return _Series(x, x, (f"read from reservoirpy {real.package_version('reservoirpy')}",))


def _sunspots(length: int, rng: np.random.Generator) -> _Series:
    x = real.sunspots()
    return _Series(x, x, (f"read from pmdarima {real.package_version('pmdarima')}",))


_LONGEST = 1_000_000  # samples of a series that is generated step by step
_RODAN_TINO = (2000, 3000, 3000)
_TANAKA = (7500, 1500, 3000)  # of his 6000 that are learnt from after 3000, a quarter is held out
_FORCE = (8000, 1000, 11000)  # the last two for a run of 10,000 samples left alone
_CUED = (24_000, 800, 16_000)  # thirty cues to learn from; twenty-one that nothing has seen
_GENERATED = "generated, none needed"

TASKS: dict[str, TaskInfo] = {
    info.name: info
    for info in (
        TaskInfo(
            name="narma10",
            description="output of a tenth-order nonlinear system from its random input",
            horizon=1, washout=200, split=_RODAN_TINO, metric="nmse", horizons=(1, 100),
            origin="NARMA-10 on U[0, 0.5], 100 steps dropped (Rodan and Tino 2011)",
            licence=_GENERATED, draw=_narma(10),
        ),
        TaskInfo(
            name="narma20",
            description="output of a twentieth-order nonlinear system from its random input",
            horizon=1, washout=200, split=_RODAN_TINO, metric="nmse", horizons=(1, 100),
            origin="NARMA-20 on U[0, 0.5], 100 steps dropped (Rodan and Tino 2011)",
            licence=_GENERATED, draw=_narma(20),
        ),
        TaskInfo(
            name="mackey-glass",
            description="chaotic Mackey-Glass series, delay 17, 84 steps ahead",
            horizon=84, washout=200, split=_RODAN_TINO, metric="nmse", horizons=(1, 1000),
            origin="Mackey-Glass, tau 17, Runge-Kutta h 0.1, sampled at 1, tanh(x - 1)",
            licence=_GENERATED, draw=_mackey_glass,
        ),
        TaskInfo(
            name="multi-sine",
            description="mean of four sines of incommensurate periods, one step ahead",
            horizon=1, washout=200, split=_RODAN_TINO, metric="nmse", horizons=(1, 1000),
            origin="sines of 60 / sqrt(2), sqrt(3), sqrt(5) and sqrt(7) samples",
            licence=_GENERATED, draw=_multi_sine, seeded=False,
        ),
        TaskInfo(
            name="sine",
            description="a sine of 60 samples, one step ahead",
            horizon=1, washout=200, split=_FORCE, metric="nmse", horizons=(1, 1000),
            origin="sine of period 60 samples", licence=_GENERATED, draw=_sine, seeded=False,
        ),
        TaskInfo(
            name="four-sines",
            description="four harmonics of 120 samples, one step ahead",
            horizon=1, washout=200, split=_FORCE, metric="nmse", horizons=(1, 1000),
            origin="amplitudes of Sussillo and Abbott (2009), period 120 samples",
            licence=_GENERATED, draw=_four_sines, seeded=False,
        ),
        TaskInfo(
            name="chirp",
            description="an oscillation that a cue starts, from slow to fast and back",
            horizon=0, washout=200, split=_CUED, metric="nmse", horizons=(0, 0),
            origin="sweeps of 800 samples from period 400 to 80 and back, a cue of 20 samples each "
            "(DePasquale et al. 2018, in samples of 2.5 ms)",
            licence=_GENERATED, draw=_chirp, seeded=False,
        ),
        TaskInfo(
            name="henon",
            description="noisy chaotic Henon map, one step ahead",
            horizon=1, washout=200, split=_RODAN_TINO, metric="nmse", horizons=(1, 100),
            origin="Henon map, noise of standard deviation 0.05 (Rodan and Tino 2011)",
            licence=_GENERATED, draw=_henon,
        ),
        TaskInfo(
            name="lorenz-coupled",
            description="a slow and a fast Lorenz system, seen from the fast one, one step ahead",
            horizon=1, washout=3000, split=_TANAKA, metric="nmse", horizons=(1, 1000),
            origin="two Lorenz systems that drive each other, steps of 0.01 (Tanaka et al. 2022)",
            licence=_GENERATED, draw=_lorenz,
        ),
        TaskInfo(
            name="channel",
            description="symbol sent two samples ago from a distorted, noisy signal",
            horizon=-2, washout=200, split=_RODAN_TINO, metric="ser", horizons=(-7, 2),
            origin="four symbols, nonlinear channel, noise at 20 dB (Jaeger and Haas 2004)",
            licence=_GENERATED, draw=_channel, symbols=series.SYMBOLS,
        ),
        TaskInfo(
            name="santa-fe",
            description="measured intensity of a chaotic laser, one step ahead",
            horizon=1, washout=200, split=_RODAN_TINO, metric="nmse", horizons=(1, 1000),
            origin="Santa Fe competition, laser A (Hubner, Abraham and Weiss 1989)",
            licence="file in the package reservoirpy (MIT); no licence stated for the data",
            draw=_santa_fe, seeded=False,
        ),
        TaskInfo(
            name="sunspots",
            description="monthly sunspot numbers 1749 to 1983, one month ahead",
            horizon=1, washout=200, split=(1600, 500, 700), metric="nmse", horizons=(1, 400),
            origin="monthly mean relative sunspot numbers, Zurich and Tokyo observatories",
            licence="file in the package pmdarima (MIT), from the data sets of R",
            draw=_sunspots, seeded=False,
        ),
    )
}  # fmt: skip


def load_task(
    source: str | Path,
    *,
    horizon: int | None = None,
    washout: int | None = None,
    split: Split | None = None,
    seed: int = 0,
    input_columns: str | Sequence[Column] | None = None,
    target_columns: str | Sequence[Column] | None = None,
) -> Task:
    """Build a named task, or a task from a file.

    Parameters
    ----------
    source : str or Path
        A key of `TASKS`, or the path of a .csv, .npy or .npz file.
    horizon, washout, split
        Defaults are those of `TASKS`, or of `rchw.tasks.files.load_file`.
    seed : int
        Of generated series; measured ones do not depend on it.
    input_columns, target_columns : str or sequence of (str or int), optional
        Names or numbers from 0, as a list or separated by commas; for files only.

    Raises
    ------
    DesignError
        If the source is neither, or its data break a rule of `Task`.
    ToolError
        If the package that carries the series is missing.
    """
    name = str(source)
    if name in TASKS:
        if input_columns is not None or target_columns is not None:
            raise DesignError(f"columns must be given for files only, not for the task {name}")
        return TASKS[name].build(horizon=horizon, washout=washout, split=split, seed=seed)
    if Path(name).suffix.lower() not in SUFFIXES:
        raise DesignError(
            f"source must be one of {', '.join(TASKS)}, or the path of a "
            f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]} file, not {name!r}"
        )
    return load_file(
        Path(name), horizon=horizon, washout=washout, split=split,
        input_columns=input_columns, target_columns=target_columns,
    )  # fmt: skip
