"""The stimulus in numpy is that of the C++ program, and goes where it says."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rchw.design import InputChannel
from rchw.fixed import QFormat
from rchw.sim.soak.program import Program
from rchw.sim.soak.stimulus import Block, block, digest, draw, mix
from tests.sim.pair import pair


def blocks(count: int, seed: int = 1) -> list[Block]:
    return [block(pair(), seed, index, 1) for index in range(count)]


def test_the_generator_is_splitmix64() -> None:
    """First outputs for the seed 1234567, as its author's C code prints them."""
    known = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert draw(1234567, np.arange(3)).tolist() == known
    assert mix(np.array([0], dtype=np.uint64)).tolist() == [0]


def test_blocks_have_all_that_is_promised() -> None:
    found = blocks(120)
    assert {len(b.codes) for b in found} == {512, 2048, 8192, 65536}
    assert 0.3 < np.mean([b.before > 0 for b in found]) < 0.7
    assert {b.clocks for b in found if b.before} == set(range(10))
    assert all(1 <= b.before <= 64 for b in found if b.before)
    pauses = [np.concatenate([getattr(b, side) for b in found]) for side in ("source", "sink")]
    for side in pauses:
        assert side.min() == 0 and side.max() > 100 and 0.01 < np.mean(side > 0) < 0.2
    assert np.mean((pauses[0] > 0) & (pauses[1] > 0)) > 0
    stretches = np.concatenate([b.last.reshape(-1, 512).mean(axis=1) for b in found])
    for low, high in ((0, 0), (1 / 512, 1 / 128), (1 / 64, 1 / 20), (0.2, 0.3)):
        assert np.mean((stretches >= low) & (stretches <= high)) > 0.1


def test_codes_meet_every_kind() -> None:
    """Whole stretches at a rail, in corners, in the middle, on a ramp, and all codes."""
    codes = np.concatenate([b.codes[:, 0].reshape(-1, 512) for b in blocks(40)])
    assert set(codes.ravel().tolist()) == set(range(-128, 128))
    spread = [set(row.tolist()) for row in codes]
    assert {-128} in spread and {127} in spread
    assert {-128, -1, 0, 1, 127} in spread
    assert any(max(row) <= 7 and min(row) == -8 for row in spread)
    steps = np.abs(np.diff(codes, axis=1)).max(axis=1)
    turns = codes.max(axis=1) - codes.min(axis=1)
    assert np.any((steps <= 1) & (turns > 50))


def test_a_block_is_the_same_alone_and_cut_short() -> None:
    whole, short = block(pair(), 5, 3, 2), block(pair(), 5, 3, 2, samples=100)
    first = whole.first(100)
    for name in ("codes", "last", "source", "sink"):
        assert np.array_equal(getattr(short, name), getattr(first, name)), name
    assert (short.before, short.clocks) == (whole.before, whole.clocks)
    other = block(pair(), 6, 3, 2, samples=100)
    assert not np.array_equal(other.codes, short.codes)


def test_the_digest_sees_a_change_and_a_move() -> None:
    stimulus = block(pair(), 1, 0, 1, samples=20)
    outputs = np.arange(20)[:, None]
    right = digest(stimulus, outputs)
    moved = outputs.copy()
    moved[[3, 4]] = moved[[4, 3]]
    assert digest(stimulus, moved) != right
    assert digest(stimulus, outputs + (outputs == 7)) != right
    assert digest(replace(stimulus, last=~stimulus.last), outputs) != right
    assert digest(replace(stimulus, sink=stimulus.sink + 1), outputs) != right


@settings(max_examples=25)
@given(
    formats=st.lists(st.builds(QFormat, st.integers(1, 24), st.just(0), st.booleans()), min_size=1,
                     max_size=5),
    seed=st.integers(0, (1 << 63) - 1),
    index=st.integers(0, 1 << 40),
)  # fmt: skip
def test_every_number_is_that_of_the_program(
    program: Program, formats: list[QFormat], seed: int, index: int
) -> None:
    """For channels of any width, any seed and any block."""
    channels = tuple(InputChannel(f"u{k}", fmt) for k, fmt in enumerate(formats))
    entry = pair().layer.inputs[0]
    layer = replace(pair().layer, inputs=(entry,) * len(channels))
    other = program.for_design(replace(pair(), inputs=channels, layer=layer))
    head, table = other.show(seed, index, 1200)
    mine = block(other.design, seed, index, 1, samples=1200)
    k = len(formats)
    assert np.array_equal(table[:, :k], mine.codes)
    for column, name in enumerate(("last", "source", "sink")):
        assert np.array_equal(table[:, k + column], getattr(mine, name)), name
    assert min(head["before"], len(table)) == mine.before and head["clocks"] == mine.clocks
    assert head["digest"] == f"{digest(mine, table[:, k + 3 :]):016x}"
    lows, highs = [fmt.min for fmt in formats], [fmt.max for fmt in formats]
    assert np.all((mine.codes >= lows) & (mine.codes <= highs))


@pytest.mark.slow
def test_long_blocks_are_those_of_the_program(program: Program) -> None:
    for index in range(30):
        _, table = program.show(2, index)
        mine = block(pair(), 2, index, 1)
        assert len(mine.codes) == len(table)
        assert np.array_equal(table[:, 0], mine.codes[:, 0])
        assert np.array_equal(table[:, 1:4].T, [mine.last, mine.source, mine.sink])
