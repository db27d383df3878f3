"""The reservoirs in floating point: the ideal against which the loss of integers is measured."""

from rchw.model.deep import DeepModel, split_units
from rchw.model.euler import EulerModel, EulerRingModel
from rchw.model.feedback import FeedbackModel
from rchw.model.matrix import MatrixModel
from rchw.model.ring import RingModel

__all__ = [
    "DeepModel",
    "EulerModel",
    "EulerRingModel",
    "FeedbackModel",
    "MatrixModel",
    "RingModel",
    "split_units",
]
