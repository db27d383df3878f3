"""Adaptation of the reservoir itself, without targets: gains, biases and weights between units.

Every rule has one shape: ``rule(reservoir, inputs, *, ...) -> reservoir, history``.
"""

from rchw.adapt.history import History, LayerHistory
from rchw.adapt.intrinsic import intrinsic_plasticity
from rchw.adapt.rules import RULES, Rule, checked_parameters, defaults, parse_parameters, rule_named
from rchw.adapt.transition import phase_transition

__all__ = [
    "RULES",
    "History",
    "LayerHistory",
    "Rule",
    "checked_parameters",
    "defaults",
    "intrinsic_plasticity",
    "parse_parameters",
    "phase_transition",
    "rule_named",
]
