"""What a soak has found, as a sentence: a fault of the circuit, or of one of the references."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw import reference
from rchw.design import Design
from rchw.schedule import latency, schedule
from rchw.sim.harness import BREACHES
from rchw.sim.lanes import unpack
from rchw.sim.scoreboard import describe, first_mismatch
from rchw.sim.soak.program import Heard, Program, window_of
from rchw.sim.soak.stimulus import Block, block, digest

__all__ = ["TIMES", "Finding", "judge"]

TIMES = ("late", "slow")
"""Kinds of failures that are of the clocks alone."""

Finding = dict[str, Any]


def judge(design: Design, program: Program, heard: Heard, seed: int) -> Finding | None:
    """First failure of a run: of the circuit, or a difference between the two references.

    Some blocks are audited: the interpreter of the program and `rchw.reference` must give the same
    digest of their stimulus and outputs.

    Returns
    -------
    dict or None
        ``kind`` (``code``, ``last``, ``protocol``, ``stuck``, ``lost``, ``late``, ``slow``,
        ``witness``),
        ``sentence``, ``block``, ``sample``, with data but for a witness its ``row``, and more.
    """
    for audited in heard.audited:
        number, samples = audited["block"], audited["samples"]
        stimulus = block(design, seed, number, schedule(design).clocks, samples, program.data)
        want = _answers(design, stimulus)
        if f"{digest(stimulus, want):016x}" != audited["digest"]:
            return _witness(design, program, stimulus, want, seed)
    if heard.failure is None:
        return None
    return _failure(design, program, heard.failure, seed)


def _answers(design: Design, stimulus: Block) -> NDArray[np.int64]:
    """Answers (T, L) of the reference, 0 where a sample has none."""
    outputs = reference.run(design, stimulus.codes, stimulus.last).outputs
    table = np.zeros((len(stimulus.codes), outputs.shape[1]), dtype=np.int64)
    table[design.answered(stimulus.last)] = outputs
    return table


def _context(design: Design, number: int, seed: int) -> str:
    return f"[design {design.name}, block {number} of seed {seed}]"


def _witness(
    design: Design, program: Program, stimulus: Block, want: NDArray[np.int64], seed: int
) -> Finding:
    """Two references that differ: neither can judge the circuit."""
    _, table = program.show(seed, stimulus.index)
    k = design.n_lanes
    flags = np.stack([stimulus.last, stimulus.source, stimulus.sink], axis=1)
    mine = np.concatenate([stimulus.codes, flags, want], axis=1)
    found = first_mismatch(mine, table[: len(mine)])
    names = [channel.name for channel in design.beat] + ["tlast", "source pause", "sink pause"]
    names += [answer.name for answer in design.readout.answers]
    text = "the interpreter of the soak and the reference must agree"
    if found is not None and found["kind"] == "code":
        text += (
            f", but {names[found['column']]} at sample {found['sample']} is {found['got']} and "
            f"{found['want']}"
        )
        found["column"] -= k + 3
    sentence = f"{text} {_context(design, stimulus.index, seed)}"
    return {"kind": "witness", "sentence": sentence, "block": None, "mismatch": found}


def _failure(design: Design, program: Program, failure: dict[str, Any], seed: int) -> Finding:
    """What went wrong in the circuit, as a sentence."""
    number = failure["block"]
    stimulus = block(design, seed, number, schedule(design).clocks, fed=program.data)
    kind, sent, sample = failure["kind"], failure["sent"], failure["received"]
    found: Finding = {"kind": kind, "block": number, "sample": sample, "early": failure["early"]}
    if kind == "code":
        outputs = design.readout.answers
        formats = [output.format for output in outputs]
        want, got = (unpack([int(failure[key], 16)], formats) for key in ("want", "got"))
        first = stimulus.first(sample + 1)
        upto = _answers(design, first)
        if not np.array_equal(upto[-1], want[0]):
            return _witness(design, program, first, upto, seed)
        names = [output.name for output in outputs]
        code = first_mismatch(want, got, formats=formats, names=names)
        assert code is not None, "the lanes hold nothing but codes"
        code["sample"] = sample
        text = describe(code, "output")
        found |= {"output": code["column"], "name": code["name"]}
        found |= {"want": code["want"], "got": code["got"]}
    elif kind == "last":
        text = f"m_axis_tlast at sample {sample} must be {failure['want']}, not {failure['got']}"
        found |= {"want": int(failure["want"]), "got": int(failure["got"])}
    elif kind == "protocol":
        what = "sample" if design.readout.pooled else "output beat"
        text = f"{BREACHES[failure['rule']]} ({what} {sample})"
        found["rule"] = failure["rule"]
    elif kind == "stuck":
        found["sample"] = sent
        text = (
            f"s_axis_tready must rise within {window_of(design)} clocks, "
            f"but sample {sent} still waits"
        )
    elif kind == "late":
        text = (
            f"a beat must come out within {latency(design)} clocks while the output does not "
            f"pause, but sample {sample} took longer"
        )
    elif kind == "slow":
        found["sample"] = sent
        text = (
            f"a sample must go in every {schedule(design).clocks} clocks while neither side "
            f"pauses, but sample {sent} waited longer"
        )
    else:
        if design.readout.pooled:
            text = "every input beat with tlast must give one output beat, but one is missing: "
        else:
            text = f"every input beat must give one output beat, but of {sent} one is missing: "
        text += f"sample {sample} or one before it was lost"
    more = ", before its reset" if failure["early"] else ""
    if program.data is not None and stimulus.row is not None:
        found["row"] = (stimulus.row + found["sample"]) % len(program.data.codes)
        more += f", row {found['row']} of the data"
    context = _context(design, number, seed).removesuffix("]") + more + "]"
    return found | {"sentence": f"{text} {context}", "stimulus": stimulus}
