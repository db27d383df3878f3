"""Choose the scales of an import at the given widths, and fit its readout.

Every candidate is a whole integer design, judged by its integer outputs on validation samples: how
near they come to the outputs of the network itself, or, if the readout is trained anew, to the
targets. Test samples are not read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.importing.convert import Converted, Seen, convert, leak_shifts
from rchw.importing.network import Network
from rchw.importing.options import LEAKS, ImportOptions, Scales
from rchw.importing.structure import Structure
from rchw.metrics import nmse
from rchw.reference.compiled import run_states
from rchw.tasks import Task
from rchw.train.build import fit_outputs
from rchw.train.readout import Fit, keep_readout, outputs_of, train_readout
from rchw.train.search import training_rows

__all__ = ["Tuned", "tune"]

Values = NDArray[np.float64]
Progress = Callable[[int, int, float], None]

_LAMBDAS = (1e-9, 1e-7, 1e-5, 1e-3)
_NEIGHBOURS = (0.1, 0.3, 3.0, 10.0)  # times the best lambda, tried at the end
_ROUNDS = 2


@dataclass(frozen=True, eq=False)
class Tuned:
    """What the search has chosen.

    Attributes
    ----------
    converted : Converted
        Its design has its readout.
    scales : Scales
    regularisation : float or None
        lambda of a readout that was fitted.
    error : float
        On the validation samples.
    candidates : int
    method : tuple of str
        How the rows of the readout were rounded.
    """

    converted: Converted
    scales: Scales
    regularisation: float | None
    error: float
    candidates: int
    method: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Bench:
    """What stays the same from candidate to candidate."""

    network: Network
    task: Task
    options: ImportOptions
    seen: Seen
    structure: Structure
    teacher: Values

    def error(self, fit: Fit, states: Any, codes: Any) -> float:
        """Of integer outputs on the validation samples."""
        rows = self.task.validation
        given = outputs_of(fit.design, states[rows], codes[rows])
        if self.options.readout == "retrain":
            return float(self.task.error(given, self.task.targets[rows]))
        return float(nmse(given, self.teacher[rows]))

    def try_one(self, scales: Scales, lambdas: Sequence[float]) -> Tuned:
        """Build, run and fit one candidate."""
        task, rows = self.task, training_rows(self.task)
        outputs = tuple(
            fit_outputs(self.teacher[rows], self.options.output_bits, task.output_names)
        )
        made = convert(
            self.network, self.seen, self.structure, outputs, self.options, scales,
            task.input_names,
        )  # fmt: skip
        end = task.validation.stop
        codes = made.design.encode(task.inputs[:end])
        states = run_states(made.design, codes).astype(np.int64)
        train = (made.design, states[rows], codes[rows], self.teacher[rows])
        if self.options.readout == "keep":
            fits = [keep_readout(*train, self._kept())]
        else:
            fits = train_readout(*train, lambdas)
        errors = [self.error(fit, states, codes) for fit in fits]
        best = int(np.argmin(errors))
        fit = fits[best]
        found = None if self.options.readout == "keep" else fit.solution.regularisation
        converted = replace(made, design=fit.design)
        return Tuned(converted, scales, found, errors[best], 1, fit.method)

    def _kept(self) -> Values:
        """The network's own weights (L, F), for the input codes of its channels."""
        network, seen = self.network, self.seen
        assert network.output_weights is not None
        columns = [network.output_weights]
        constant = network.output_bias
        if network.output_input_weights is not None:
            bits = self.options.input_bits
            half = (seen.high - seen.low) / 2 / (1 - 2.0 ** (1 - bits))
            columns.append(network.output_input_weights * half)
            constant = constant + network.output_input_weights @ ((seen.low + seen.high) / 2)
        return np.concatenate([*columns, constant[:, None]], axis=1)


def _axes(network: Network, options: ImportOptions) -> dict[str, tuple[Any, ...]]:
    """Values that may be tried of every field of `Scales`, the first to begin with."""
    axes: dict[str, tuple[Any, ...]] = {}
    curved = network.activation == "tanh"
    if curved and options.activation == "auto":
        axes["activation"] = ("table", "pwl", "clip")
    elif curved:
        axes["activation"] = (options.activation,)
    else:
        axes["activation"] = ("clip",)
    rules = {leak_shifts(network.leak_rate, rule): rule for rule in reversed(LEAKS)}
    if network.step is None and len(rules) > 1:
        axes["leak"] = tuple(rule for rule in LEAKS if rule in rules.values())
    axes |= {"weights": (0, 1, 2), "inputs": (0, 1), "states": (0, 1)}
    if "table" in axes["activation"]:
        axes["index"] = (0, 1)
    return axes


def tune(
    network: Network,
    task: Task,
    options: ImportOptions,
    seen: Seen,
    progress: Progress | None = None,
) -> Tuned:
    """Choose scales one after the other, beginning with those at which nothing saturates.

    Parameters
    ----------
    network : Network
    task : Task
    options : ImportOptions
    seen : Seen
        The network on the task's inputs.
    progress : callable, optional
        Called with (candidates done, candidates at most, best error so far).

    Raises
    ------
    DesignError
        If the first candidate cannot be built or fitted.
    """
    retrain = options.readout == "retrain"
    teacher = task.targets if retrain else network.outputs(seen.states, task.inputs)
    bench = _Bench(network, task, options, seen, Structure.of(network), teacher)
    axes = _axes(network, options)
    most = 1 + _ROUNDS * sum(len(values) - 1 for values in axes.values())
    point = {name: values[0] for name, values in axes.items()}
    best = bench.try_one(Scales(**point), _LAMBDAS)
    tried = {tuple(point.values())}
    for _ in range(_ROUNDS):
        before = best
        for name, values in axes.items():
            for value in values:
                other = {**point, name: value}
                if tuple(other.values()) in tried:
                    continue
                tried.add(tuple(other.values()))
                try:
                    found = bench.try_one(Scales(**other), _LAMBDAS)
                except DesignError:
                    continue  # a format that does not hold it: no candidate
                if found.error < best.error:
                    best, point = found, other
                if progress is not None:
                    progress(len(tried), most, best.error)
        if best is before:
            break
    if best.regularisation is not None:
        finer = [best.regularisation * factor for factor in _NEIGHBOURS]
        found = bench.try_one(best.scales, finer)
        best = found if found.error < best.error else best
    if progress is not None:
        progress(most, most, best.error)
    return replace(best, candidates=len(tried))
