"""Adaptation of the reservoir itself, without targets: gains, biases and weights between units.

Every rule has one shape: ``rule(reservoir, inputs, *, ...) -> reservoir, history``.
"""

from rchw.adapt.history import History, LayerHistory
from rchw.adapt.homeostasis import flow_control, variance_control
from rchw.adapt.intrinsic import intrinsic_plasticity
from rchw.adapt.rules import (
    RULES,
    Rule,
    checked_parameters,
    defaults,
    parse_parameters,
    parse_stopping,
    rule_named,
)
from rchw.adapt.stopping import Stopping
from rchw.adapt.synaptic import anti_hebbian, anti_oja, bcm, hebbian, oja
from rchw.adapt.transition import phase_transition

__all__ = [
    "RULES",
    "History",
    "LayerHistory",
    "Rule",
    "Stopping",
    "anti_hebbian",
    "anti_oja",
    "bcm",
    "checked_parameters",
    "defaults",
    "flow_control",
    "hebbian",
    "intrinsic_plasticity",
    "oja",
    "parse_parameters",
    "parse_stopping",
    "phase_transition",
    "rule_named",
    "variance_control",
]
