"""Constants of the neurons of a culture and of the synapses that they make."""

from dataclasses import dataclass

from rchw.nodes.biological.spiking import PEAK
from rchw.nodes.parameters import Parameters, Quantity, quantity

__all__ = ["NeuronParameters"]

_RS = "Izhikevich 2003, regular spiking, as quoted in public code"
_TM = "quoted from memory as common for cultures, not confirmed"
_CHOSEN = "chosen: 400 neurons with 26 synapses each burst every few seconds"


@dataclass(frozen=True)
class NeuronParameters(Parameters):
    """Of one kind of neurons; each one value, or one per neuron of the kind.

    Weight, use and renewal are of the synapses that a neuron makes, the decays of the currents that
    it receives.
    """

    recovery: Quantity = quantity(20.0, "1/s", _RS, above=0)
    sensitivity: Quantity = quantity(200.0, "1/s", _RS, least=0)
    reset: Quantity = quantity(-0.065, "V", _RS, below=PEAK)
    jump: Quantity = quantity(8.0, "V/s", _RS, least=0)
    bias: Quantity = quantity(0.0, "V/s", _CHOSEN, loose=True)
    noise: Quantity = quantity(0.08, "V/s^0.5", _CHOSEN, loose=True, least=0)
    weight: Quantity = quantity(6.0, "V/s", _CHOSEN, loose=True, least=0)
    decay: Quantity = quantity(5e-3, "s", "chosen: of the order of AMPA", loose=True, above=0)
    decay_inhibitory: Quantity = quantity(
        10e-3, "s", "chosen: of the order of GABA", loose=True, above=0
    )
    use: Quantity = quantity(0.5, "1", _TM, loose=True, least=0, most=1)
    renewal: Quantity = quantity(0.8, "s", _TM, loose=True, above=0)

    @classmethod
    def fast(cls) -> "NeuronParameters":
        """Inhibitory, fast spiking neurons: other recovery and jump, stronger synapses."""
        return cls(recovery=100.0, jump=2.0, weight=10.0)
