"""The stream rules by SymbiYosys on the emitted Verilog: a second engine beside `sim.prove`."""

from rchw.tools import need

__all__: list[str] = []

need("z3", "sim")
