"""The Mackey-Glass loop: its map, two integrators, an oracle, the pole, and the laws of a node."""

from dataclasses import replace

import numpy as np
import pytest
from jitcdde import jitcdde, t, y
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes import Node, Variation, vary
from rchw.nodes.photonic import MackeyGlass, MackeyGlassParameters
from rchw.nodes.photonic.loop import continuous_loop, sampled_loop

Values = NDArray[np.float64]


def driven(node: Node, samples: int, seed: int = 1, scale: float = 1.0) -> Values:
    """Random masked inputs."""
    return np.random.default_rng(seed).uniform(-scale, scale, (samples, node.n_drives))


def test_it_is_a_node() -> None:
    node = MackeyGlass(400)
    assert isinstance(node, Node)
    assert node.interval == pytest.approx(2e-3)  # 0.2 of 10 ms
    assert node.n_drives == node.n_state == 400


@pytest.mark.parametrize("exponent", [1.0, 2.0, 7.0])
def test_run_is_the_recursion(exponent: float) -> None:
    """Against the formula, interval by interval in numpy."""
    node = MackeyGlass(20, parameters=MackeyGlassParameters(exponent=exponent))
    drives = driven(node, 100)
    readings, after = node.run(drives, node.start())
    keep, line, x = np.exp(-0.2), np.zeros(20), 0.0
    for n in range(100):
        for i in range(20):
            a = line[i] + 0.05 * drives[n, i]
            x = keep * x + (1 - keep) * 0.5 * a / (1 + np.float64(a) ** exponent)
            line[i] = x
        np.testing.assert_allclose(readings[n], line, rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(after, readings[-1])


@pytest.mark.parametrize(
    ("exponent", "strength"), [(1.0, 0.5), (2.0, 1.5), (10.0, 2.0), (9.65, 1.3)]
)
def test_run_agrees_with_the_reference(exponent: float, strength: float) -> None:
    node = MackeyGlass(
        25, parameters=MackeyGlassParameters(exponent=exponent, strength=strength), limit=10.0
    )
    drives = driven(node, 8)  # few: the third is chaotic
    drives = np.abs(drives) if exponent == 9.65 else drives
    fast, slow = node.run(drives, node.start()), node.reference(drives, node.start())
    for mine, theirs in zip(fast, slow, strict=True):
        assert np.abs(mine - theirs).max() < 1e-9 * np.abs(theirs).max()


def test_the_reference_is_of_order_four() -> None:
    node = MackeyGlass(10, parameters=MackeyGlassParameters(strength=0.9), theta=1.0)
    drives = driven(node, 30).reshape(30, 1, 10)
    exact = node.run(drives.reshape(30, 10), node.start())[0]
    between, ratios = node._between(node.parameters.of_devices(1)), np.ones(1)
    errors = [
        np.abs(sampled_loop(between, drives, np.zeros((1, 10)), ratios, n)[0][:, 0] - exact).max()
        for n in (4, 8, 16)
    ]
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(slopes, 4, atol=0.2)


# --- The loop without sample and hold ------------------------------------------------------------


@pytest.mark.parametrize(("strength", "exponent"), [(0.9, 1), (2.0, 10)])
def test_the_continuous_loop_agrees_with_jitcdde(strength: float, exponent: int) -> None:
    """Three delays under a constant drive; the second equation is in the range of chaos."""
    nodes, theta, drive, steps = 10, 0.4, 0.6, 40
    delay, slope = nodes * theta, strength * drive / (1 + drive**exponent)
    a = y(0, t - delay) + drive
    loop = jitcdde([-y(0) + strength * a / (1 + a**exponent)], verbose=False)
    # A history that meets the equation at time 0: without a jump of the slope there is none later.
    for moment, before in ((-2 * delay, 0.0), (-1.0, 0.0), (0.0, slope)):
        loop.add_past_point(moment, [0.0], [before])
    loop.generate_lambdas()
    loop.set_integration_parameters(rtol=1e-9, atol=1e-12, first_step=1e-3, max_step=0.1)
    loop.initial_discontinuities_handled = True
    ends = theta * np.arange(1, 3 * nodes + 1)
    theirs = np.array([loop.integrate(end)[0] for end in ends])

    times = theta * (np.arange(2 * nodes * steps + 1) / (2 * steps) - nodes)
    bump = np.where(times > -1, slope * times * (1 + times) ** 2, 0.0)
    line = np.stack([bump[:-1:2], bump[1::2], bump[2::2]], axis=1).reshape(1, nodes, steps, 3)
    p = MackeyGlassParameters(strength=strength, exponent=float(exponent), input_gain=1.0)
    between = MackeyGlass(nodes, parameters=p)._between(p.of_devices(1))
    drives = np.full((3, 1, nodes), drive)
    mine = continuous_loop(between, drives, line, np.full(1, theta)).ravel()
    np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-6)
    assert np.ptp(theirs) > 0.1


def test_the_continuous_loop_is_of_order_four() -> None:
    """With a drive that jumps at every interval."""
    node = MackeyGlass(6, parameters=MackeyGlassParameters(input_gain=1.0), theta=0.8, limit=0.5)
    drives = driven(node, 8, scale=0.5)
    best = node.continuous(drives, 64)
    errors = [np.abs(node.continuous(drives, n) - best).max() for n in (4, 8, 16)]
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(slopes, 4, atol=0.3)


def test_sampling_costs_first_order_in_the_interval() -> None:
    """The same delay and the same drives in ever more intervals: the two loops meet."""
    gaps = []
    for nodes in (8, 16, 32):
        node = MackeyGlass(
            nodes, parameters=MackeyGlassParameters(input_gain=0.5), theta=1.6 / nodes
        )
        drives = np.repeat(driven(MackeyGlass(8), 10), nodes // 8, axis=1)
        gap = node.run(drives, node.start())[0] - node.continuous(drives, 4)
        gaps.append(np.abs(gap).max())
    np.testing.assert_allclose(np.log2(np.array(gaps[:-1]) / gaps[1:]), 1, atol=0.25)


def test_the_rest_of_the_continuous_loop_is_where_it_starts() -> None:
    between = MackeyGlass(3)._between(MackeyGlassParameters().of_devices(1))
    line = np.zeros((1, 3, 2, 3))
    still = continuous_loop(between, np.zeros((4, 1, 3)), line, np.full(1, 0.2))
    assert not still.any()


# --- Laws ----------------------------------------------------------------------------------------


def test_without_drive_it_stays_at_rest_and_with_a_constant_one_it_comes_to_the_fixed_point() -> (
    None
):
    node = MackeyGlass(5, limit=10.0)
    assert not node.run(np.zeros((50, 5)), node.start())[0].any()
    last = node.run(np.full((400, 5), 10.0), node.start())[0][-1]
    np.testing.assert_allclose(last, 0.5 * (last + 0.5) / (1 + last + 0.5), rtol=1e-12)
    assert np.ptp(last) < 1e-12


def test_long_intervals_leave_no_memory_between_virtual_nodes() -> None:
    node = MackeyGlass(4, theta=50.0)
    drives = driven(node, 3)
    a = 0.05 * drives[0]
    np.testing.assert_allclose(
        node.run(drives[:1], node.start())[0][0], 0.5 * a / (1 + a), rtol=1e-12
    )


def test_the_even_part_is_there() -> None:
    """Opposite drives do not give opposite readings: a / (1 + a) - and a / (1 + |a|) would."""
    node = MackeyGlass(30)
    drives = driven(node, 50)
    there, back = (node.run(sign * drives, node.start())[0] for sign in (1, -1))
    even = np.abs(there + back).max() / np.abs(there - back).max()
    assert 1e-3 < even < 1


def test_chunks_give_the_same_bits() -> None:
    node = MackeyGlass(13, n_devices=2)
    drives = driven(node, 40)
    whole, end = node.run(drives, node.start())
    first, between = node.run(drives[:17], node.start())
    second, last = node.run(drives[17:], between)
    np.testing.assert_array_equal(np.concatenate([first, second]), whole)
    np.testing.assert_array_equal(last, end)


def test_run_changes_no_argument() -> None:
    node = MackeyGlass(6)
    drives, state = driven(node, 5), np.full(6, 0.1)
    node.run(drives, state)
    node.reference(drives, state)
    np.testing.assert_array_equal(drives, driven(node, 5))
    np.testing.assert_array_equal(state, np.full(6, 0.1))


def test_devices_are_independent_and_may_differ() -> None:
    nominal = MackeyGlassParameters()
    spread = [Variation("response", 0.1), Variation("strength", 0.1)]
    node = MackeyGlass(7, 3, vary(nominal, spread, 3, seed=5))
    drives = driven(node, 20).reshape(20, 3, 7)
    together = node.run(drives.reshape(20, 21), node.start())[0].reshape(20, 3, 7)
    p = node.parameters.of_devices(3)
    for d in range(3):
        own = replace(nominal, response=p["response"][d], strength=p["strength"][d])
        alone = MackeyGlass(7, parameters=own, theta=node.interval / p["response"][d])
        np.testing.assert_allclose(
            alone.run(drives[:, d], alone.start())[0], together[:, d], rtol=1e-12
        )
    same = np.broadcast_to(drives[:, :1], drives.shape).reshape(20, 21)
    apart = node.run(same, node.start())[0].reshape(20, 3, 7)
    assert (np.ptp(apart, axis=1) > 0).all()


# --- Refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["run", "reference"])
@pytest.mark.parametrize(
    ("exponent", "drive", "value"), [(1.0, -20.0, "-1"), (3.0, -22.0, "-1.1"), (2.5, -1.0, "-0.05")]
)
def test_the_pole_is_refused(method: str, exponent: float, drive: float, value: str) -> None:
    node = MackeyGlass(4, parameters=MackeyGlassParameters(exponent=exponent), limit=30.0)
    drives = np.full((2, 4), drive)
    with pytest.raises(DesignError, match=f"must be above -1 for an odd exponent.*not {value}$"):
        getattr(node, method)(drives, node.start())


def test_an_even_exponent_has_no_pole() -> None:
    node = MackeyGlass(4, parameters=MackeyGlassParameters(exponent=2.0), limit=30.0)
    assert np.isfinite(node.run(np.full((50, 4), -30.0), node.start())[0]).all()


def test_bad_values_are_refused() -> None:
    node = MackeyGlass(4)
    for bad, words in [
        (np.zeros((3, 5)), r"drives must have shape \(T, 4\), not \(3, 5\)"),
        (np.full((3, 4), 1.1), "drive must be from -1 to 1 1, where the model is valid, not 1.1"),
        (np.full((3, 4), np.nan), "drive must be from -1 to 1"),
    ]:
        with pytest.raises(DesignError, match=words):
            node.run(bad, node.start())
    with pytest.raises(DesignError, match=r"state must have shape \(4,\), not \(3,\)"):
        node.run(np.zeros((1, 4)), np.zeros(3))
    with pytest.raises(DesignError, match="virtual nodes must be at least 1, not 0"):
        MackeyGlass(0)
    with pytest.raises(DesignError, match="devices must be at least 1, not 0"):
        MackeyGlass(2, 0)
    with pytest.raises(DesignError, match="theta must be finite and above 0, not 0"):
        MackeyGlass(2, theta=0)
    with pytest.raises(DesignError, match="response must be above 0 s, not 0"):
        MackeyGlassParameters(response=0.0)
