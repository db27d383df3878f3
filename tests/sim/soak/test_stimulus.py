"""The stimulus in numpy is that of the C++ program, and goes where it says."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rchw.design import Design, InputChannel
from rchw.fixed import QFormat
from rchw.sim.soak.data import Data
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


def held(formats: list[QFormat]) -> Design:
    """Build two units with channels of these formats."""
    channels = tuple(InputChannel(f"u{k}", fmt) for k, fmt in enumerate(formats))
    entry = pair().ring.inputs[0]
    layer = replace(pair().ring, inputs=(entry,) * len(channels))
    return replace(pair(), inputs=channels, layers=(layer,))


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
    other = program.for_design(held(formats))
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


@settings(max_examples=25)
@given(
    formats=st.lists(st.builds(QFormat, st.integers(1, 24), st.just(0), st.booleans()), min_size=1,
                     max_size=5),
    rows=st.sampled_from([1, 2, 3, 511, 512, 513, 1500]),
    marked=st.booleans(),
    seed=st.integers(0, (1 << 63) - 1),
    index=st.integers(0, 1 << 40),
)  # fmt: skip
def test_data_are_sent_as_the_program_sends_them(
    program: Program, formats: list[QFormat], rows: int, marked: bool, seed: int, index: int
) -> None:
    """In their order from a drawn row on, and round; what is not data is as without them."""
    rng = np.random.default_rng(rows)
    codes = np.stack([rng.integers(fmt.min, fmt.max + 1, rows) for fmt in formats], axis=1)
    last = rng.random(rows) < 0.1 if marked else None
    other = program.for_design(held(formats)).fed(codes, last)
    head, table = other.show(seed, index, 1200)
    mine = block(other.design, seed, index, 1, 1200, Data(codes, last))
    drawn = block(other.design, seed, index, 1, 1200)
    k, length = len(formats), len(drawn.codes)
    assert mine.row is not None and mine.row < rows and drawn.row is None
    taken = [(mine.row + t) % rows for t in range(length)]
    assert np.array_equal(mine.codes, codes[taken])
    assert np.array_equal(mine.last, drawn.last if last is None else last[taken])
    assert np.array_equal(mine.source, drawn.source) and np.array_equal(mine.sink, drawn.sink)
    assert (mine.before, mine.clocks) == (drawn.before, drawn.clocks)
    assert np.array_equal(table[:, :k], mine.codes)
    assert np.array_equal(table[:, k : k + 3].T, [mine.last, mine.source, mine.sink])
    assert head["digest"] == f"{digest(mine, table[:, k + 3 :]):016x}"


def test_blocks_begin_at_different_rows() -> None:
    data = Data(np.zeros((1000, 1), dtype=np.int64), None)
    rows = [block(pair(), 1, index, 1, 1, data).row for index in range(200)]
    assert len(set(rows)) > 150 and max(filter(None, rows)) > 900
    assert rows != [block(pair(), 2, index, 1, 1, data).row for index in range(200)]


@pytest.mark.slow
def test_long_blocks_are_those_of_the_program(program: Program) -> None:
    for index in range(30):
        _, table = program.show(2, index)
        mine = block(pair(), 2, index, 1)
        assert len(mine.codes) == len(table)
        assert np.array_equal(table[:, 0], mine.codes[:, 0])
        assert np.array_equal(table[:, 1:4].T, [mine.last, mine.source, mine.sink])
