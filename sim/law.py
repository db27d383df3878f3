"""A name for what the reference computes for a design: it tells old records from current ones.

A hash of the source would call every record stale after a comment. Here the reference runs on
unknowns (see `rchw.sim.prove.forms`), and the hash is that of the formulas which come out: the next
state of every unit, and every output code of one sample. Two references with the same formulas give
the same codes for all states and inputs. What lies around the formulas, the start of sequences,
sums over them and the compiled path, goes in by a run on a fixed series.
"""

import hashlib
from functools import lru_cache
from typing import Any

import numpy as np

from rchw.design import Design
from rchw.reference import run
from rchw.reference.readout import ReadoutReference, feature_codes
from rchw.reference.ring import RingReference
from rchw.sim.prove.forms import Forms
from rchw.sim.prove.wholes import Wholes

__all__ = ["law_sha256"]

_SAMPLES = 96
_LAST = (17, 40, 41, 95)  # samples that end a sequence: two in a row, and the last of all


@lru_cache(maxsize=8)
def law_sha256(design: Design) -> str:
    """Hash, in hexadecimal, of the formulas of a design's reference and of a run of it."""
    whole = hashlib.sha256()
    for line in (*_formulas(design), *_trace(design)):
        whole.update(line.encode() + b"\n")
    return whole.hexdigest()


def _formulas(design: Design) -> list[str]:
    """New states and outputs, one formula each."""
    forms = Forms()
    channels = enumerate(design.inputs)
    formats = [layer.state for layer in design.layers for _ in range(layer.n_units)]
    states = Wholes(
        forms, [forms.unknown(f"x{unit}", fmt.min, fmt.max) for unit, fmt in enumerate(formats)]
    )
    inputs = Wholes(
        forms, [forms.unknown(f"u{k}", c.format.min, c.format.max) for k, c in channels]
    )
    rows: Any = (Wholes(forms, states.items[None]), Wholes(forms, inputs.items[None]))
    found: list[str] = []
    after: list[Any] = []
    for stage in design.stages:
        ring: Any = RingReference(stage.expanded, object)
        own = Wholes(forms, states.items[len(found) : len(found) + stage.n_units])
        seen = Wholes(forms, stage.seen(rows[1], after).items[0])
        fed = Wholes(
            forms,
            [forms.unknown(f"y{k}", c.format.min, c.format.max) for k, c in enumerate(design.fed)],
        )
        new = ring.update(own, ring.activate(ring.preactivation(own, seen, fed)))
        after.append(Wholes(forms, new.items[None]))
        found += [repr(new.form(unit)) for unit in range(stage.n_units)]
    readout = ReadoutReference(design)
    features = feature_codes(design, *rows)
    for segment in range(design.readout.n_segments):
        outputs: Any = readout.rounded(*readout.totals(features, segment))
        found += [repr(outputs.form(0, k)) for k in range(design.n_outputs)]
    return found


def _trace(design: Design) -> list[str]:
    """States and outputs of a fixed series, by both paths, as text."""
    rng = np.random.default_rng(1)
    columns = [rng.integers(c.format.min, c.format.max + 1, _SAMPLES) for c in design.beat]
    codes = np.stack(columns, axis=1) if columns else np.zeros((_SAMPLES, 0), dtype=np.int64)
    last = np.isin(np.arange(_SAMPLES), _LAST)
    found = []
    for compiled in (False, True):
        for stop in (_SAMPLES, _SAMPLES - 1):
            trace = run(design, codes[:stop], last[:stop], compiled=compiled)
            parts = (trace.states, trace.outputs, trace.final_state)
            found += [hashlib.sha256(part.astype("<i8").tobytes()).hexdigest() for part in parts]
    return found
