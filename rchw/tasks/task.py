"""A task: one series, cut into training, validation and test samples that follow each other.

The samples of the training split before `Task.washout` drive the reservoir and teach nothing.
"""

import hashlib
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.metrics import nmse, symbol_error_rate

__all__ = ["METRICS", "SPLITS", "Task", "aligned", "finite_rows", "split_slices"]

Values = NDArray[np.float64]
METRICS = ("nmse", "ser")
SPLITS = ("train", "validation", "test")
_LARGEST = 1e100  # squares and their sums stay finite


@dataclass(frozen=True, eq=False)
class Task:
    """Inputs, targets and splits; checks itself and is never changed.

    Parameters
    ----------
    name : str
    inputs : array (T, K), or (T,) for one channel
        In the units of the source; encoders scale them.
    targets : array (T, L), or (T,) for one output
        ``targets[t]`` is to be predicted from ``inputs[: t + 1]``.
    washout : int
        Samples at the beginning of the training split that are not learnt from.
    train, validation, test : slice
        In this order and without gaps, the first from sample 0.
    metric : str
        ``"nmse"`` or ``"ser"`` (symbol error rate).
    source : str
        Where the data come from, with every choice that was made.
    symbols : tuple of float, optional
        The alphabet of the targets; needed by ``"ser"``.
    horizon : int
        Samples from the last input to the target, at most 0 where the target lies in the past or
        present. A target becomes known ``max(horizon, 1)`` samples after it is to be predicted.
    input_names, output_names : tuple of str
        What a design calls its channels: K and L names, or none for ``u0``, ``y0`` and so on.

    Raises
    ------
    DesignError
        If the data are empty, not numbers, not finite, of unequal length, constant where a
        reservoir needs them to vary, or too short for washout and splits.
    """

    name: str
    inputs: Values
    targets: Values
    washout: int
    train: slice
    validation: slice
    test: slice
    metric: str
    source: str
    symbols: tuple[float, ...] | None = None
    horizon: int = 1
    input_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        inputs = finite_rows(self.inputs, "inputs")
        targets = finite_rows(self.targets, "targets")
        if len(inputs) != len(targets):
            raise DesignError(
                f"inputs and targets must have one row per sample, not {len(inputs)} and "
                f"{len(targets)} rows"
            )
        object.__setattr__(self, "inputs", inputs)
        object.__setattr__(self, "targets", targets)
        if self.metric not in METRICS:
            raise DesignError(f"metric must be one of {', '.join(METRICS)}, not {self.metric!r}")
        for what, names, count in (
            ("input names", self.input_names, inputs.shape[1]),
            ("output names", self.output_names, targets.shape[1]),
        ):
            if names and len(names) != count:
                raise DesignError(f"{what} must be {count}, one per channel, not {len(names)}")
        self._check_splits()
        self._check_symbols()
        _check_varies(inputs, "inputs", "train", self.train)
        for split in SPLITS:
            rows = getattr(self, split)
            if split == "train":
                rows = slice(self.washout, rows.stop)
            _check_varies(targets, "targets", split, rows)

    def _check_splits(self) -> None:
        start = 0
        for split in SPLITS:
            rows = getattr(self, split)
            if rows.start != start or rows.step not in (None, 1) or rows.stop is None:
                raise DesignError(
                    f"split {split} must be contiguous from sample {start}, not "
                    f"{rows.start}:{rows.stop}:{rows.step}"
                )
            if rows.stop - start < 2:
                raise DesignError(
                    f"split {split} must hold at least 2 samples, not {rows.stop - start}"
                )
            start = rows.stop
        if start > len(self.inputs):
            raise DesignError(
                f"splits must end within the {len(self.inputs)} samples of the series, not at "
                f"{start}"
            )
        if not 0 <= self.washout <= self.train.stop - 2:
            raise DesignError(
                f"washout must leave at least 2 of the {self.train.stop} training samples, not be "
                f"{self.washout}"
            )
        if max(self.horizon, 1) > self.test.start:
            raise DesignError(
                f"horizon must be at most the {self.test.start} samples before the test split, "
                f"not {self.horizon}"
            )

    def _check_symbols(self) -> None:
        if self.metric == "ser" and self.symbols is None:
            raise DesignError("symbols must be given for the metric ser, not left out")
        if self.symbols is not None and not np.isin(self.targets, self.symbols).all():
            wrong = self.targets[~np.isin(self.targets, self.symbols)][0]
            raise DesignError(f"targets must be symbols of {list(self.symbols)}, not {wrong:g}")

    @property
    def n_inputs(self) -> int:
        """Number of input channels K."""
        return int(self.inputs.shape[1])

    @property
    def n_outputs(self) -> int:
        """Number of outputs L."""
        return int(self.targets.shape[1])

    def error(self, prediction: ArrayLike, target: ArrayLike) -> float:
        """Error of a prediction (T', L) of a target (T', L) in the task's metric.

        Raises
        ------
        DesignError
            If shapes differ, a value is not finite, or (nmse) an output of the target is constant.
        """
        if self.metric == "ser":
            return symbol_error_rate(prediction, target, self.symbols)
        return nmse(prediction, target)

    def hashes(self) -> dict[str, str]:
        """SHA-256, in hexadecimal, of each split's inputs followed by its targets.

        Both as little-endian float64 in row order. A split's hash depends on its own samples only.
        """
        found = {}
        for split in SPLITS:
            digest = hashlib.sha256()
            for array in (self.inputs, self.targets):
                digest.update(array[getattr(self, split)].astype("<f8").tobytes())
            found[split] = digest.hexdigest()
        return found


def aligned(inputs: Values, targets: Values, horizon: int) -> tuple[Values, Values]:
    """Pair ``inputs[t]`` with ``targets[t + horizon]``; samples without a partner are dropped.

    >>> [a.tolist() for a in aligned(np.array([0.0, 1.0, 2.0]), np.array([5.0, 6.0, 7.0]), 1)]
    [[0.0, 1.0], [6.0, 7.0]]
    """
    count = max(len(inputs) - abs(horizon), 0)
    return inputs[max(-horizon, 0) :][:count], targets[max(horizon, 0) :][:count]


def split_slices(lengths: tuple[int, int, int]) -> tuple[slice, slice, slice]:
    """Slices of training, validation and test samples that follow each other from sample 0.

    Raises
    ------
    DesignError
        If there are not three lengths of at least 2 samples.

    >>> split_slices((4, 2, 3))
    (slice(0, 4, None), slice(4, 6, None), slice(6, 9, None))
    """
    if len(lengths) != 3 or any(length < 2 for length in lengths):
        raise DesignError(
            f"split must be three lengths of at least 2 samples, not "
            f"{', '.join(str(length) for length in lengths)}"
        )
    first, second, third = accumulate(lengths)
    return slice(0, first), slice(first, second), slice(second, third)


def finite_rows(values: Any, what: str) -> Values:
    """Make a read-only float64 copy of shape (T, channels), checked to be finite and not huge.

    Parameters
    ----------
    values : array (T, K), or (T,) for one channel
    what : str
        Its name in messages.

    Raises
    ------
    DesignError
        If it is ragged, empty, of another shape, or an entry is no finite number up to 1e100.
    """
    try:
        array = np.array(values, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise DesignError(
            f"{what} must be rows of numbers, all of one length, not {_faulty(values)}"
        ) from None
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise DesignError(f"{what} must have shape (T,) or (T, channels), not {array.shape}")
    if array.size == 0:
        raise DesignError(f"{what} must hold samples, not be empty")
    wrong = np.argwhere(~(np.abs(array) <= _LARGEST))
    if len(wrong):
        row, column = wrong[0]
        raise DesignError(
            f"{what} must be finite numbers of magnitude at most {_LARGEST:g}, not "
            f"{array[row, column]:g} in row {row}, column {column}"
        )
    array.flags.writeable = False
    return array


def _faulty(values: Any) -> str:
    """Name what keeps values from being a table: two lengths, or an entry that is no number."""
    given = list(values) if hasattr(values, "__iter__") else [values]
    rows = [np.ravel(np.asarray(row, dtype=object)) for row in given]
    lengths = sorted({len(row) for row in rows})
    if len(lengths) > 1:
        return f"of {lengths[0]} and {lengths[-1]}"
    for entry in (entry for row in rows for entry in row):
        try:
            float(entry)
        except (TypeError, ValueError):
            return f"{entry!r}"
    return "of several depths"


def _check_varies(values: Values, what: str, split: str, rows: slice) -> None:
    part = values[rows]
    still = np.flatnonzero((part.max(axis=0) == part.min(axis=0)) | (part.var(axis=0) == 0))
    if len(still):
        raise DesignError(
            f"{what} must vary over the {split} samples, not be constant at "
            f"{part[0, still[0]]:g} in column {still[0]}"
        )
