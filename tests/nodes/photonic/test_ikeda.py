"""Both loops of Ikeda's kind: their maps, references, an oracle, and the laws of a node."""

import math
from dataclasses import replace

import numpy as np
import pytest
from jitcdde import jitcdde, t, y
from numpy.typing import NDArray
from symengine import sin

from rchw.errors import DesignError
from rchw.nodes import Node, Variation, vary
from rchw.nodes.photonic import (
    LowPassIkeda,
    LowPassIkedaParameters,
    SineIkeda,
    SineIkedaParameters,
)
from rchw.nodes.photonic.loop import continuous_loop

Values = NDArray[np.float64]
Loop = LowPassIkeda | SineIkeda
EVERY = [
    LowPassIkeda(13),
    LowPassIkeda(5, 3),
    SineIkeda(13),
    SineIkeda(5, 3),
    SineIkeda(4, 2, desynchronisation=7),
]
NOISY = [
    SineIkeda(13, noise=0.01),
    SineIkeda(4, 2, desynchronisation=7, noise=0.2, seed=3),
]


def driven(node: Node, samples: int, seed: int = 1) -> Values:
    """Random masked inputs."""
    return np.random.default_rng(seed).uniform(-1, 1, (samples, node.n_drives))


def disturbed(node: Loop) -> Values:
    """A start with other values in the loops; the number of a sample stays one."""
    state, lines = node.start(), node.n_state - (getattr(node, "noise", 0.0) > 0)
    state[:lines] += np.random.default_rng(2).uniform(-0.1, 0.1, lines)
    return state


# --- Both ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("node", [*EVERY, *NOISY])
def test_run_agrees_with_the_reference(node: Loop) -> None:
    """The slow loop is an integral, the fast one a recursion; both are exact."""
    assert isinstance(node, Node)
    state, drives = disturbed(node), driven(node, 10)
    fast, slow = node.run(drives, state), node.reference(drives, state)
    for mine, theirs in zip(fast, slow, strict=True):
        assert np.abs(mine - theirs).max() < 1e-9 * np.abs(theirs).max()


@pytest.mark.parametrize("node", [*EVERY, *NOISY])
def test_chunks_give_the_same_bits(node: Loop) -> None:
    drives = driven(node, 40)
    whole, end = node.run(drives, node.start())
    for cut in (0, 1, 17):
        first, between = node.run(drives[:cut], node.start())
        second, last = node.run(drives[cut:], between)
        np.testing.assert_array_equal(np.concatenate([first, second]), whole)
        np.testing.assert_array_equal(last, end)


@pytest.mark.parametrize("node", [*EVERY, *NOISY])
def test_run_changes_no_argument(node: Loop) -> None:
    drives, state = driven(node, 5), node.start()
    node.run(drives, state)
    node.reference(drives, state)
    np.testing.assert_array_equal(drives, driven(node, 5))
    np.testing.assert_array_equal(state, node.start())


@pytest.mark.parametrize(
    "node",
    [
        *EVERY,
        SineIkeda(7, parameters=SineIkedaParameters(bias=0.4)),
        LowPassIkeda(7, parameters=LowPassIkedaParameters(feedback=-0.5)),
    ],
)
def test_without_drive_it_stays_at_rest(node: Loop) -> None:
    readings, end = node.run(np.zeros((20, node.n_drives)), node.start())
    np.testing.assert_allclose(end, node.start(), atol=1e-9)
    assert np.ptp(readings.reshape(20, node.n_devices, -1), axis=(0, 2)).max() < 1e-9


def test_bad_values_are_refused() -> None:
    for node in (LowPassIkeda(4), SineIkeda(4)):
        with pytest.raises(DesignError, match=r"drives must have shape \(T, 4\), not \(3, 5\)"):
            node.run(np.zeros((3, 5)), node.start())
        with pytest.raises(DesignError, match=r"drive must be from -1 to 1 1.*not 2"):
            node.run(np.full((3, 4), 2.0), node.start())
        with pytest.raises(DesignError, match=r"state must have shape \([45],\)"):
            node.run(np.zeros((1, 4)), np.zeros(3))
    for make in (LowPassIkeda, SineIkeda):
        with pytest.raises(DesignError, match="virtual nodes must be at least 1, not 0"):
            make(0)
        with pytest.raises(DesignError, match="limit must be finite and above 0, not -1"):
            make(5, limit=-1.0)
    with pytest.raises(DesignError, match="theta must be finite and above 0, not nan"):
        LowPassIkeda(2, theta=math.nan)
    with pytest.raises(DesignError, match="loop must be finite and above 0, not 0"):
        SineIkeda(2, loop=0.0)
    with pytest.raises(DesignError, match="strength must be above 0, not 0"):
        LowPassIkedaParameters(strength=0.0)


# --- The slow loop -------------------------------------------------------------------------------


def test_the_times_are_those_of_the_experiment() -> None:
    node = LowPassIkeda(400)
    assert node.interval * 400 == pytest.approx(20.87e-6)
    assert node.theta == pytest.approx(0.217, abs=5e-4)


def test_the_slow_loop_is_the_recursion() -> None:
    node = LowPassIkeda(20)
    drives = driven(node, 50)
    readings, _ = node.run(drives, np.zeros(20))
    keep, line, x = math.exp(-node.theta), np.zeros(20), 0.0
    for n in range(50):
        for i in range(20):
            x = keep * x + (1 - keep) * 1.6 * math.sin(line[i] + 0.9 * drives[n, i] + 0.2) ** 2
            line[i] = x
        np.testing.assert_allclose(readings[n], line, rtol=1e-9)


def test_the_continuous_loop_agrees_with_jitcdde() -> None:
    """Three delays under a constant drive, from a history that meets the equation at time 0."""
    nodes, theta, drive, steps = 8, 0.5, 0.7, 40
    p = LowPassIkedaParameters(strength=2.5)
    delay, slope = nodes * theta, 2.5 * math.sin(0.9 * drive + 0.2) ** 2
    loop = jitcdde([-y(0) + 2.5 * sin(y(0, t - delay) + 0.9 * drive + 0.2) ** 2], verbose=False)
    for moment, before in ((-2 * delay, 0.0), (-1.0, 0.0), (0.0, slope)):
        loop.add_past_point(moment, [0.0], [before])
    loop.generate_lambdas()
    loop.set_integration_parameters(rtol=1e-9, atol=1e-12, first_step=1e-3, max_step=0.1)
    loop.initial_discontinuities_handled = True
    theirs = [loop.integrate(theta * n)[0] for n in range(1, 3 * nodes + 1)]

    times = theta * (np.arange(2 * nodes * steps + 1) / (2 * steps) - nodes)
    bump = np.where(times > -1, slope * times * (1 + times) ** 2, 0.0)
    line = np.stack([bump[:-1:2], bump[1::2], bump[2::2]], axis=1).reshape(1, nodes, steps, 3)

    def between(delayed: Values, u: Values) -> Values:
        return np.asarray(2.5 * np.sin(delayed + 0.9 * u + 0.2) ** 2)

    ratios = np.full(1, theta)
    mine = continuous_loop(between, np.full((3, 1, nodes), drive), line, ratios).ravel()
    np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-6)
    assert np.ptp(theirs) > 0.5
    # The node's own equation is the one that was held against the oracle.
    node = LowPassIkeda(nodes, parameters=p, theta=theta)
    rest = np.broadcast_to(node.start()[0], line.shape)
    drives = driven(node, 4)
    np.testing.assert_allclose(
        node.continuous(drives, steps),
        continuous_loop(between, drives[:, None], rest, ratios)[:, 0],
        rtol=1e-12,
    )


def test_sampling_costs_first_order_in_the_interval() -> None:
    gaps = []
    for nodes in (8, 16, 32):
        node = LowPassIkeda(nodes, theta=1.6 / nodes)
        drives = np.repeat(driven(LowPassIkeda(8), 6), nodes // 8, axis=1)
        gap = node.run(drives, node.start())[0] - node.continuous(drives, 4)
        gaps.append(np.abs(gap).max())
    np.testing.assert_allclose(np.log2(np.array(gaps[:-1]) / gaps[1:]), 1, atol=0.25)


def test_long_intervals_leave_a_map_of_each_node() -> None:
    node = LowPassIkeda(4, theta=50.0)
    drives, x = driven(node, 5), node.start()
    for n, row in enumerate(node.run(drives, x)[0]):
        x = 1.6 * np.sin(x + 0.9 * drives[n] + 0.2) ** 2
        np.testing.assert_allclose(row, x, rtol=1e-12)


def test_devices_of_the_slow_loop_may_differ() -> None:
    nominal = LowPassIkedaParameters()
    spread = [Variation("response", 0.1), Variation("bias", 0.2)]
    node = LowPassIkeda(6, 3, vary(nominal, spread, 3, seed=4))
    drives = driven(node, 15).reshape(15, 3, 6)
    together = node.run(drives.reshape(15, 18), node.start())[0].reshape(15, 3, 6)
    p = node.parameters.of_devices(3)
    for d in range(3):
        own = replace(nominal, response=p["response"][d], bias=p["bias"][d])
        alone = LowPassIkeda(6, parameters=own, theta=node.interval / p["response"][d])
        np.testing.assert_allclose(
            alone.run(drives[:, d], alone.start())[0], together[:, d], rtol=1e-9
        )
    assert np.ptp(p["response"]) > 0


# --- The fast loop -------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 3, 49])
def test_the_fast_loop_is_the_recursion(k: int) -> None:
    """As it is written, with the samples before the first at rest."""
    node = SineIkeda(50, desynchronisation=k)
    drives = driven(node, 30)
    x = np.zeros((32, 50))
    for n in range(2, 32):
        for i in range(50):
            delayed = x[n - 1, i - k] if i >= k else x[n - 2, 50 + i - k]
            x[n, i] = math.sin(0.8 * delayed + 0.1 * drives[n - 2, i])
    readings, _ = node.run(drives, node.start())
    np.testing.assert_allclose(readings, x[2:], rtol=1e-12, atol=1e-15)


def test_the_interval_is_shorter_than_a_synchronous_one() -> None:
    node = SineIkeda(50)
    assert node.interval == pytest.approx(8.5e-6 / 51)
    assert node.n_state == 51


def test_a_pulse_visits_every_virtual_node() -> None:
    """It enters at node 0 and comes back k nodes later, until it has been at all of them."""
    node = SineIkeda(7, desynchronisation=3)
    drives = np.zeros((10, 7))
    drives[0, 0] = 1.0
    readings, _ = node.run(drives, node.start())
    rows, columns = np.nonzero(np.abs(readings) > 1e-12)
    assert set(columns) == set(range(7))
    np.testing.assert_array_equal(7 * rows + columns, 10 * np.arange(len(rows)))


@pytest.mark.parametrize(("nodes", "k"), [(50, 0), (50, 2), (9, 6), (5, -1), (4, 8)])
def test_groups_of_nodes_are_refused(nodes: int, k: int) -> None:
    words = (
        f"desynchronisation must have no divisor in common with {nodes} virtual nodes, not be {k}$"
    )
    with pytest.raises(DesignError, match=words):
        SineIkeda(nodes, desynchronisation=k)


@pytest.mark.parametrize("node", NOISY)
def test_noise_of_the_reference_is_that_of_a_run(node: SineIkeda) -> None:
    """To rounding, and from any sample on."""
    state, drives = disturbed(node), driven(node, 20)
    state[-1] = 1234
    fast, slow = node.run(drives, state), node.reference(drives, state)
    for mine, theirs in zip(fast, slow, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-12)
    assert fast[1][-1] == slow[1][-1] == 1254
    state[-1] = 1233
    assert np.abs(node.run(drives, state)[0] - fast[0]).max() > node.noise


def test_noise_is_white_and_of_its_deviation() -> None:
    """With nothing sent back the readings are the noise itself."""
    node = SineIkeda(50, 2, SineIkedaParameters(feedback=0.0), noise=0.02)
    noise = node.run(np.zeros((4000, 100)), node.start())[0] / 0.02
    count = noise.size
    assert abs(noise.mean()) < 4 / count**0.5
    assert noise.std() == pytest.approx(1, abs=4 / (2 * count) ** 0.5)
    assert np.abs(np.corrcoef(noise.T) - np.eye(100)).max() < 5 / 4000**0.5
    flat = noise[:, :50].ravel()
    assert max(abs(np.mean(flat[lag:] * flat[:-lag])) for lag in (1, 49, 50, 51)) < 0.01


def test_noise_goes_round_the_loop() -> None:
    """A share alpha of it comes back after N + k intervals, so that variances add up."""
    node = SineIkeda(50, parameters=SineIkedaParameters(feedback=0.8), noise=1e-3)
    flat = node.run(np.zeros((6000, 50)), node.start())[0][200:].ravel()
    assert flat.var() == pytest.approx(1e-6 / (1 - 0.8**2), rel=0.03)
    assert np.mean(flat[51:] * flat[:-51]) / flat.var() == pytest.approx(0.8, abs=0.02)
    assert abs(np.mean(flat[50:] * flat[:-50]) / flat.var()) < 0.02


def test_noise_depends_on_its_seed_alone() -> None:
    drives = driven(SineIkeda(6), 5)
    first, again, other = (
        SineIkeda(6, noise=0.1, seed=seed).run(drives, SineIkeda(6, noise=0.1).start())[0]
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.05


def test_without_noise_the_state_is_the_loops_alone() -> None:
    assert (SineIkeda(50, 2).n_state, SineIkeda(50, 2, noise=0.1).n_state) == (102, 103)
    quiet, noisy = SineIkeda(5, seed=7), SineIkeda(5, noise=1e-300, seed=7)
    drives = driven(quiet, 9)
    readings, end = quiet.run(drives, quiet.start())
    same, ended = noisy.run(drives, noisy.start())
    np.testing.assert_array_equal(same, readings)
    np.testing.assert_array_equal(ended, [*end, 9])


def test_bad_noise_is_refused() -> None:
    for noise in (-0.1, math.inf, math.nan):
        with pytest.raises(DesignError, match=f"noise must be finite and at least 0, not {noise}"):
            SineIkeda(5, noise=noise)
    with pytest.raises(DesignError, match="seed of the noise must be at least 0, not -1"):
        SineIkeda(5, seed=-1)
    node = SineIkeda(5, noise=0.1)
    for number in (-1.0, 0.5):
        state = np.append(np.zeros(6), number)
        with pytest.raises(DesignError, match=f"end with the number of a sample, not {number:g}$"):
            node.run(np.zeros((1, 5)), state)
    with pytest.raises(DesignError, match=r"state must have shape \(7,\), not \(6,\)"):
        node.run(np.zeros((1, 5)), np.zeros(6))


def test_devices_of_the_fast_loop_may_differ() -> None:
    nominal = SineIkedaParameters(bias=0.3)
    node = SineIkeda(6, 3, vary(nominal, [Variation("feedback", 0.1)], 3, seed=4))
    drives = driven(node, 15).reshape(15, 3, 6)
    together = node.run(drives.reshape(15, 18), node.start())[0].reshape(15, 3, 6)
    gains = node.parameters.of_devices(3)["feedback"]
    for d in range(3):
        alone = SineIkeda(6, parameters=replace(nominal, feedback=gains[d]))
        np.testing.assert_allclose(
            alone.run(drives[:, d], alone.start())[0], together[:, d], rtol=1e-12
        )
    assert np.ptp(gains) > 0
