"""One device, or what was recorded of one, on one task: states, errors, metrics, energy, readout.

Every result stands twice: without noise and converter, and as they are asked for. What is chosen is
chosen on validation samples, for each of the two; test samples are read once, for the errors.
"""

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw import plot
from rchw.document import digest, save
from rchw.errors import DesignError
from rchw.experiment import FLOORS, Steps, finite, versions
from rchw.files import sha256_of, together
from rchw.lab.energy import energy, ring_energy
from rchw.lab.facts import (
    adc_facts,
    converter_facts,
    energy_facts,
    limited_share,
    measured_memory,
    parameter_facts,
)
from rchw.lab.measured import RecordedReservoir
from rchw.lab.readout import FpgaReadout, fpga_readout
from rchw.lab.trial import Condition, Measurement, try_preset
from rchw.nodes import Observation, PhysicalReservoir, Variation, vary_node
from rchw.nodes.observe import Observed
from rchw.nodes.presets import NodeInfo, Preset, Size
from rchw.tasks import Task
from rchw.tasks.floors import floors, memoryless
from rchw.train import ExternalOptions
from rchw.train.linear import train_linear

__all__ = ["FILES", "LABELS", "EmulateOptions", "Emulated", "emulate", "emulate_recorded"]

Values = NDArray[np.float64]
FILES = (
    "emulate.json", "inputs.csv", "states.csv", "test.csv", "emulate.svg", "readout.json",
)  # fmt: skip
LABELS = (
    {"memoryless": "memoryless cubic"}
    | FLOORS
    | {
        "noiseless": "without noise",
        "observed": "as observed",
        "integer": "integer readout",
    }
)


@dataclass(frozen=True)
class EmulateOptions:
    """What a user fixes.

    Parameters
    ----------
    units : int, optional
        Readings per sample; the preset's.
    seed : int
        Of mask, node and noise.
    condition : Condition
        Noise and converter.
    dac_bits : int, optional
    tune : bool
        Choose the preset's axes on validation samples.
    settings : mapping
        Axes that are set.
    variations : tuple of Variation
        How devices differ, drawn from the seed.
    readout : ExternalOptions
        Of the readout in an FPGA.
    """

    units: int | None = None
    seed: int = 0
    condition: Condition = field(default_factory=lambda: Condition(40.0, 8))
    dac_bits: int | None = None
    tune: bool = True
    settings: Mapping[str, float] = field(default_factory=dict)
    variations: tuple[Variation, ...] = ()
    readout: ExternalOptions = field(default_factory=ExternalOptions)


@dataclass(frozen=True)
class Emulated:
    """A result, nothing of it written yet.

    Attributes
    ----------
    record : dict
        JSON-ready.
    inputs : float64 array (T, K)
        Of the task.
    states : float64 or int64 array (T, N)
        Codes of the converter where there is one.
    test : float64 array (samples, 2 L)
        Targets of the test samples, then their predictions.
    picture : str
        SVG.
    readout : FpgaReadout or None
        Where there is a converter.
    """

    record: dict[str, Any]
    inputs: Values
    states: NDArray[Any]
    test: Values
    picture: str
    readout: FpgaReadout | None

    def write(self, folder: Path) -> list[Path]:
        """Write all files, or none.

        Raises
        ------
        RchwError
            If the folder cannot be written.
        """
        outputs = self.test.shape[1] // 2
        names = [f"{kind}_{k}" for kind in ("target", "prediction") for k in range(outputs)]
        with together(folder) as temporary:
            written = [temporary / name for name in FILES if name != "readout.json"]
            written[1].write_text(_csv([f"u{k}" for k in range(self.inputs.shape[1])], self.inputs))
            written[2].write_text(_csv([f"x{i}" for i in range(self.states.shape[1])], self.states))
            written[3].write_text(_csv(names, self.test))
            written[4].write_text(self.picture, encoding="utf-8")
            if self.readout is not None:
                save(self.readout.design, temporary / FILES[5])
                written.append(temporary / FILES[5])
            hashes = {path.name: sha256_of(path) for path in written[1:]}
            text = json.dumps(self.record | {"files": hashes}, indent=1, allow_nan=False)
            written[0].write_text(text + "\n", encoding="utf-8")
        return [folder / path.name for path in written]


def emulate(
    task: Task, info: NodeInfo, preset: Preset, options: EmulateOptions, steps: Steps
) -> Emulated:
    """Put an emulated device on a task.

    Raises
    ------
    DesignError
        If the node refuses what it is asked for, or the data cannot be trained on.
    """
    begun = time.monotonic()
    units = preset.units if options.units is None else options.units
    size = Size(units, task.n_inputs, options.seed)
    _check_lanes(options, units)
    with steps.bar(f"{info.name}, preset {preset.name}, on {task.name}") as show:
        ideal, asked = try_preset(
            task,
            _prepared(preset, options),
            size,
            (Condition(), options.condition),
            tune=options.tune,
            point=options.settings,
            observation=Observation(seed=options.seed),
            progress=show,
        )
    reservoir = asked.reservoir
    with steps.step("measuring memory and energy"):
        capacity = measured_memory(reservoir, options.seed)
        drives = reservoir.drives(task.inputs[task.train])
        readings = reservoir.readings(task.inputs[task.train])
        items = energy(info.name, reservoir, drives, readings, task.n_outputs)
    record = {
        "node": info.name,
        "preset": {
            "name": preset.name,
            "description": preset.description,
            "source": preset.source,
            "point": asked.point,
            "noiseless_point": ideal.point,
            "candidates": asked.candidates,
            "refused": asked.refused,
        },
        "parameters": parameter_facts(reservoir),
        "variations": [asdict(each) for each in options.variations],
        "converters": converter_facts(reservoir),
        "limited": limited_share(reservoir, task.inputs),
        "memory_capacity": capacity,
        "energy": energy_facts(items),
        "energy_of_a_ring": energy_facts(
            ring_energy(reservoir.n_units, task.n_inputs, task.n_outputs)
        ),
    }
    pair = (ideal.measurement, asked.measurement)
    return _result(
        task, pair, reservoir.observation, options, record, begun, steps,
        unit=reservoir.node.reading_unit,
    )  # fmt: skip


def emulate_recorded(
    task: Task, states: Values, options: EmulateOptions, steps: Steps, *, name: str
) -> Emulated:
    """Put recorded states (T, N), one row per sample of the task, on the task.

    Noise is not added: the recording has its own.

    Parameters
    ----------
    task : Task
    states : float64 array (T, N)
    options : EmulateOptions
    steps : Steps
    name : str
        Of the recording.

    Raises
    ------
    DesignError
        If there are fewer states than samples, or the data cannot be trained on.
    """
    begun, used = time.monotonic(), task.test.stop
    # What was played may be the task's inputs, or a file of which the task leaves out samples that
    # have no target: at the end or, where targets lie in the past, at the beginning.
    given, past = len(task.inputs), max(-task.horizon, 0)
    allowed = {given, given + past} if past else range(used, given + task.horizon + 1)
    if len(states) not in allowed:
        rule = " or ".join(map(str, sorted(allowed))) if past else f"{used} to {max(allowed)}"
        raise DesignError(
            f"states must be one row per sample of the task {task.name}, {rule}, not {len(states)}"
        )
    states = states[len(states) - given if past else 0 :]
    _check_lanes(options, states.shape[1])
    recorded = RecordedReservoir(task.inputs[:used], states[:used])
    bits = options.condition.adc_bits
    with steps.step(f"{name} on {task.name}"):
        values = recorded.run(task.inputs[:used])
        seen = Observation().matched(values[task.train], 1.0, recorded.n_units, adc_bits=bits)
        pair = [
            Measurement.of(task, condition, train_linear(task, each.values), each)
            for condition, each in (
                (Condition(), _seen(Observation(), values)),
                (Condition(None, bits), _seen(seen, values)),
            )
        ]
    record = {"node": None, "measured": name, "converters": {"adc": adc_facts(seen)}}
    return _result(task, pair, seen, options, record, begun, steps, unit="the unit of the file")


def _seen(observation: Observation, values: Values) -> Observed:
    return observation.observe(values, 1.0, np.zeros(values.shape[1]), 0)


def _check_lanes(options: EmulateOptions, units: int) -> None:
    """Refuse before the work what `train_external` would refuse after it."""
    if not 1 <= options.readout.lanes <= units:
        raise DesignError(f"lanes must be from 1 to {units}, not {options.readout.lanes}")


def _prepared(preset: Preset, options: EmulateOptions) -> Preset:
    """The preset with bits of its digital-to-analog converter, and with devices that differ."""

    def build(size: Size, **point: float) -> PhysicalReservoir:
        made = preset.build(size, **point)
        if options.dac_bits is not None:
            made = replace(made, drive=replace(made.drive, bits=options.dac_bits))
        if options.variations:
            made = replace(made, node=vary_node(made.node, options.variations, size.seed))
        return made

    return replace(preset, build=build)


def _result(
    task: Task,
    pair: Sequence[Measurement],
    observation: Observation,
    options: EmulateOptions,
    record: dict[str, Any],
    begun: float,
    steps: Steps,
    *,
    unit: str,
) -> Emulated:
    """Floors, readout in integers, record and picture; `pair` is without noise, and as asked."""
    ideal, asked = pair
    n_units = asked.states.values.shape[1]
    with steps.step("measuring the floors"):
        errors = {"memoryless": memoryless(task)} | dict(floors(task, n_units))
    errors |= {"noiseless": ideal.error, "observed": asked.error}
    readout, refused = None, ""
    if asked.states.codes is not None:
        with steps.step("training the integer readout"):
            try:
                readout = fpga_readout(task, asked.states.codes, observation, options.readout)
            except DesignError as error:  # the rest of the result stands
                refused = str(error)
            else:
                errors["integer"] = readout.error
    states = asked.states.values if asked.states.codes is None else asked.states.codes
    full = {
        "kind": "emulate",
        "version": 1,
        **record,
        "units": n_units,
        "seed": options.seed,
        "condition": asdict(asked.condition),
        "task": {
            "name": task.name,
            "data": task.source,
            "metric": task.metric,
            "horizon": task.horizon,
            "washout": task.washout,
            "split_sha256": task.hashes(),
        },
        "regularisation": {
            "noiseless": ideal.readout.regularisation, "observed": asked.readout.regularisation,
        },
        "validation": {
            "noiseless": ideal.readout.validation, "observed": asked.readout.validation,
        },
        "test": {
            "samples": len(asked.prediction),
            "errors": {key: finite(float(value)) for key, value in errors.items()},
        },
        "clipped": asked.clipped,
        "readout": None if readout is None else {"digest": digest(readout.design)},
        "readout_refused": refused,
        "tools": versions("scipy", "numba"),
        "seconds": round(time.monotonic() - begun, 2),
    }  # fmt: skip
    table = np.hstack([task.targets[task.test], asked.prediction])
    picture = _picture(task, asked, errors, unit)
    return Emulated(full, task.inputs, states, table, picture, readout)


def _picture(task: Task, asked: Measurement, errors: Mapping[str, float], unit: str) -> str:
    figure = plot.emulation_figure(
        asked.states.values[task.test],
        task.targets[task.test],
        asked.prediction,
        {LABELS[key]: value for key, value in errors.items() if math.isfinite(value)},
        metric=task.metric.upper(),
        unit=unit,
        own=(LABELS["noiseless"], LABELS["observed"], LABELS["integer"]),
    )
    return plot.svg(figure, "emulate")


def _csv(names: Sequence[str], rows: NDArray[Any]) -> str:
    lines = [",".join(names), *(",".join(map(repr, row)) for row in rows.tolist())]
    return "\n".join(lines) + "\n"
