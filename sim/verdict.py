"""Judge and measure what a bench saw; plain Python, so that it is tested without a simulator."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.sim.harness import BREACHES
from rchw.sim.job import Job, Phase
from rchw.sim.scoreboard import describe, first_mismatch

__all__ = ["Seen", "judge", "measure"]


@dataclass(frozen=True)
class Seen:
    """What was seen between two resets.

    Attributes
    ----------
    start, stop : int
        Samples of the phase that were to be sent.
    cut : bool
        Whether a reset ended it, so that outputs may be missing at the end.
    codes : int64 array (B, L)
        Output beats.
    lasts : sequence of B bool
    clocks_in, clocks_out : sequence of int
        Clock of each transfer.
    stuck : bool
        Whether nothing moved for a whole window.
    breach : dict or None
        First breach of the stream rules.
    """

    start: int
    stop: int
    cut: bool
    codes: NDArray[np.int64]
    lasts: Sequence[bool]
    clocks_in: Sequence[int]
    clocks_out: Sequence[int]
    stuck: bool = False
    breach: dict[str, Any] | None = None


def judge(job: Job, phase: Phase, seen: Sequence[Seen]) -> dict[str, Any]:
    """Verdict of a phase; the cause comes before its consequences.

    Returns
    -------
    dict
        ``verdict`` is ``"pass"`` or ``"fail"``, ``mismatch`` the first difference (its ``kind`` is
        ``protocol``, ``stuck``, ``lost``, ``last``, ``code``), ``sentence`` what it says.
    """
    context = f"design {job.top.name}, phase {phase.name}"
    for part in seen:
        found = _judge_part(job, phase, part)
        if found is not None:
            record, text = found
            sentence = f"{text} [{context}]"
            return {"verdict": "fail", "mismatch": record, "sentence": sentence}
    return {"verdict": "pass", "mismatch": None, "sentence": None}


def _judge_part(job: Job, phase: Phase, part: Seen) -> tuple[dict[str, Any], str] | None:
    answered = phase.answered
    begin = int(np.searchsorted(answered, part.start))  # output beats before this part

    def sample_of(beat: int) -> int:
        return int(answered[beat]) if beat < len(answered) else len(phase.codes) - 1

    if part.breach is not None:
        text = BREACHES[part.breach["rule"]]
        beat = part.breach["beat"] - part.start + begin
        record = part.breach | {"beat": beat, "sample": sample_of(beat)}
        return record, f"{text} (output beat {record['beat']})"
    got, sent, due = len(part.codes), len(part.clocks_in), part.stop - part.start
    asked = int(np.searchsorted(answered, part.start + sent)) - begin
    want = phase.want[begin : begin + got]
    code = first_mismatch(
        want, part.codes[: len(want)], formats=job.top.outputs, names=job.top.output_names or None
    )
    if code is not None:
        code["sample"] = sample_of(code["sample"] + begin)
    missing = got < asked and not part.cut
    if part.stuck and not missing and sent < due:
        sample = part.start + sent
        return (
            {"kind": "stuck", "sample": sample},
            f"s_axis_tready must rise within {job.window} clocks, but sample {sample} still waits",
        )
    if part.stuck or missing:
        sample = code["sample"] if code is not None else sample_of(begin + got)
        whose = "input beat with tlast" if job.top.pooled else "input beat"
        return (
            {"kind": "lost", "sample": sample, "want": asked, "got": got},
            f"every {whose} must give one output beat, but {asked} gave {got}: "
            f"sample {sample} or one before it was lost",
        )
    flags = phase.last[answered[begin : begin + got]].astype(int)
    last = first_mismatch(flags, np.asarray(part.lasts, dtype=int))
    if last is not None:
        sample = sample_of(begin + last["sample"])
        return (
            {"kind": "last", "sample": sample, "want": last["want"], "got": last["got"]},
            f"m_axis_tlast at sample {sample} must be {last['want']}, not {last['got']}",
        )
    return (code, describe(code, "output")) if code is not None else None


def _range(values: NDArray[np.int64]) -> dict[str, float] | None:
    if not len(values):
        return None
    return {
        "min": int(values.min()),
        "max": int(values.max()),
        "mean": round(float(values.mean()), 4),
    }


def measure(job: Job, phase: Phase, seen: Sequence[Seen], stalls: dict[str, int]) -> dict[str, Any]:
    """Numbers of a phase: samples, clocks per sample, latency, stalls, rails of the outputs.

    Clocks per sample are the distances between output beats, or between input beats where a
    sequence has one answer; they are the circuit's own only where neither side pauses. Latency runs
    from the input to the output transfer of one sample.
    """
    steps, latencies = [], []
    for part in seen:
        taken = np.asarray(part.clocks_in, dtype=np.int64)
        given = np.asarray(part.clocks_out, dtype=np.int64)
        steps.append(np.diff(taken if job.top.pooled else given))
        inside = (phase.answered >= part.start) & (phase.answered < part.start + len(taken))
        asked = taken[phase.answered[inside] - part.start]
        n = min(len(asked), len(given))
        latencies.append(given[:n] - asked[:n])
    codes = np.concatenate([part.codes for part in seen])
    low = [bool((codes[:, k] == fmt.min).any()) for k, fmt in enumerate(job.top.outputs)]
    high = [bool((codes[:, k] == fmt.max).any()) for k, fmt in enumerate(job.top.outputs)]
    return {
        "name": phase.name,
        "source": phase.source,
        "sink": phase.sink,
        "seed": phase.seed,
        "samples": sum(len(part.clocks_in) for part in seen),
        "checked": len(codes),
        "last_flags": int(phase.last.sum()),
        "resets": len(phase.resets),
        "clocks_per_sample": _range(np.concatenate(steps)),
        "latency": _range(np.concatenate(latencies)),
        "stalls_in": stalls["s_stalls"],
        "stalls_out": stalls["m_stalls"],
        "output_rails": {"low": low, "high": high},
    }
