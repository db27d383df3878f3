"""What a record says of a device: parameters, converters, memory, energy."""

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.lab.energy import Item, total
from rchw.metrics import memory_capacity
from rchw.nodes import Observation, Parameters, PhysicalReservoir

__all__ = [
    "adc_facts",
    "converter_facts",
    "energy_facts",
    "limited_share",
    "measured_memory",
    "parameter_facts",
]

Values = NDArray[np.float64]
_LONGEST_MEMORY = 100  # delays, beyond which no device here remembers anything
_WASHOUT = 200


def energy_facts(items: tuple[Item, ...]) -> dict[str, Any]:
    """Estimates in joules per sample."""
    return {"items": [item.facts() for item in items], "joules": total(items)}


def parameter_facts(reservoir: PhysicalReservoir) -> list[dict[str, Any]]:
    """Every parameter of the node with its unit and source; a range where devices differ."""
    node: Any = reservoir.node
    rows = []
    for entry in fields(node):
        parameters = getattr(node, entry.name)
        if not isinstance(parameters, Parameters):
            continue
        for fact in parameters.facts():
            value = getattr(parameters, fact.name)
            many = value if isinstance(value, tuple) else (value,)
            rows.append(
                {
                    "of": entry.name,
                    "name": fact.name,
                    "least": min(many),
                    "greatest": max(many),
                    "unit": fact.unit,
                    "source": fact.source,
                    "loose": fact.loose,
                }
            )
    return rows


def adc_facts(observation: Observation) -> dict[str, Any]:
    """Noise, bandwidth, bits and range."""
    names = ("bits", "low", "high", "noise_absolute", "noise_relative", "bandwidth")
    return {name: getattr(observation, name) for name in names}


def converter_facts(reservoir: PhysicalReservoir) -> dict[str, Any]:
    """What stands before and behind the node."""
    drive, node = reservoir.drive, reservoir.node
    names = ("low", "high", "bits", "offset", "gain")
    return {
        "dac": {name: getattr(drive, name) for name in names} | {"unit": node.drive_unit},
        "mask": {"kind": reservoir.mask.kind, "seed": reservoir.mask.seed},
        "adc": adc_facts(reservoir.observation) | {"unit": node.reading_unit},
        "seconds_per_sample": node.interval * node.n_virtual,
    }


def limited_share(reservoir: PhysicalReservoir, inputs: Values) -> float:
    """Share of the inputs beyond those of the training samples, which the drive limits."""
    drive = reservoir.drive
    beyond = np.abs((inputs - drive.offset) * np.asarray(drive.gain)) > 1 + 1e-9
    return float(np.mean(beyond))


def measured_memory(reservoir: PhysicalReservoir, seed: int) -> dict[str, Any]:
    """Memory of independent inputs, uniform over the range that the drive is scaled to."""
    drive, n_units = reservoir.drive, reservoir.n_units
    longest = min(2 * n_units, _LONGEST_MEMORY)
    samples = _WASHOUT + longest + 40 * max(n_units, 100)
    rng = np.random.default_rng([seed, 4])
    uniform = rng.uniform(-1, 1, (samples, reservoir.n_inputs))
    inputs = np.asarray(drive.offset) + uniform / np.asarray(drive.gain)
    found = memory_capacity(
        reservoir.run(inputs), inputs[:, 0], range(1, longest + 1), washout=_WASHOUT
    )
    return {
        "total": found.significant,
        "chance": found.chance,
        "delays": longest,
        "samples": samples,
    }
