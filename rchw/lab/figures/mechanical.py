"""Published figures of mechanical reservoirs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.lab.figures.figure import Band, Measured, PublishedFigure, Told
from rchw.lab.figures.runs import Split
from rchw.lab.trial import Condition, try_preset
from rchw.nodes import Drive, Mask, Observation, PhysicalReservoir
from rchw.nodes.mechanical import SpringNetwork
from rchw.nodes.presets import Preset, Size
from rchw.tasks import Task
from rchw.tasks.floors import memoryless
from rchw.tasks.nvar import nvar
from rchw.tasks.task import split_slices
from rchw.train.linear import train_linear

__all__ = ["FIGURES"]

Values = NDArray[np.float64]

_HAUSER = "Hauser et al., Biol. Cybern. 105, 355 (2011), and public code of its toolbox"
_INTERVAL = 1e-3  # seconds per sample
_SINES = (2.11, 3.73, 4.33)  # hertz
_LONGER = 2  # times the washout that the network asks for
_PEAK, _WIDTH, _REACH = 0.1, 0.05, 0.2  # of the kernel, in seconds


def _sines(count: int) -> Values:
    """The product of three sines, which repeats itself after 100 s; float64 array (count,)."""
    times = np.arange(count) * _INTERVAL
    return np.asarray(np.prod([np.sin(2 * np.pi * each * times) for each in _SINES], axis=0))


def _kernel() -> Values:
    """The Gaussian over its reach, times the interval; float64 array (201,)."""
    times = np.arange(round(_REACH / _INTERVAL) + 1) * _INTERVAL
    return np.asarray(_INTERVAL * np.exp(-((times - _PEAK) ** 2) / (2 * _WIDTH**2)))


def _volterra(inputs: Values) -> Values:
    """Outputs once the kernel is filled; (T + 200,) -> (T,).

    ``y(t) = integral of h(s) h(r) u(t - s) u(t - r) over s and r``: the Gaussian in two dimensions
    is a product, so that the double integral is the square of a single one.
    """
    return np.asarray(np.convolve(inputs, _kernel(), "valid") ** 2)


def _volterra_task(washout: int, split: Split) -> Task:
    """The washout comes before the training samples of the split, as part of that slice."""
    before = len(_kernel()) - 1
    rows = split_slices((washout + split[0], split[1], split[2]))
    inputs = _sines(rows[2].stop + before)
    source = f"second-order Volterra operator on a product of sines, washout {washout} ms"
    return Task(
        "volterra", inputs[before:], _volterra(inputs), washout, *rows, "nmse", source, horizon=0
    )


def _network(seed: int, masses: int) -> SpringNetwork:
    """Three steps per millisecond are short enough for the networks of the figure."""
    return SpringNetwork.drawn(masses, seed, _INTERVAL, steps=3)


def _preset(masses: int, forces: tuple[float, ...]) -> Preset:
    def build(size: Size, force: float) -> PhysicalReservoir:
        mask = Mask("analog", size.seed)
        return PhysicalReservoir(_network(size.seed, masses), Drive(-force, force), mask)

    return Preset("volterra", "one sample per millisecond", _HAUSER, 78, build, {"force": forces})


def _hauser_volterra(
    told: Told,
    *,
    seeds: int = 3,
    masses: int = 30,
    split: Split = (40_000, 20_000, 40_000),
    forces: tuple[float, ...] = (5.0, 50.0),
) -> Measured:
    """Mean over networks, each after ten times in which its slowest motion falls to 1/e.

    The five that a network asks for leave 0.7 % of its start. That is more than the small products
    of motions that a readout without noise lives on: some errors are then ten times as large.

    Parameters
    ----------
    told : callable
    seeds : int
        Numbers of networks, of their input weights and of the noise alike.
    masses : int
    split : three of int
        Without the washout; up to 100,000 in all no test sample repeats one that was learnt from.
    forces : tuple of float
        Amplitudes to choose from, in newtons.
    """
    preset, runs = _preset(masses, forces), list[dict[str, Any]]()
    for seed in range(seeds):
        network = _network(seed, masses)
        task = _volterra_task(_LONGER * network.washout, split)
        quiet, noisy = try_preset(
            task,
            preset,
            Size(network.n_devices, 1, seed),
            (Condition(), Condition(40.0)),
            observation=Observation(seed=seed),
        )
        told(f"seed {seed}: {quiet.error:.2e} without noise, {noisy.error:.3f} at 40 dB")
        runs.append(
            {
                "seed": seed,
                "splits": task.hashes(),
                "springs": network.n_devices,
                "slowest_in_seconds": network.slowest,
                "washout": task.washout,
                "nmse": quiet.error,
                "noisy": noisy.error,
                "point": quiet.point,
                "noisy_point": noisy.point,
                "refused": quiet.refused,
                "regularisation": quiet.measurement.readout.regularisation,
                "noisy_regularisation": noisy.measurement.readout.regularisation,
                "raw": train_linear(task, task.inputs).error(task, task.inputs),
                "cubic": memoryless(task),
                "nvar": nvar(task)[0],
            }
        )
    mean = {
        name: float(np.mean([run[name] for run in runs]))
        for name in ("nmse", "noisy", "raw", "cubic", "nvar")
    }
    return Measured(
        mean["nmse"],
        mean["noisy"],
        "40 dB",
        {
            "linear regression on the input": mean["raw"],
            "memoryless cubic": mean["cubic"],
            "NVAR": mean["nvar"],
        },
        details={"runs": runs, "split": list(split), "searched": {"force": list(forces)}},
    )


FIGURES = (
    PublishedFigure(
        "hauser-volterra",
        "second-order Volterra operator on a network of springs, 30 masses",
        "NMSE",
        "small, where linear regression on the input has 1",
        Band(high=1e-2),
        "without noise",
        _HAUSER,
        "no number of the paper is confirmed, the band was set here; kernel recalled; constants of "
        "the springs are drawn from ranges in which the emulation succeeds",
        _hauser_volterra,
    ),
)
