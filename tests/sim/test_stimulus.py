"""The stimulus goes to the corners and to both rails, or shows that a rail cannot be reached."""

from dataclasses import replace

import numpy as np
import pytest

from rchw import reference
from rchw.activation import Clip
from rchw.design import (
    Design,
    Features,
    InputChannel,
    LevelInput,
    LinearInput,
    Output,
    Readout,
    RingLayer,
    Tap,
)
from rchw.fixed import QFormat
from rchw.sim.stimulus import (
    corners,
    output_drive,
    pushes,
    rail_drive,
    rails_of,
    stimulus,
    unit_drive,
)


def design(n_units: int, input_weight: int = 3, level: bool = False, leak_shift: int = 0) -> Design:
    """Build a cycle of weight 3/4 with two channels."""
    signs = np.resize([1, 1, -1], n_units)
    narrow = QFormat(4, 3)
    weights = tuple(int(v) for v in input_weight * signs)
    second = LinearInput(narrow, tuple(-v for v in weights))
    thresholds, low = (1,) * n_units, tuple(-v for v in weights)
    layer = RingLayer(
        n_units=n_units,
        state=QFormat(8, 7),
        tap_format=narrow,
        taps=(Tap(1 % n_units, (6,) * n_units),),
        inputs=(
            LevelInput(narrow, thresholds, low, weights) if level else LinearInput(narrow, weights),
            second,
        ),
        bias_format=QFormat(6, 7),
        bias=(0,) * n_units,
        activation=Clip(-127, 127),
        leak_shift=leak_shift,
    )
    channels = (InputChannel("u", QFormat(8, 7)), InputChannel("v", QFormat(6, 5)))
    readout = Readout((Output("y", QFormat(8, 4)),), QFormat(2, 0), ((1,) * (n_units + 1),))
    return Design("cycle", channels, (layer,), Features(), readout)


@pytest.mark.parametrize("samples", [48, 600])
def test_stimulus_has_corners_and_last_flags(samples: int) -> None:
    codes, last = stimulus(design(5), samples, np.random.default_rng(3))
    assert codes.shape == (samples, 2)
    for k, channel in enumerate(design(5).inputs):
        assert codes[:, k].min() == channel.format.min
        assert codes[:, k].max() == channel.format.max
        if samples > 100:
            assert set(corners(channel.format)) <= set(codes[:, k].tolist())
    assert last[-1]
    assert (last[:-1] & last[1:]).any()


def test_stimulus_follows_its_seed() -> None:
    first, second = (stimulus(design(5), 99, np.random.default_rng(1))[0] for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("n_units", [1, 2, 7, 40, 300])
@pytest.mark.parametrize("level", [False, True])
def test_drive_hits_both_rails(n_units: int, level: bool) -> None:
    circuit = design(n_units, level=level)
    low, high = rails_of(circuit.layer)
    up, down = rail_drive(circuit, True), rail_drive(circuit, False)
    assert up.bound > high
    assert down.bound < low
    assert reference.run(circuit, up.codes).states.max() == high
    assert reference.run(circuit, down.codes).states.min() == low


def test_unreachable_rail_is_proven() -> None:
    circuit = design(8, input_weight=1)
    quiet = replace(
        circuit,
        inputs=tuple(
            replace(channel, format=QFormat(channel.format.width - 2, channel.format.frac))
            for channel in circuit.inputs
        ),
    )
    drive = rail_drive(quiet, True)
    assert drive.proven
    assert drive.bound < 127
    reached = reference.run(quiet, drive.codes).states.max()
    assert drive.bound - 10 < reached <= drive.bound


def test_leak_is_part_of_the_drive() -> None:
    circuit = design(6, leak_shift=2)
    drive = rail_drive(circuit, True)
    assert reference.run(circuit, drive.codes).states.max() > 100


def test_a_ring_that_grows_without_an_input_ends_within_the_doubles() -> None:
    """Weights far above 1, and an input that reaches no unit: nothing would ever be reached."""
    silent = design(3, input_weight=0)
    growing = QFormat(12)
    wild = replace(silent.ring, tap_format=growing, taps=(Tap(1, (2000, 2000, 2000)),))
    drive = rail_drive(replace(silent, layers=(wild,)), True)
    assert np.isfinite(drive.bound) and not drive.proven


def weighted(n_units: int, input_weight: int = 1) -> Design:
    """Give a cycle two outputs of drawn weights, wide enough for all sums."""
    found = design(n_units, input_weight)
    weights = np.random.default_rng(n_units).integers(-2, 2, (2, n_units + 1))
    outputs = tuple(Output(name, QFormat(20, 7)) for name in "yz")
    rows = tuple(tuple(row) for row in weights.tolist())
    return replace(found, readout=Readout(outputs, QFormat(2, 0), rows))


@pytest.mark.parametrize("n_units", [5, 7, 40])
def test_outputs_are_driven_further_than_by_chance(n_units: int) -> None:
    circuit = weighted(n_units)
    drawn = stimulus(circuit, 4000, np.random.default_rng(1))[0]
    chance = reference.run(circuit, drawn).outputs
    for output in range(2):
        up, down = (output_drive(circuit, output, upper) for upper in (True, False))
        assert up.shape[1] == 2 and len(up) <= 400
        # The last sample is the one for which all were chosen.
        assert reference.run(circuit, up).outputs[-1, output] > chance[:, output].max()
        assert reference.run(circuit, down).outputs[-1, output] < chance[:, output].min()


@pytest.mark.parametrize("reset_on_last", [True, False])
def test_pushes_are_those_of_outputs_and_units_one_by_one(reset_on_last: bool) -> None:
    circuit = replace(weighted(7), reset_on_last=reset_on_last)
    codes, last = pushes(circuit)
    starts = [0, *(np.flatnonzero(last) + 1).tolist()]
    assert starts[-1] == len(codes) == len(last) and len(starts) == 1 + 2 * (2 + 7)
    drives = [output_drive(circuit, k, upper) for k in range(2) for upper in (True, False)]
    drives += [unit_drive(circuit, k, upper) for k in range(7) for upper in (True, False)]
    for start, stop, drive in zip(starts[:-1], starts[1:], drives, strict=True):
        assert np.array_equal(codes[start:stop], drive)
    few, ends = pushes(circuit, most=starts[3])
    assert np.array_equal(few, codes[: starts[3]]) and ends.sum() == 3 and ends[-1]
    assert len(pushes(circuit, most=1)[0]) == starts[1]


@pytest.mark.parametrize("n_units", [1, 7, 40])
def test_every_unit_is_pushed_further_than_by_chance(n_units: int) -> None:
    """Inputs so weak that no unit comes near its rail."""
    circuit = design(n_units, input_weight=1)
    drawn = stimulus(circuit, 3000, np.random.default_rng(1))[0]
    chance = reference.run(circuit, drawn).states
    for unit in range(n_units):
        up, down = (unit_drive(circuit, unit, upper) for upper in (True, False))
        assert reference.run(circuit, up).states[-1, unit] >= chance[:, unit].max()
        assert reference.run(circuit, down).states[-1, unit] <= chance[:, unit].min()
