"""Presets: found by name, tuned only along their axes, of the size that was asked for."""

import re

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.nodes.presets import NODES, NodeInfo, Preset, Size, node

# Nothing is drawn: signs are digits of pi.
RINGS = ("cycle", "integer-cycle", "euler-ring", "integer-euler-ring")
PRESETS = [(info, preset) for info in NODES.values() for preset in info.presets]


@pytest.mark.parametrize(("info", "preset"), PRESETS, ids=lambda each: each.name)
def test_a_preset_builds_at_every_end_of_its_axes(info: object, preset: Preset) -> None:
    """One axis at a time: all combinations would take minutes and add little."""
    for name, values in preset.axes.items():
        for value in values:
            made = preset.reservoir(Size(preset.units, 1, seed=2), {name: value})
            assert abs(made.n_units - preset.units) <= 0.25 * preset.units
    assert preset.source and preset.description


@pytest.mark.parametrize(("info", "preset"), PRESETS, ids=lambda each: each.name)
def test_a_seed_makes_another_device_and_the_same_seed_the_same(
    info: NodeInfo, preset: Preset
) -> None:
    inputs = np.random.default_rng(0).uniform(-1, 1, (12, 1))
    first, again, other = (
        preset.reservoir(Size(16, 1, seed)).fitted(inputs).run(inputs) for seed in (3, 3, 4)
    )
    assert np.array_equal(first, again)
    assert info.name in RINGS or preset.name == "nakajima" or not np.array_equal(first, other)


def test_points_are_all_combinations_with_the_default_first() -> None:
    preset = node("spintronic").preset()
    points = list(preset.points())
    assert points[0] == preset.default() == {"swing": 2.5e-3, "relaxation": 410e-9}
    assert len(points) == len({tuple(point.values()) for point in points}) == 9


def test_what_is_unknown_is_refused() -> None:
    with pytest.raises(DesignError, match=r"^node must be one of cycle, .*, not 'tube'$"):
        node("tube")
    with pytest.raises(
        DesignError, match=r"^preset of photonic-ikeda must be one of paquot, larger, not 'x'$"
    ):
        node("photonic-ikeda").preset("x")
    with pytest.raises(DesignError, match=r"preset zhong must be low, high, retention, not 'hi'$"):
        node("memristive").preset().reservoir(Size(8), {"hi": 1.0})
    with pytest.raises(
        DesignError, match=r"^units must be a multiple of the 4 virtual nodes of a device, not 10$"
    ):
        node("memristive").preset().reservoir(Size(10))


@pytest.mark.parametrize(
    ("size", "sentence"),
    [
        ((0, 1, 0), "units must be from 1 to 4096, not 0"),
        ((4097, 1, 0), "units must be from 1 to 4096, not 4097"),
        ((1, 0, 0), "input channels must be from 1 to 4096, not 0"),
        ((1, 1, -1), "seed must be from 0 to 9223372036854775807, not -1"),
    ],
)
def test_sizes_are_checked(size: tuple[int, int, int], sentence: str) -> None:
    with pytest.raises(DesignError, match=re.escape(sentence)):
        Size(*size)
