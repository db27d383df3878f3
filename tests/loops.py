"""Hypothesis strategy for designs whose outputs are fed back, and designs without inputs."""

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from rchw.design import Design, Feedback
from rchw.schedule import possible_multipliers
from tests.designs import any_codes, any_format, designs, matrix_designs

__all__ = ["feedback_designs", "without_channels"]


def without_channels(design: Design) -> Design:
    """The same without inputs, fully folded in its readout."""
    width, features = design.n_inputs, design.features
    first = design.n_units * features.per_unit
    rows = design.readout.weights
    if features.inputs:
        rows = tuple((*row[:first], *row[first + width :]) for row in rows)
    return replace(
        design,
        inputs=(),
        layers=(replace(design.driven, inputs=()),),
        features=replace(features, inputs=False),
        readout=replace(design.readout, weights=rows, multipliers=1),
    )


@st.composite
def feedback_designs(draw: Any, max_units: int = 8) -> Design:
    """Any design of units some of whose outputs are fed back, a quarter of them without inputs."""
    design: Design = draw(st.one_of(designs(max_units), matrix_designs(max_units)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    entries = []
    style = draw(st.sampled_from(["sign", "levels", "any"]))
    places = rng.permutation(design.n_outputs)[: draw(st.sampled_from([1, 1, 2, 3]))]
    for output in (design.readout.outputs[place] for place in places):
        fmt = any_format(draw, None)
        entries.append(
            Feedback(
                format=fmt,
                weights=any_codes(rng, fmt, design.n_units, style),
                output=output.name,
                layer=design.layer.name,
                initial=int(rng.integers(output.format.min, output.format.max + 1)),
                teacher=draw(st.booleans()),
            )
        )
    design = replace(design, feedback=tuple(entries))
    if draw(st.integers(0, 3)) == 0:
        design = without_channels(design)
        counts = possible_multipliers(design.layer.lanes, design)
        multipliers = draw(st.sampled_from(counts))
        design = replace(design, readout=replace(design.readout, multipliers=multipliers))
    return design
