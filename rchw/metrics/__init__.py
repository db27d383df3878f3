"""What is measured of predictions, of states, and of reservoirs of any kind."""

from rchw.metrics.activity import saturation_fraction
from rchw.metrics.errors import nmse, nrmse, symbol_error_rate, valid_prediction_time
from rchw.metrics.intervals import count_interval
from rchw.metrics.lyapunov import local_lyapunov, maximum_lyapunov, perturbation_exponent
from rchw.metrics.memory import MemoryCapacity, memory_capacity
from rchw.metrics.ring_memory import linear_ring_memory_capacity_exact, linear_ring_memory_function

__all__ = [
    "MemoryCapacity",
    "count_interval",
    "linear_ring_memory_capacity_exact",
    "linear_ring_memory_function",
    "local_lyapunov",
    "maximum_lyapunov",
    "memory_capacity",
    "nmse",
    "nrmse",
    "perturbation_exponent",
    "saturation_fraction",
    "symbol_error_rate",
    "valid_prediction_time",
]
