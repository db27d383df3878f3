"""The scoreboard names the first difference, and the verdict puts causes before consequences."""

import numpy as np
import pytest

from rchw.errors import DesignError, MismatchError
from rchw.fixed import QFormat
from rchw.sim.lanes import pack, unpack
from rchw.sim.pauses import parse
from rchw.sim.scoreboard import assert_same, first_mismatch

FORMATS = (QFormat(8, 4), QFormat(12, 2))


def test_equal_arrays_pass() -> None:
    codes = np.arange(12).reshape(6, 2)
    assert first_mismatch(codes, codes.copy()) is None
    assert_same(codes, codes.astype(object), what="output", context="here")
    assert_same([], [])


def test_message_names_sample_output_codes_and_values() -> None:
    want = np.arange(12).reshape(6, 2)
    got = want.copy()
    got[3, 1] = -5
    got[4, 0] = 99
    with pytest.raises(MismatchError) as error:
        assert_same(want, got, formats=FORMATS, names=("a", "b"), context="phase x")
    assert str(error.value) == (
        "output 1 (b) at sample 3 must be code 7 (value 1.75), "
        "not -5 (value -1.25, sfix12_en2) [phase x]"
    )


def test_record_holds_everything() -> None:
    record = first_mismatch([[1, 2]], [[1, 4]], formats=FORMATS)
    assert record is not None
    assert (record["sample"], record["column"], record["want"], record["got"]) == (0, 1, 2, 4)
    assert (record["want_value"], record["got_value"]) == (0.5, 1.0)


@pytest.mark.parametrize(
    ("want", "got", "sentence"),
    [
        ([[1], [2]], [[1]], "unit samples must be 2, not 1"),
        ([[1, 2]], [[1]], "unit columns must be 2, not 1"),
        ([1, 2, 3], [1, 2, 4], "unit 0 at sample 2 must be code 3, not 4"),
        ([[1], [2]], [[7]], "unit 0 at sample 0 must be code 1, not 7"),
    ],
)
def test_sentences(want: list[int], got: list[int], sentence: str) -> None:
    with pytest.raises(MismatchError, match=f"^{sentence}$"):
        assert_same(want, got, what="unit")


def test_floats_are_no_codes() -> None:
    with pytest.raises(TypeError, match="codes must be integers"):
        assert_same([1.0], [1.0])


@pytest.mark.parametrize("seed", range(20))
def test_lanes_are_inverse(seed: int) -> None:
    rng = np.random.default_rng(seed)
    formats = [
        QFormat(int(rng.integers(1, 49)), 0, bool(rng.integers(2)))
        for _ in range(int(rng.integers(1, 9)))
    ]
    codes = np.stack([rng.integers(f.min, f.max + 1, 30) for f in formats], axis=1)
    codes[0] = [f.min for f in formats]
    codes[1] = [f.max for f in formats]
    assert_same(codes, unpack(pack(codes, formats), formats))


def test_pauses_by_name() -> None:
    def first(text: str) -> list[int]:
        return [n for n, _ in zip(parse(text, 3), range(6), strict=False)]

    assert first("never") == [0] * 6
    assert first("always:4") == [4] * 6
    assert first("every:3:2") == [0, 0, 2, 0, 0, 2]
    assert first("bursts:2:5") == [0, 0, 5, 5, 0, 0]
    assert first("random:50:3") == first("random:50:3")
    assert {n for n, _ in zip(parse("random:50:3"), range(200), strict=False)} == {0, 1, 2, 3}


@pytest.mark.parametrize("text", ["", "often", "every:3", "always:-1", "random:5:x", "every:0:1"])
def test_unknown_pauses_are_refused(text: str) -> None:
    with pytest.raises(DesignError, match="pauses must be never"):
        parse(text)
