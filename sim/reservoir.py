"""The circuit as a `rchw.reservoir.Reservoir`, in Amaranth's own simulator."""

from dataclasses import dataclass, replace
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.design import MAX_CHANNELS, Design, Features, Output, Readout, UnitFeatures
from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.hdl.folded import FoldedCore
from rchw.hdl.parallel import ParallelCore
from rchw.schedule import default_multipliers, schedule
from rchw.sim.stream import run_stream

__all__ = ["CircuitReservoir", "showing_states"]


def showing_states(design: Design) -> Design:
    """Design with the same layer whose outputs are its states, code for code.

    Raises
    ------
    DesignError
        If there are more than 64 units, the most outputs that a design can have, the states come
        from outside, or depend on the readout that would be replaced.
    """
    design.check_open("a circuit that shows its states")
    n_units = design.n_units
    if not design.stages:
        _ = design.driven  # states from outside are none of the circuit's
    if n_units > MAX_CHANNELS:
        raise DesignError(f"units must be at most {MAX_CHANNELS} to show them all, not {n_units}")
    formats = [layer.state for layer in design.layers for _ in range(layer.n_units)]
    outputs = tuple(Output(f"x{unit}", fmt) for unit, fmt in enumerate(formats))
    later = (UnitFeatures(),) * (len(design.layers) - 1)
    rows = tuple(tuple(int(i == j) for j in range(n_units)) for i in range(n_units))
    # States of layers in series may differ in fraction; their sums hold each exactly.
    parallel = all(layer.lanes == layer.n_units for layer in design.layers)
    lanes = n_units if parallel else gcd(*(layer.lanes for layer in design.layers))
    multipliers = default_multipliers(n_units, lanes, n_units, n_units)
    return replace(
        design,
        features=Features(one=None, later=later),
        readout=Readout(outputs, QFormat(2), rows, multipliers=multipliers),
    )


@dataclass(frozen=True)
class CircuitReservoir:
    """States of a design's circuit, read through a readout that lets them out unchanged.

    The simulator takes about a millisecond per clock and unit: for small rings.

    Parameters
    ----------
    design : Design
        At most 64 units. Its lanes decide between the folded and the parallel circuit; its readout
        is left aside.
    """

    design: Design

    @property
    def n_units(self) -> int:
        """Number of units N."""
        return self.design.n_units

    @property
    def n_inputs(self) -> int:
        """Number of input channels K."""
        return self.design.n_inputs

    def run(self, inputs: ArrayLike, state: ArrayLike | None = None) -> NDArray[np.int64]:
        """Drive the circuit with codes from its reset; ``states[t]`` is that after ``inputs[t]``.

        Parameters
        ----------
        inputs : integer array (T, K)
        state : integer array (N,), optional
            Becomes the initial state that the circuit is built with.

        Returns
        -------
        int64 array (T, N)

        Raises
        ------
        DesignError
            If a shape is wrong, there are too many units, or a code lies outside its format.
        MismatchError
            If the circuit breaks a rule of the stream.
        """
        design = showing_states(self.design)
        codes = np.asarray(inputs)
        if codes.ndim != 2 or codes.shape[1] != self.n_inputs or codes.dtype.kind not in "iu":
            raise DesignError(
                f"input codes must be integers of shape (T, {self.n_inputs}), not {codes.dtype} "
                f"of {codes.shape}"
            )
        for channel, column in zip(design.inputs, codes.T, strict=True):
            fmt = channel.format
            if len(column) and not fmt.min <= column.min() <= column.max() <= fmt.max:
                raise DesignError(
                    f"codes of input {channel.name} must be from {fmt.min} to {fmt.max} ({fmt}), "
                    f"not from {column.min()} to {column.max()}"
                )
        if state is not None:
            start = tuple(int(code) for code in np.asarray(state))
            # A horizon counts from the design's own initial state, and changes no code.
            layers, first = [], 0
            for stage in design.stages:
                own = start[first : first + stage.n_units]
                layers.append(replace(stage.layer, initial_state=own, horizon=None))
                first += stage.n_units
            design = replace(design, layers=tuple(layers))
        core = ParallelCore(design) if schedule(design).parallel else FoldedCore(design)
        names = [channel.name for channel in design.inputs]
        payloads: list[dict[str, Any]] = [
            {**dict(zip(names, row, strict=True)), "last": 0} for row in codes.tolist()
        ]
        beats = run_stream(core, payloads)
        states = [[beat[output.name] for output in design.readout.outputs] for beat in beats]
        return np.array(states, dtype=np.int64).reshape(len(codes), self.n_units)

    def advance(
        self, inputs: ArrayLike, state: ArrayLike | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The states of `run`, and the last of them."""
        states = self.run(inputs, state)
        if len(states):
            return states, states[-1]
        initial = [code for stage in self.design.stages for code in stage.layer.initial_state]
        start = initial if state is None else state
        return states, np.array(start, dtype=np.int64)
