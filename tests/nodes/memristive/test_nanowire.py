"""Nanowire networks: Kirchhoff, known resistances, the edge equation, order, refusals."""

from dataclasses import replace

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.nodes.memristive.balance import BalanceMemristor, BalanceParameters
from rchw.nodes.memristive.nanowire import NanowireNetwork
from rchw.nodes.memristive.wiring import Wiring
from tests.nodes.memristive.laws import Values, assert_promises, ratio_of_orders

# So short that no edge moves: what is left is the network of resistors.
STATIC = BalanceParameters(step=1e-15)


def drives(samples: int, width: int, limit: float, seed: int = 1) -> Values:
    """Seeded voltages from 0."""
    return np.random.default_rng(seed).uniform(0, limit, (samples, width))


def resistance(wiring: Wiring, conductances: Values, one: int, other: int) -> float:
    """Between two nodes, from the pseudo-inverse of the Laplacian."""
    laplacian = np.zeros((wiring.n_nodes, wiring.n_nodes))
    for (a, b), y in zip(wiring.edges, conductances, strict=True):
        laplacian[[a, b], [a, b]] += y
        laplacian[[a, b], [b, a]] -= y
    inverse = np.linalg.pinv(laplacian)
    return float(inverse[one, one] + inverse[other, other] - 2 * inverse[one, other])


def source_current(node: NanowireNetwork, currents: Values) -> float:
    """Out of the sources, from currents of all edges."""
    total = 0.0
    for (a, b), current in zip(node.wiring.edges, currents, strict=True):
        total += current * ((a in node.sources) - (b in node.sources))
    return total


def test_kirchhoff_holds_at_every_node() -> None:
    """Currents into each free node cancel, and what leaves the sources reaches the grounds."""
    wiring = Wiring.sticks(150, 3, side=150e-6)
    sources = (wiring.nearest(0, 0), wiring.nearest(0, 150e-6))
    grounds = (wiring.nearest(150e-6, 0), wiring.nearest(150e-6, 150e-6))
    node = NanowireNetwork(wiring, sources, grounds, reading="currents", tolerance=1.0)
    currents, after = node.run(drives(20, 2, 8.0), node.start())
    assert after.max() > 0.1  # it has switched: conductances differ widely
    into = np.zeros((20, wiring.n_nodes))
    for k, (a, b) in enumerate(wiring.edges):
        into[:, a] -= currents[:, k]
        into[:, b] += currents[:, k]
    scale = np.abs(currents).max()
    electrodes = [*sources, *grounds]
    assert np.abs(np.delete(into, electrodes, axis=1)).max() < 1e-12 * scale
    assert np.abs(into[:, electrodes].sum(axis=1)).max() < 1e-12 * scale
    assert np.abs(into[:, electrodes]).max() > 0.1 * scale


def test_static_network_against_the_pseudo_inverse() -> None:
    """Conductances that differ by a factor of a hundred, electrodes anywhere."""
    wiring = Wiring.grid(5, 6, diagonals=2)
    rng = np.random.default_rng(4)
    state = rng.uniform(0, 1, wiring.n_edges)
    conductances = 1e-3 * (1 - state) + 0.1 * state
    for _ in range(5):
        one, other = (int(each) for each in rng.choice(wiring.n_nodes, 2, replace=False))
        node = NanowireNetwork(wiring, (one,), (other,), reading="currents", parameters=STATIC)
        currents, after = node.run(np.ones((1, 1)), state)
        assert np.abs(after - state).max() < 1e-10
        exact = 1 / resistance(wiring, conductances, one, other)
        assert source_current(node, currents[0]) == pytest.approx(exact, rel=1e-9)


def test_foster() -> None:
    """The sum over all edges of Y times the resistance between their ends is nodes - 1."""
    wiring = Wiring.grid(4, 4, diagonals=1)
    state = np.random.default_rng(5).uniform(0, 1, wiring.n_edges)
    conductances = 1e-3 * (1 - state) + 0.1 * state
    total = 0.0
    for (a, b), y in zip(wiring.edges, conductances, strict=True):
        node = NanowireNetwork(wiring, (a,), (b,), reading="currents", parameters=STATIC)
        currents, _ = node.run(np.ones((1, 1)), state)
        total += y / source_current(node, currents[0])
    assert total == pytest.approx(wiring.n_nodes - 1, rel=1e-9)


def test_square_by_hand() -> None:
    """Of four equal resistors: 3/4 of one along a side, half the voltage at the far corners."""
    wiring = Wiring.grid(2, 2)
    node = NanowireNetwork(wiring, (0,), (1,), parameters=STATIC)
    volts, _ = node.run(np.ones((1, 1)), np.zeros(4))
    assert volts[0] == pytest.approx([2 / 3, 1 / 3], rel=1e-12)
    across = replace(node, reading="currents")
    currents, _ = across.run(np.ones((1, 1)), np.zeros(4))
    assert source_current(across, currents[0]) == pytest.approx(1e-3 / 0.75, rel=1e-12)


def test_one_edge_is_one_memristor() -> None:
    """Between two electrodes nothing is solved: it is the exact update, however long the step."""
    node = NanowireNetwork(Wiring.grid(1, 2), (0,), (1,), 2, "currents", limit=2.0)
    alone, voltages = BalanceMemristor(1, 2), drives(50, 2, 2.0)
    found, after = node.run(voltages, node.start())
    exact, exact_after = alone.run(voltages, alone.start())
    assert np.abs(found / exact - 1).max() < 1e-13
    assert after[0] == pytest.approx(exact_after[0], rel=1e-13)


def test_chain_of_equal_edges_shares_the_voltage() -> None:
    """Three in series: each is the single memristor at a third of the voltage."""
    node = NanowireNetwork(Wiring.grid(1, 4), (0,), (3,), limit=4.5)
    alone, voltages = BalanceMemristor(1, 1), drives(50, 1, 4.5)
    found, after = node.run(voltages, node.start())
    _, exact = alone.run(voltages / 3, alone.start())
    assert np.abs(after - exact[0]).max() < 1e-11
    assert np.abs(found - voltages * np.array([2 / 3, 1 / 3])).max() < 1e-9


@pytest.mark.parametrize("reading", ["voltages", "currents"])
def test_map_follows_the_equation(reading: str) -> None:
    """A grid that switches and recovers; the error falls with the tolerance."""
    node = NanowireNetwork(Wiring.grid(3, 3), (0,), (8,), 2, reading, limit=4.0)
    voltages = drives(12, 2, 4.0)
    slow, slow_after = node.reference(voltages, node.start())
    assert slow_after.max() > 0.1
    errors = []
    for tolerance in (1e-3, 1e-5):
        fast, after = replace(node, tolerance=tolerance).run(voltages, node.start())
        errors.append(np.abs(fast - slow).max() / np.abs(slow).max())
        assert np.abs(after - slow_after).max() < 30 * tolerance
    assert errors[0] < 0.01 and errors[1] < 2e-4
    assert errors[1] < errors[0] / 20


def test_order_is_two() -> None:
    """One step for each hold (tolerance 1), and the hold in 4 to 64 parts."""
    wiring = Wiring.grid(3, 3, diagonals=1)
    whole = BalanceParameters(step=0.05)
    reference = NanowireNetwork(wiring, (0,), (8,), parameters=whole, tolerance=1.0)
    _, truth = reference.reference(np.full((2, 1), 1.5), reference.start())
    counts, errors = [4, 8, 16, 32, 64], []
    for count in counts:
        node = replace(reference, parameters=replace(whole, step=0.05 / count))
        _, after = node.run(np.full((2 * count, 1), 1.5), node.start())
        errors.append(float(np.abs(after - truth).max()))
    slopes = ratio_of_orders(counts, errors)
    assert slopes[-1] == pytest.approx(2.0, abs=0.1)
    assert slopes.min() > 1.9


def test_a_path_is_formed_and_forgotten() -> None:
    """Under 4 V the network conducts ever better; without voltage it relaxes to rest."""
    node = NanowireNetwork(Wiring.grid(3, 3), (0,), (8,), reading="currents")
    currents, after = node.run(np.full((60, 1), 4.0), node.start())
    total = np.array([source_current(node, row) for row in currents])
    assert (np.diff(total) > -1e-9 * total.max()).all()
    assert total[-1] > 5 * total[0]
    _, rest = node.run(np.zeros((600, 1)), after)
    assert np.abs(rest - node.start()).max() < 1e-5


def test_promises_of_a_node() -> None:
    wiring = Wiring.sticks(60, 2, side=100e-6)
    node = NanowireNetwork(wiring, (0, 5), (9,), 2)
    assert_promises(node, drives(15, 4, 2.0))
    assert_promises(replace(node, reading="currents", probes=(3, 0)), drives(15, 4, 2.0))
    assert node.interval == 0.05 and node.reading_unit == "V"
    assert replace(node, reading="currents").reading_unit == "A"


def test_probes_are_a_choice_of_all() -> None:
    """Electrodes may be probed: a source shows its drive, a ground 0 V."""
    node = NanowireNetwork(Wiring.grid(3, 3), (0, 2), (8,), 2, limit=4.0)
    voltages = drives(10, 4, 1.5)
    every, _ = node.run(voltages, node.start())
    chosen, _ = replace(node, probes=(4, 2, 8)).run(voltages, node.start())
    assert node.read == (1, 3, 4, 5, 6, 7)
    assert np.array_equal(chosen[:, :2], every[:, 4:6])
    assert np.array_equal(chosen[:, 2:4], voltages[:, 2:])
    assert not chosen[:, 4:].any()


def test_edges_differ() -> None:
    """Parallel paths with another conductance each carry current by it."""
    wiring = Wiring(((0, 0), (1, 0), (0, 1), (1, 1)), ((0, 1), (0, 2), (1, 3), (2, 3)))
    p = BalanceParameters(step=1e-15, low_conductance=(1e-3, 2e-3, 1e-3, 2e-3))
    node = NanowireNetwork(wiring, (0,), (3,), reading="currents", parameters=p)
    currents, _ = node.run(np.ones((1, 1)), np.zeros(4))
    assert currents[0] == pytest.approx([0.5e-3, 1e-3, 0.5e-3, 1e-3], rel=1e-9)


def test_refusals() -> None:
    grid = Wiring.grid(3, 3)
    node = NanowireNetwork(grid, (0,), (8,))
    with pytest.raises(DesignError, match="virtual nodes must be at least 1, not 0"):
        NanowireNetwork(grid, (0,), (8,), 0)
    with pytest.raises(DesignError, match="reading must be one of voltages, currents, not 'power'"):
        replace(node, reading="power")
    with pytest.raises(DesignError, match=r"sources must be some of 0 to 8, not \(9,\)"):
        replace(node, sources=(9,))
    with pytest.raises(DesignError, match=r"grounds must be some of 0 to 8, not \(\)"):
        replace(node, grounds=())
    with pytest.raises(DesignError, match=r"probes must be distinct, not \(1, 1\)"):
        replace(node, probes=(1, 1))
    with pytest.raises(DesignError, match="sources must be other nodes than the grounds"):
        replace(node, sources=(8,))
    with pytest.raises(DesignError, match="tolerance must be above 0 and at most 1, not 0"):
        replace(node, tolerance=0)
    with pytest.raises(DesignError, match="limit must be above 0 and at most 25 V"):
        replace(node, limit=26.0)
    with pytest.raises(DesignError, match="step must be one value in a network"):
        replace(node, parameters=BalanceParameters(step=(0.05,) * 12))
    with pytest.raises(DesignError, match="build rate must be one value or 12"):
        replace(node, parameters=BalanceParameters(build_rate=(1e-4, 1e-4)))
    with pytest.raises(DesignError, match="drive must be from -10 to 10 V"):
        node.run(np.array([[11.0]]), node.start())
    with pytest.raises(DesignError, match="state must be from 0 to 1"):
        node.run(np.zeros((1, 1)), np.full(12, 1.5))
    with pytest.raises(DesignError, match="tolerance must be met by steps of 2"):
        replace(node, tolerance=1e-17).run(np.full((3, 1), 4.0), node.start())
