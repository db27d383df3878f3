"""Reservoir computers from a time series to silicon, bit for bit."""

from rchw.design import Design
from rchw.document import digest, load, save
from rchw.errors import DesignError, MismatchError, RchwError, ToolError
from rchw.fixed import Overflow, QFormat, Rounding, decode, encode, requantize

__version__ = "0.1.0"

__all__ = [
    "Design",
    "DesignError",
    "MismatchError",
    "Overflow",
    "QFormat",
    "RchwError",
    "Rounding",
    "ToolError",
    "__version__",
    "decode",
    "digest",
    "encode",
    "load",
    "requantize",
    "save",
]
