"""``rchw import``: a network becomes a design, and a record says what became of every number."""

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.design import Design
from rchw.document import digest, save
from rchw.errors import DesignError
from rchw.experiment import Steps, finite, task_facts, versions
from rchw.files import sha256_of, together
from rchw.importing.approximations import approximations
from rchw.importing.convert import Seen
from rchw.importing.drawn import COST
from rchw.importing.network import Network
from rchw.importing.options import ImportOptions
from rchw.importing.structure import Structure
from rchw.importing.tune import Tuned, tune
from rchw.reference import run
from rchw.schedule import schedule
from rchw.tasks import Task

__all__ = ["Imported", "import_network"]

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Imported:
    """A design with its record, nothing of it written yet.

    Attributes
    ----------
    design : Design
    record : dict
        JSON-ready.
    """

    design: Design
    record: dict[str, Any]

    def write(self, folder: Path) -> dict[str, Path]:
        """Write ``NAME.json`` and ``NAME.import.json``; either both or none.

        Raises
        ------
        RchwError
            If the folder cannot be written.
        """
        name = self.design.name
        files = {"design": folder / f"{name}.json", "record": folder / f"{name}.import.json"}
        with together(folder) as place:
            save(self.design, place / files["design"].name)
            made = {"file": files["design"].name, "sha256": sha256_of(place / f"{name}.json")}
            named = {"design": made, "record": {"file": files["record"].name}}
            text = json.dumps(self.record | {"files": named}, indent=1, allow_nan=False)
            (place / files["record"].name).write_text(text + "\n", encoding="utf-8")
        return files


def import_network(
    network: Network,
    task: Task,
    options: ImportOptions,
    steps: Steps,
    *,
    source: dict[str, Any],
    data: tuple[str, int, tuple[str | None, str | None]] | None = None,
) -> Imported:
    """Tune and fit a design for a network, and measure it on the test samples, once.

    Parameters
    ----------
    network : Network
    task : Task
        The user's, or `rchw.importing.drawn.drawn_task`.
    options : ImportOptions
    steps : Steps
        Shows progress.
    source : dict
        Of the record: where the network comes from.
    data : (str, int, (str or None, str or None)), optional
        What the user called the task, seed of a generated series, names of input and target
        columns; None where the task was drawn.

    Returns
    -------
    Imported

    Raises
    ------
    DesignError
        If task and network do not fit, or no design of these widths can be made.
    """
    start = time.monotonic()
    _check(network, task, options, drawn=data is None)
    with steps.step("running the network in floating point"):
        seen = Seen.of(network, task.inputs, task.train)
    with steps.bar(f"tuning {options.name} at the widths it will have") as show:
        tuned = tune(network, task, options, seen, show)
    design = tuned.converted.design
    plan, structure = schedule(design), Structure.of(network)
    record: dict[str, Any] = {
        "kind": "import",
        "version": 1,
        "design": design.name,
        "digest": digest(design),
        "source": source
        | {
            "units": network.n_units,
            "inputs": network.n_inputs,
            "outputs": network.n_outputs,
            "density": network.density,
            "activation": network.activation,
        },
        "task": task_facts(task, "drawn", 0, (None, None))
        if data is None
        else task_facts(task, *data),
        "drawn": data is None,
        "options": asdict(options),
        "chosen": {
            "structure": structure.kind,
            "scales": asdict(tuned.scales),
            "regularisation": tuned.regularisation,
            "candidates": tuned.candidates,
            "quantisation": list(tuned.method),
        },
        "formats": {
            "inputs": str(design.inputs[0].format),
            "states": str(design.layer.state),
            "readout": str(design.readout.weight_format),
            "outputs": [str(output.format) for output in design.readout.outputs],
        },
        "mapped": _mapped(tuned, structure),
        "approximated": approximations(network, seen, tuned, options),
        "left_out": list(network.left_out),
        "cost": COST if data is None else None,
        "errors": _errors(network, seen, task, tuned, options),
        "clocks_per_sample": plan.clocks,
        "lanes": design.driven.lanes,
        "multipliers": design.readout.multipliers,
        "tools": versions("numba"),
        "seconds": round(time.monotonic() - start, 2),
    }
    provenance = {key: record[key] for key in ("source", "options", "chosen")}
    provenance |= {"task": task.name, "metric": task.metric, "split_sha256": task.hashes()}
    return Imported(replace(design, provenance=provenance), record)


def _check(network: Network, task: Task, options: ImportOptions, *, drawn: bool) -> None:
    if options.readout != "retrain" and network.n_outputs is None:
        raise DesignError(
            f"network must have a readout, W_out, for readout {options.readout}: without one it is "
            f"retrain, on data"
        )
    if drawn and options.readout == "retrain":
        raise DesignError("data must be given for readout retrain, not left out")
    if task.n_inputs != network.n_inputs:
        raise DesignError(
            f"data must have {network.n_inputs} input columns, as the network has, not "
            f"{task.n_inputs}"
        )
    if options.readout != "retrain" and task.n_outputs != network.n_outputs:
        raise DesignError(
            f"data must have {network.n_outputs} target columns, as the network has outputs, not "
            f"{task.n_outputs}"
        )


def _mapped(tuned: Tuned, structure: Structure) -> list[dict[str, Any]]:
    """What every array became, and how far its integers are from it."""
    connections = tuned.converted.design.driven.connections
    engine = f"{structure.kind}, {sum(len(row) for row in connections)} weights"
    rows = []
    for name, (wanted, held, fmt) in tuned.converted.held.items():
        away = np.abs(held - wanted)
        rows.append(
            {
                "name": name,
                "became": f"{engine} of {fmt}" if name == "W" else fmt,
                "largest": float(np.abs(wanted).max()),
                "largest_error": float(away.max()),
                "rms_error": float(np.sqrt(np.mean(away**2))),
            }
        )
    return rows


def _relative(given: Values, wanted: Values) -> float | None:
    """Mean squared error over the variance of what was wanted, over all columns together."""
    power = float(np.mean(np.var(wanted, axis=0)))
    return finite(float(np.mean((given - wanted) ** 2)) / power) if power > 0 else None


def _errors(
    network: Network, seen: Seen, task: Task, tuned: Tuned, options: ImportOptions
) -> dict[str, Any]:
    """Of integers against the network, and of both against the targets of the test samples."""
    design = tuned.converted.design
    trace = run(design, design.encode(task.inputs[: task.test.stop]))
    states = trace.states * design.layer.state.resolution
    outputs = design.decode(trace.outputs)
    found: dict[str, Any] = {
        "validation": {"criterion": options.readout, "error": tuned.error},
    }
    wanted = None if network.n_outputs is None else network.outputs(seen.states, task.inputs)
    for split in ("validation", "test"):
        rows = getattr(task, split)
        own = found.setdefault(split, {})
        own["states"] = _relative(states[rows], seen.states[rows])
        if wanted is not None and wanted.shape[1] == outputs.shape[1]:
            own["outputs"] = _relative(outputs[rows], wanted[rows])
    rows, targets = task.test, task.targets[task.test]
    found["test"] |= {
        "samples": rows.stop - rows.start,
        "metric": task.metric,
        "integers": finite(task.error(outputs[rows], targets)),
        "network": None,
    }
    if wanted is not None and wanted.shape[1] == targets.shape[1]:
        found["test"]["network"] = finite(task.error(wanted[rows], targets))
    return found
