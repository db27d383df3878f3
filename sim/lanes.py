"""The byte lanes of an AXI4-Stream word: channel 0 in the least significant bytes.

Each code occupies whole bytes, sign-extended (zero-extended when its format is unsigned). A lane is
read back in full, so a circuit that forgets the extension shows as a wrong code.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from rchw.fixed import QFormat

__all__ = ["lane_bytes", "pack", "unpack", "word_bytes"]


def lane_bytes(fmt: QFormat) -> int:
    """Bytes of one lane: ``ceil(width / 8)``."""
    return (fmt.width + 7) // 8


def word_bytes(formats: Sequence[QFormat]) -> int:
    """Bytes of the whole word."""
    return sum(lane_bytes(fmt) for fmt in formats)


def pack(codes: NDArray[np.int64], formats: Sequence[QFormat]) -> list[int]:
    """Words of codes.

    Parameters
    ----------
    codes : int64 array (T, K)
    formats : sequence of K QFormat

    Returns
    -------
    list of T int
        Unsigned words of ``8 * word_bytes(formats)`` bits.

    >>> [hex(w) for w in pack(np.array([[-2, 3]]), [QFormat(12), QFormat(8)])]
    ['0x3fffe']
    """
    lanes = [
        np.ascontiguousarray(codes[:, k], dtype="<i8").view(np.uint8).reshape(-1, 8)
        for k in range(len(formats))
    ]
    parts = [lane[:, : lane_bytes(fmt)] for lane, fmt in zip(lanes, formats, strict=True)]
    rows = np.concatenate(parts, axis=1)
    return [int.from_bytes(row.tobytes(), "little") for row in rows]


def unpack(words: Iterable[int], formats: Sequence[QFormat]) -> NDArray[np.int64]:
    """Codes of words; the inverse of `pack`.

    >>> unpack([0x3FFFE], [QFormat(12), QFormat(8)]).tolist()
    [[-2, 3]]
    """
    size = word_bytes(formats)
    data = b"".join(word.to_bytes(size, "little") for word in words)
    rows = np.frombuffer(data, dtype=np.uint8).reshape(-1, size)
    codes = np.empty((len(rows), len(formats)), dtype=np.int64)
    start = 0
    for k, fmt in enumerate(formats):
        lane = np.zeros((len(rows), 8), dtype=np.uint8)
        stop = start + lane_bytes(fmt)
        lane[:, : stop - start] = rows[:, start:stop]
        shift = 64 - 8 * (stop - start)
        value = lane.view("<i8")[:, 0]
        codes[:, k] = (value << shift) >> shift if fmt.signed else value
        start = stop
    return codes
