"""Features and readout in full integers: `docs/design-format.md`, sections 5 and 6."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.design import Design
from rchw.fixed import requantize
from rchw.reference.bounds import feature_bound, integer_type, readout_bound

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
    dtype = integer_type(feature_bound(design))
    states, inputs = states.astype(dtype), inputs.astype(dtype)
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
        blocks.append((features.one.frac, np.ones((len(states), 1), dtype=dtype)))
    return blocks


@dataclass(frozen=True)
class ReadoutReference:
    """The readout of a design in full integers."""

    design: Design

    def totals(self, features: Sequence[tuple[int, Integers]]) -> tuple[int, Integers]:
        """Exact sums of the features, as from `feature_codes`: fraction bits, shape (T, L)."""
        readout = self.design.readout
        finest = max(frac for frac, _ in features)
        dtype = integer_type(readout_bound(self.design))
        columns = [codes.astype(dtype) * (1 << (finest - frac)) for frac, codes in features]
        totals = np.concatenate(columns, axis=1) @ np.array(readout.weights, dtype=dtype).T
        return readout.weight_format.frac + finest, totals

    def rounded(self, frac: int, totals: Integers) -> Integers:
        """Output codes of sums with `frac` fraction bits, same shape."""
        readout = self.design.readout
        outputs = [
            requantize(
                totals[:, k],
                frac - output.format.frac,
                output.format,
                readout.rounding,
                readout.overflow,
            )
            for k, output in enumerate(readout.outputs)
        ]
        return np.stack(outputs, axis=1)

    def outputs(self, states: Integers, inputs: Integers) -> NDArray[np.int64]:
        """Output codes of states after their samples; shapes (T, N), (T, K) -> (T, L)."""
        features = feature_codes(self.design, states, inputs)
        return self.rounded(*self.totals(features)).astype(np.int64)
