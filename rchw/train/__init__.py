"""Training: exact statistics, a ridge solve in fixed order, integer readouts, co-tuning."""

from rchw.train.build import build_design
from rchw.train.external import ExternalOptions, train_external
from rchw.train.options import Hyperparameters, TrainOptions
from rchw.train.readout import train_readout
from rchw.train.search import Tuned, evaluate, fit, train, tune
from rchw.train.statistics import Statistics

__all__ = [
    "ExternalOptions",
    "Hyperparameters",
    "Statistics",
    "TrainOptions",
    "Tuned",
    "build_design",
    "evaluate",
    "fit",
    "train",
    "train_external",
    "train_readout",
    "tune",
]
