"""The integer reference: what the circuit must compute, bit for bit, in full integers.

It reads the design and its tables, never a width, a schedule or anything of `rchw.hdl`.
"""

from rchw.reference.loop import free_beats
from rchw.reference.pipeline import Trace, run
from rchw.reference.reservoir import ReferenceReservoir

__all__ = ["ReferenceReservoir", "Trace", "free_beats", "run"]
