"""One contract for every reservoir: float model, integer reference, simulated circuit.

Of a family whose states come from outside the reservoir is the device, and a readout that answers
once per sequence leaves its reservoir alone: `tests.test_common_answers` has the contract of whole
designs.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from rchw import topology
from rchw.activation import Clip, tanh_pwl, tanh_table
from rchw.design import (
    Design,
    Feedback,
    Matrix,
    MatrixLayer,
    RingLayer,
    Tap,
    UnitCodes,
)
from rchw.errors import DesignError
from rchw.fixed import Overflow, QFormat
from rchw.model import DeepModel, EulerModel, EulerRingModel, FeedbackModel, MatrixModel, RingModel
from rchw.model.scaling import random_dense, random_sparse, scale_radius
from rchw.nodes import Drive, Mask, Observation, PhysicalReservoir
from rchw.nodes.memristive import DynamicMemristor, DynamicParameters
from rchw.nodes.presets import NODES, Size
from rchw.reference import ReferenceReservoir
from rchw.reservoir import Reservoir, drop_washout
from rchw.sim.reservoir import CircuitReservoir, showing_states
from tests.contract import CHECKS, check_chunks, check_keeping, check_washout, drive
from tests.designs import designs, stimulus
from tests.examples import ANTISYMMETRIC, DEEP, EXAMPLE, MATRIX
from tests.loops import feedback_designs
from tests.test_schedule import ring

Array = NDArray[Any]


def model(activation: str, leak_rate: float, compiled: bool) -> RingModel:
    """Make a cycle with jumps and two inputs in floating point."""
    rng = np.random.default_rng(5)
    taps = topology.cycle_jumps(9, 0.6, 4, 0.25)
    return RingModel(taps, 0.5 * rng.normal(size=(2, 9)), 0.1, leak_rate, activation, compiled)


def matrix(activation: str, density: float, compiled: bool) -> MatrixModel:
    """Make a leaky echo state network whose units have leaks of their own."""
    rng = np.random.default_rng(6)
    weights = scale_radius(random_sparse(20, density, rng), 0.7)
    into, leaks = 0.5 * rng.normal(size=(2, 20)), rng.uniform(0.3, 1.0, 20)
    return MatrixModel(weights, into, 0.1, leaks, 0.9, activation, compiled)


def euler(ring: bool) -> EulerModel | EulerRingModel:
    """Make an Euler state network that forgets: much diffusion, and steps as large."""
    rng = np.random.default_rng(7)
    into = 0.5 * rng.normal(size=(2, 9))
    if ring:
        return EulerRingModel(0.4, into, 0.1, 0.4, 1.0)
    return EulerModel(random_dense(9, rng, 0.2), into, 0.1, rng.uniform(0.3, 0.5, 9), 1.0)


def layered() -> DeepModel:
    """Make three layers of different kinds, the second of which also reads the inputs."""
    rng = np.random.default_rng(8)
    into = 0.3 * rng.normal(size=(11, 6))
    second = MatrixModel(random_dense(6, rng, 0.2), into, leak_rate=0.5)
    third = EulerRingModel(0.4, 0.3 * rng.normal(size=(6, 4)), 0.0, 0.4, 1.0)
    return DeepModel([model("tanh", 0.5, True), second, third])


def fading(lanes: int, multipliers: int = 2) -> Design:
    """Make the example's ring contract: taps 3/8 and 1/8, clip, no leak."""
    layer = replace(
        EXAMPLE.ring,
        activation=Clip(-31, 31),
        leak_shift=0,
        lanes=lanes,
        tap_format=QFormat(4, 3),
    )
    readout = replace(EXAMPLE.readout, multipliers=multipliers)
    return replace(EXAMPLE, layers=(layer,), readout=readout)


def leaky_table() -> Design:
    """Make a ring with a table of tanh and a leak of 1/2."""
    state = QFormat(8, 7)
    layer = replace(fading(3).ring, state=state, activation=tanh_table(state, 7)[0], leak_shift=1)
    return replace(fading(1), layers=(layer,))


def steps(lanes: int) -> Design:
    """Make an Euler ring: a step of 1/2 along clip(-x + its neighbours), gains of 1 and 3/2."""
    layer = replace(
        fading(lanes).ring,
        taps=(Tap(0, (-8,) * 5), Tap(1, (2,) * 5), Tap(4, (-2,) * 5)),
        gain=UnitCodes(QFormat(3, 1), (2, 3, 2, 3, 2)),
        step=UnitCodes(QFormat(2, 1), (1,) * 5),
        state=QFormat(8, 5),
    )
    return replace(fading(lanes), layers=(layer,))


def leaky() -> Design:
    """Make a sparse network whose rows add up to less than 1, with leaks of 0 and 1/2."""
    layer = MATRIX.driven
    assert isinstance(layer, MatrixLayer)
    matrix = replace(layer.matrix, format=QFormat(4, 4))
    small = replace(layer, matrix=matrix, activation=Clip(-31, 31), leak_shift=(1, 0, 1, 0, 1))
    return replace(MATRIX, layers=(small,))


def delay_line() -> Design:
    """Make a delay line with its feedback: nothing returns to the first unit but that."""
    taps = (Tap(1, (0, 5, 5, 5, 5)), Tap(4, (1, 0, 0, 0, 0)))
    return replace(fading(1), layers=(replace(fading(1).ring, taps=taps),))


def damped(lanes: int) -> Design:
    """Make an Euler state network whose diffusion outweighs its antisymmetric part."""
    layer = ANTISYMMETRIC.driven
    assert isinstance(layer, MatrixLayer)
    rows = ((), (2,), (-1, 1), (1, 0, 2), (-1, 1, -1, 1))
    matrix = Matrix(QFormat(5, 3), "antisymmetric", rows, diagonal=(-9, -8, -10, -8, -9))
    step = UnitCodes(QFormat(3, 2), (2, 3, 2, 2, 3))
    return replace(fading(1), layers=(replace(layer, matrix=matrix, step=step, lanes=lanes),))


def looped(lanes: int) -> Design:
    """Make the ring that is also fed both outputs, one of them with a teacher, and forgets."""
    base = fading(lanes)
    small = QFormat(4, 7)
    entries = (
        Feedback(small, (3, -2, 1, 0, 5), "trend", "ring", initial=9, teacher=True),
        Feedback(small, (-7, 3, 4, -2, 1), "power", "ring", initial=-40),
    )
    readout = replace(base.readout, overflow=Overflow.SATURATE)
    if lanes == 5:
        readout = replace(readout, multipliers=base.n_products * base.n_outputs)
    return replace(base, readout=readout, feedback=entries)


def read(states: Array) -> Array:
    """Outputs of the float model in a loop."""
    return 0.2 * np.stack([states.sum(axis=1), states[:, 0] - states[:, 3] ** 2], axis=1)


def float_loop() -> FeedbackModel:
    """Make a cycle with jumps whose one channel stands before two outputs that return."""
    into = 0.4 * np.random.default_rng(5).normal(size=(3, 9))
    return FeedbackModel(RingModel(topology.cycle_jumps(9, 0.6, 4, 0.25), into), read, 2)


def laned(design: Design, lanes: int) -> Design:
    """Make the same with lanes, of every layer if there are several, and one product per clock."""
    layers = tuple(replace(layer, lanes=lanes) for layer in design.layers)
    return replace(design, layers=layers, readout=replace(design.readout, multipliers=1))


def series() -> Design:
    """Make the example in series contract: its first ring as in `fading`, all layers parallel."""
    first = DEEP.stages[0].layer
    assert isinstance(first, RingLayer)
    first = replace(first, activation=Clip(-31, 31), leak_shift=0, tap_format=QFormat(4, 3))
    layers = (first, *DEEP.layers[1:])
    return replace(DEEP, layers=tuple(replace(layer, lanes=layer.n_units) for layer in layers))


def memristive(observation: Observation) -> PhysicalReservoir:
    """Make a few quickly forgetting memristors with two channels."""
    node = DynamicMemristor(3, 3, DynamicParameters(retention=0.8))
    return PhysicalReservoir(node, Drive(-1.0, 2.0), Mask("analog", 1), observation, 2)


RESERVOIRS: dict[str, Callable[[], Reservoir]] = {
    "float tanh": lambda: model("tanh", 1.0, True),
    "float tanh, plain": lambda: model("tanh", 0.5, False),
    "float clip": lambda: model("clip", 0.5, True),
    "float linear": lambda: model("linear", 1.0, False),
    "matrix tanh": lambda: matrix("tanh", 1.0, True),
    "matrix clip, sparse, plain": lambda: matrix("clip", 0.2, False),
    "matrix linear, sparse": lambda: matrix("linear", 0.2, True),
    "euler": lambda: euler(False),
    "euler ring": lambda: euler(True),
    "deep": layered,
    "feedback": float_loop,
    "reference": lambda: ReferenceReservoir(fading(1)),
    "reference, plain": lambda: ReferenceReservoir(fading(1), compiled=False),
    "reference, euler ring": lambda: ReferenceReservoir(steps(1)),
    "reference, leaky table": lambda: ReferenceReservoir(leaky_table()),
    "memristive": lambda: memristive(Observation()),
    "memristive, read": lambda: memristive(
        Observation(1e-7, 1e-3, bandwidth=300.0, bits=12, low=-1e-6, high=4e-5)
    ),
    "circuit, 1 lane": lambda: CircuitReservoir(fading(1)),
    "circuit, 2 lanes": lambda: CircuitReservoir(fading(2)),
    "circuit, parallel": lambda: CircuitReservoir(fading(5)),
    "reference, leaky": lambda: ReferenceReservoir(leaky()),
    "circuit, leaky": lambda: CircuitReservoir(leaky()),
    "circuit, leaky, 2 lanes": lambda: CircuitReservoir(laned(leaky(), 2)),
    "circuit, euler ring, 1 lane": lambda: CircuitReservoir(steps(1)),
    "circuit, euler ring, parallel": lambda: CircuitReservoir(steps(5)),
    "reference, deep": lambda: ReferenceReservoir(series()),
    "circuit, deep": lambda: CircuitReservoir(series()),
    "reference, delay line": lambda: ReferenceReservoir(delay_line()),
    "reference, euler": lambda: ReferenceReservoir(damped(1)),
    "reference, feedback": lambda: ReferenceReservoir(looped(1)),
    "reference, feedback, plain": lambda: ReferenceReservoir(looped(1), compiled=False),
    "circuit, leaky table": lambda: CircuitReservoir(leaky_table()),
    "circuit, delay line": lambda: CircuitReservoir(delay_line()),
    "circuit, euler": lambda: CircuitReservoir(damped(5)),
    "circuit, euler, 2 lanes": lambda: CircuitReservoir(damped(2)),
    "circuit, deep, folded": lambda: CircuitReservoir(laned(series(), 1)),
    "circuit, feedback": lambda: CircuitReservoir(looped(1)),
    "circuit, feedback, parallel": lambda: CircuitReservoir(looped(5)),
}


SLOW = {
    "circuit, 2 lanes", "circuit, delay line", "circuit, leaky, 2 lanes", "circuit, leaky table",
    "circuit, euler, 2 lanes", "circuit, deep, folded", "circuit, feedback, parallel",
}  # fmt: skip
"""Second circuits of a family."""

PRESETS = {
    f"{info.name}:{preset.name}": preset for info in NODES.values() for preset in info.presets
}


class Forgetful(ReferenceReservoir):
    """What is no reservoir: it ignores the state that it is given."""

    def advance(self, inputs: ArrayLike, state: ArrayLike | None = None) -> tuple[Array, Array]:
        """Start from the initial state, always."""
        return super().advance(inputs)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__[6:])
@pytest.mark.parametrize(
    "kind", [pytest.param(k, marks=[pytest.mark.slow] * (k in SLOW)) for k in RESERVOIRS]
)
def test_contract(kind: str, check: Callable[[Reservoir], None]) -> None:
    check(RESERVOIRS[kind]())


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_keeps_the_contract(name: str) -> None:
    reservoir = PRESETS[name].reservoir(Size(16, 2, seed=1))
    for check in CHECKS:
        if check is not check_washout:
            check(reservoir)
    # Junctions that switch and neurons that fire do so whole: two runs differ by a few of them.
    whole = ("spintronic-superparamagnetic", "biological")
    check_washout(reservoir, 100, 0.2 if name.startswith(whole) else 0.05)


def test_the_contract_can_be_broken() -> None:
    """A reservoir that ignores its state fails where it must, a non-contracting one to forget."""
    with pytest.raises(AssertionError):
        check_chunks(Forgetful(fading(1)))
    with pytest.raises(AssertionError):
        check_washout(Forgetful(fading(1)))
    lossless = RingModel(topology.cycle(9, 1.0), np.ones((2, 9)), activation="linear")
    with pytest.raises(AssertionError):
        check_washout(lossless)

    def forgetful(reservoir: Reservoir) -> Reservoir:
        taps = fading(1).ring.taps[:1]
        return ReferenceReservoir(replace(fading(1), layers=(replace(fading(1).ring, taps=taps),)))

    with pytest.raises(AssertionError):
        check_keeping(ReferenceReservoir(fading(1)), forgetful)
    undamped = EulerRingModel(0.4, np.ones((2, 9)), 0.0, 0.01, 0.0)
    with pytest.raises(AssertionError):
        check_washout(undamped)


@settings(max_examples=16)
@given(st.one_of(designs(max_units=6), feedback_designs(max_units=6)), st.integers(0, 2**32 - 1))
def test_circuit_and_reference_have_the_same_states(design: Design, seed: int) -> None:
    """Every state of every unit, not only what a readout makes of them, and what goes on."""
    rng = np.random.default_rng(seed)
    codes, _ = stimulus(design, rng, 10)
    formats = [design.layer.state] * design.n_units + [fed.format for fed in design.fed]
    start = rng.integers([fmt.min for fmt in formats], [fmt.max + 1 for fmt in formats])
    for state in (None, start):
        want = ReferenceReservoir(design).advance(codes, state)
        got = CircuitReservoir(design).advance(codes, state)
        assert all(map(np.array_equal, got, want))


def test_a_wrong_state_is_seen_in_the_circuit() -> None:
    """One bit of a tap weight, or segments instead of a clip: other states."""
    codes = drive(CircuitReservoir(fading(2)))
    want = ReferenceReservoir(fading(2)).run(codes)
    layer = fading(2).ring
    weights = list(layer.taps[0].weights)
    weights[3] ^= 1
    taps = (replace(layer.taps[0], weights=tuple(weights)), layer.taps[1])
    for broken in (
        replace(layer, taps=taps),
        replace(layer, activation=tanh_pwl(layer.state)[0]),
        replace(layer, bias_format=QFormat(5, 5)),
    ):
        got = CircuitReservoir(replace(fading(2), layers=(broken,))).run(codes)
        assert not np.array_equal(got, want)


def test_the_states_come_out_unchanged() -> None:
    shown = showing_states(EXAMPLE)
    assert shown.ring == EXAMPLE.ring
    assert [output.format for output in shown.readout.outputs] == [EXAMPLE.ring.state] * 5


REFUSED: dict[str, tuple[Callable[[Reservoir], object], str]] = {
    "channels": (lambda r: r.run(np.zeros((3, 3), dtype=int)), r"must .*shape \(T, \d\), not "),
    "state": (lambda r: r.run(drive(r), np.zeros(4, dtype=int)), r"state must .*not "),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("kind", RESERVOIRS)
def test_wrong_shapes_are_refused(kind: str, case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call(RESERVOIRS[kind]())


@pytest.mark.parametrize("kind", ["reference", "circuit, 2 lanes"])
def test_codes_outside_their_format_are_refused(kind: str) -> None:
    reservoir = RESERVOIRS[kind]()
    codes = drive(reservoir)
    codes[7, 1] = 8
    with pytest.raises(DesignError, match=r"rain .*must be from -8 to 7 \(sfix4_en3\), not "):
        reservoir.run(codes)
    with pytest.raises(DesignError, match=r"must .*-32 to 31 \(sfix6_en5\), not 32$"):
        reservoir.run(drive(reservoir), np.full(5, 32))
    with pytest.raises(DesignError, match=r"^input codes must be integers"):
        reservoir.run(drive(reservoir) / 2)


def test_fed_back_outputs_stand_before_the_states() -> None:
    """As they are; the states of a readout that sees squares alone are added to what it sees."""
    shown = showing_states(looped(1))
    assert shown.feedback == looped(1).feedback and shown.n_outputs == 2 + 5
    assert shown.readout.outputs[:2] == looped(1).readout.outputs
    blind = replace(EXAMPLE.features, states=False)
    rows = tuple(row[5:] for row in EXAMPLE.readout.weights)
    design = replace(
        looped(1), features=blind, readout=replace(looped(1).readout, weights=rows, multipliers=1)
    )
    codes = drive(CircuitReservoir(design), 8)
    want = ReferenceReservoir(design).run(codes)
    assert np.array_equal(CircuitReservoir(design).run(codes), want)
    many = replace(ring(64, 1), feedback=(Feedback(QFormat(2), (0,) * 64, "y0", "ring"),))
    with pytest.raises(DesignError, match=r"at most 63 to show .* beside 1 fed back outputs, not"):
        showing_states(many)


def test_many_units_cannot_be_shown() -> None:
    assert showing_states(ring(64, 1)).n_outputs == 64
    with pytest.raises(DesignError, match=r"^units must be at most 64 to show them all, not 65$"):
        showing_states(ring(65, 1))


@pytest.mark.parametrize("washout", [-1, 5, 6])
def test_a_washout_must_leave_something(washout: int) -> None:
    with pytest.raises(DesignError, match=rf"^washout must be from 0 to 4, not {washout}$"):
        drop_washout(np.zeros((5, 2)), washout)
    assert drop_washout(np.arange(5), 4).tolist() == [4]
