"""The circuit as a `rchw.reservoir.Reservoir`, in Amaranth's own simulator."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.design import MAX_CHANNELS, Design, Features, Output, Readout, UnitFeatures
from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.hdl.feedback import core_of
from rchw.layers import MAX_WEIGHT_WIDTH
from rchw.names import unique
from rchw.reference.loop import fed_codes, unfed
from rchw.schedule import default_multipliers
from rchw.sim.stream import run_stream

__all__ = ["CircuitReservoir", "showing_states"]


def showing_states(design: Design) -> Design:
    """Design with the same layers whose outputs are its states, code for code.

    Outputs that are fed back stand before them, as they are: the states depend on them.

    Raises
    ------
    DesignError
        If there are more outputs than a design can have, 64, or the states come from outside.
    """
    if not design.stages:
        _ = design.driven  # states from outside are none of the circuit's
    n_units, kept = design.n_units, sorted(set(design.fed_from))
    if n_units + len(kept) > MAX_CHANNELS:
        beside = f" beside {len(kept)} fed back outputs" if kept else ""
        most = MAX_CHANNELS - len(kept)
        raise DesignError(f"units must be at most {most} to show them all{beside}, not {n_units}")
    shown = _beside_fed(design, kept) if kept else _alone(design)
    parallel = all(layer.lanes == layer.n_units for layer in design.layers)
    lanes = n_units if parallel else gcd(*(layer.lanes for layer in design.layers))
    count = default_multipliers(n_units, lanes, shown.n_outputs, shown.n_products)
    return replace(shown, readout=replace(shown.readout, multipliers=count))


def _alone(design: Design) -> Design:
    n_units = design.n_units
    formats = [layer.state for layer in design.layers for _ in range(layer.n_units)]
    outputs = tuple(Output(f"x{unit}", fmt) for unit, fmt in enumerate(formats))
    later = (UnitFeatures(),) * (len(design.layers) - 1)
    rows = tuple(tuple(int(i == j) for j in range(n_units)) for i in range(n_units))
    # States of layers in series may differ in fraction; their sums hold each exactly.
    return replace(
        design,
        features=Features(one=None, later=later),
        readout=Readout(outputs, QFormat(2), rows),
    )


def _beside_fed(design: Design, kept: Sequence[int]) -> Design:
    readout, features, state = design.readout, design.features, design.layer.state
    weight, n_units = readout.weight_format, design.n_units
    rows = [readout.weights[place] for place in kept]
    if not features.states:
        rows = [(*(0,) * n_units, *row) for row in rows]
    # A state times a power of two is its code with so many more fraction bits.
    shift = min(weight.frac, MAX_WEIGHT_WIDTH - 2)
    shown = QFormat(state.width, state.frac + weight.frac - shift)
    rows += [tuple((i == j) << shift for j in range(len(rows[0]))) for i in range(n_units)]
    outputs = [readout.outputs[place] for place in kept]
    taken = {output.name for output in outputs}
    outputs += [Output(unique(f"x{unit}", taken), shown) for unit in range(n_units)]
    return replace(
        design,
        features=replace(features, states=True),
        readout=replace(
            readout,
            outputs=tuple(outputs),
            weight_format=replace(weight, width=max(weight.width, shift + 2)),
            weights=tuple(rows),
            multipliers=1,
        ),
    )


@dataclass(frozen=True)
class CircuitReservoir:
    """States of a design's circuit, read through a readout that lets them out unchanged.

    The simulator takes about a millisecond per clock and unit: for small rings.

    Parameters
    ----------
    design : Design
        At most 64 units and fed back outputs. Its lanes decide between the folded and the parallel
        circuit; of its readout only the outputs that are fed back remain.
    """

    design: Design

    @property
    def n_units(self) -> int:
        """Number of units N."""
        return self.design.n_units

    @property
    def n_inputs(self) -> int:
        """Number of codes in a beat: the K input channels, and the lanes of teachers."""
        return self.design.n_lanes

    def run(self, inputs: ArrayLike, state: ArrayLike | None = None) -> NDArray[np.int64]:
        """Drive the circuit with codes from its reset; ``states[t]`` is that after ``inputs[t]``.

        Parameters
        ----------
        inputs : integer array (T, n_lanes)
        state : integer array (N + B,), optional
            Becomes the initial state that the circuit is built with; behind it stand the codes of
            the B outputs that are fed back.

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
        return self.advance(inputs, state)[0]

    def advance(
        self, inputs: ArrayLike, state: ArrayLike | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The states of `run`, and what another run goes on from."""
        design = showing_states(self.design)
        codes = np.asarray(inputs)
        if codes.ndim != 2 or codes.shape[1] != self.n_inputs or codes.dtype.kind not in "iu":
            raise DesignError(
                f"input codes must be integers of shape (T, {self.n_inputs}), not {codes.dtype} "
                f"of {codes.shape}"
            )
        for channel, column in zip(design.beat, codes.T, strict=True):
            fmt = channel.format
            if len(column) and not fmt.min <= column.min() <= column.max() <= fmt.max:
                raise DesignError(
                    f"codes of input {channel.name} must be from {fmt.min} to {fmt.max} ({fmt}), "
                    f"not from {column.min()} to {column.max()}"
                )
        if state is not None:
            design = _started(design, tuple(int(code) for code in np.asarray(state)))
        names = [channel.name for channel in design.beat]
        payloads: list[dict[str, Any]] = [
            {**dict(zip(names, row, strict=True)), "last": 0} for row in codes.tolist()
        ]
        beats = run_stream(core_of(design), payloads)
        outputs = np.array(
            [[beat[output.name] for output in design.readout.outputs] for beat in beats],
            dtype=np.int64,
        ).reshape(len(codes), design.n_outputs)
        states = outputs[:, design.n_outputs - self.n_units :]
        initial = [code for stage in design.stages for code in stage.layer.initial_state]
        final = states[-1] if len(states) else np.array(initial, dtype=np.int64)
        fed = fed_codes(design, codes, np.zeros(len(codes), dtype=bool), outputs, unfed(design))
        return states, np.concatenate([final, fed[-1]])


def _started(design: Design, start: tuple[int, ...]) -> Design:
    """The same whose initial state, and what is fed at first, are these codes."""
    # A horizon counts from the design's own initial state, and changes no code.
    layers, first = [], 0
    for stage in design.stages:
        own = start[first : first + stage.n_units]
        layers.append(replace(stage.layer, initial_state=own, horizon=None))
        first += stage.n_units
    fed = start[first:]
    if len(fed) != len(design.feedback):
        size = first + len(design.feedback)
        raise DesignError(f"state must be integers of shape ({size},), not of ({len(start)},)")
    feedback = tuple(
        replace(entry, initial=code) for entry, code in zip(design.feedback, fed, strict=True)
    )
    return replace(design, layers=tuple(layers), feedback=feedback)
