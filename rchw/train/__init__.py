"""Training: exact statistics, a ridge solve in fixed order, integer readouts, co-tuning."""

from rchw.train.build import build_design
from rchw.train.options import Hyperparameters, TrainOptions
from rchw.train.readout import train_readout
from rchw.train.search import evaluate, train
from rchw.train.statistics import Statistics

__all__ = [
    "Hyperparameters",
    "Statistics",
    "TrainOptions",
    "build_design",
    "evaluate",
    "train",
    "train_readout",
]
