"""Biological substrates: a culture of neurons on an array of electrodes."""

from rchw.nodes.biological.bursts import burst_starts
from rchw.nodes.biological.culture import Culture
from rchw.nodes.biological.neurons import NeuronParameters
from rchw.nodes.biological.wiring import Wiring

__all__ = ["Culture", "NeuronParameters", "Wiring", "burst_starts"]
