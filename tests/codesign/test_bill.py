"""What is counted from a design is what its circuit has."""

import json
import re
from typing import Any

import pytest

from benchmarks import estimator, families, size
from benchmarks.estimator_designs import BOARDS, KINDS, LIST, draws
from rchw.codesign import constants
from rchw.codesign.constants import Additions, additions
from rchw.codesign.memories import Memory, Product, block_rams, dsps, width_of
from rchw.codesign.sums import layer_sums
from rchw.codesign.whole import bill_of
from rchw.design import Design
from rchw.devices import DEVICES
from rchw.devices import board as find_board
from rchw.document import digest
from rchw.hdl.arith import digits
from rchw.hdl.emit import emit
from rchw.ranges import layer_ranges
from tests.examples import DEEP

DRAWN = [one for board in BOARDS for kind in KINDS for one in draws(board, kind)]
# Yosys finds that a memory of one bit holds what another does.
ONE_LESS = {"deep 4 ulx3s", "ulx3s further 2", "ulx3s further 14"}


def measured() -> list[tuple[str, str, Design, dict[str, Any]]]:
    """Every row of place-and-route of the benchmarks but the held-out ones, which a page judges."""
    rows = [*estimator.earlier(), *estimator.drawn()]
    return [(row.key, row.board, row.design, dict(row.row)) for row in rows]


def test_designs_are_those_that_were_listed_before_anything_was_measured() -> None:
    listed = json.loads(LIST.read_text(encoding="utf-8"))["designs"]
    assert {one.key: digest(one.design) for one in DRAWN} == {
        key: entry["digest"] for key, entry in listed.items()
    }
    assert len({entry["digest"] for entry in listed.values()}) == len(listed)


def test_block_rams_and_multipliers_are_those_of_place_and_route() -> None:
    rows, wrong = measured(), {}
    assert len(rows) > 70
    for key, board, design, row in rows:
        bill, device = bill_of(design), find_board(board).device
        found = block_rams(bill.memories, device), sum(dsps(p, device) for p in bill.products)
        if found != (row["block_ram"], row["dsp"]):
            wrong[key] = (found[0] - row["block_ram"], found[1] - row["dsp"])
    assert wrong == dict.fromkeys(ONE_LESS, (1, 0))


@pytest.mark.parametrize(
    "number", [4, 34, 46, *(pytest.param(n, marks=pytest.mark.slow) for n in (9, 23, 71))]
)
def test_memories_are_those_of_the_verilog(number: int) -> None:
    """Every memory that must be in block RAM, bit for bit as wide and word for word as deep."""
    design = DRAWN[number].design
    marked = re.findall(
        r'ram_style = "block" \*\)\s*(?:\(\*[^*]*\*\)\s*)*reg \[(\d+):0\] \S+ \[(\d+):0\];',
        emit(design),
    )
    expected = sorted((int(width) + 1, int(depth) + 1) for width, depth in marked)
    found = [
        (min(16, memory.width - first), memory.depth)
        for memory in bill_of(design).memories
        if memory.blocks("ecp5") and not memory.single
        for first in range(0, memory.width, 16)
    ]
    assert sorted(found) == expected


def test_sums_are_as_wide_as_those_of_the_ranges() -> None:
    stages = [stage for one in DRAWN[::5] for stage in one.design.stages]
    for stage in [*stages, *DEEP.stages]:
        ranges, sums = layer_ranges(stage), layer_sums(stage)
        assert (sums.frac, sums.tap_shift, sums.input_shifts) == (
            ranges.frac, ranges.tap_shift, ranges.input_shifts,
        )  # fmt: skip
        for name in ("taps", "drive", "summed", "accumulator"):
            ends, intervals = getattr(sums, name), getattr(ranges, name)
            assert ends.low.tolist() == [interval.low for interval in intervals]
            assert ends.high.tolist() == [interval.high for interval in intervals]


def test_digits_are_those_of_the_gates() -> None:
    for code in range(-700, 701):
        assert sorted(constants.digits(code)) == sorted(digits(code))
        count = len(digits(code))
        # A negation alone is an addition too.
        assert additions(code, 8).count == max(count - 1, int(code < 0 and count == 1))


def test_additions_are_as_wide_as_their_operands_overlap() -> None:
    assert additions(1, 8) == additions(64, 8) == Additions(0, 0, 0, 0)
    assert additions(-16, 8) == Additions(1, 8, 0, 1)
    # 5 x: the lowest two bits are those of x.  7 x = 8 x - x: all bits.
    assert additions(5, 8) == additions(-5, 8) == Additions(1, 9, 0, 1)
    assert additions(7, 8) == Additions(1, 11, 0, 1)
    # 23 x = 32 x - x - 8 x: two differences become one sum of three.
    assert additions(23, 8) == Additions(2, 23, 10, 1)


def test_products_are_split_as_synthesis_does() -> None:
    small, large = DEVICES["iCE40UP5K"], DEVICES["LFE5U-25F"]
    pairs = [(16, 16), (17, 16), (17, 17), (33, 16), (5, 5), (1, 16), (18, 10)]
    assert [dsps(Product(*pair), small) for pair in pairs] == [1, 1, 1, 2, 0, 0, 2]
    assert [dsps(Product(*pair), large) for pair in pairs] == [1, 1, 1, 2, 1, 0, 1]
    assert dsps(Product(16, 16), DEVICES["iCE40HX8K"]) == 0


def test_blocks_are_the_fewest_of_all_shapes() -> None:
    small, large = DEVICES["iCE40UP5K"], DEVICES["LFE5U-25F"]
    memories = [Memory(512, 8, 512), Memory(512, 16, 512), Memory(300, 12, 300)]
    assert [block_rams([memory], small) for memory in memories] == [1, 2, 2]
    assert [block_rams([memory], large) for memory in memories] == [1, 1, 1]
    copied = Memory(64, 20, 40, reads=2, written=True)
    assert block_rams([copied], small) == block_rams([copied], large) == 4
    assert block_rams([Memory(8, 16, 8)], small) == 0


@pytest.mark.parametrize("ends, bits", [((0, 0), 1), ((-1, 0), 1), ((-128, 127), 8), ((0, 128), 9)])
def test_width_of_ends(ends: tuple[int, int], bits: int) -> None:
    assert width_of(*ends) == bits


def test_every_circuit_of_the_benchmarks_has_a_bill() -> None:
    for design in {*families.designs(), *size.designs()}:
        counts = bill_of(design).counts
        assert min(counts.values()) >= 0 and counts["port"] >= 16
