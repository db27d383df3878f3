"""A digital reservoir in the frame of the devices gives the states that it gives alone."""

import numpy as np
import pytest

from rchw import topology
from rchw.errors import DesignError
from rchw.fixed import QFormat, decode, encode
from rchw.model import RingModel
from rchw.nodes import Drive, Mask, PhysicalReservoir
from rchw.nodes.digital import ReservoirNode
from rchw.nodes.node import Node
from rchw.reference import ReferenceReservoir
from tests.examples import EXAMPLE


def model() -> RingModel:
    """Make a small cycle with two channels."""
    return RingModel(topology.cycle(7, 0.8), np.ones((2, 7)) * 0.3, 0.1)


def test_a_model_is_driven_by_its_own_inputs() -> None:
    inputs = np.random.default_rng(0).uniform(-1, 1, (40, 2))
    node = ReservoirNode(model())
    assert isinstance(node, Node)
    framed = PhysicalReservoir(node, Drive(-1.0, 1.0), Mask("direct"), n_inputs=2)
    assert np.allclose(framed.run(inputs), model().run(inputs), atol=1e-15)
    assert np.array_equal(framed.drives(inputs), 2 * (inputs + 1) / 2 - 1)


def test_an_integer_ring_gives_its_codes() -> None:
    reservoir = ReferenceReservoir(EXAMPLE)
    channel, state = EXAMPLE.inputs[0].format, EXAMPLE.ring.state
    node = ReservoirNode(reservoir, channel, state)
    drives = np.random.default_rng(1).uniform(-1, 1, (30, reservoir.n_inputs))
    readings, after = node.run(drives, node.start())
    states = reservoir.run(encode(drives, channel))
    assert np.array_equal(readings, decode(states, state))
    assert np.array_equal(after, readings[-1])
    assert np.array_equal(node.start(), decode(reservoir.advance(np.zeros((0, 2), int))[1], state))


def test_the_slow_way_is_the_same() -> None:
    node = ReservoirNode(model())
    drives = np.random.default_rng(2).uniform(-1, 1, (20, 2))
    fast, slow = node.run(drives, node.start()), node.reference(drives, node.start())
    assert np.array_equal(fast[0], slow[0]) and np.array_equal(fast[1], slow[1])


def test_what_is_wrong_is_refused() -> None:
    with pytest.raises(DesignError, match=r"^formats must be given of inputs and states, or of"):
        ReservoirNode(model(), QFormat(8, 7))
    with pytest.raises(DesignError, match=r"^interval must be finite and above 0 s, not 0$"):
        ReservoirNode(model(), interval=0)
    with pytest.raises(DesignError, match=r"^drive must be from -1 to 1 1, where the model is"):
        ReservoirNode(model()).run(np.full((1, 2), 1.5), np.zeros(7))
    with pytest.raises(DesignError, match=r"^drives must be as many as the 1 channels for a dir"):
        PhysicalReservoir(ReservoirNode(model()), Drive(-1.0, 1.0), Mask("direct")).run([[0.0]])
