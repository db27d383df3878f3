"""A folder of recordings becomes the task with the official split; a bad file is one sentence."""

import wave
from pathlib import Path

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.tasks import load_sequences
from rchw.tasks.mfcc import mfcc
from rchw.tasks.recordings import read_wav


def put(path: Path, codes: np.ndarray, channels: int = 1, width: int = 2) -> None:
    with wave.open(str(path), "wb") as stream:
        stream.setnchannels(channels)
        stream.setsampwidth(width)
        stream.setframerate(8000)
        stream.writeframes(codes.astype("<i2").tobytes())


def codes(seed: int, length: int = 500) -> np.ndarray:
    return np.random.default_rng(seed).integers(-9000, 9000, length)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Digits 2 and 7, two speakers, takes 3 to 12; 10 comes after 9 and not after 1."""
    (tmp_path / "recordings").mkdir()
    (tmp_path / "README.md").write_text("not a recording", encoding="utf-8")
    for digit in (7, 2):
        for number, speaker in enumerate(("zoe", "adam")):
            for take in range(3, 13):
                name = f"{digit}_{speaker}_{take}.wav"
                put(tmp_path / "recordings" / name, codes(100 * digit + 20 * number + take))
    return tmp_path


def test_official_split(folder: Path) -> None:
    """Takes 0 to 4 are for the test, of every speaker and digit."""
    task = load_sequences("spoken-digits", folder=folder)
    assert task.classes == ("2", "7") and task.labels.tolist() == [0] * 20 + [1] * 20
    assert task.test.tolist() == [0, 1, 10, 11, 20, 21, 30, 31]
    assert task.sequences[8].shape == (4, 13)
    adam = codes(220 + 10) / 32768  # digit 2, take 10, the eighth after 3
    assert np.array_equal(task.sequences[7], mfcc(adam, 8000))
    assert "40 recordings of 2 speakers" in task.source and "CC BY-SA" in task.licence
    inside = load_sequences("spoken-digits", folder=folder / "recordings")
    assert inside.hashes() == task.hashes()


def test_samples_by_hand(tmp_path: Path) -> None:
    put(tmp_path / "a.wav", np.array([-32768, 0, 16384]))
    samples, rate = read_wav(tmp_path / "a.wav")
    assert samples.tolist() == [-1.0, 0.0, 0.5] and rate == 8000


def test_refuses(folder: Path) -> None:
    inside = folder / "recordings"

    def refused(sentence: str) -> None:
        with pytest.raises(DesignError, match=sentence):
            load_sequences("spoken-digits", folder=folder)

    put(inside / "2_zoe_5.wav", codes(0), channels=2)
    refused(r"2_zoe_5.wav must have 1 channel of 16 bits, not 2 of 16 bits$")
    put(inside / "2_zoe_5.wav", codes(0), width=1)
    refused(r"2_zoe_5.wav must have 1 channel of 16 bits, not 1 of 8 bits$")
    put(inside / "2_zoe_5.wav", codes(0)[:0])
    refused(r"recordings: sound must hold samples, not be empty$")
    (inside / "2_zoe_5.wav").write_bytes(b"no sound")
    refused(r"2_zoe_5.wav must be a .wav file, not other bytes")
    (inside / "2_zoe_5.wav").rename(inside / "two.wav")
    refused(r"must be called DIGIT_SPEAKER_TAKE.wav, not 'two.wav'$")
    for path in inside.glob("*"):
        path.unlink()
    refused(r"recordings must hold .wav files, not none$")
    put(inside / "2_zoe_0.wav", codes(0))
    refused(r"recordings: classes must be at least 2 different names, not 2$")


def test_refuses_other_folders(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match=r"^folder must be an existing folder, not '.*nowhere'$"):
        load_sequences("spoken-digits", folder=tmp_path / "nowhere")
    with pytest.raises(DesignError, match=r"^folder must be given for spoken-digits only, not for"):
        load_sequences("japanese-vowels", folder=tmp_path)
