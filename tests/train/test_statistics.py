"""Statistics are exact integers: of any size, in any order, merged in any way."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.train import statistics
from rchw.train.statistics import Statistics, exact_products

Integers = NDArray[Any]

# Bits of the largest code: narrow, at the seams of the limbs of 20 bits, and beyond 63.
BITS = st.sampled_from([1, 7, 12, 19, 20, 21, 22, 23, 24, 40, 41, 44, 62, 63, 64, 90])


@st.composite
def codes(draw: Any, rows: int, columns: int) -> Integers:
    """Integers of up to so many bits, the extremes among them."""
    bits = draw(BITS)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    words = rng.integers(0, 1 << 30, (rows, columns, 3)).astype(object)
    values = (words[..., 0] + (words[..., 1] << 30) + (words[..., 2] << 60)) >> (90 - bits)
    values = values * rng.choice([-1, 1], values.shape)
    values[rng.random(values.shape) < 0.2] = draw(st.sampled_from([0, 2**bits - 1, 1 - 2**bits]))
    found: Integers = values if bits > 62 else values.astype(np.int64)
    return found


def plain(left: Integers, right: Integers) -> list[list[int]]:
    """Sums of products in Python's integers, one by one."""
    return [
        [
            sum(int(a) * int(b) for a, b in zip(left[:, i], right[:, j], strict=True))
            for j in range(right.shape[1])
        ]
        for i in range(left.shape[1])
    ]


@settings(max_examples=150)
@given(st.data(), st.integers(0, 25), st.integers(1, 4), st.integers(1, 3))
def test_products_are_those_of_python(data: st.DataObject, rows: int, a: int, b: int) -> None:
    left, right = data.draw(codes(rows, a)), data.draw(codes(rows, b))
    found = exact_products(left, right)
    assert found.dtype in (np.int64, object)
    assert found.tolist() == plain(left, right)


@pytest.mark.parametrize("bits", [22, 24, 26])
def test_long_sums_of_wide_codes_never_wrap(bits: int) -> None:
    """Codes near 2**24 over 70000 samples need 64 bits: the sum is known in closed form."""
    samples, code = 70_000, (1 << bits) - 1
    x = np.full((samples, 2), code)
    x[:, 1] = -code
    y = np.full((samples, 1), code)
    found = Statistics.of(x, y)
    total = samples * code * code
    assert found.gram.tolist() == [[total, -total], [-total, total]]
    assert found.moment.tolist() == [[total], [-total]] and found.power.tolist() == [total]
    assert (found.gram.dtype == object) == (total >= 1 << 63)
    gram, moment = found.centred()
    assert not gram.any() and not moment.any()  # constant features have no variance, exactly
    assert found.squared_error([1, 0], 0) == 0
    assert found.squared_error([0, 1], 0) == 4 * total


def same(one: Statistics, two: Statistics) -> bool:
    """Compare values and types."""
    names = ("gram", "moment", "power", "sums", "target_sums")
    return one.count == two.count and all(
        getattr(one, name).dtype == getattr(two, name).dtype
        and getattr(one, name).tolist() == getattr(two, name).tolist()
        for name in names
    )


@settings(max_examples=60)
@given(st.data(), st.integers(2, 30), st.integers(0, 2**32 - 1))
def test_any_partition_in_any_order_gives_the_same_bits(
    data: st.DataObject, rows: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x, y = data.draw(codes(rows, 3)), data.draw(codes(rows, 2))
    whole = Statistics.of(x, y)
    order = rng.permutation(rows)
    assert same(Statistics.of(x[order], y[order]), whole)
    cuts = np.unique(rng.integers(1, rows, 4))
    parts = [Statistics.of(x[part], y[part]) for part in np.split(order, cuts)]
    while len(parts) > 1:  # merged as a random tree
        one = parts.pop(int(rng.integers(len(parts))))
        other = parts.pop(int(rng.integers(len(parts))))
        parts.append(one + other)
    assert same(parts[0], whole)


@settings(max_examples=60)
@given(
    st.data(),
    st.integers(1, 20),
    st.lists(st.integers(-(2**23), 2**23), min_size=3, max_size=3),
    st.integers(-30, 30),
)
def test_centred_and_squared_error_are_exact(
    data: st.DataObject, rows: int, weights: list[int], unit: int
) -> None:
    x, y = data.draw(codes(rows, 3)), data.draw(codes(rows, 2))
    found = Statistics.of(x, y)
    gram, moment = found.centred()
    total = [sum(int(v) for v in x[:, i]) for i in range(3)]
    wanted = [sum(int(v) for v in y[:, k]) for k in range(2)]
    products, with_target = plain(x, x), plain(x, y)
    for i in range(3):
        assert [int(v) for v in gram[i]] == [
            rows * products[i][j] - total[i] * total[j] for j in range(3)
        ]
        assert [int(v) for v in moment[i]] == [
            rows * with_target[i][k] - total[i] * wanted[k] for k in range(2)
        ]
    up, scale = max(-unit, 0), 1 << max(unit, 0)
    for k in range(2):
        error = sum(
            (scale * int(t) - sum((w << up) * int(v) for w, v in zip(weights, row, strict=True)))
            ** 2
            for row, t in zip(x, y[:, k], strict=True)
        )
        assert found.squared_error(weights, k, unit) == error


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.uint32, np.uint64])
def test_the_type_of_the_codes_changes_nothing(dtype: Any) -> None:
    """The extremes of each type, of which a signed one has no positive twin."""
    info = np.iinfo(dtype)
    x = np.array([[info.min, 1], [info.max, 0], [info.min, 3]], dtype=dtype)
    wide = np.array([[int(v) for v in row] for row in x], dtype=object)
    assert same(Statistics.of(x, x), Statistics.of(wide, wide))
    assert Statistics.of(x, x).gram.tolist() == plain(wide, wide)


def test_a_sum_in_doubles_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the limbs the last bits are lost, and the comparison with Python shows it."""
    rng = np.random.default_rng(0)
    left = rng.integers(-(1 << 29), 1 << 29, (50, 2))
    assert exact_products(left, left).tolist() == plain(left, left)

    def whole(array: Integers) -> list[tuple[int, NDArray[np.float64]]]:
        return [(0, array.astype(np.float64))]

    monkeypatch.setattr(statistics, "_limbs", whole)
    assert exact_products(left, left).tolist() != plain(left, left)


X, Y = np.zeros((3, 2), dtype=np.int64), np.zeros((3, 1), dtype=np.int64)

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "floats": (
        lambda: Statistics.of(X + 0.5, Y),
        r"^features and targets must be integers, not float64 and int64$",
    ),
    "objects": (
        lambda: Statistics.of((X + 0.5).astype(object), Y),
        r"^features and targets must be integers, not objects$",
    ),
    "rows": (
        lambda: Statistics.of(X, Y[:2]),
        r"^features and targets must have shapes \(T, F\) and \(T, L\), not \(3, 2\), \(2, 1\)$",
    ),
    "empty": (lambda: Statistics.of(X[:0], Y[:0]), r"must have shapes .*not \(0, 2\), \(0, 1\)$"),
    "one dimension": (lambda: Statistics.of(X, Y[:, 0]), r"must have shapes .*, \(3,\)$"),
    "sum": (
        lambda: Statistics.of(X, Y) + Statistics.of(X, X),
        r"^statistics must have the same shape to be added, \(2, 1\), not \(2, 2\)$",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()


@pytest.mark.parametrize("wide", [1 << 6, 1 << 40])
def test_a_part_is_what_the_part_of_the_features_gives(wide: int) -> None:
    """In larger steps too: of states beside squares with more fraction bits."""
    rng = np.random.default_rng(0)
    features = rng.integers(-wide, wide, (50, 6)) * 8
    targets = rng.integers(-wide, wide, (50, 2))
    columns = [4, 0, 5]
    part = Statistics.of(features, targets).part(columns, 3)
    alone = Statistics.of(features[:, columns] // 8, targets)
    assert part.count == alone.count
    for name in ("gram", "moment", "power", "sums", "target_sums"):
        found, wanted = getattr(part, name), getattr(alone, name)
        assert found.dtype == wanted.dtype and (found == wanted).all()
