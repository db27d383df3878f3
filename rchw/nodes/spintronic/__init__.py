"""Spintronic devices: oscillators, macrospins, spin waves and telegraph switches."""

from rchw.nodes.spintronic.auto_oscillator import AutoOscillator, AutoOscillatorParameters
from rchw.nodes.spintronic.macrospin import Macrospin, MacrospinParameters
from rchw.nodes.spintronic.oscillator_array import OscillatorArray, OscillatorArrayParameters
from rchw.nodes.spintronic.spin_wave import SpinWaveRing, SpinWaveRingParameters
from rchw.nodes.spintronic.superparamagnetic import Superparamagnetic, SuperparamagneticParameters

__all__ = [
    "AutoOscillator",
    "AutoOscillatorParameters",
    "Macrospin",
    "MacrospinParameters",
    "OscillatorArray",
    "OscillatorArrayParameters",
    "SpinWaveRing",
    "SpinWaveRingParameters",
    "Superparamagnetic",
    "SuperparamagneticParameters",
]
