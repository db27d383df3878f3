"""Published figures of photonic reservoirs: loops with one nonlinear node and a delay."""

from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from rchw.lab.figures.figure import Band, Measured, PublishedFigure, Told
from rchw.lab.figures.runs import Axes, Runs, Split, floors_of, mean
from rchw.lab.trial import Condition, observed, try_preset
from rchw.nodes import Observation, PhysicalReservoir
from rchw.nodes.photonic import SineIkeda
from rchw.nodes.presets import Preset, Size, node
from rchw.tasks import Task, load_task
from rchw.tasks.series import SYMBOLS, channel
from rchw.tasks.task import aligned, split_slices
from rchw.train.linear import LinearReadout, train_linear

__all__ = ["FIGURES"]


_PAQUOT = "Paquot et al., Sci. Rep. 2, 287 (2012)"
_WASHOUT = 200  # samples; that of the named tasks too


# --- Appeltant: NARMA10 on a Mackey-Glass loop ---------------------------------------------------

_MACKEY_GLASS = replace(
    node("photonic-mackey-glass").preset("appeltant"),
    axes={"strength": (0.5, 0.4, 0.6, 0.8), "input_gain": (0.001, 0.003, 0.03)},
)
_DECIBELS = (None, 60.0, 40.0)
# The smallest stand for singular values 1e-15 of the greatest, which is rounding: without noise the
# figure lives from there.
_RIDGES = tuple(10.0**exponent for exponent in range(-30, 2))


def _mackey_glass_run(task: Task, seed: int, units: int) -> list[dict[str, Any]]:
    """NRMSE on the test samples at each of `_DECIBELS`, each with its own best point."""
    best: list[tuple[LinearReadout, PhysicalReservoir, dict[str, float]]] = []
    for point in _MACKEY_GLASS.points():
        bare = _MACKEY_GLASS.reservoir(Size(units, 1, seed), point)
        scaled = replace(bare, drive=bare.drive.fitted(task.inputs[task.train]))
        readings = scaled.readings(task.inputs[: task.validation.stop])
        for index, decibels in enumerate(_DECIBELS):
            seen = Observation(seed=seed).matched(
                readings[task.train], bare.node.interval, 1, snr_decibels=decibels
            )
            reservoir = replace(scaled, observation=seen)
            readout = train_linear(task, observed(reservoir, readings).values, _RIDGES)
            if index == len(best):
                best.append((readout, reservoir, point))
            elif readout.validation < best[index][0].validation:
                best[index] = (readout, reservoir, point)
    return [
        {
            "nrmse": readout.error(task, reservoir.run(task.inputs)) ** 0.5,
            "point": point,
            "regularisation": readout.regularisation,
        }
        for readout, reservoir, point in best
    ]


def _appeltant_narma10(
    told: Told, *, seeds: int = 5, units: int = 400, split: Split = (1600, 800, 800)
) -> Measured:
    """Mean over draws, each of 4 times 800 points: two parts teach, one chooses, one tests.

    Parameters
    ----------
    told : callable
    seeds : int
        Numbers of series, of masks and of the noise alike.
    units : int
    split : three of int
    """
    runs: Runs = []
    tasks = []
    for seed in range(seeds):
        task = load_task("narma10", split=split, seed=seed)
        quiet, noisy, noisier = _mackey_glass_run(task, seed, units)
        told(f"seed {seed}: {quiet['nrmse']:.3f} without noise, {noisy['nrmse']:.3f} at 60 dB")
        tasks.append(task)
        run = {"seed": seed, "splits": task.hashes(), "quiet": quiet}
        runs.append(run | {"at_60_decibels": noisy, "at_40_decibels": noisier})
    score, at_60, at_40 = (
        mean([run[name] for run in runs], "nrmse")
        for name in ("quiet", "at_60_decibels", "at_40_decibels")
    )
    return Measured(
        score,
        at_60,
        f"60 dB; {at_40:.3g} at 40 dB",
        floors_of(tasks, 0.5),
        {
            "at 60 dB the error is more than twice as large": at_60 > 2 * score,
            "at 40 dB it is larger still": at_40 > at_60,
        },
        {
            "runs": runs,
            "split": list(split),
            "washout": _WASHOUT,
            "searched": {name: list(values) for name, values in _MACKEY_GLASS.axes.items()},
            "regularisations": [min(_RIDGES), max(_RIDGES)],
        },
    )


# --- Paquot: a sine loop whose noise goes round ---------------------------------------------------

_NOISE = 0.003  # standard deviation in the loop, of which x is at most 1
_LEVELS = tuple(range(12, 33, 4))  # signal-to-noise ratios of the channel, in dB
_LEVEL = 28  # the one that the band is for
_NARMA_AXES = {"strength": (0.9, 0.8, 0.95), "input_gain": (0.2, 0.1, 0.3), "bias": (0.0,)}
_CHANNEL_AXES = {
    "strength": (0.7, 0.5, 0.9),
    "input_gain": (0.4, 0.2, 0.8),
    "bias": (0.1, 0.0, 0.2),
}


def _in_the_loop(noise: float, size: Size, **point: float) -> PhysicalReservoir:
    """Build the preset of Paquot with noise that goes round the loop, not noise of a detector."""
    reservoir = node("photonic-ikeda").preset("paquot").build(size, **point)
    loop = reservoir.node
    assert isinstance(loop, SineIkeda)
    return replace(reservoir, node=replace(loop, noise=noise, seed=size.seed))


def _sine_loop(noise: float, axes: Axes) -> Preset:
    paquot = node("photonic-ikeda").preset("paquot")
    return replace(paquot, build=partial(_in_the_loop, noise), axes=axes)


def _paquot_narma10(
    told: Told, *, seeds: int = 5, units: int = 50, split: Split = (2000, 1000, 3000)
) -> Measured:
    """Mean over draws of series and mask; `seeds`, `units` and `split` as for the other loop."""
    runs, tasks = [], []
    for seed in range(seeds):
        task = load_task("narma10", split=split, seed=seed)
        run: dict[str, Any] = {"seed": seed, "splits": task.hashes()}
        for name, noise in (("quiet", 0.0), ("noisy", _NOISE)):
            size = Size(units, 1, seed)
            (found,) = try_preset(task, _sine_loop(noise, _NARMA_AXES), size, (Condition(),))
            run |= {name: found.error, f"{name}_point": found.point}
            run[f"{name}_regularisation"] = found.measurement.readout.regularisation
        told(f"seed {seed}: {run['quiet']:.3f} without noise, {run['noisy']:.3f} with {_NOISE}")
        runs.append(run)
        tasks.append(task)
    quiet, noisy = mean(runs, "quiet"), mean(runs, "noisy")
    return Measured(
        noisy,
        noisy,
        f"{_NOISE} in the loop, as ours; {quiet:.3g} without",
        floors_of(tasks, 1.0),
        {"without noise it is better": quiet < noisy},
        {
            "runs": runs,
            "without_noise": quiet,
            "spread": float(np.std([run["noisy"] for run in runs])),
            "split": list(split),
            "washout": _WASHOUT,
            "searched": {name: list(values) for name, values in _NARMA_AXES.items()},
        },
    )


def _channel_task(seed: int, decibels: float, split: Split, metric: str = "ser") -> Task:
    """Symbol sent two samples ago; of one seed, symbols are the same at every level of noise."""
    received, symbols = channel(sum(split) + 2, np.random.default_rng(seed), snr=decibels)
    inputs, targets = aligned(received, symbols, -2)
    source = f"nonlinear channel at {decibels:g} dB (Jaeger and Haas 2004), seed {seed}"
    return Task(
        "channel", inputs, targets, _WASHOUT, *split_slices(split), metric, source,
        symbols=SYMBOLS, horizon=-2,
    )  # fmt: skip


def _falls(errors: list[float]) -> bool:
    """Whether each is below the one before; what has no error left may stay there."""
    return all(b < a or a == b == 0 for a, b in pairwise(errors))


def _paquot_channel(
    told: Told,
    *,
    seeds: int = 3,
    units: int = 50,
    split: Split = (3000, 3000, 20_000),
    axes: Axes = _CHANNEL_AXES,
) -> Measured:
    """Mean over draws of series and mask. One point serves all levels of the channel's noise.

    It is chosen by the squared error on a series of its own at 28 dB, where symbol errors are too
    few to tell points apart.

    Parameters
    ----------
    told : callable
    seeds : int
        Numbers of series, of masks and of the noise alike.
    units : int
    split : three of int
    axes : mapping
        Of the preset, see `rchw.nodes.presets.Preset`.
    """
    runs, tasks = [], []
    for seed in range(seeds):
        size = Size(units, 1, seed)
        own = _channel_task(1000 + seed, _LEVEL, (*split[:2], 100), "nmse")
        levels = [_channel_task(seed, level, split) for level in _LEVELS]
        run: dict[str, Any] = {"seed": seed, "own_splits": own.hashes()}
        run["splits"] = {
            str(level): task.hashes() for level, task in zip(_LEVELS, levels, strict=True)
        }
        for name, noise in (("quiet", 0.0), ("noisy", _NOISE)):
            preset = _sine_loop(noise, axes)
            (chosen,) = try_preset(own, preset, size, (Condition(),))
            errors = []
            for task in levels:
                (found,) = try_preset(
                    task, preset, size, (Condition(),), tune=False, point=chosen.point
                )
                errors.append(found.error)
            run |= {name: errors, f"{name}_point": chosen.point}
            told(f"seed {seed}, {name}: {errors[_LEVELS.index(_LEVEL)]:.1e} at {_LEVEL} dB")
        runs.append(run)
        tasks.append(levels[_LEVELS.index(_LEVEL)])
    quiet, noisy = (np.mean([run[name] for run in runs], axis=0) for name in ("quiet", "noisy"))
    at = _LEVELS.index(_LEVEL)
    return Measured(
        float(noisy[at]),
        float(noisy[at]),
        f"{_NOISE} in the loop, as ours; {quiet[at]:.2g} without",
        floors_of(tasks, 1.0),
        {
            "falls from 12 to 32 dB": _falls(noisy.tolist()),
            "falls without noise in the loop": _falls(quiet.tolist()),
            "without noise it is better": bool(quiet[at] < noisy[at]),
        },
        {
            "runs": runs,
            "decibels": list(_LEVELS),
            "without_noise": quiet.tolist(),
            "with_noise": noisy.tolist(),
            "split": list(split),
            "washout": _WASHOUT,
            "searched": {name: list(values) for name, values in axes.items()},
        },
    )


FIGURES = (
    PublishedFigure(
        "appeltant-narma10",
        "NARMA10 on a Mackey-Glass loop of 400 nodes, 4 times 800 points",
        "NRMSE",
        "0.15",
        Band(0.12, 0.2),
        "without noise",
        "Appeltant et al., Nat. Commun. 2, 468 (2011)",
        "target recalled, not confirmed; public code gives 0.12. Reached only without noise and "
        "with a ridge at the rounding of float64: no instrument reads states like that",
        _appeltant_narma10,
    ),
    PublishedFigure(
        "paquot-narma10",
        "NARMA10 on the sine loop of 50 nodes",
        "NMSE",
        "0.168 with a spread of 0.015, experiment",
        Band(0.15, 0.19),
        "noise of 0.003 in the loop",
        _PAQUOT,
        "target recalled, not confirmed; the recursion too, and the noise was set here. A weak "
        "target: a linear filter of 60 taps without a reservoir is as good",
        _paquot_narma10,
    ),
    PublishedFigure(
        "paquot-channel",
        "symbols behind a nonlinear channel of 12 to 32 dB, sine loop of 50 nodes",
        "symbol error rate at 28 dB",
        "1e-4 to 1e-3, experiment",
        Band(high=1e-3),
        "noise of 0.003 in the loop",
        _PAQUOT,
        "target recalled, not confirmed; the recursion too, and the noise was set here",
        _paquot_channel,
    ),
)
