"""Experiments with emulated and recorded devices: emulate, compare, reproduce."""

from rchw.lab.trial import Condition, Trial, try_preset

__all__ = ["Condition", "Trial", "try_preset"]
