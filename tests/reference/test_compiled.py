"""The compiled step equals the numpy step, bit for bit; its speed is in `benchmarks/speed.md`."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rchw.activation import Clip
from rchw.design import Design, Features, InputChannel, LinearInput, Output, Readout, RingLayer, Tap
from rchw.fixed import QFormat, Rounding
from rchw.reference import compiled, run
from rchw.reference.compiled import compiled_states, run_states, stepped_states
from tests.designs import designs, stimulus


def single(n_units: int, rounding: Rounding = Rounding.HALF_UP, width: int = 8) -> Design:
    """Make a simple cycle with clip, drawn from a fixed seed."""
    rng = np.random.default_rng(n_units)
    state = QFormat(width, width - 1)
    signs = rng.choice([-1, 1], n_units)
    return Design(
        name="single",
        inputs=(InputChannel("u", QFormat(8, 7)),),
        layers=(
            RingLayer(
                n_units=n_units,
                state=state,
                tap_format=QFormat(6, 4),
                taps=(Tap(1 % n_units, tuple(int(w) for w in rng.integers(10, 16, n_units))),),
                inputs=(LinearInput(QFormat(8, 6), tuple(int(40 * s) for s in signs)),),
                bias_format=QFormat(8, 7),
                bias=tuple(int(b) for b in rng.integers(-20, 20, n_units)),
                activation=Clip(-state.max, state.max),
                rounding=rounding,
            ),
        ),
        features=Features(),
        readout=Readout((Output("y", QFormat(8, 4)),), QFormat(4, 0), ((1,) * (n_units + 1),)),
    )


@settings(max_examples=200)
@given(designs(), st.integers(0, 2**32 - 1))
def test_compiled_equals_numpy_step(design: Design, seed: int) -> None:
    """States, outputs and final state agree on any design, reset and starting state included."""
    rng = np.random.default_rng(seed)
    codes, last = stimulus(design, rng, 40)
    fmt = design.layer.state
    start = rng.integers(fmt.min, fmt.max + 1, design.n_units) if seed % 2 else None
    fast = run(design, codes, last, start, compiled=True)
    slow = run(design, codes, last, start, compiled=False)
    assert np.array_equal(fast.states, slow.states)
    assert np.array_equal(fast.outputs, slow.outputs)
    assert np.array_equal(fast.final_state, slow.final_state)
    assert np.array_equal(run_states(design, codes, last, start), slow.states)


@settings(max_examples=60)
@given(
    st.integers(1, 70),
    st.sampled_from(list(Rounding)),
    st.integers(2, 16),
    st.integers(0, 2**32 - 1),
)
def test_vector_kernel_equals_numpy_step(
    n_units: int, rounding: Rounding, width: int, seed: int
) -> None:
    """The 32-bit kernel, at sizes around the vector length; both rails are hit."""
    design = single(n_units, rounding, width)
    codes, last = stimulus(design, np.random.default_rng(seed), 60)
    fast = compiled_states(design, codes, last, None)
    assert fast is not None
    assert (fast.dtype == np.int32) == (rounding is not Rounding.HALF_EVEN)
    assert np.array_equal(fast, stepped_states(design, codes, last, None, np.int64))


def test_a_wrong_bit_is_seen() -> None:
    """The comparison can fail: a weight bit or a rounding mode changes states."""
    design = single(9)
    codes, last = stimulus(design, np.random.default_rng(0), 200)
    truth = run(design, codes, last, compiled=False).states
    layer = design.ring
    weights = list(layer.taps[0].weights)
    weights[4] ^= 1
    for broken in (
        replace(layer, taps=(Tap(1, tuple(weights)),)),
        replace(layer, rounding=Rounding.TRUNCATE),
        replace(layer, taps=(Tap(2, layer.taps[0].weights),)),
    ):
        states = compiled_states(replace(design, layers=(broken,)), codes, last, None)
        assert states is not None and not np.array_equal(states, truth)


def test_out_of_range_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums beyond 62 bits, or no numba, take the numpy step and give the same states."""
    design = single(5)
    codes, last = stimulus(design, np.random.default_rng(1), 50)
    wide = replace(
        design, layers=(replace(design.ring, bias_format=QFormat(24, 48), state=QFormat(8, 44),
                              tap_format=QFormat(24, 20)),),
    )  # fmt: skip
    assert compiled_states(wide, codes, last, None) is None
    expected = stepped_states(wide, codes, last, None, object)
    assert np.array_equal(run_states(wide, codes, last), expected.astype(np.int64))
    truth = run(design, codes, last).states
    monkeypatch.setattr(compiled, "_kernels", lambda: None)
    assert compiled_states(design, codes, last, None) is None
    assert np.array_equal(run(design, codes, last).states, truth)
