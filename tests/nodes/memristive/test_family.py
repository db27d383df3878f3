"""All nodes of the family behind a drive, a mask and an observation; and what it gives out."""

from dataclasses import replace

import numpy as np
import pytest

import rchw.nodes.memristive as family
from rchw.nodes.drive import Drive
from rchw.nodes.mask import Mask
from rchw.nodes.memristive import (
    BalanceMemristor,
    Crossbar,
    DriftMemristor,
    DynamicMemristor,
    NanowireNetwork,
    OxideMemristor,
    VteamMemristor,
    VteamParameters,
    Wiring,
)
from rchw.nodes.node import Node
from rchw.nodes.observe import Observation
from rchw.nodes.physical import PhysicalReservoir
from rchw.nodes.variation import Variation, vary

NODES: tuple[tuple[Node, float, float], ...] = (
    (DynamicMemristor(3, 4), -2.0, 3.0),
    (OxideMemristor(3, 4), 0.0, 1.5),
    (BalanceMemristor(3, 4), -1.0, 1.5),
    (DriftMemristor(3, 4), -1.0, 1.0),
    (VteamMemristor(3, 4), -0.25, 0.25),
    (NanowireNetwork(Wiring.grid(3, 4), (0, 8), (3,), 2, limit=3.0), 0.0, 2.0),
)


@pytest.mark.parametrize(("node", "low", "high"), NODES)
def test_reservoir_of_each_node(node: Node, low: float, high: float) -> None:
    """States vary from node to node, remember the input, and come in chunks."""
    inputs = np.random.default_rng(1).uniform(0, 1, (60, 1))
    reservoir = PhysicalReservoir(
        node, Drive(low, high), Mask("analog", 1), Observation(bits=12, seed=2)
    ).fitted(inputs, snr_decibels=60, adc_bits=12)
    states, after = reservoir.advance(inputs)
    assert states.shape == (60, node.n_devices * node.n_virtual)
    assert np.linalg.matrix_rank(states) > 3
    first, between = reservoir.advance(inputs[:25])
    second, end = reservoir.advance(inputs[25:], between)
    assert np.array_equal(np.concatenate([first, second]), states)
    assert np.array_equal(end, after)
    other = inputs.copy()
    other[40] = 1 - other[40]
    quiet = replace(reservoir, observation=Observation())
    assert not np.array_equal(quiet.run(other)[41:], quiet.run(inputs)[41:])


def test_devices_of_a_spread() -> None:
    """Any parameter of a node can be drawn; the run is that of the drawn devices."""
    drawn = vary(VteamParameters(), [Variation("off_threshold", 0.1)], 5, seed=3)
    node = VteamMemristor(5, 1, drawn)
    _, after = node.run(np.full((20, 5), 0.3), node.start())
    assert len(set(after.tolist())) == 5


def test_readout_in_a_crossbar_follows_a_linear_readout() -> None:
    """Ridge weights on states of a reservoir: the more levels a cell has, the nearer it comes."""
    reservoir = PhysicalReservoir(DynamicMemristor(5, 4), Drive(-0.8, 2.5), Mask("binary", 2))
    inputs = np.random.default_rng(4).uniform(0, 1, (300, 1))
    states = reservoir.run(inputs)
    states /= states.std()
    solved = np.linalg.solve(states.T @ states + np.eye(20), states.T @ inputs)
    weights = np.asarray(solved.T, dtype=np.float64)
    exact = states @ weights[0]
    errors = []
    for bits in (4, 8, 12):
        bar = Crossbar(weights, dac_bits=16, adc_bits=16, cell_bits=bits).fitted(states)
        errors.append(np.std(bar.multiply(states)[:, 0] - exact) / np.std(exact))
    assert errors[0] > 4 * errors[1] > 16 * errors[2] > 0
    assert errors[2] < 0.01


def test_names_are_there() -> None:
    assert len(set(family.__all__)) == len(family.__all__)
    assert all(getattr(family, name) is not None for name in family.__all__)
