"""A reservoir of any kind by all metrics of `rchw.metrics`: the work of ``rchw metrics``.

What is drawn is drawn from the seed. All metrics but those of weights use runs alone, so that a
model, integers, a circuit and a device are measured alike.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw import metrics, plot
from rchw.errors import DesignError
from rchw.experiment import Steps, finite, versions
from rchw.files import together
from rchw.lab.subjects import Subject
from rchw.metrics.processing import DEGREES

__all__ = ["FILES", "Characterised", "MetricOptions", "characterise"]

Array = NDArray[Any]
Values = NDArray[np.float64]
FILES = ("metrics.json", "metrics.svg")


@dataclass(frozen=True)
class MetricOptions:
    """How much is run.

    Parameters
    ----------
    samples : int
        Of the long run, from which memory, capacities, entropies and spectra come.
    washout : int
        First samples of every run that do not count.
    longest : int
        Delay to which memory is followed; at most N twice.
    degrees : mapping
        Of the processing capacity: longest delay of every degree.
    probe : int
        Samples of each of the shorter runs: echo index, exponent, separation, time scales.
    stream : int
        Samples of a stream, for the ranks; a quarter of them is shared for generalisation.
    starts, trials : int
        Runs from different states, and changed inputs.
    interval : int
        Samples between two measurements of the exponent.
    noise : float
        Of states that have none, for the ranks: in deviations of the states.
    symbols, suffix : int
        Levels of the alphabet, and symbols of the longest common suffix.
    seed : int
    """

    samples: int = 10_000
    washout: int = 200
    longest: int = 200
    degrees: Mapping[int, int] = field(default_factory=lambda: dict(DEGREES))
    probe: int = 600
    stream: int = 40
    starts: int = 8
    trials: int = 5
    interval: int = 1
    noise: float = 1e-3
    symbols: int = 4
    suffix: int = 6
    seed: int = 0

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise DesignError(f"seed must be at least 0, not {self.seed}")
        if not 2 <= self.washout < self.probe <= self.samples:
            raise DesignError(
                f"samples must be at least the {self.probe} of a shorter run, and these more than "
                f"a washout of at least 2, not {self.samples} and {self.washout}"
            )


@dataclass(frozen=True)
class Characterised:
    """What was found, nothing of it written yet.

    Attributes
    ----------
    record : dict
        JSON-ready.
    """

    record: dict[str, Any]

    def picture(self) -> str:
        """Memory, processing capacity and spectra as SVG."""
        memory, layers = self.record["memory"], self.record["layers"]
        figure = plot.metrics_figure(
            memory["delays"],
            memory["per_delay"],
            memory["chance"],
            {int(d): row for d, row in self.record["processing"]["per_delay"].items()},
            layers["frequencies"],
            layers["power"],
        )
        return plot.svg(figure, "metrics")

    def write(self, folder: Path) -> list[Path]:
        """Write both files, or none.

        Raises
        ------
        RchwError
            If the folder cannot be written.
        """
        text = json.dumps(self.record, indent=1, allow_nan=False) + "\n"
        with together(folder) as temporary:
            for name, content in zip(FILES, (text, self.picture()), strict=True):
                (temporary / name).write_text(content, encoding="utf-8")
        return [folder / name for name in FILES]


def characterise(subject: Subject, options: MetricOptions, steps: Steps) -> Characterised:
    """Measure a reservoir.

    Raises
    ------
    DesignError
        If a run is too short for it, or its states do not vary.
    """
    begun = time.monotonic()
    reservoir = subject.reservoir
    rng = np.random.default_rng([options.seed, 6])
    inputs = subject.inputs(options.samples, rng)
    with steps.step(f"run of {options.samples:,} samples"):
        states = reservoir.run(inputs)
    with steps.step("capacities"):
        capacities = _capacities(subject, options, inputs, states)
    with steps.step("ranks and entropies"):
        richness = _richness(subject, options, inputs, states)
    with steps.step("echo states and exponent"):
        stability = _stability(subject, options, inputs[: options.probe])
    with steps.step("suffixes, time scales and separation"):
        organisation = _organisation(subject, options, inputs[: options.probe], states, rng)
    record = {
        "kind": "metrics",
        "version": 1,
        "source": subject.facts,
        "units": reservoir.n_units,
        "inputs": reservoir.n_inputs,
        "samples": options.samples,
        "washout": options.washout,
        "seed": options.seed,
        **capacities,
        **richness,
        **stability,
        **organisation,
        "tools": versions("scipy", "numba"),
        "seconds": round(time.monotonic() - begun, 2),
    }
    return Characterised(record)


def _capacities(
    subject: Subject, options: MetricOptions, inputs: Array, states: Array
) -> dict[str, Any]:
    first = inputs[:, 0]
    longest = min(2 * states.shape[1], options.longest)
    memory = metrics.memory_capacity(states, first, range(1, longest + 1), washout=options.washout)
    low, high = subject.ends
    found = metrics.information_processing_capacity(
        states, first, options.degrees, low=low, high=high, washout=options.washout
    )
    return {
        "memory": {
            "total": memory.total,
            "significant": memory.significant,
            "chance": memory.chance,
            "delays": list(memory.delays),
            "per_delay": memory.per_delay.tolist(),
        },
        "processing": {
            "total": found.total,
            "rank": found.rank,
            "threshold": found.threshold,
            "targets": len(found.terms),
            "longest": {str(d): k for d, k in options.degrees.items()},
            "per_degree": {str(d): value for d, value in found.per_degree.items()},
            "per_delay": {
                str(d): found.per_delay(d)[: k + 1].tolist() for d, k in options.degrees.items()
            },
        },
    }


def _richness(
    subject: Subject, options: MetricOptions, inputs: Array, states: Array
) -> dict[str, Any]:
    kept = states[options.washout :]
    shared = max(1, options.stream // 4)
    count = min(len(inputs) // options.stream, 2 * states.shape[1] + 1)
    noise = subject.noise
    if noise is None:
        noise = options.noise * float(np.sqrt(kept.var(axis=0).mean()))
    ranks = metrics.stream_ranks(
        subject.reservoir,
        inputs[: count * options.stream],
        length=options.stream,
        shared=shared,
        noise=noise,
    )
    scaled, low, high = _scaled(subject, kept)
    rim = (high - low) / (2**subject.bits - 1) / 2 if subject.bits else 0.0
    bins = min(2**subject.bits, 256) if subject.bits else 256
    bits = metrics.unit_entropy(scaled, -1.0 - rim, 1.0 + rim, bins)
    return {
        "ranks": {
            "kernel": ranks.kernel.rank,
            "generalisation": ranks.generalisation.rank,
            "difference": ranks.difference,
            "noise": noise,
            "floor": ranks.kernel.floor,
            "streams": count - 1,
            "length": options.stream,
            "shared": shared,
        },
        "effective_rank": metrics.effective_rank(kept),
        "entropy": {
            "across_units": None
            if scaled.shape[1] < 2
            else finite(metrics.average_state_entropy(scaled[:1000])),
            "bits_per_unit": float(bits.mean()),
            "least_bits": float(bits.min()),
            "bins": bins,
            "range": "of the format" if subject.rails is not None else "of the run",
        },
        "saturation": metrics.saturation_fraction(scaled, -1.0, 1.0),
    }


def _scaled(subject: Subject, states: Array) -> tuple[Values, float, float]:
    """States from -1 to 1 between their rails, and the ends -1 and 1."""
    values = states.astype(np.float64)
    low, high = subject.rails or (np.full(1, values.min()), np.full(1, values.max()))
    return 2 * (values - low) / (high - low) - 1, -1.0, 1.0


def _stability(subject: Subject, options: MetricOptions, inputs: Array) -> dict[str, Any]:
    echo = metrics.echo_index(
        subject.reservoir,
        inputs,
        n_starts=options.starts,
        tail=max(1, len(inputs) // 10),
        tolerance=subject.tolerance,
        rng=np.random.default_rng([options.seed, 7]),
    )
    told = subject.conditions
    return {
        "echo": {
            "distance": echo.distance,
            "responses": echo.count,
            "starts": options.starts,
            "tolerance": echo.tolerance,
        },
        "lyapunov": _exponent(subject, options, inputs),
        "conditions": told
        if isinstance(told, str)
        else [
            {
                "largest_singular": layer.largest_singular,
                "schur": layer.schur.stable,
                "absolute_radius": layer.absolute_radius,
                "radius": layer.radius,
                "sufficient": layer.sufficient,
            }
            for layer in told
        ],
    }


def _exponent(subject: Subject, options: MetricOptions, inputs: Array) -> dict[str, Any]:
    exact = isinstance(subject.reservoir, metrics.Differentiable)
    try:
        found = metrics.maximum_lyapunov(
            subject.reservoir,
            inputs,
            washout=options.washout,
            size=subject.size,
            least=subject.least,
            interval=options.interval,
        )
    except DesignError as error:
        # A device whose states are counts knows none in between.
        return {"maximum": None, "method": None, "refused": str(error)}
    return {
        "maximum": finite(found),
        "method": "Jacobians" if exact else "perturbation",
        "forgets_entirely": bool(found == -np.inf),
    }


def _organisation(
    subject: Subject,
    options: MetricOptions,
    inputs: Array,
    states: Array,
    rng: np.random.Generator,
) -> dict[str, Any]:
    reservoir, sizes = subject.reservoir, subject.sizes
    symbols = rng.integers(0, options.symbols, options.samples)
    suffix = metrics.suffix_organisation(
        reservoir.run(subject.levels(options.symbols)[symbols]),
        symbols,
        longest=options.suffix,
        washout=options.washout,
    )
    horizon = len(inputs) - options.washout
    scales = metrics.layer_timescales(
        reservoir, inputs, sizes, horizon=horizon, washout=options.washout, trials=options.trials
    )
    kept = states[options.washout :]
    spectra = metrics.layer_spectra(kept, sizes, segment=min(256, len(kept)))
    apart = metrics.input_separation(reservoir, inputs, washout=options.washout)
    return {
        "suffix": {
            "rate": finite(suffix.rate),
            "symbols": options.symbols,
            "lengths": suffix.lengths.tolist(),
            "distances": suffix.mean.tolist(),
        },
        "layers": {
            "units": list(sizes),
            "timescales": scales.samples.tolist(),
            "threshold": scales.threshold,
            "horizon": horizon,
            "centroids": spectra.centroids.tolist(),
            "frequencies": spectra.frequencies.tolist(),
            "power": spectra.power.tolist(),
        },
        "separation": {
            "inputs": apart.inputs.tolist(),
            "states": apart.states.tolist(),
            "ratios": apart.ratios.tolist(),
        },
    }
