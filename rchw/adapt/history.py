"""What an adaptation leaves behind beside the adapted reservoir: its history, layer by layer.

Every rule has the shape ``rule(reservoir, inputs, ...) -> reservoir, history``. It reads inputs and
states, never targets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["History", "LayerHistory", "Recorder", "summary_words"]

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LayerHistory:
    """How one layer changed.

    Attributes
    ----------
    steps : int64 array (R,)
        Samples after which something was recorded; the first is 0, before anything has changed.
    values : mapping of str to float64 array (R,)
        What was recorded, by name: ``mean`` and ``std`` of the activations, ``gain_min``,
        ``gain_median``, ``gain_max``, ``radius`` (spectral radius of ``diag(gain) W``), and what
        else a rule has.
    stopped : str
        Why it came to an end, in words.
    reached : bool or None
        Whether the rule's target was reached; None for a rule without one.
    kept : int or None
        Of a rule that may stop early: samples after which the layer was as it has been kept.
    """

    steps: NDArray[np.int64]
    values: Mapping[str, Values]
    stopped: str
    reached: bool | None
    kept: int | None = None

    def summary(self) -> dict[str, Any]:
        """What was recorded first, and last or of what was kept, ready for JSON."""
        last, early = -1, {}
        if self.kept is not None:
            last, early = int(np.flatnonzero(self.steps == self.kept)[0]), {"kept": self.kept}
        return {
            "samples": int(self.steps[-1]),
            "stopped": self.stopped,
            "reached": self.reached,
            **early,
            "before": {name: float(series[0]) for name, series in self.values.items()},
            "after": {name: float(series[last]) for name, series in self.values.items()},
        }


@dataclass(frozen=True, eq=False)
class History:
    """How a reservoir changed under one rule.

    Attributes
    ----------
    rule : str
        Its name, as in `rchw.adapt.RULES`.
    parameters : mapping of str to float
    layers : tuple of LayerHistory
        One for each layer; a reservoir without layers in series has one.
    """

    rule: str
    parameters: Mapping[str, float]
    layers: tuple[LayerHistory, ...]

    @property
    def reached(self) -> bool | None:
        """Whether all layers reached the rule's target; None for a rule without one."""
        known = [layer.reached for layer in self.layers if layer.reached is not None]
        return all(known) if known else None

    def summary(self) -> dict[str, Any]:
        """Rule, parameters, and of every layer what `LayerHistory.summary` says."""
        return {
            "rule": self.rule,
            "parameters": dict(self.parameters),
            "reached": self.reached,
            "layers": [layer.summary() for layer in self.layers],
        }


class Recorder:
    """Collects what is recorded while a rule works."""

    def __init__(self) -> None:
        self._steps: list[int] = []
        self._values: dict[str, list[float]] = {}

    def note(self, step: int, values: Mapping[str, float]) -> None:
        """Record named numbers, the same names each time, after `step` samples.

        What was recorded after the same number of samples before is forgotten.
        """
        if self._steps and self._steps[-1] == step:
            self._steps.pop()
            for series in self._values.values():
                series.pop()
        self._steps.append(step)
        for name, value in values.items():
            self._values.setdefault(name, []).append(float(value))

    def last(self, name: str) -> float:
        """The newest number of a name."""
        return self._values[name][-1]

    def history(self, stopped: str, reached: bool | None, kept: int | None = None) -> LayerHistory:
        """Give out what was recorded."""
        names: Sequence[str] = list(self._values)
        return LayerHistory(
            np.array(self._steps, dtype=np.int64),
            {name: np.array(self._values[name]) for name in names},
            stopped,
            reached,
            kept,
        )


def summary_words(summary: Mapping[str, Any]) -> str:
    """Say in a line what `History.summary` says of the layers."""
    parts = []
    for layer in summary["layers"]:
        before, after = layer["before"], layer["after"]
        parts.append(
            f"spectral radius {before['radius']:.4g} to {after['radius']:.4g}, gains "
            f"{after['gain_min']:.3g} to {after['gain_max']:.3g}, deviation {before['std']:.3g} to "
            f"{after['std']:.3g}" + f", {layer['stopped']}" * ("kept" in layer)
        )
    target = {True: ", target reached", False: ", target not reached", None: ""}
    return f"{summary['rule']}: {'; '.join(parts)}{target[summary['reached']]}"
