"""A culture against the same map in numpy, its equations, closed forms and what cultures do."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes import Node, Variation, vary
from rchw.nodes.biological import Culture, NeuronParameters, Wiring, burst_starts
from rchw.nodes.biological import culture as culture_module

Values = NDArray[np.float64]
QUIET = NeuronParameters(noise=0.0)
DENSE = Wiring(60, rows=3, peak=0.9, seed=1)


def pulses(culture: Culture, samples: int, seed: int = 0) -> Values:
    """Sparse pulses of up to 0.8 V, (T, D)."""
    rng = np.random.default_rng(seed)
    shape = (samples, culture.n_drives)
    return np.where(rng.uniform(size=shape) < 0.05, rng.uniform(0.4, 0.8, shape), 0.0)


def test_the_fast_map_is_the_map() -> None:
    """Counts are equal, and the states too: sums are made in the same order."""
    culture = Culture(Wiring(400, seed=1), seed=2)
    drives = pulses(culture, 60)
    counts, state = culture.run(drives, culture.start())
    exact, exact_state = culture.reference(drives, culture.start())
    assert counts.sum() > 300
    assert (counts == exact).all()
    assert state == pytest.approx(exact_state, rel=1e-9, abs=1e-12)


def test_chunks_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Across the blocks in which the noise is drawn, which hold sixteen samples here."""
    monkeypatch.setattr(culture_module, "_BLOCK", 2**17)
    culture = Culture(Wiring(400, seed=1), seed=2)
    drives = pulses(culture, 50)
    whole, last = culture.run(drives, culture.start())
    first, state = culture.run(drives[:19], culture.start())
    assert state[-1] == 19
    second, end = culture.run(drives[19:], state)
    assert whole.sum() > 100
    assert np.concatenate([first, second]).tobytes() == whole.tobytes()
    assert end.tobytes() == last.tobytes()


def test_run_changes_nothing_that_it_is_given() -> None:
    culture = Culture(DENSE)
    drives, state = pulses(culture, 5), culture.start()
    before = drives.copy(), state.copy()
    first, again = culture.run(drives, state), culture.run(drives, state)
    assert (drives == before[0]).all() and (state == before[1]).all()
    assert first[0].tobytes() == again[0].tobytes() and first[1].tobytes() == again[1].tobytes()


def test_it_is_a_node() -> None:
    culture = Culture(Wiring(400))
    assert isinstance(culture, Node)
    assert (culture.n_devices, culture.n_virtual, culture.n_drives) == (60, 1, 60)
    assert culture.n_state == 2001
    assert culture.interval == pytest.approx(10e-3)
    assert (culture.drive_unit, culture.reading_unit) == ("V", "1")
    assert Culture(Wiring(400), sites=(3, 7)).n_drives == 2


def test_rest_is_at_rest() -> None:
    """-70 mV solves 0.04 v^2 + 5 v + 140 = 0.2 v, and the bias moves it."""
    culture = Culture(DENSE, QUIET, replace(NeuronParameters.fast(), noise=0.0, bias=2.0))
    start = culture.start()
    assert start[:48] == pytest.approx(np.full(48, -0.07), rel=1e-12)
    low = (-4.8 - np.sqrt(4.8**2 - 4 * 0.04 * 142)) / 0.08 * 1e-3
    assert start[48:60] == pytest.approx(np.full(12, low), rel=1e-12)
    after = culture.run(np.zeros((100, 5)), start)[1]
    assert after[:-1] == pytest.approx(start[:-1], rel=1e-9, abs=1e-12)


def test_order_of_the_step_below_threshold() -> None:
    """A bias that does not make it fire: v nears the solution in proportion to the step."""
    from scipy.integrate import solve_ivp

    def slope(_: float, y: Values) -> Values:  # in mV and ms, as the model was published
        v, u = y
        return np.array([0.04 * v**2 + 5 * v + 140 - u + 1, 0.02 * (0.2 * v - u)])

    exact = solve_ivp(slope, (0, 30), [-70, -14], "DOP853", rtol=1e-10, atol=1e-10).y[:, -1]
    assert -69 < exact[0] < -50
    steps, errors = np.array([20, 40, 80, 160]), []
    for n in steps:
        one = Culture(Wiring(1, 0.0, rows=1), QUIET, steps=int(n), step=10e-3 / n)
        state = one.start()
        biased = replace(one, excitatory=replace(QUIET, bias=1.0))
        after = biased.run(np.zeros((3, 1)), state)[1]
        errors.append(abs(after[0] * 1e3 - exact[0]))
    assert errors[0] < 0.3  # mV
    assert -np.polyfit(np.log(steps), np.log(errors), 1)[0] == pytest.approx(1, abs=0.1)


def test_noise_diffuses_as_is_said() -> None:
    """The first step of quiet neurons has the standard deviation noise sqrt(step)."""
    culture = Culture(Wiring(1000, inhibitory=0.0, peak=0.0), steps=1, seed=3)
    moved = culture.run(np.zeros((1, 60)), culture.start())[1][:1000] + 0.07
    expected = 0.08 * np.sqrt(0.5e-3)
    assert moved.std() == pytest.approx(expected, rel=4 / np.sqrt(2 * 1000))
    assert abs(moved.mean()) < 4 * expected / np.sqrt(1000)


def test_depression_in_closed_form() -> None:
    """One spike per sample of 50 ms: the store before it tends to a fixed point.

    With the share r of the missing part that is left after a period, the store before a spike obeys
    ``x' = 1 - (1 - x (1 - U)) r``, whose fixed point is ``(1 - r) / (1 - (1 - U) r)``.
    """
    use, renewal = 0.4, 0.3
    maker = replace(QUIET, use=use, renewal=renewal, jump=0.0, weight=5.0)
    pair = Wiring(2, 0.0, rows=1, pitch=1.0, radius=1.0, peak=1.0, scale=1e9)
    deaf = replace(maker, weight=(5.0, 0.0))  # the second hears the first, and makes nothing
    culture = Culture(pair, deaf, steps=1)
    assert culture.wiring.synapses()[1].tolist() == [1, 0]
    state, stores, found = culture.start(), [], []
    left = np.exp(-0.5e-3 / renewal)
    for step in range(3000):
        drive = np.array([[0.8 if step % 100 == 0 else 0.0]])
        before = state
        counts, state = culture.run(drive, before)
        if counts.sum():
            store = 1 - (1 - before[8]) * left
            stores.append(store)
            found.append(state[5] - before[5] * np.exp(-0.5e-3 / 5e-3))
            assert state[8] == pytest.approx(store * (1 - use), rel=1e-12)
            assert state[0] == -0.065
    assert len(stores) == 30
    r = np.exp(-50e-3 / renewal)
    expected = [1.0]
    for _ in range(29):
        expected.append(1 - (1 - expected[-1] * (1 - use)) * r)
    # Spikes come a step earlier or later while the recovery settles: 0.5 ms of 300 ms.
    assert stores == pytest.approx(expected, abs=2e-3)
    # A distance to the fixed point falls by (1 - U) r = 0.51 per spike.
    assert stores[-1] == pytest.approx((1 - r) / (1 - (1 - use) * r), rel=3e-8)
    assert found == pytest.approx(5.0 * use * np.array(stores), rel=1e-9)


def test_inhibition_pulls_down() -> None:
    """A pulse fires the inhibitory neuron, whose current lowers the other one."""
    pair = Wiring(2, 0.5, rows=1, pitch=1.0, radius=1.0, peak=1.0, scale=1e9)
    silent = replace(QUIET, weight=0.0)
    strong = replace(NeuronParameters.fast(), noise=0.0, weight=8.0)
    culture = Culture(pair, silent, strong, steps=1)
    state = culture.start()
    state[1] = 0.02  # the inhibitory one is about to fire
    state = culture.run(np.zeros((1, 1)), state)[1]
    assert state[1] == -0.065 and state[6] == pytest.approx(8.0 * 0.5)
    after = culture.run(np.zeros((10, 1)), state)[1]
    assert after[0] < -0.0705
    assert after[6] == pytest.approx(4.0 * np.exp(-10 * 0.5 / 10), rel=1e-12)


def test_bursts_occur() -> None:
    """Thirty seconds without pulses: 13 bursts, 0.6 spikes per neuron and second.

    The reference for what is usual are excerpts alone: bursts every few seconds to minutes, which
    hold most spikes, at up to 90 spikes per second and neuron.
    """
    wiring = Wiring(400, seed=1)
    culture = Culture(wiring, seed=1)
    heard = int((wiring.heard() >= 0).sum())
    counts = culture.run(np.zeros((3000, 60)), culture.start())[0]
    per_second = counts.sum() / heard / 30
    bursts = burst_starts(counts, 0.1 * heard, 20)
    assert 0.2 < per_second < 2
    assert 5 <= len(bursts) <= 25
    within = sum(counts[begin - 5 : begin + 30].sum() for begin in bursts)
    assert within > 0.8 * counts.sum()
    assert counts.sum(axis=1).max() < 1.5 * heard  # 150 spikes per second
    apart = replace(culture, excitatory=NeuronParameters(weight=0.0))
    alone = apart.run(np.zeros((1000, 60)), culture.start())[0]
    assert len(burst_starts(alone, 0.1 * heard, 20)) == 0
    other = replace(culture, seed=2).run(np.zeros((300, 60)), culture.start())[0]
    assert (other != counts[:300]).any()


def test_pulses_fire_what_the_electrode_hears() -> None:
    culture = Culture(Wiring(400, peak=0.0, seed=1), QUIET, sites=(20, 30))
    heard = np.bincount(culture.wiring.heard() + 1, minlength=61)[1:]
    counts, _ = culture.run(np.array([[0.8, 0.0], [0.0, 0.0], [0.0, 0.2]]), culture.start())
    assert heard[20] > 1
    assert counts[0, 20] == heard[20] == counts[0].sum()
    assert counts[1:].sum() == 0  # 10 mV do not make one fire


def test_neurons_differ() -> None:
    """One that jumps higher fires less often; all may differ by a distribution."""
    wiring = Wiring(30, 0.0, rows=2, radius=1.0, peak=0.0, seed=1)
    driven = replace(QUIET, bias=10.0)
    plain = Culture(wiring, driven)
    quiet = np.zeros((50, 4))
    counts = plain.run(quiet, plain.start())[0]
    same = replace(plain, excitatory=replace(driven, jump=(8.0,) * 30))
    assert same.run(quiet, plain.start())[0].tobytes() == counts.tobytes()
    tired = replace(plain, excitatory=replace(driven, jump=(16.0, *(8.0,) * 29)))
    fewer = tired.run(quiet, plain.start())[0].sum(axis=0) - counts.sum(axis=0)
    where = wiring.heard()[0]
    assert fewer[where] < 0 and np.delete(fewer, where).tolist() == [0, 0, 0]
    spread = vary(driven, [Variation("bias", 0.2), Variation("reset", 0.02)], 30, seed=1)
    varied = replace(plain, excitatory=spread)
    found, exact = (way(quiet, plain.start())[0] for way in (varied.run, varied.reference))
    assert (found == exact).all() and (found != counts).any()


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "steps": (lambda: Culture(DENSE, steps=0), r"steps must be at least 1, not 0"),
    "step": (
        lambda: Culture(DENSE, step=2e-3),
        r"step must be above 0 s and at most 0\.001 s, not 0\.002",
    ),
    "seed": (lambda: Culture(DENSE, seed=-1), r"seed of the noise must be at least 0, not -1"),
    "coupling": (
        lambda: Culture(DENSE, coupling=-1.0),
        r"coupling must be finite and at least 0, not -1\.0",
    ),
    "site": (
        lambda: Culture(DENSE, sites=(0, 5)),
        r"sites must be distinct electrodes from 0 to 4, not \(0, 5\)",
    ),
    "sites": (lambda: Culture(DENSE, sites=(1, 1)), r"sites must be distinct electrodes from 0 to"),
    "recovery": (
        lambda: Culture(DENSE, NeuronParameters(recovery=3000.0)),
        r"recovery times step must be below 1, not 1\.5",
    ),
    "use": (lambda: NeuronParameters(use=1.5), r"use must be at least 0 and at most 1, not 1\.5"),
    "reset": (lambda: NeuronParameters(reset=0.03), r"reset must be below 0\.03 V, not 0\.03"),
    "count": (
        lambda: Culture(DENSE, NeuronParameters(jump=(8.0, 8.0))),
        r"jump must be one value or 48, one per device, not 2",
    ),
    "pulse": (
        lambda: Culture(DENSE).run(np.full((1, 5), -0.1), Culture(DENSE).start()),
        r"drive must be from 0 to 1 V, where the model is valid, not -0\.1 at sample 0, value 0",
    ),
    "state": (
        lambda: Culture(DENSE).run(np.zeros((1, 5)), np.zeros(300)),
        r"state must have shape \(301,\), not \(300,\)",
    ),
    "low": (
        lambda: Culture(DENSE).run(np.zeros((2, 5)), _lowered()),
        r"membranes must stay above -0\.1125 V for a stable step, not fall below it at sample 0",
    ),
    "unstable": (
        lambda: Culture(DENSE, replace(QUIET, bias=-500.0)).run(
            np.zeros((40, 5)), Culture(DENSE).start()
        ),
        r"membranes must stay above -0\.1125 V for a stable step, not fall below it at sample 0",
    ),
}


def _lowered() -> Values:
    """State with one membrane that is far too low."""
    state = Culture(DENSE).start()
    state[3] = -1.0
    state[63] = 1e6  # its recovery keeps it there
    return state


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()
