"""What a bench is asked to do, and how it crosses into the simulator's process: JSON and NPZ."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.files import write_atomic
from rchw.fixed import QFormat
from rchw.sim.harness import Top
from rchw.sim.pauses import parse

__all__ = ["Job", "Phase", "load_jobs", "save_jobs"]


@dataclass(frozen=True)
class Phase:
    """One stream of samples under one regime of pauses and resets.

    Parameters
    ----------
    name : str
    codes : int64 array (T, K)
    last : bool array (T,)
        ``tlast`` of each sample.
    want : int64 array (T, L)
        Output codes of the reference, restarted after every reset; where a sequence has one answer
        a row for every marked sample.
    source, sink : str
        Pauses on either side, as `rchw.sim.pauses.parse` reads them.
    seed : int
        Of random pauses.
    resets : tuple of (int, int)
        ``(k, clocks)``: that many clocks after sample ``k`` has gone in, ``aresetn`` goes low, and
        sample ``k + 1`` comes next; outputs still under way are lost.
    keep : bool
        Write the output codes that were seen beside the record, in the file it names as
        ``outputs``.
    """

    name: str
    codes: NDArray[np.int64]
    last: NDArray[np.bool_]
    want: NDArray[np.int64]
    source: str = "never"
    sink: str = "never"
    seed: int = 0
    resets: tuple[tuple[int, int], ...] = ()
    keep: bool = False

    def __post_init__(self) -> None:
        answers = (len(self.last), int(np.count_nonzero(self.last)))
        if not len(self.codes) == len(self.last) > 0 or len(self.want) not in answers:
            raise DesignError(
                f"phase {self.name} must have as many codes as last flags and expected outputs and "
                f"at least one, not {len(self.codes)}, {len(self.last)} and {len(self.want)}"
            )
        parse(self.source)
        parse(self.sink)

    @property
    def answered(self) -> NDArray[np.int64]:
        """Samples that have an output beat, ascending: all, or those that are marked."""
        if len(self.want) == len(self.codes):
            return np.arange(len(self.codes))
        return np.flatnonzero(self.last)

    @property
    def segments(self) -> list[tuple[int, int, int | None]]:
        """``(start, stop, clocks until reset or None)`` between the resets."""
        starts = [0, *(k + 1 for k, _ in self.resets)]
        stops: list[tuple[int, int | None]] = [(k + 1, clocks) for k, clocks in self.resets]
        ends = [*stops, (len(self.codes), None)]
        return [(a, b, cut) for a, (b, cut) in zip(starts, ends, strict=True) if a < b]


@dataclass(frozen=True)
class Job:
    """All phases of one design.

    Parameters
    ----------
    top : Top
    phases : tuple of Phase
    window : int
        Clocks without any transfer after which the circuit counts as stuck; longer than its
        clocks per sample and than the longest pause.
    """

    top: Top
    phases: tuple[Phase, ...]
    window: int = 2000


_PLAIN = ("name", "source", "sink", "seed", "resets", "keep")
_ARRAYS = ("codes", "last", "want")


def save_jobs(jobs: list[tuple[int, Job]], folder: Path) -> Path:
    """Write ``job.json`` and ``job.npz`` into `folder`.

    Parameters
    ----------
    jobs : list of (int, Job)
        With the index of the design in the harness.
    folder : Path

    Returns
    -------
    Path
        The JSON file.
    """
    arrays: dict[str, NDArray[Any]] = {}
    records = []
    for number, (index, job) in enumerate(jobs):
        phases = []
        for place, phase in enumerate(job.phases):
            fields = asdict(phase)
            for key in _ARRAYS:
                arrays[f"{number}_{place}_{key}"] = fields[key]
            phases.append({key: fields[key] for key in _PLAIN})
        top = asdict(job.top) | {
            "inputs": [str(fmt) for fmt in job.top.inputs],
            "outputs": [str(fmt) for fmt in job.top.outputs],
        }
        records.append({"index": index, "top": top, "window": job.window, "phases": phases})
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "job.npz", allow_pickle=False, **arrays)
    return write_atomic(folder / "job.json", json.dumps({"version": 1, "jobs": records}, indent=1))


def load_jobs(path: Path) -> list[tuple[int, Job]]:
    """Read back what `save_jobs` wrote."""
    records = json.loads(path.read_text())["jobs"]
    jobs = []
    with np.load(path.with_suffix(".npz")) as arrays:
        for number, record in enumerate(records):
            top = record["top"]
            phases = tuple(
                Phase(
                    **{key: fields[key] for key in ("name", "source", "sink", "seed", "keep")},
                    **{key: arrays[f"{number}_{place}_{key}"] for key in _ARRAYS},
                    resets=tuple((int(k), int(clocks)) for k, clocks in fields["resets"]),
                )
                for place, fields in enumerate(record["phases"])
            )
            formats = {
                side: tuple(QFormat.parse(text) for text in top[side])
                for side in ("inputs", "outputs")
            }
            names = tuple(top["output_names"])
            named = Top(top["name"], output_names=names, pooled=top["pooled"], **formats)
            jobs.append((record["index"], Job(named, phases, record["window"])))
    return jobs
