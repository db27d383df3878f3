"""Floors of sequence tasks against closed forms and the magnitudes that others have measured."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.tasks import SequenceTask, load_sequences
from rchw.tasks.sequence_floors import (
    SequenceFloor,
    _laid_out_all,
    end_to_end,
    laid_out,
    majority,
    segment_means,
    segment_products,
    segmented,
    sequence_floors,
)


def synthetic(sequences: list[Any], labels: list[int], test: int = 20) -> SequenceTask:
    """The last `test` sequences are for the test."""
    count = len(sequences)
    return SequenceTask(
        "t", tuple(sequences), np.array(labels), tuple("abcdef"[: max(labels) + 1]),
        np.arange(count - test), np.arange(count - test, count), "a test", "none",
    )  # fmt: skip


def noise(count: int, seed: int = 0, length: int = 12) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(length + n % 5, 2)) for n in range(count)]


@pytest.mark.parametrize("segments", [1, 2, 3, 5])
@pytest.mark.parametrize("length", [1, 2, 3, 7, 30])
def test_segment_means_by_hand(segments: int, length: int) -> None:
    """Every segment by a loop; too short sequences repeat samples, so that none is empty."""
    x = np.random.default_rng(length).normal(size=(length, 3))
    found = segment_means(x, segments).reshape(segments, 3)
    for g in range(segments):
        first, after = g * length // segments, (g + 1) * length // segments
        assert np.allclose(found[g], x[first : max(after, first + 1)].mean(axis=0))
    if length % segments == 0:
        assert np.allclose(found.mean(axis=0), x.mean(axis=0))


def test_laid_out_keeps_samples_in_their_place() -> None:
    x = np.arange(6.0).reshape(3, 2)
    assert laid_out(x, 2).tolist() == [0, 1, 2, 3]
    assert laid_out(x, 5).tolist() == [0, 1, 2, 3, 4, 5, 0, 0, 0, 0]


def test_majority_is_the_most_frequent_and_the_first_of_equals() -> None:
    labels = [0, 1, 1, 2, 1, 2, 0, 1]
    found = majority(synthetic(noise(8), labels, test=3))
    assert found == SequenceFloor(errors=2, of=3, fold_errors=2)
    equal = majority(synthetic(noise(6), [1, 0, 1, 0, 1, 1], test=2))
    assert equal.errors == 2, "of the equal classes 0 and 1 the first"


def test_a_mean_is_seen_by_all_and_an_order_by_segments_alone() -> None:
    """Class 1 is lifted everywhere; or it falls where class 0 rises, which has no mean."""
    labels = [n % 2 for n in range(120)]
    lifted = [x + 3 * label for x, label in zip(noise(120), labels, strict=True)]
    found = segmented(synthetic(lifted, labels))
    assert (found.errors, found.fold_errors, found.of) == (0, 0, 20)
    slopes = [
        x + 3 * (1 - 2 * label) * np.linspace(-1, 1, len(x))[:, None]
        for x, label in zip(noise(120), labels, strict=True)
    ]
    task = synthetic(slopes, labels)
    found = segmented(task)
    assert found.errors == 0 and found.segments > 1
    assert end_to_end(task).errors <= 2


def test_how_samples_follow_each_other_is_seen_by_products_alone() -> None:
    """Neighbours are alike or opposite: means and variances are the same, a correlation is not."""

    def series(label: int, seed: int) -> Any:
        x = np.random.default_rng(seed).normal(size=31)
        for t in range(1, 31):
            x[t] = (0.8 - 1.6 * label) * x[t - 1] + 0.6 * x[t]
        return x[:, None]

    labels = [n % 2 for n in range(160)]
    task = synthetic([series(label, n) for n, label in enumerate(labels)], labels, test=60)
    found = segment_products(task)
    assert found.errors <= 2 and found.delays > 1 and found.segments >= 1
    means = segmented(task)
    assert means.errors > 15 and means.delays == 0


def test_products_of_many_channels_are_left_out() -> None:
    """30 channels have 495 features, 31 have 527."""
    rng = np.random.default_rng(0)
    labels = [n % 2 for n in range(40)]
    for channels, kept in ((30, True), (31, False)):
        task = synthetic([rng.normal(size=(4, channels)) for _ in labels], labels, test=10)
        assert ("nvar" in sequence_floors(task)) is kept
    with pytest.raises(DesignError, match=r"^features must be at most 500, not 527$"):
        segment_products(task)


def test_nothing_is_found_in_noise() -> None:
    """Labels by chance: half of 200 are wrong, within 4 standard errors of 7."""
    labels = np.random.default_rng(9).integers(0, 2, 300).tolist()
    for found in sequence_floors(synthetic(noise(300), labels, test=200)).values():
        assert 72 < found.errors < 128


def test_choices_do_not_read_the_test_sequences() -> None:
    """Other test sequences and labels change the count, not what was chosen."""
    labels = [n % 3 for n in range(90)]
    rising = [x + label for x, label in zip(noise(90), labels, strict=True)]
    others = [*rising[:70], *[x + 50 for x in rising[70:]]]
    moved = synthetic(others, [*labels[:70], *[(n + 1) % 3 for n in range(20)]])
    for floor in (segmented, segment_products, end_to_end):
        before, after = floor(synthetic(rising, labels)), floor(moved)
        assert replace(before, errors=after.errors) == after
        assert before.errors != after.errors
    kept = _laid_out_all(synthetic(rising, labels), 16)[:70]
    assert np.array_equal(kept, _laid_out_all(moved, 16)[:70]), "nor does the scale of a channel"


def test_a_tie_goes_to_the_first_class() -> None:
    """Constant sequences teach nothing: outputs are the equal shares of the classes."""
    task = synthetic([np.ones((4, 1))] * 40, [n % 2 for n in range(40)])
    found = segmented(task)
    assert found.errors == 10 == int((task.labels[task.test] == 1).sum())


def test_magnitudes_on_japanese_vowels() -> None:
    """Others report .989 with 4 segments and a ridge chosen on the test sequences; 4 of 370."""
    found = sequence_floors(load_sequences("japanese-vowels"))
    assert found["majority"].errors == 339
    assert abs(found["segment_means"].errors - 6) <= 1
    assert abs(found["end_to_end"].errors - 11) <= 2
    assert abs(found["nvar"].errors - 8) <= 2 and found["nvar"].fold_errors <= 3
    low, high = found["segment_means"].interval()
    assert low < 4 / 370 < high
    assert 0.98 < found["segment_means"].accuracy < 0.99


def test_magnitude_on_spoken_digits() -> None:
    """Others report .923 with 4 segments on another split."""
    found = segmented(load_sequences("spoken-digits"))
    assert abs(found.errors - 44) <= 2 and found.segments == 5
    low, high = found.interval()
    assert low < 1 - 0.923 < high


@pytest.mark.slow
def test_spoken_digits_need_no_reservoir() -> None:
    """Products of neighbouring samples recognise what the means of segments do not."""
    found = segment_products(load_sequences("spoken-digits"))
    assert abs(found.errors - 3) <= 2 and (found.segments, found.delays) == (1, 2)


def test_refuses() -> None:
    with pytest.raises(DesignError, match=r"^segments must be at least 1, not 0$"):
        segment_means(np.ones((3, 1)), 0)
    with pytest.raises(DesignError, match=r"^folds must be from 2 to 4, not 5$"):
        sequence_floors(synthetic(noise(6), [0, 1] * 3, test=2))
