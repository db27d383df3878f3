"""Whether a run goes to the ends of states and outputs, and if not, why it cannot or does not.

States are not on the stream. That the circuit was at a rail of its states is known where the
reference is there and the circuit has answered that very sample with the right codes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw import reference
from rchw.activation import Clip
from rchw.design import Design, ExternalLayer
from rchw.fixed import Rounding
from rchw.ranges import readout_ranges
from rchw.sim.stimulus import rail_drive, rails_of

__all__ = ["Push", "missed_rail", "push_to", "rails_reached"]

SIDES = ("low", "high")


@dataclass(frozen=True)
class Push:
    """Input codes that drive states toward a rail.

    Attributes
    ----------
    codes : int64 array (H, K)
    bound : float or None
        The code that no unit can pass, where that is proven.
    """

    codes: NDArray[np.int64]
    bound: float | None


def push_to(design: Design, upper: bool) -> Push:
    """Drive toward the upper or the lower rail."""
    drive = rail_drive(design, upper)
    if len(design.layers) > 1:
        return Push(drive.codes, None)
    layer = design.layer
    if isinstance(layer, ExternalLayer):
        return Push(drive.codes, drive.bound)
    exact = isinstance(layer.activation, Clip) and not any(layer.initial_state)
    if not (exact and drive.proven):
        return Push(drive.codes, None)
    # Each rounding moves a state by less than one code, amplified at most like a unit's own drive.
    slack = 0.0 if layer.rounding is Rounding.TRUNCATE and upper else float(len(drive.codes))
    return Push(drive.codes, drive.bound + (slack if upper else -slack))


def rails_reached(
    design: Design, traces: Sequence[reference.Trace], pushes: tuple[Push, Push]
) -> list[dict[str, Any]]:
    """What the reference says of both ends of states and outputs.

    Parameters
    ----------
    design : Design
    traces : sequence of Trace
        Of the phases that no reset cuts, in their order.
    pushes : (Push, Push)
        Toward the lower and the upper rail.

    Returns
    -------
    list of dict
        One for each end of the states of every layer and of every output: ``what``, ``output``
        (None for states), ``side``, ``code``, ``status``, ``reason``, and of the first hit
        ``phase`` and ``sample`` (of outputs the number of the beat).
        The status is ``hit``, ``not reachable`` (proven) or ``not reached``.
    """
    rows = []
    parts: list[tuple[int | None, str, tuple[int, int], list[NDArray[np.int64]]]]
    parts = []
    first = 0
    for layer in design.layers:
        name = "states" if len(design.layers) == 1 else f"states of {layer.name}"
        columns = [trace.states[:, first : first + layer.n_units] for trace in traces]
        parts.append((None, name, rails_of(layer), columns))
        first += layer.n_units
    for k, output in enumerate(design.readout.answers):
        ends = (output.format.min, output.format.max)
        columns = [trace.outputs[:, k : k + 1] for trace in traces]
        parts.append((k, f"output {output.name}", ends, columns))
    for index, what, ends, codes in parts:
        for upper, side in enumerate(SIDES):
            row: dict[str, Any] = {
                "what": what, "output": index, "side": side, "code": ends[upper],
                "phase": None, "sample": None,
            }  # fmt: skip
            status, reason = _hit(row, codes, bool(upper))
            if status != "hit":
                bound = pushes[upper].bound if index is None else _sum(design, index, bool(upper))
                if bound is not None and (bound < ends[1] if upper else bound > ends[0]):
                    status = "not reachable"
                    end = math.floor(bound) if upper else math.ceil(bound)
                    reason = f"nothing can go past code {end}"
            rows.append(row | {"status": status, "reason": reason})
    return rows


def _hit(
    row: dict[str, Any], codes: Sequence[NDArray[np.int64]], upper: bool
) -> tuple[str, str | None]:
    """Status as far as the codes of all phases show it; the place goes into the row."""
    for phase, table in enumerate(codes):
        found = np.flatnonzero(((table >= row["code"]) if upper else (table <= row["code"])).any(1))
        if len(found):
            row["phase"], row["sample"] = phase, int(found[0])
            return "hit", None
    extreme = max(int(t.max()) for t in codes) if upper else min(int(t.min()) for t in codes)
    return "not reached", f"the stimulus came to code {extreme}"


def _sum(design: Design, output: int, upper: bool) -> float:
    """Code that the sum of an output cannot pass, whatever states and inputs are; or its index."""
    if design.readout.argmax:
        return float((design.n_outputs - 1) * upper)
    ranges, fmt = readout_ranges(design), design.readout.outputs[output].format
    interval = ranges.accumulators[output]
    scaled = Fraction(interval.high if upper else interval.low) / Fraction(2) ** (
        ranges.frac - fmt.frac
    )
    return float(math.ceil(scaled) if upper else math.floor(scaled))


def missed_rail(rows: Sequence[dict[str, Any]], phases: Sequence[dict[str, Any]]) -> str | None:
    """Hold the circuit's run to the rails that the reference hits.

    Parameters
    ----------
    rows : sequence of dict
        From `rails_reached`; the status of a rail that the circuit misses becomes ``missed``.
    phases : sequence of dict
        Records of the run, those of the traces first; a run ends with the first phase that fails,
        and rails of later ones become ``not checked``.

    Returns
    -------
    str or None
        A sentence on the first rail that is missed.
    """
    sentence = None
    for row in rows:
        if row["status"] != "hit":
            continue
        if row["phase"] >= len(phases):
            row |= {"status": "not checked", "reason": "the run ended before"}
            continue
        phase = phases[row["phase"]]
        if row["output"] is None:
            there = phase["verdict"] == "pass" and phase["samples"] > row["sample"]
        else:
            there = bool(phase["output_rails"][row["side"]][row["output"]])
        if not there:
            row["status"] = "missed"
            row["reason"] = f"the reference is there at sample {row['sample']} of {phase['name']}"
            sentence = sentence or (
                f"{row['what']} must come to the {row['side']} rail, code {row['code']}, at sample "
                f"{row['sample']} of phase {phase['name']}, but the circuit does not"
            )
    return sentence
