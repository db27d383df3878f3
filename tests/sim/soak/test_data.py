"""Data for a soak: refused as the reference refuses them, by the program too."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rchw import reference
from rchw.errors import DesignError, ToolError
from rchw.sim.soak.data import Data
from rchw.sim.soak.program import Program
from tests.examples import EXAMPLE
from tests.sim.pair import pair

ROWS = np.array([[1], [-128], [127]])
AS_THE_REFERENCE: dict[str, Any] = {
    "shape": ROWS[:, 0],
    "columns": np.hstack([ROWS, ROWS]),
    "reals": ROWS / 2,
    "above": ROWS + 1,
    "below": ROWS - 1,
    "far": ROWS + (1 << 40),
    "unsigned": np.array([[200]], dtype=np.uint64),
}


@pytest.mark.parametrize("name", AS_THE_REFERENCE)
def test_codes_are_refused_in_the_words_of_the_reference(program: Program, name: str) -> None:
    codes = AS_THE_REFERENCE[name]
    with pytest.raises(DesignError) as theirs:
        reference.run(pair(), codes)
    with pytest.raises(DesignError) as mine:
        program.fed(codes)
    assert str(mine.value) == str(theirs.value)


@pytest.mark.parametrize(
    ("codes", "last", "sentence"),
    [
        (ROWS[:0], None, "input codes must have at least one row, not 0"),
        (ROWS, [0, 1], "last flags must have shape (3,), not (2,)"),
        (ROWS, [0, 1, 2], "last flag at sample 2 must be 0 or 1, not 2"),
        (ROWS, [0.5, 1, 0], "last flag at sample 0 must be 0 or 1, not 0.5"),
    ],
)
def test_bad_data(program: Program, codes: Any, last: Any, sentence: str) -> None:
    with pytest.raises(DesignError) as caught:
        program.fed(codes, last)
    assert str(caught.value) == sentence


def test_the_table_and_its_hash_hold_all_that_is_sent() -> None:
    plain, marked = Data.of(pair(), ROWS), Data.of(pair(), ROWS, [0, 1, 0])
    assert plain.table().tolist() == [[1, -1], [-128, -1], [127, -1]]
    assert marked.table().tolist() == [[1, 0], [-128, 1], [127, 0]]
    never = Data.of(pair(), ROWS, [False] * 3)
    moved = Data.of(pair(), ROWS[::-1])
    assert len({data.sha256() for data in (plain, marked, never, moved)}) == 4
    assert plain.sha256() == Data.of(pair(), ROWS.astype(np.int16)).sha256()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (Data(ROWS + 1, None), "the data must be codes of the inputs, not 128 in row 2, column 0"),
        (Data(ROWS - 1, None), "the data must be codes of the inputs, not -129 in row 1, column 0"),
        (Data(np.full((2, 3), 5), None), "not 5 in row 0, column 1"),
        (Data(ROWS[:, [0, 0]], None), "the data must be whole rows of 8 bytes, not 36 bytes"),
        (Data(ROWS[:0], None), "the data must be whole rows of 8 bytes, not 0 bytes"),
    ],
)
def test_the_program_refuses_what_is_not_its_own(
    program: Program, data: Data, sentence: str
) -> None:
    with pytest.raises(ToolError) as caught:
        replace(program, data=data).show(1, 0)
    assert sentence in str(caught.value)
    assert not list(program.path.parent.glob("data*")), "the table is removed after a failure too"


def test_no_table_is_left_and_none_is_sent_to_others(program: Program) -> None:
    fed = program.fed(ROWS)
    _, with_data = fed.show(1, 0)
    assert set(with_data[:, 0].tolist()) == {1, -128, 127}
    assert not list(program.path.parent.glob("data*"))
    _, drawn = program.show(1, 0)
    assert not np.array_equal(drawn[:, 0], with_data[:, 0])


def test_data_are_checked_against_another_design_too(program: Program) -> None:
    narrow = replace(
        pair(),
        inputs=(replace(pair().inputs[0], format=replace(pair().inputs[0].format, width=7)),),
    )
    with pytest.raises(DesignError, match="input u at sample 1 must be from -64 to 63"):
        program.fed(ROWS).for_design(narrow)
    with pytest.raises(DesignError, match=r"input codes must have shape \(T, 2\)"):
        program.fed(ROWS).for_design(EXAMPLE)
    same = program.fed(ROWS, [0, 0, 1]).for_design(pair())
    _, table = same.show(1, 0)
    assert set(map(tuple, table[:, :2].tolist())) == {(1, 0), (-128, 0), (127, 1)}
