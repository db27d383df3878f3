"""From hyperparameters to designs: exact weights, fitted encoders, signs that keep the rank."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rchw import topology
from rchw.activation import Clip, PiecewiseLinear, Table, tanh_table
from rchw.design import AffineEncoder, Design, LevelInput, LinearInput, UnitCodes
from rchw.document import from_document, to_document
from rchw.errors import DesignError
from rchw.fixed import QFormat, Rounding, decode
from rchw.ranges import Interval, square_interval
from rchw.train import Hyperparameters, TrainOptions, build_design
from rchw.train.build import fit_outputs, squares_format
from rchw.train.families import RESERVOIRS
from rchw.train.layer import dyadic
from tests.test_topology import SINGULAR
from tests.train.tiny import tiny_task

TASK = tiny_task(channels=2, outputs=2)
SIZES = range(3, 60)


def build(hyper: Hyperparameters | None = None, channels: int = 1, **options: Any) -> Design:
    """Make a design of 20 units for the training samples of the tiny task."""
    chosen = TrainOptions(**({"units": 20} | options))
    inputs, targets = TASK.inputs[TASK.train, :channels], TASK.targets[TASK.train]
    return build_design(chosen, hyper or Hyperparameters(), inputs, targets)


@given(st.lists(st.integers(-(2**14), 2**14), min_size=1, max_size=6), st.integers(0, 12))
def test_dyadic_weights_are_exact_and_narrow(numerators: list[int], frac: int) -> None:
    values = np.array(numerators) / 2.0**frac
    codes, fmt = dyadic(values)
    assert np.array_equal(decode(codes, fmt), values)
    assert fmt.min <= codes.min() and codes.max() <= fmt.max
    narrower = QFormat(max(fmt.width - 1, 1))
    if fmt.width > 2:
        assert codes.min() < narrower.min or codes.max() > narrower.max
    assert fmt.frac == 0 or np.any(codes % 2)


def test_what_is_not_dyadic_is_refused() -> None:
    with pytest.raises(DesignError, match=r"^tap weight must be a multiple of 2\*\*-12, not \["):
        dyadic([0.5, 1 / 3], "tap weight")


@pytest.mark.parametrize("width", [2, 4, 8, 9, 10, 16, 24])
def test_squares_fit_their_format_and_are_exact_to_9_bits(width: int) -> None:
    """The largest square of a clipped state is held; the format is not wider than 16 bits."""
    state, fmt = QFormat(width, width - 1), squares_format(QFormat(width, width - 1))
    assert fmt.width <= 16 and not fmt.signed
    assert fmt.frac == 2 * state.frac if width <= 9 else fmt.width == 16
    design = build(state_bits=width, squares=True)
    largest = square_interval(design, Interval(-state.max, state.max)).high
    exact = state.max**2 * 2.0 ** (fmt.frac - 2 * state.frac)
    assert exact - 1 < largest <= fmt.max  # only rounded, not limited


@pytest.mark.parametrize("reservoir", RESERVOIRS)
@pytest.mark.parametrize("activation", ["clip", "pwl", "table"])
def test_every_combination_loads(reservoir: str, activation: str) -> None:
    if reservoir == "integer":
        activation = "clip"  # another is refused
    hyper = Hyperparameters(levels=True, bias_signs="independent", jump_length=4)
    whole = (8, 6, 6) if reservoir == "deep" else 20
    for channels, squares, lanes in ((1, False, 1), (2, True, 4), (2, False, whole)):
        design = build(
            hyper,
            channels,
            reservoir=reservoir,
            activation=activation,
            squares=squares,
            input_features=squares,
            lanes=lanes,
        )
        assert from_document(to_document(design)) == design
        assert (design.n_units, design.n_inputs, design.n_outputs) == (20, channels, 2)
        assert not any(any(row) for row in design.readout.weights)


def taps_of(design: Design) -> Any:
    """Values of the taps as a dense matrix."""
    layer = design.ring
    return topology.dense(
        [(tap.offset, decode(np.array(tap.weights), layer.tap_format)) for tap in layer.taps]
    )


@pytest.mark.parametrize(
    ("reservoir", "want"),
    [
        ("cycle", topology.cycle(20, 0.625)),
        ("delay-line", topology.delay_line(20, 0.625)),
        ("delay-line-feedback", topology.delay_line_feedback(20, 0.625, 0.25)),
        ("cycle-jumps", topology.cycle_jumps(20, 0.625, 4, 0.375)),
        ("integer", topology.cycle(20, 1.0)),
        ("euler-ring", topology.euler_ring(20, 0.625, 0.125)),
    ],
)
def test_taps_are_those_of_the_topology(reservoir: str, want: topology.TapTable) -> None:
    hyper = Hyperparameters(
        feedback=0.625, backward=0.25, jump_weight=0.375, jump_length=4, diffusion=0.125
    )
    assert np.array_equal(taps_of(build(hyper, reservoir=reservoir)), topology.dense(want))


@pytest.mark.parametrize("activation", ["clip", "pwl", "table"])
def test_an_euler_ring_is_as_wide_as_its_step_asks_for(activation: str) -> None:
    """Its activation ends at 1 whatever the states hold; a bound on the samples widens them."""
    hyper = Hyperparameters(step=0.375, headroom=2)
    free = build(hyper, reservoir="euler-ring", activation=activation, state_bits=10)
    assert free.ring.state == QFormat(10, 7) and free.ring.horizon is None
    assert free.ring.step == UnitCodes(QFormat(3, 3), (3,) * 20)
    assert 120 <= free.ring.activation.ends[1] <= 128
    wide = build(hyper, reservoir="euler-ring", activation=activation, state_bits=10, bounded=100)
    assert wide.ring.state == QFormat(16, 9)  # 100 times 3/8 is below 2**6
    assert wide.ring.horizon == 100
    with pytest.raises(DesignError, match=r"^states must have at most 24 bits, not the 25 that 50"):
        build(hyper, reservoir="euler-ring", state_bits=10, bounded=50_000)
    with pytest.raises(DesignError, match=r"^headroom must be at most 1, not 2$"):
        build(hyper, reservoir="euler-ring", state_bits=3)


def weights_of(design: Design) -> Any:
    """Values of the linear input weights, shape (K, N)."""
    rows = []
    for entry in design.ring.inputs:
        assert isinstance(entry, LinearInput)
        rows.append(decode(np.array(entry.weights), entry.format))
    return np.stack(rows)


def test_input_weights_and_bias_are_signs_times_magnitudes() -> None:
    hyper = Hyperparameters(input_scaling=0.375, bias=0.0625)
    design = build(hyper, channels=2)
    signs = topology.auto_signs(20, 2)
    assert np.array_equal(weights_of(design), 0.375 * signs)
    bias = decode(np.array(design.ring.bias), design.ring.bias_format)
    assert np.array_equal(bias, 0.0625 * signs[0])
    independent = build(replace(hyper, bias_signs="independent"), channels=2)
    assert independent.ring.bias != design.ring.bias
    assert not any(build(replace(hyper, bias_signs="none")).ring.bias)
    levels = weights_of(build(replace(hyper, levels=True)))
    assert np.array_equal(levels, topology.level_weights(0.375 * topology.auto_signs(20)))
    later = weights_of(build(replace(hyper, window=1), channels=2))
    assert np.array_equal(later, 0.375 * topology.auto_signs(20, 2, skip=40))


@pytest.mark.parametrize("signs", ["auto", "random"])
def test_levels_keep_the_rank_as_well(signs: str) -> None:
    """At N = 20 the first levels of the second channel add up to zero: later digits serve."""
    plain = topology.level_weights(0.25 * topology.auto_signs(20, 2))
    assert topology.is_regular(plain[0]) and not topology.is_regular(plain[1])
    for units in (*SIZES, 100):
        hyper = Hyperparameters(levels=True)
        found = weights_of(build(hyper, channels=2, units=units, signs=signs))
        assert topology.is_regular(found)
        assert set(np.abs(found).ravel()) <= {0.0625, 0.125, 0.1875, 0.25}
        if signs == "auto":
            assert np.array_equal(np.sign(found), topology.auto_signs(units, 2))


def test_integer_weights_fill_8_bits_and_keep_signs_and_rank() -> None:
    """Uniform magnitudes at full resolution, no short sums of powers of two."""
    for scaling in (0.015625, 0.25, 0.375, 1.0):
        hyper = Hyperparameters(input_scaling=scaling, feedback=93 / 128)
        design = build(hyper, channels=2, units=200, weights="integer")
        found = weights_of(design)
        signs = topology.auto_signs(200, 2)
        assert np.array_equal(np.sign(found), signs) and topology.is_regular(found)
        entry = design.ring.inputs[0]
        assert isinstance(entry, LinearInput) and entry.format.width == 8
        codes = np.abs(np.array(entry.weights))
        top = int(scaling * 2.0**entry.format.frac)
        assert 64 <= top <= 127
        assert 1 <= codes.min() <= 0.05 * top and 0.95 * top <= codes.max() <= top
        assert abs(codes.mean() / top - 0.5) < 0.1
        assert len(set(codes.tolist())) > 40
        assert set(design.ring.taps[0].weights) == {93} and design.ring.tap_format.frac == 7
    assert build(hyper, weights="integer") == build(hyper, weights="integer")
    first = build(hyper, weights="integer").ring.inputs
    assert build(replace(hyper, window=1), weights="integer").ring.inputs != first
    assert build(hyper, weights="integer", seed=1).ring.inputs != first
    with pytest.raises(DesignError, match=r"^input scaling must be from 2\*\*-12 to 1, not 0\.0$"):
        build(Hyperparameters(input_scaling=0.0), weights="integer")


def test_a_drawn_row_that_loses_rank_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def regular_at_last(weights: Any) -> bool:
        asked.append(len(asked) > 2)
        return asked[-1]

    signs = topology.auto_signs(20)
    first = build(weights="integer")
    monkeypatch.setattr(topology, "auto_signs", lambda *_: signs)
    monkeypatch.setattr(topology, "is_regular", regular_at_last)
    again = build(weights="integer")
    assert asked == [False, False, False, True] and again.ring.inputs != first.ring.inputs
    assert np.array_equal(np.sign(weights_of(again)), signs)


def test_random_signs_depend_on_the_seed() -> None:
    one, same, other = (build(signs="random", seed=seed) for seed in (1, 1, 2))
    assert one == same and weights_of(one).tolist() != weights_of(other).tolist()


@pytest.mark.parametrize("units", SINGULAR)
def test_explicit_pi_is_refused_where_it_is_singular(units: int) -> None:
    with pytest.raises(
        DesignError,
        match=rf"^signs must keep the rank of the ring, not pi for {units} units: the input "
        rf"weights of channel 0 vanish at Fourier bin \d+, so the states lose a dimension "
        rf"\(use auto\)$",
    ):
        build(units=units, signs="pi")
    if units != 2:
        assert topology.is_regular(weights_of(build(units=units)))
    assert build(units=units, signs="pi", reservoir="delay-line").n_units == units


def test_the_check_is_made_on_the_weights_of_every_channel() -> None:
    """Levels can restore a pattern that is singular; the second channel can spoil the first."""
    assert build(Hyperparameters(levels=True), units=32, signs="pi").n_units == 32
    regular = {n: [topology.is_regular(topology.pi_signs(n, n * k)) for k in (0, 1)] for n in SIZES}
    spoilt = next(n for n in SIZES if regular[n] == [True, False])
    assert build(units=spoilt, signs="pi").n_units == spoilt
    with pytest.raises(DesignError, match=r"the input weights of channel 1 vanish"):
        build(channels=2, units=spoilt, signs="pi")


def test_two_units_have_no_regular_signs_on_a_ring() -> None:
    with pytest.raises(DesignError, match=r"^number of units must be other than 2"):
        build(units=2)
    assert build(units=2, reservoir="delay-line").n_units == 2
    assert build(units=1).n_units == 1


def test_min_max_encoders_fill_the_format_with_the_training_inputs() -> None:
    design = build(channels=2)
    codes = design.encode(TASK.inputs[TASK.train])
    assert codes.min(axis=0).tolist() == [-127, -127] and codes.max(axis=0).tolist() == [127, 127]


def test_mean_std_encoders_put_3_deviations_at_full_scale() -> None:
    design = build(channels=2, encoder="mean-std")
    inputs = TASK.inputs[TASK.train]
    for k, channel in enumerate(design.inputs):
        assert isinstance(channel.encoder, AffineEncoder)
        assert channel.encoder.offset == pytest.approx(inputs[:, k].mean())
        assert channel.encoder.gain == pytest.approx(127 / 128 / (3 * inputs[:, k].std()))


def test_outputs_leave_a_quarter_of_headroom() -> None:
    low_high = np.array([[-2.0, 10.0], [6.0, 11.0]])
    outputs = fit_outputs(low_high, 9)
    assert [(o.offset, o.scale, str(o.format)) for o in outputs] == [
        (2.0, 5.0, "sfix9_en8"), (10.5, 0.625, "sfix9_en8"),
    ]  # fmt: skip


def test_the_integer_ring_is_a_clip_of_kappa() -> None:
    for kappa, width in ((1, 2), (3, 3), (7, 4), (15, 5)):
        design = build(Hyperparameters(kappa=kappa), reservoir="integer")
        assert design.layer.state == QFormat(width)
        assert design.ring.activation == Clip(-kappa, kappa)
        assert not any(design.ring.bias)
    wide = build(Hyperparameters(kappa=3), reservoir="integer", state_bits=8)
    assert wide.ring.state == QFormat(8) and wide.ring.activation == Clip(-3, 3)
    with pytest.raises(DesignError, match=r"^activation limits must satisfy"):
        build(Hyperparameters(kappa=8), reservoir="integer", state_bits=4)


def test_bipolar_codes_span_the_amplitude() -> None:
    design = build(Hyperparameters(amplitude=5), reservoir="integer")
    codes = design.encode(TASK.inputs[TASK.train, :1])
    assert codes.min() == -5 and codes.max() == 5
    assert np.array_equal(np.abs(weights_of(design)), np.ones((1, 20)))
    assert design.inputs[0].format == QFormat(4)
    wide = build(Hyperparameters(amplitude=5), reservoir="integer", input_bits=6)
    assert wide.inputs[0].format == QFormat(6)
    assert np.array_equal(wide.encode(TASK.inputs[TASK.train, :1]).ravel().max(), 5)
    with pytest.raises(DesignError, match=r"^amplitude must be at most 3 for 3 input bits, not 5$"):
        build(Hyperparameters(amplitude=5), reservoir="integer", input_bits=3)


@pytest.mark.parametrize(("units", "bits"), [(20, 4), (7, 5), (33, 3), (1, 2)])
def test_levels_turn_one_unit_after_the_other(units: int, bits: int) -> None:
    """Code u turns the first ``floor(N (u + 2^(b-1)) / 2^b)`` signs, so similarity is linear."""
    hyper = Hyperparameters(input_coding="level")
    design = build(hyper, reservoir="integer", units=units, input_bits=bits)
    entry = design.ring.inputs[0]
    assert isinstance(entry, LevelInput)
    signs = topology.auto_signs(units)[0]
    assert entry.high == tuple(signs.tolist()) and entry.low == tuple((-signs).tolist())
    for code in range(-(1 << (bits - 1)), 1 << (bits - 1)):
        turned = [code >= threshold for threshold in entry.thresholds]
        count = units * (code + (1 << (bits - 1))) >> bits
        assert turned == [True] * count + [False] * (units - count)


def test_activations_are_those_asked_for() -> None:
    state = QFormat(8, 7)
    assert build().ring.activation == Clip(-127, 127)
    assert isinstance(build(activation="pwl").ring.activation, PiecewiseLinear)
    for rounding in Rounding:
        table = build(activation="table", rounding=rounding.value).ring.activation
        assert isinstance(table, Table) and table == tanh_table(state, 10, rounding)[0]
    with pytest.raises(DesignError, match=r"^state bits must be at least 4 .* pwl, not 3$"):
        build(activation="pwl", state_bits=3)


def test_options_reach_the_design() -> None:
    design = build(
        name="net", rounding="half-even", leak_shift=2, lanes=5, state_bits=10, readout_bits=9,
        output_bits=11, input_bits=6, squares=True, multipliers=10,
    )  # fmt: skip
    layer, readout = design.ring, design.readout
    assert design.name == "net" and layer.rounding is Rounding.HALF_EVEN
    assert design.features.square_rounding is Rounding.HALF_EVEN
    assert (layer.leak_shift, layer.lanes, readout.multipliers) == (2, 5, 10)
    output, channel = readout.outputs[0], design.inputs[0]
    formats = (layer.state, readout.weight_format, output.format, channel.format)
    assert [fmt.width for fmt in formats] == [10, 9, 11, 6]


INPUTS, TARGETS = TASK.inputs[TASK.train], TASK.targets[TASK.train]
REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "constant input": (
        lambda: build_design(TrainOptions(), Hyperparameters(), INPUTS * 0 + 2, TARGETS),
        r"^inputs must vary over the training samples, not all be 2\.0$",
    ),
    "constant target": (
        lambda: build_design(TrainOptions(), Hyperparameters(), INPUTS, TARGETS * 0 + 3),
        r"^target 0 must vary over the training samples, not all be 3\.0$",
    ),
    "multipliers": (
        lambda: build(multipliers=7),
        r"^multipliers must be one of 1, 2 for 1 lanes and 2 outputs, not 7$",
    ),
    "feedback": (
        lambda: build(Hyperparameters(feedback=0.7)),
        r"^tap weight must be a multiple of 2\*\*-12",
    ),
    "scaling": (
        lambda: build(Hyperparameters(input_scaling=0.1)),
        r"^input weight must be a multiple of 2\*\*-12",
    ),
    "bias": (lambda: build(Hyperparameters(bias=0.3)), r"^bias must be a multiple of 2\*\*-12"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()
