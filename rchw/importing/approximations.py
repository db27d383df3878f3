"""What an import could not take over as it was, in sentences for the record."""

import numpy as np
from numpy.typing import NDArray

from rchw.activation import Clip, PiecewiseLinear, Table, tanh_pwl, tanh_table
from rchw.fixed import QFormat
from rchw.importing.convert import Seen
from rchw.importing.network import Network
from rchw.importing.options import ImportOptions
from rchw.importing.tune import Tuned

__all__ = ["approximations"]

Values = NDArray[np.float64]


def approximations(network: Network, seen: Seen, tuned: Tuned, options: ImportOptions) -> list[str]:
    """Sentences: leaks, the activation, limits of states and inputs, weights, the readout."""
    found = [*_leaks(network, tuned), *_activation(network, seen, tuned)]
    for name in ("W", "W_in", "bias", "step"):
        if name in tuned.converted.held:
            found += _weights(name, *tuned.converted.held[name])
    for k, (low, high) in enumerate(zip(seen.low.tolist(), seen.high.tolist(), strict=True)):
        found.append(
            f"input {k} is limited to the range of its training samples, {low:g} to {high:g}"
        )
    if options.readout == "match":
        found.append("the readout was fitted to the outputs of the network, at these states")
    elif options.readout == "retrain":
        found.append("the readout was trained anew, on the targets of the data")
    return found


def _leaks(network: Network, tuned: Tuned) -> list[str]:
    held = tuned.converted.held.get("leak_rate")
    if held is None or np.array_equal(held[0], held[1]):
        return []
    pairs = dict(zip(held[0].tolist(), held[1].tolist(), strict=True))
    changed = {before: after for before, after in pairs.items() if before != after}
    worst = max(changed, key=lambda rate: abs(np.log2(changed[rate] / rate)))
    if len(pairs) == 1:
        return [f"leak rate {worst:g} became {changed[worst]:g}, a power of two"]
    return [
        f"{len(changed)} of {len(pairs)} different leak rates became powers of two, the farthest "
        f"{worst:g} became {changed[worst]:g}"
    ]


def _activation(network: Network, seen: Seen, tuned: Tuned) -> list[str]:
    layer = tuned.converted.design.driven
    activation, state = layer.activation, layer.state
    end = max(abs(code) for code in activation.ends) * state.resolution
    found = []
    if layer.step is not None:
        top = state.max * state.resolution
        found.append(
            f"states are limited to {top:g}; in training they reach {seen.largest_state:g}"
        )
    if network.activation == "linear":
        found.append(
            f"linear units are limited to {end:g}; in training they reach {seen.largest_state:g}"
        )
    if network.activation != "tanh":
        return found
    if isinstance(activation, Table):
        index = activation.index
        bound = tanh_table(state, index.width, layer.rounding, index.frac)[1]
        told = f"a table of {len(activation.entries)} entries"
    elif isinstance(activation, PiecewiseLinear):
        bound = tanh_pwl(state)[1]
        told = f"{len(activation.segments)} straight pieces"
    else:
        assert isinstance(activation, Clip)
        sums = np.linspace(0.0, max(seen.largest_sum, end), 4097)
        bound = float(np.abs(np.minimum(sums, end) - np.tanh(sums)).max()) + state.resolution
        told = f"a clip at {end:g}"
    return [*found, f"tanh became {told}, within {bound:.2g}"]


def _weights(name: str, wanted: Values, held: Values, formats: str) -> list[str]:
    """Weights that saturate, and weights that are lost."""
    away = np.abs(held - wanted)
    step = max(QFormat.parse(name).resolution for name in formats.split(", "))
    saturated = int((away > 0.501 * step).sum())
    lost = int(((held == 0) & (wanted != 0)).sum())
    count = int(np.count_nonzero(wanted))
    found = []
    if saturated:
        found.append(
            f"{saturated} of {count} numbers of {name} saturate, by {away.max():.2g} at most"
        )
    if lost:
        found.append(
            f"{lost} of {count} numbers of {name} are too small for the format and became 0"
        )
    return found
