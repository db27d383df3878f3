"""What is measured of predictions, of states, and of reservoirs of any kind."""

from rchw.metrics.activity import average_state_entropy, saturation_fraction, unit_entropy
from rchw.metrics.chance import chi_square_quantile
from rchw.metrics.echo import EchoConditions, EchoIndex, echo_conditions, echo_index
from rchw.metrics.errors import nmse, nrmse, symbol_error_rate, valid_prediction_time
from rchw.metrics.intervals import count_interval
from rchw.metrics.lyapunov import (
    Differentiable,
    local_lyapunov,
    maximum_lyapunov,
    perturbation_exponent,
)
from rchw.metrics.memory import MemoryCapacity, memory_capacity
from rchw.metrics.processing import (
    ProcessingCapacity,
    capacity_threshold,
    information_processing_capacity,
)
from rchw.metrics.rank import StateRank, StreamRanks, effective_rank, state_rank, stream_ranks
from rchw.metrics.ring_memory import linear_ring_memory_capacity_exact, linear_ring_memory_function
from rchw.metrics.schur import SchurStability, schur_stability
from rchw.metrics.separation import InputSeparation, input_separation
from rchw.metrics.suffix import SuffixOrganisation, suffix_organisation
from rchw.metrics.timescales import LayerSpectra, LayerTimescales, layer_spectra, layer_timescales

__all__ = [
    "Differentiable",
    "EchoConditions",
    "EchoIndex",
    "InputSeparation",
    "LayerSpectra",
    "LayerTimescales",
    "MemoryCapacity",
    "ProcessingCapacity",
    "SchurStability",
    "StateRank",
    "StreamRanks",
    "SuffixOrganisation",
    "average_state_entropy",
    "capacity_threshold",
    "chi_square_quantile",
    "count_interval",
    "echo_conditions",
    "echo_index",
    "effective_rank",
    "information_processing_capacity",
    "input_separation",
    "layer_spectra",
    "layer_timescales",
    "linear_ring_memory_capacity_exact",
    "linear_ring_memory_function",
    "local_lyapunov",
    "maximum_lyapunov",
    "memory_capacity",
    "nmse",
    "nrmse",
    "perturbation_exponent",
    "saturation_fraction",
    "schur_stability",
    "state_rank",
    "stream_ranks",
    "suffix_organisation",
    "symbol_error_rate",
    "unit_entropy",
    "valid_prediction_time",
]
