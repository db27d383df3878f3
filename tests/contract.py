"""What every reservoir keeps to: the checks of `tests.test_common`, and what suits each kind."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.design import Design
from rchw.document import load, save
from rchw.model import DeepModel, FeedbackModel
from rchw.model.recurrence import FloatModel
from rchw.nodes import PhysicalReservoir
from rchw.reference import ReferenceReservoir
from rchw.reservoir import Reservoir, drop_washout
from rchw.sim.reservoir import CircuitReservoir

__all__ = [
    "CHECKS",
    "check_chunks",
    "check_keeping",
    "check_washout",
    "drive",
    "is_real",
    "kept_design",
    "other_state",
]

Array = NDArray[Any]


def is_real(reservoir: Reservoir) -> bool:
    """Whether inputs and states are values, not codes."""
    return not isinstance(reservoir, ReferenceReservoir | CircuitReservoir)


def _design(reservoir: Reservoir) -> Design:
    assert isinstance(reservoir, ReferenceReservoir | CircuitReservoir)
    return reservoir.design


def drive(reservoir: Reservoir, samples: int = 30, seed: int = 1) -> Array:
    """Give inputs that suit the kind: values for a model, codes of its beats for the others."""
    rng = np.random.default_rng(seed)
    shape = (samples, reservoir.n_inputs)
    if is_real(reservoir):
        return rng.uniform(-1, 1, shape)
    formats = [channel.format for channel in _design(reservoir).beat]
    return rng.integers([fmt.min for fmt in formats], [fmt.max + 1 for fmt in formats], shape)


def other_state(reservoir: Reservoir) -> Array:
    """Any state but the initial one."""
    rng = np.random.default_rng(2)
    if isinstance(reservoir, FloatModel | DeepModel):
        return rng.uniform(-0.9, 0.9, reservoir.n_units)
    if isinstance(reservoir, FeedbackModel):
        return rng.uniform(-0.9, 0.9, reservoir.n_units + reservoir.n_outputs)
    if isinstance(reservoir, PhysicalReservoir):
        state = reservoir.advance(drive(reservoir, 40, 3))[1]
        state[-1] = 0  # the noise of a sample belongs to its number, not to what is remembered
        return state
    return np.concatenate(
        [
            rng.integers(-31, 32, reservoir.n_units),
            [rng.integers(fed.format.min, fed.format.max + 1) for fed in _design(reservoir).fed],
        ]
    ).astype(np.int64)


def check_shape(reservoir: Reservoir) -> None:
    inputs = drive(reservoir)
    states = reservoir.run(inputs)
    assert isinstance(reservoir, Reservoir)
    assert states.shape == (len(inputs), reservoir.n_units)
    assert reservoir.run(inputs[:0]).shape == (0, reservoir.n_units)
    assert states.dtype == (np.float64 if is_real(reservoir) else np.int64)
    assert len(np.unique(states, axis=0)) > 12  # it moves


def check_determinism(reservoir: Reservoir) -> None:
    """Equal inputs, equal bits, and nothing is changed that the caller gave."""
    inputs, state = drive(reservoir), other_state(reservoir)
    before = inputs.copy(), state.copy()
    first = reservoir.run(inputs, state)
    assert np.array_equal(first, reservoir.run(inputs, state))
    assert np.array_equal(inputs, before[0]) and np.array_equal(state, before[1])


def check_chunks(reservoir: Reservoir) -> None:
    """Pieces of any length, the state handed on, equal the whole, bit for bit."""
    inputs, state = drive(reservoir), other_state(reservoir)
    whole = reservoir.run(inputs, state)
    for edges in ([12], [0, 1, 29, 29]):
        pieces, now = [], state
        for chunk in np.split(inputs, edges):
            piece, now = reservoir.advance(chunk, now)
            pieces.append(piece)
        assert np.array_equal(np.concatenate(pieces), whole)


def check_reset(reservoir: Reservoir) -> None:
    """A run leaves nothing behind: the next one starts from the initial state."""
    inputs = drive(reservoir)
    fresh = reservoir.run(inputs)
    reservoir.run(drive(reservoir, seed=9), other_state(reservoir))
    assert np.array_equal(reservoir.run(inputs), fresh)


def check_causality(reservoir: Reservoir) -> None:
    """A state has seen its own input, and none of those to come."""
    inputs = drive(reservoir)
    changed = inputs.copy()
    changed[20] = -inputs[20]
    if not is_real(reservoir):
        formats = [channel.format for channel in _design(reservoir).beat]
        changed[20] += [fmt.min + fmt.max for fmt in formats]
    first, second = reservoir.run(inputs), reservoir.run(changed)
    assert np.array_equal(first[:20], second[:20])
    assert not np.array_equal(first[20], second[20])


def check_washout(reservoir: Reservoir, samples: int = 30, share: float = 0.05) -> None:
    """Two initial states are forgotten: to the bit in integers, nearly in floating point."""
    inputs = drive(reservoir, samples)
    first, second = reservoir.run(inputs), reservoir.run(inputs, other_state(reservoir))
    assert not np.array_equal(first, second)
    left = samples - 4
    difference = np.abs(drop_washout(first, left) - drop_washout(second, left)).max()
    assert difference <= (share * np.ptp(first) if is_real(reservoir) else 0)


def kept_design(design: Design) -> Design:
    """The design that was saved, as it loads."""
    with TemporaryDirectory() as folder:
        return load(save(design, Path(folder) / "design.json"))


def _kept(reservoir: Reservoir) -> Reservoir:
    if isinstance(reservoir, ReferenceReservoir | CircuitReservoir):
        return replace(reservoir, design=kept_design(reservoir.design))
    again: Reservoir = pickle.loads(pickle.dumps(reservoir))
    return again


def check_keeping(reservoir: Reservoir, keep: Callable[[Reservoir], Reservoir] = _kept) -> None:
    """What was saved and loaded is the same and runs the same; designs as files, others pickled."""
    again, inputs, state = keep(reservoir), drive(reservoir), other_state(reservoir)
    if not is_real(reservoir):
        assert _design(again) == _design(reservoir)
    assert np.array_equal(again.run(inputs, state), reservoir.run(inputs, state))


CHECKS = (
    check_shape, check_determinism, check_chunks, check_reset, check_causality, check_washout,
    check_keeping,
)  # fmt: skip
