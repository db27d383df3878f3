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
    dtype = integer_type(feature_bound(design))
    states, inputs = states.astype(dtype), inputs.astype(dtype)
    blocks: list[tuple[int, Integers]] = []
    ends = np.cumsum([layer.n_units for layer in design.layers]).tolist()
    for block in design.blocks:
        to, layer = block.format, design.layers[block.layer]
        own = states[:, ends[block.layer] - layer.n_units : ends[block.layer]]
        if block.kind == "states":
            codes = own
        elif block.kind == "squares":
            rounding = design.features.of_layers[block.layer].square_rounding
            codes = requantize(own * own, 2 * layer.state.frac - to.frac, to, rounding)
        elif block.kind == "inputs":
            codes = inputs
        else:
            codes = np.ones((len(states), 1), dtype=dtype)
        blocks.append((to.frac, codes))
    return blocks


@dataclass(frozen=True)
class ReadoutReference:
    """The readout of a design in full integers."""

    design: Design

    def totals(
        self, features: Sequence[tuple[int, Integers]], segment: int = 0
    ) -> tuple[int, Integers]:
        """Exact sums of one sample's features each, with the weights of a segment.

        `features` are as from `feature_codes`. Returns fraction bits, and sums of shape (T, L).
        """
        readout = self.design.readout
        finest = max(frac for frac, _ in features)
        dtype = integer_type(readout_bound(self.design))
        columns = [codes.astype(dtype) * (1 << (finest - frac)) for frac, codes in features]
        weights = np.array(readout.by_segment[segment], dtype=dtype)
        totals = np.concatenate(columns, axis=1) @ weights.T
        return readout.weight_format.frac + finest, totals

    def answered_totals(
        self, features: Sequence[tuple[int, Integers]], last: NDArray[np.bool_]
    ) -> tuple[int, Integers]:
        """Exact sums behind every answer: fraction bits, and shape (A, L), A being the answers.

        The first sample begins a sequence; one that is not ended has no answer.
        """
        readout = self.design.readout
        frac, totals = self.totals(features)
        if readout.segments is None:
            return frac, totals[self.design.answered(last)]
        place = _places(last)
        segment = place // readout.segments.length
        for g in range(1, readout.n_segments):
            totals = np.where((segment == g)[:, None], self.totals(features, g)[1], totals)
        totals = np.where((segment < readout.n_segments)[:, None], totals, 0)
        ends = np.flatnonzero(last)
        first = ends - place[ends]
        sums = [totals[a : b + 1].sum(axis=0) for a, b in zip(first, ends, strict=True)]
        return frac, np.array(sums, dtype=totals.dtype).reshape(-1, totals.shape[1])

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

    def outputs(
        self, states: Integers, inputs: Integers, last: NDArray[np.bool_] | None = None
    ) -> NDArray[np.int64]:
        """Codes of all answers to states after their samples.

        Shapes (T, N), (T, K), (T,) -> (T, L); as many rows as samples are marked where a sequence
        has one answer, and one column with argmax. Without `last` no sample is marked.
        """
        flags = np.zeros(len(states), dtype=bool) if last is None else last
        features = feature_codes(self.design, states, inputs)
        codes = self.rounded(*self.answered_totals(features, flags)).astype(np.int64)
        return codes.argmax(axis=1)[:, None] if self.design.readout.argmax else codes


def _places(last: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Number of every sample within its sequence, from 0."""
    time = np.arange(len(last))
    begins = np.concatenate([[True], last[:-1]])[: len(last)]
    starts: NDArray[np.int64] = np.maximum.accumulate(np.where(begins, time, 0))
    return time - starts
