"""The reservoirs in floating point: the ideal against which the loss of integers is measured."""

from rchw.model.ring import RingModel

__all__ = ["RingModel"]
