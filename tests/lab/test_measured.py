"""Recorded states: read from files, given for the inputs that were played and for no others."""

from pathlib import Path

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.lab.measured import RecordedReservoir, read_states
from rchw.reservoir import Reservoir


def recorded() -> RecordedReservoir:
    """Make up a recording of 20 samples."""
    rng = np.random.default_rng(0)
    return RecordedReservoir(rng.normal(size=(20, 2)), rng.normal(size=(20, 3)))


def test_a_recording_is_a_reservoir() -> None:
    made = recorded()
    assert isinstance(made, Reservoir) and (made.n_units, made.n_inputs) == (3, 2)
    whole = made.run(made.inputs)
    assert np.array_equal(whole, made.states)
    pieces, state = [], None
    for chunk in np.split(made.inputs, [4, 4, 19]):
        states, state = made.advance(chunk, state)
        pieces.append(states)
    assert np.array_equal(np.concatenate(pieces), whole)


def test_other_inputs_are_refused() -> None:
    made = recorded()
    for wrong in (made.inputs[1:], np.vstack([made.inputs, made.inputs]), made.inputs + 1e-12):
        with pytest.raises(DesignError, match=r"^inputs must be those that were played from sam"):
            made.run(wrong)
    with pytest.raises(DesignError, match=r"^inputs must have shape \(T, 2\), not \(20, 1\)$"):
        made.run(made.inputs[:, :1])
    with pytest.raises(DesignError, match=r"^states must be one row per sample played, 20, not 1"):
        RecordedReservoir(made.inputs, made.states[:19])
    with pytest.raises(DesignError, match=r"^states must be finite"):
        RecordedReservoir(made.inputs, made.states * np.nan)


def test_a_stream_and_a_file_per_sample_are_the_same(tmp_path: Path) -> None:
    states = recorded().states
    rows = [",".join(map(repr, row)) for row in states.tolist()]
    (tmp_path / "states.csv").write_text("\n".join(["a,b,c", *rows]) + "\n")
    folder = tmp_path / "samples"
    folder.mkdir()
    for number, row in enumerate(states):
        np.save(folder / f"sample{number}.npy", row if number % 2 else row[:, None])
    (folder / "notes.txt").write_text("cold day")
    assert np.array_equal(read_states(tmp_path / "states.csv"), states)
    assert np.array_equal(read_states(folder), states)
    np.savez(tmp_path / "all.npz", inputs=states[:, :1], x=states, targets=states[:, 1])
    assert np.array_equal(read_states(tmp_path / "all.npz"), states)


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match=r"must hold \.csv, \.npy, \.npz files of states, not"):
        read_states(tmp_path)
    np.save(tmp_path / "a1.npy", np.zeros((2, 2)))
    with pytest.raises(DesignError, match=r"a1.npy must hold one row or one column, not \(2, 2\)"):
        read_states(tmp_path)
    np.save(tmp_path / "a1.npy", np.zeros(3))
    np.save(tmp_path / "a2.npy", np.zeros(4))
    with pytest.raises(DesignError, match=r"a2.npy must hold 3 readings as a1.npy does, not 4$"):
        read_states(tmp_path)
    np.save(tmp_path / "a2.npy", np.zeros(3))
    np.save(tmp_path / "a4.npy", np.zeros(3))
    with pytest.raises(DesignError, match=r"a4.npy must have the number 3, not 4$"):
        read_states(tmp_path)
    with pytest.raises(
        DesignError, match=r"missing.csv must be an existing file or folder, not mi"
    ):
        read_states(tmp_path / "missing.csv")
