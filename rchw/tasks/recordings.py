"""Spoken digits from the user's own copy of the recordings, with their official split.

The recordings of the Free Spoken Digit Dataset are files ``DIGIT_SPEAKER_TAKE.wav``; of every
speaker and digit the takes 0 to 4 are for the test, as its README says.
"""

import re
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.tasks.mfcc import mfcc
from rchw.tasks.sequences import SequenceTask

__all__ = ["load_recordings", "read_wav"]

_NAME = re.compile(r"([0-9])_([^_]+)_([0-9]+)\.wav")
_TEST_TAKES = 5


def load_recordings(folder: str | Path) -> SequenceTask:
    """Build the task spoken-digits from a folder of recordings; 13 coefficients every 10 ms.

    Parameters
    ----------
    folder : str or Path
        Holds the .wav files, or a folder ``recordings`` that does. Other files are passed over.

    Returns
    -------
    SequenceTask
        In the order of digit, speaker and take; coefficients as `rchw.tasks.mfcc.mfcc` makes them.

    Raises
    ------
    DesignError
        If there are no recordings, or one is called otherwise, cannot be read, or is not of one
        channel with 16 bits.
    """
    place = Path(folder)
    if (place / "recordings").is_dir():
        place = place / "recordings"
    if not place.is_dir():
        raise DesignError(f"folder must be an existing folder, not {str(folder)!r}")
    found = []
    for path in place.glob("*.wav"):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise DesignError(f"{path} must be called DIGIT_SPEAKER_TAKE.wav, not {path.name!r}")
        found.append((match[1], match[2], int(match[3]), path))
    if not found:
        raise DesignError(f"{place} must hold .wav files, not none")
    found.sort()
    classes = tuple(sorted({digit for digit, *_ in found}))
    tested = np.array([take < _TEST_TAKES for _, _, take, _ in found])
    speakers = len({speaker for _, speaker, *_ in found})
    try:
        return SequenceTask(
            name="spoken-digits",
            sequences=tuple(mfcc(*read_wav(path)) for *_, path in found),
            labels=np.array([classes.index(digit) for digit, *_ in found]),
            classes=classes,
            train=np.flatnonzero(~tested),
            test=np.flatnonzero(tested),
            source=(
                f"{len(found)} recordings of {speakers} speakers in the user's own folder; 13 "
                f"mel-frequency cepstral coefficients every 10 ms; takes 0 to 4 for testing"
            ),
            licence="that of the user's own recordings; Free Spoken Digit Dataset: CC BY-SA 4.0",
        )
    except DesignError as error:
        raise DesignError(f"{place}: {error}") from None


def read_wav(path: Path) -> tuple[NDArray[np.float64], int]:
    """Samples (T,) from -1 to 1, and the rate, of a .wav file of one channel with 16 bits.

    Raises
    ------
    DesignError
        If the file cannot be read, or is of another kind.
    """
    try:
        with wave.open(str(path), "rb") as stream:
            kind = stream.getnchannels(), stream.getsampwidth()
            rate, content = stream.getframerate(), stream.readframes(stream.getnframes())
    except OSError as error:
        raise DesignError(f"{path} must be readable, not refused: {error.strerror}") from None
    except (wave.Error, EOFError) as error:
        raise DesignError(f"{path} must be a .wav file, not other bytes ({error})") from None
    if kind != (1, 2):
        raise DesignError(
            f"{path} must have 1 channel of 16 bits, not {kind[0]} of {8 * kind[1]} bits"
        )
    whole = content[: len(content) // 2 * 2]  # a file that was cut off
    return np.frombuffer(whole, dtype="<i2") / 32768.0, rate
