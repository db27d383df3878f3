"""In what respects designs differ, as numbers and words: by these the estimator knows what is new.

The calibration keeps the range of every number and every word that it has seen; what lies outside
is an extrapolation.
"""

from collections.abc import Mapping
from typing import Any

from rchw.activation import Clip, PiecewiseLinear
from rchw.design import Design, ExternalLayer, Layer, LevelInput, MatrixInput, MatrixLayer, Stage
from rchw.schedule import Schedule

__all__ = ["Traits", "outside", "ranges_of", "traits_of"]

Traits = tuple[dict[str, float], set[str]]


def traits_of(design: Design, plan: Schedule) -> Traits:
    """Numbers by name, and words, of a design and its schedule."""
    readout, layers = design.readout, design.layers
    numbers = {
        "units": float(design.n_units),
        "inputs": float(design.n_inputs),
        "outputs": float(design.n_outputs),
        "features": float(design.n_features),
        "layers": float(len(layers)),
        "state bits": float(max(layer.state.width for layer in layers)),
        "input bits": float(max((channel.format.width for channel in design.inputs), default=0)),
        "readout bits": float(readout.weight_format.width),
        "output bits": float(max(output.format.width for output in readout.outputs)),
    }
    joined = [layer for layer in layers if not isinstance(layer, ExternalLayer)]
    if joined:
        reads = [len(row) for layer in joined for row in layer.connections]
        numbers["weight bits"] = float(max(layer.connection_format.width for layer in joined))
        numbers["units that a unit reads"] = float(max(reads))
    if not plan.parallel:
        numbers |= {
            "lanes": float(max(layer.lanes for layer in layers)),
            "multipliers": float(readout.multipliers),
        }
    words = {f"form {'parallel' if plan.parallel else 'folded'}"}
    for layer in layers:
        words |= _layer(layer)
    for stage in design.stages:
        words |= _sources(stage)
    words |= {f"feature {block.kind}" for block in design.blocks}
    if design.feedback:
        words.add("feedback")
    if readout.pooled:
        words.add(f"answers of {readout.accumulate}")
    if readout.argmax:
        words.add("argmax")
    return numbers, words


def _layer(layer: Layer) -> set[str]:
    if isinstance(layer, ExternalLayer):
        return {"states from outside"}
    kind = layer.activation
    name = "clip" if isinstance(kind, Clip) else "table"
    if isinstance(kind, PiecewiseLinear):
        name = "pwl"
    words = {f"activation {name}", f"update {layer.update}", f"rounding {layer.rounding.value}"}
    matrix = layer.matrix.kind if isinstance(layer, MatrixLayer) else ""
    words.add(f"matrix {matrix}" if matrix else "ring")
    if layer.gain is not None:
        words.add("gain")
    if any(layer.initial_state):
        words.add("initial states")
    return words


def _sources(stage: Stage) -> set[str]:
    words = {"levels" for entry in stage.entries if isinstance(entry, LevelInput)}
    for feed in stage.feeds:
        words.add(f"layers by {'matrix' if isinstance(feed.entry, MatrixInput) else 'taps'}")
    return words


def ranges_of(traits: list[Traits]) -> dict[str, Any]:
    """Least and greatest of every number, and all words, of some designs."""
    names = sorted({name for numbers, _ in traits for name in numbers})
    seen = {name: [numbers[name] for numbers, _ in traits if name in numbers] for name in names}
    return {
        "numbers": {name: [min(values), max(values)] for name, values in seen.items()},
        "words": sorted(set().union(*(words for _, words in traits))),
    }


def outside(traits: Traits, ranges: Mapping[str, Any] | None) -> tuple[str, ...]:
    """What of a design lies outside the ranges of the calibration, by name; None: all of it."""
    numbers, words = traits
    if ranges is None:
        return tuple(word for word in words if word.startswith("form "))
    found = []
    for name, value in numbers.items():
        low, high = ranges["numbers"].get(name, (value, value))
        if not low <= value <= high:
            found.append(f"{name} {value:g} (calibrated from {low:g} to {high:g})")
    found += sorted(words - set(ranges["words"]))
    return tuple(found)
