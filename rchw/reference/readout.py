"""Features and readout in full integers: `docs/design-format.md`, sections 5 and 6."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.design import Design
from rchw.fixed import requantize

__all__ = ["ReadoutReference", "feature_codes"]

Integers = NDArray[Any]


def feature_codes(design: Design, states: Integers, inputs: Integers) -> list[tuple[int, Integers]]:
    """Features of each kind in order, as (fraction bits, codes of shape (T, count)).

    Parameters
    ----------
    design : Design
        Its features, state format and input formats are read; its readout is not.
    states : integer array (T, N)
    inputs : integer array (T, K)
    """
    features, state = design.features, design.layer.state
    blocks: list[tuple[int, Integers]] = []
    if features.states:
        blocks.append((state.frac, states))
    if features.squares is not None:
        to = features.squares
        shift = 2 * state.frac - to.frac
        blocks.append((to.frac, requantize(states * states, shift, to, features.square_rounding)))
    if features.inputs:
        blocks.append((design.inputs[0].format.frac, inputs))
    if features.one is not None:
        blocks.append((features.one.frac, np.ones((len(states), 1), dtype=states.dtype)))
    return blocks


@dataclass(frozen=True)
class ReadoutReference:
    """The readout of a design in full integers."""

    design: Design
    dtype: Any = np.int64

    def outputs(self, states: Integers, inputs: Integers) -> Integers:
        """Output codes of states after their samples; shapes (T, N), (T, K) -> (T, L)."""
        design, readout = self.design, self.design.readout
        blocks = feature_codes(design, states, inputs)
        finest = max(frac for frac, _ in blocks)
        aligned = np.concatenate([codes * (1 << (finest - frac)) for frac, codes in blocks], axis=1)
        weights = np.array(readout.weights, dtype=self.dtype)
        totals = aligned @ weights.T
        frac = readout.weight_format.frac + finest
        columns = [
            requantize(
                totals[:, k],
                frac - output.format.frac,
                output.format,
                readout.rounding,
                readout.overflow,
            )
            for k, output in enumerate(readout.outputs)
        ]
        return np.stack(columns, axis=1)
