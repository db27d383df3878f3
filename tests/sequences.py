"""Hypothesis strategy for designs that answer once per sequence, or with a class."""

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from rchw.design import Design, Segments
from rchw.readouts import ACCUMULATES
from tests.designs import designs, external_designs, matrix_designs

__all__ = ["marks", "sequence_designs"]


@st.composite
def sequence_designs(draw: Any, max_units: int = 6) -> Design:
    """Any layer behind which a readout sums over samples, waits for the last, or names a class."""
    kinds = [designs(max_units), designs(max_units), matrix_designs(max_units)]
    design: Design = draw(st.one_of(*kinds, external_designs(max_units)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    accumulate = draw(st.sampled_from([*ACCUMULATES, "sum", "segments", "segments"]))
    argmax = accumulate == "each" or draw(st.booleans())
    count = draw(st.integers(1, 4)) if accumulate == "segments" else 1
    segments = None
    if accumulate in ("sum", "segments"):
        segments = Segments(draw(st.integers(1, 5)), count)
    readout = design.readout
    outputs = readout.outputs
    if argmax:
        outputs = tuple(replace(out, format=outputs[0].format) for out in outputs)
    fmt = readout.weight_format
    size = (len(outputs), count * design.n_features)
    rows = rng.integers(fmt.min, fmt.max + 1, size).tolist()
    if draw(st.integers(0, 3)) == 0 and argmax:
        rows = rows[:1] * len(rows)  # every answer is a tie
    return replace(
        design,
        readout=replace(
            readout,
            outputs=outputs,
            weights=tuple(map(tuple, rows)),
            accumulate=accumulate,
            segments=segments,
            argmax=argmax,
        ),
    )


def marks(design: Design, rng: np.random.Generator, samples: int) -> NDArray[np.bool_]:
    """Last flags (T,) of sequences of one sample and more, some longer than all segments.

    Half the time the last of all is not ended.
    """
    segments = design.readout.segments
    longest = 4 if segments is None else segments.samples + 2
    lengths = rng.choice([1, 1, 2, longest - 2, longest - 1, longest], samples)
    ends = np.cumsum(np.maximum(lengths, 1)) - 1
    last = np.zeros(samples, dtype=bool)
    last[ends[ends < samples]] = True
    last[-1] = bool(rng.integers(2))
    return last
