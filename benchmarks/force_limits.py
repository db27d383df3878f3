"""What FORCE can hold, and why: a chirp that a cue starts, and sines that come back in step or not.

``python -m benchmarks.force_limits`` writes ``benchmarks/results/force_limits.json`` and
``benchmarks/force_limits.md``. A row is written as soon as it is measured; ``--missing`` leaves out
what is there, ``--page`` measures nothing. The options were looked for with seed 10, which no row
has; nothing was chosen by these rows.
"""

import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.force_limits_page import page
from benchmarks.parts import measure_parts, parse_parts
from rchw.files import write_atomic
from rchw.schedule import schedule
from rchw.tasks import load_task
from rchw.tasks.generators import PERIODS, multi_sine, periodic
from rchw.train.force import ForceNetwork, ForceOptions, draw_network
from rchw.train.force_design import Widths
from rchw.train.full_force import TargetNetwork, train_force
from rchw.train.recurrent import left_alone, train_recurrent

__all__ = ["TARGETS", "chirp_row", "driven", "driven_states", "jobs", "main", "sines_row"]

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results" / "force_limits.json"
COMMAND = "python -m benchmarks.force_limits"
RULES = ("force", "full-force", "partial-force")
UNITS, SEEDS = 300, (0, 1)
PARTIAL_SEEDS = (1, 2)  # in benchmarks.force one holds the four sines and one does not
LEARNT, ALONE, WASHOUT = 8000, 10000, 200
TWINS, FITTED = 2000, 4000
# Sines of the frequencies of `multi-sine`, or as near as they can be where all come back in step
# after so many samples.
TARGETS: dict[str, tuple[float, ...]] = {
    "300": tuple(300 / k for k in (7, 9, 11, 13)),
    "1000": tuple(1000 / k for k in (24, 29, 37, 44)),
    "3000": tuple(3000 / k for k in (71, 87, 112, 132)),
    "never": PERIODS,
}
WEAK = {"gain": 0.9, "leak_shift": 1}  # with feedback within 0.25: a network that is nearly linear
CHIRP = {"leak_shift": 3, "feedback_scaling": 1.25, "input_scaling": 1.0}

Values = NDArray[np.float64]
Row = dict[str, Any]


def _options(rule: str, seed: int, **more: Any) -> ForceOptions:
    trained = UNITS // 2 if rule == "partial-force" else None
    return ForceOptions(teaching=rule, units=UNITS, seed=seed, trained_units=trained, **more)


def chirp_row(rule: str, seed: int) -> Row:
    """One network on the chirp: training, and every held-out cue at float, 16 and 12 bits."""
    task, options = load_task("chirp"), _options(rule, seed, **CHIRP)
    started = time.monotonic()
    made = train_recurrent(task, options, Widths())
    begin = task.train.stop
    truth, inputs = task.targets[begin:], task.inputs[begin:]
    steps = len(truth)
    narrow = Widths(state_bits=12, readout_bits=12)
    runs = {
        "float": made.float_run(steps, inputs),
        "16 bits": made.integer_run(steps, inputs),
        "12 bits": made.rounded(replace(options, weight_bits=12), narrow).integer_run(
            steps, inputs
        ),
        "16 bits, no cue": made.integer_run(steps, np.zeros_like(inputs)),
    }
    measured = {name: left_alone(run, truth, inputs) for name, run in runs.items()}
    return {
        "options": asdict(options),
        "samples": begin - task.washout,
        "history": made.history.facts(),
        "clocks": schedule(made.design).clocks,
        "runs": {name: asdict(found) | {"held": found.held} for name, found in measured.items()},
        "seconds": round(time.monotonic() - started, 1),
    }


def driven(options: ForceOptions) -> ForceNetwork:
    """The random network, with the target where it goes in."""
    drawn = draw_network(options, 1)
    feedback = drawn.feedback.copy()
    if options.teaching == "partial-force":
        feedback[:, : options.units - options.trained] = 0.0
    return replace(drawn, feedback=feedback)


def driven_states(network: ForceNetwork, targets: Values) -> Values:
    """States (T, N) of the random network while the target goes in."""
    guide, none = TargetNetwork(network, 0), np.zeros(0)
    found = np.empty((len(targets), network.n_units))
    for t, target in enumerate(targets):
        guide.currents(target, none)
        found[t] = guide.network.state
    return found


def sines_row(target: str, rule: str, feedback: float, seed: int) -> Row:
    """One network on one target: is it in step with the target, what can be read, what is kept."""
    series = (
        periodic(LEARNT + ALONE) if target == "four-sines"
        else multi_sine(LEARNT + ALONE, TARGETS[target])
    )  # fmt: skip
    targets = series / (1.25 * np.abs(series[:LEARNT]).max())
    options = _options(rule, seed, feedback_scaling=feedback, **(WEAK if feedback < 1 else {}))
    started = time.monotonic()
    network = driven(options)
    other = np.random.default_rng((seed, 1)).uniform(-0.5, 0.5, UNITS)
    seen = driven_states(network, targets[: WASHOUT + 2 * FITTED])
    twin = driven_states(replace(network, state=other), targets[:TWINS])
    apart = float(np.sqrt(np.mean((twin[-1] - seen[TWINS - 1]) ** 2)))
    fitted, judged = (slice(WASHOUT + k * FITTED, WASHOUT + (k + 1) * FITTED) for k in (0, 1))
    weights = np.linalg.lstsq(seen[fitted], targets[fitted], rcond=1e-9)[0]
    missed = seen[judged] @ weights - targets[judged]
    trained, history = train_force(options, targets[:LEARNT], WASHOUT)
    found = left_alone(trained.run(ALONE)[0], targets[LEARNT:])
    return {
        "options": asdict(options),
        "apart": apart,
        "unread": float(np.sqrt(np.mean(missed**2)) / targets.std()),
        "history": history.facts(),
        "alone": asdict(found) | {"held": found.held},
        "seconds": round(time.monotonic() - started, 1),
    }


def jobs() -> Iterator[tuple[str, Callable[[], Row]]]:
    """Keys of rows, each with what measures it."""
    for seed, feedback, target in product(SEEDS, (4.0, 2.0), TARGETS):
        key = f"sines/{target}/force/{feedback:g}/{seed}"
        yield key, partial(sines_row, target, "force", feedback, seed)
    for seed, feedback in product(PARTIAL_SEEDS, (4.0, 2.0)):
        key = f"sines/four-sines/partial-force/{feedback:g}/{seed}"
        yield key, partial(sines_row, "four-sines", "partial-force", feedback, seed)
    for seed in SEEDS:
        yield f"sines/never/force/0.25/{seed}", partial(sines_row, "never", "force", 0.25, seed)
    for seed, rule in product(SEEDS, RULES):
        yield f"chirp/{rule}/{seed}", partial(chirp_row, rule, seed)


def _about() -> Row:
    return {
        "units": UNITS, "learnt": LEARNT, "alone": ALONE, "twins": TWINS,
        "tools": {"python": platform.python_version(), "numpy": np.__version__},
    }  # fmt: skip


def main() -> None:
    """Measure what is asked for, then write the page."""
    asked = parse_parts(__doc__)
    os.nice(5)
    record = measure_parts(RESULTS, COMMAND, jobs(), asked, _about)
    record["rows"] = {key: record["rows"][key] for key, _ in jobs() if key in record["rows"]}
    write_atomic(RESULTS, json.dumps(record, indent=1) + "\n")
    write_atomic(FOLDER / "force_limits.md", page(record))


if __name__ == "__main__":
    main()
