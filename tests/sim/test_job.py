"""A job crosses into the simulator's process and comes back the same."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rchw.errors import DesignError, RchwError
from rchw.fixed import QFormat
from rchw.sim.harness import Top, harness
from rchw.sim.job import Job, Phase, load_jobs, save_jobs

TOPS = (
    Top("first", (QFormat(12), QFormat(3, 1, False)), (QFormat(24, 20),), ("y",)),
    Top("second", (QFormat(1, 0, False),), (QFormat(2), QFormat(9))),
)


def phase(top: Top, seed: int, samples: int = 6) -> Phase:
    rng = np.random.default_rng(seed)
    codes = np.stack([rng.integers(f.min, f.max + 1, samples) for f in top.inputs], axis=1)
    want = np.stack([rng.integers(f.min, f.max + 1, samples) for f in top.outputs], axis=1)
    last = rng.random(samples) < 0.5
    return Phase(f"p{seed}", codes, last, want, "every:3:2", "random:20:4", seed, ((1, 0), (4, 9)))


def test_round_trip(tmp_path: Path) -> None:
    jobs = [
        (1, Job(TOPS[1], (phase(TOPS[1], 1), phase(TOPS[1], 2)), window=77)),
        (0, Job(TOPS[0], (phase(TOPS[0], 3, 1),))),
    ]
    loaded = load_jobs(save_jobs(jobs, tmp_path / "deep" / "folder"))
    for (index, job), (number, other) in zip(jobs, loaded, strict=True):
        assert (index, job.top, job.window) == (number, other.top, other.window)
        for a, b in zip(job.phases, other.phases, strict=True):
            assert (a.name, a.source, a.sink, a.seed, a.resets) == (
                b.name, b.source, b.sink, b.seed, b.resets,
            )  # fmt: skip
            for key in ("codes", "last", "want"):
                assert np.array_equal(getattr(a, key), getattr(b, key))
                assert getattr(a, key).dtype == getattr(b, key).dtype


def test_segments_lie_between_resets() -> None:
    found = phase(TOPS[0], 1).segments
    assert found == [(0, 2, 0), (2, 5, 9), (5, 6, None)]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"last": np.zeros(3, dtype=bool)}, "phase p must have as many codes as last flags"),
        ({"source": "seldom"}, "pauses must be never"),
    ],
)
def test_refused(change: dict[str, Any], sentence: str) -> None:
    arrays: dict[str, Any] = {
        "codes": np.zeros((2, 1)),
        "last": np.zeros(2, dtype=bool),
        "want": np.zeros((2, 1)),
    }
    with pytest.raises(DesignError, match=sentence):
        Phase("p", **{**arrays, **change})


def test_empty_phase_is_refused() -> None:
    empty = np.zeros((0, 1), dtype=np.int64)
    with pytest.raises(DesignError, match="and at least one, not 0, 0 and 0"):
        Phase("p", empty, np.zeros(0, dtype=bool), empty)


def test_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((OSError, RchwError)):
        save_jobs([(0, Job(TOPS[0], (phase(TOPS[0], 1),)))], tmp_path / "file" / "x")


def test_harness_holds_every_design_behind_its_own_ports() -> None:
    text = harness(TOPS)
    assert text.count("rchw_probe #(.W(") == 2
    for port in ("input [23:0] d0_s_data", "output [23:0] d0_m_word", "input [7:0] d1_s_data",
                 "output [23:0] d1_m_word", "first d0 (", "second d1 ("):  # fmt: skip
        assert port in text
