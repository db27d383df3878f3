"""Compare codes exactly and name the first difference: sample, output, both codes, both values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import MismatchError
from rchw.fixed import QFormat

__all__ = ["assert_same", "describe", "first_mismatch"]


def _table(codes: ArrayLike) -> NDArray[Any]:
    array = np.asarray(codes)
    if array.dtype.kind not in "iuO" and array.size:
        raise TypeError(f"codes must be integers, not {array.dtype}")
    if array.ndim == 2:
        return array
    return array.reshape(len(array), -1) if len(array) else np.zeros((0, 1), dtype=np.int64)


def first_mismatch(
    want: ArrayLike,
    got: ArrayLike,
    *,
    formats: Sequence[QFormat] | None = None,
    names: Sequence[str] | None = None,
) -> dict[str, Any] | None:
    """First difference of two code arrays, in time and then in column order.

    Parameters
    ----------
    want, got : integer arrays (T, L) or (T,)
    formats : sequence of L QFormat, optional
        Adds the real values.
    names : sequence of L str, optional
        Names of the columns.

    Returns
    -------
    dict or None
        ``kind`` is ``"code"`` (with ``sample, column, name, want, got`` and the values),
        ``"length"`` or ``"width"``; None when the arrays are equal.

    >>> first_mismatch([[1, 2], [3, 4]], [[1, 2], [3, 5]])["sample"]
    1
    """
    wanted, given = _table(want), _table(got)
    if wanted.size and given.size and wanted.shape[1] != given.shape[1]:
        return {"kind": "width", "want": wanted.shape[1], "got": given.shape[1]}
    common = min(len(wanted), len(given))
    differs = wanted[:common] != given[:common] if common else np.zeros((0, 1), dtype=bool)
    if differs.any():
        sample, column = (int(index[0]) for index in np.nonzero(differs))
        record: dict[str, Any] = {
            "kind": "code",
            "sample": sample,
            "column": column,
            "name": names[column] if names is not None else None,
            "want": int(wanted[sample, column]),
            "got": int(given[sample, column]),
            "differing": int(differs.sum()),
        }
        if formats is not None:
            record["format"] = str(formats[column])
            record["want_value"] = record["want"] * formats[column].resolution
            record["got_value"] = record["got"] * formats[column].resolution
        return record
    if len(wanted) != len(given):
        return {"kind": "length", "want": len(wanted), "got": len(given)}
    return None


def describe(record: dict[str, Any], what: str, context: str = "") -> str:
    """Sentence of a mismatch record.

    Parameters
    ----------
    record : dict
        From `first_mismatch`.
    what : str
        What the columns are, in the singular: ``"output"``, ``"unit"``.
    context : str
        Where this happened; appended in brackets.
    """
    if record["kind"] == "length":
        text = f"{what} samples must be {record['want']}, not {record['got']}"
    elif record["kind"] == "width":
        text = f"{what} columns must be {record['want']}, not {record['got']}"
    else:
        label = f" ({record['name']})" if record.get("name") else ""
        want, got = str(record["want"]), str(record["got"])
        if "want_value" in record:
            want += f" (value {record['want_value']:.9g})"
            got += f" (value {record['got_value']:.9g}, {record['format']})"
        text = (
            f"{what} {record['column']}{label} at sample {record['sample']} "
            f"must be code {want}, not {got}"
        )
    return f"{text} [{context}]" if context else text


def assert_same(
    want: ArrayLike,
    got: ArrayLike,
    *,
    what: str = "output",
    formats: Sequence[QFormat] | None = None,
    names: Sequence[str] | None = None,
    context: str = "",
) -> None:
    """Raise unless two code arrays are equal.

    Parameters
    ----------
    want, got : integer arrays (T, L) or (T,)
    what : str
        What the columns are, in the singular.
    formats : sequence of L QFormat, optional
        Adds the real values to the message.
    names : sequence of L str, optional
        Adds the name of the column.
    context : str
        Where this happened.

    Raises
    ------
    MismatchError
        Naming sample, column, both codes and both values of the first difference, or both lengths.
    """
    record = first_mismatch(want, got, formats=formats, names=names)
    if record is not None:
        raise MismatchError(describe(record, what, context))
