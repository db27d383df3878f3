"""Adaptation of the reservoir itself, without targets: gains, biases and weights between units.

Every rule has one shape: ``rule(reservoir, inputs, *, ...) -> reservoir, history``.
"""

from rchw.adapt.history import History, LayerHistory
from rchw.adapt.intrinsic import intrinsic_plasticity
from rchw.adapt.rules import RULES, Rule, defaults, rule_named

__all__ = [
    "RULES",
    "History",
    "LayerHistory",
    "Rule",
    "defaults",
    "intrinsic_plasticity",
    "rule_named",
]
