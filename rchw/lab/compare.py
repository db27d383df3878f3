"""Reservoirs of all kinds on one task, with the same readout, noise and converters: one table.

Every reservoir has its own best point for every condition, chosen on validation samples. Test
samples are read once for each entry of the table. A reservoir in integers is read exactly, for
noise does not reach it; its states have as many bits as the converters of the others.
"""

import json
import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from rchw import plot
from rchw.errors import DesignError
from rchw.experiment import FLOORS, Steps, finite, versions
from rchw.files import sha256_of, together
from rchw.lab.energy import energy, total
from rchw.lab.facts import limited_share
from rchw.lab.trial import Condition, Trial, try_preset
from rchw.nodes import Observation
from rchw.nodes.presets import Preset, Size, node
from rchw.tasks import Task
from rchw.tasks.floors import floors, memoryless

__all__ = ["FILES", "CompareOptions", "Compared", "Row", "compare"]

FILES = ("compare.json", "compare.csv", "compare.svg")
_MOST = 200  # conditions, and runs


@dataclass(frozen=True)
class CompareOptions:
    """What a user fixes.

    Parameters
    ----------
    reservoirs : tuple of str
        Names of `rchw.nodes.presets.NODES`, each with ``:PRESET`` where it is not the first.
    bits : tuple of int
        Of the converters.
    decibels : tuple of float
        Signal-to-noise ratios.
    units : int
        Readings per sample, of every reservoir as near as its structure allows.
    runs : int
        Seeds of mask, node and noise; errors are means over them.
    seed : int
        The first of them.
    tune : bool
    """

    reservoirs: tuple[str, ...]
    bits: tuple[int, ...] = (4, 6, 8, 10, 12)
    decibels: tuple[float, ...] = (20.0, 40.0, 60.0)
    units: int = 100
    runs: int = 1
    seed: int = 0
    tune: bool = True

    def __post_init__(self) -> None:
        for name in ("reservoirs", "bits", "decibels"):
            chosen = getattr(self, name)
            if not chosen or len(set(chosen)) < len(chosen):
                raise DesignError(f"{name} must be distinct and at least one, not {chosen}")
        if not 1 <= self.runs <= _MOST:
            raise DesignError(f"runs must be from 1 to {_MOST}, not {self.runs}")
        for seed in (self.seed, self.seed + self.runs - 1):
            Size(self.units, 1, seed)
        if len(self.bits) * len(self.decibels) > _MOST:
            raise DesignError(
                f"conditions must be at most {_MOST}, not {len(self.bits)} times "
                f"{len(self.decibels)}"
            )
        for name in self.reservoirs:
            self.preset(name)
        self.conditions()  # have rules of their own

    @staticmethod
    def preset(name: str) -> tuple[str, Preset]:
        """Node and preset that a name stands for."""
        first, _, second = name.partition(":")
        return first, node(first).preset(second or None)

    def conditions(self) -> list[Condition]:
        """Without noise and converter, then every pair of noise and bits."""
        pairs = product(self.decibels, self.bits)
        return [Condition(), *(Condition(float(noise), bits) for noise, bits in pairs)]


@dataclass(frozen=True)
class Row:
    """What one reservoir reached.

    Attributes
    ----------
    name : str
    units : int
    trials : list of list of Trial
        One list per run, in the order of the conditions.
    joules : float or None
        Per sample, at the most bits; an estimate.
    limited : float
        Share of the inputs beyond those of the training samples, which the drive limits.
    """

    name: str
    units: int
    trials: list[list[Trial]]
    joules: float | None
    limited: float

    def errors(self, index: int) -> list[float]:
        """Of one condition, per run."""
        return [run[index].error for run in self.trials]

    def mean(self, index: int) -> float:
        """Error of one condition, mean over the runs."""
        return statistics.fmean(self.errors(index))


@dataclass(frozen=True)
class Compared:
    """A result, nothing of it written yet.

    Attributes
    ----------
    record : dict
        JSON-ready.
    table : str
        CSV, one line per reservoir, condition and run.
    picture : str
        SVG.
    """

    record: dict[str, Any]
    table: str
    picture: str

    def write(self, folder: Path) -> list[Path]:
        """Write all files, or none.

        Raises
        ------
        RchwError
            If the folder cannot be written.
        """
        with together(folder) as temporary:
            record, table, picture = (temporary / name for name in FILES)
            table.write_text(self.table, encoding="utf-8")
            picture.write_text(self.picture, encoding="utf-8")
            hashes = {path.name: sha256_of(path) for path in (table, picture)}
            text = json.dumps(self.record | {"files": hashes}, indent=1, allow_nan=False)
            record.write_text(text + "\n", encoding="utf-8")
        return [folder / name for name in FILES]


def compare(task: Task, options: CompareOptions, steps: Steps) -> Compared:
    """Put every reservoir on the task, under every condition.

    Raises
    ------
    DesignError
        If a node refuses what it is asked for, or the data cannot be trained on.
    """
    begun = time.monotonic()
    rows = [_row(task, name, options, steps) for name in options.reservoirs]
    with steps.step("measuring the floors"):
        levels = {"memoryless cubic": memoryless(task)}
        found = floors(task, options.units)
        levels |= {FLOORS[key]: found[key] for key in ("linear", "volterra", "nvar")}
    conditions = options.conditions()
    record: dict[str, Any] = {
        "kind": "compare",
        "version": 1,
        "task": {
            "name": task.name,
            "data": task.source,
            "metric": task.metric,
            "split_sha256": task.hashes(),
        },
        "bits": list(options.bits),
        "snr_decibels": list(options.decibels),
        "units": options.units,
        "runs": options.runs,
        "seed": options.seed,
        "tuned": options.tune,
        "floors": {key: finite(value) for key, value in levels.items()},
        "reservoirs": [_facts(row, conditions) for row in rows],
        "tools": versions("scipy", "numba"),
        "seconds": round(time.monotonic() - begun, 2),
    }
    return Compared(record, _table(rows, conditions), _picture(task, rows, options, levels))


def _row(task: Task, name: str, options: CompareOptions, steps: Steps) -> Row:
    kind, preset = options.preset(name)
    conditions, trials = options.conditions(), []
    for run in range(options.runs):
        seed = options.seed + run
        title = f"{name} on {task.name}" + f", run {run + 1} of {options.runs}" * (options.runs > 1)
        with steps.bar(title) as show:
            trials.append(
                try_preset(
                    task,
                    preset,
                    Size(options.units, task.n_inputs, seed),
                    conditions,
                    tune=options.tune,
                    observation=Observation(seed=seed),
                    progress=show,
                )
            )
    most = max(range(len(conditions)), key=lambda index: conditions[index].adc_bits or 0)
    last = trials[0][most].reservoir
    drives, readings = (f(task.inputs[task.train]) for f in (last.drives, last.readings))
    items = energy(kind, last, drives, readings, task.n_outputs)
    limited = limited_share(last, task.inputs)
    return Row(name, last.n_units, trials, total(items), limited)


def _facts(row: Row, conditions: Sequence[Condition]) -> dict[str, Any]:
    entries = []
    for index, condition in enumerate(conditions):
        each = [run[index] for run in row.trials]
        entries.append(
            {
                "snr_decibels": condition.snr_decibels,
                "adc_bits": condition.adc_bits,
                "test": [finite(trial.error) for trial in each],
                "validation": [finite(trial.measurement.readout.validation) for trial in each],
                "points": [trial.point for trial in each],
                "clipped": [trial.measurement.clipped for trial in each],
            }
        )
    return {
        "name": row.name,
        "units": row.units,
        "joules": row.joules,
        "limited": row.limited,
        "conditions": entries,
    }


def _table(rows: Sequence[Row], conditions: Sequence[Condition]) -> str:
    lines = ["reservoir,units,snr_decibels,adc_bits,run,validation,test,clipped"]
    for row in rows:
        for index, condition in enumerate(conditions):
            noise, bits = (
                "" if value is None else f"{value:g}"
                for value in (condition.snr_decibels, condition.adc_bits)
            )
            for run, trials in enumerate(row.trials):
                trial = trials[index]
                found = trial.measurement
                errors = f"{found.readout.validation!r},{trial.error!r},{found.clipped!r}"
                lines.append(f"{row.name},{row.units},{noise},{bits},{run},{errors}")
    return "\n".join(lines) + "\n"


def _picture(
    task: Task, rows: Sequence[Row], options: CompareOptions, levels: dict[str, float]
) -> str:
    conditions = options.conditions()
    most, least_noise = max(options.bits), max(options.decibels)
    bits, decibels = sorted(options.bits), sorted(options.decibels)

    def line(row: Row, wanted: Sequence[Condition]) -> list[float]:
        return [row.mean(conditions.index(condition)) for condition in wanted]

    figure = plot.comparison_figure(
        {row.name: line(row, [Condition(least_noise, b) for b in bits]) for row in rows},
        bits,
        {row.name: line(row, [Condition(d, most) for d in decibels]) for row in rows},
        decibels,
        metric=task.metric.upper(),
        floors={key: value for key, value in levels.items() if math.isfinite(value)},
        captions=(f"at {least_noise:g} dB", f"at {most} bits"),
    )
    return plot.svg(figure, "compare")
