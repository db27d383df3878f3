"""The circuits: Amaranth generators for a design, and the Verilog they become.

Nothing here imports `rchw.reference`: circuit and reference share the design and no other code.
"""

from rchw.tools import need

if __name__ != "rchw.hdl":
    raise ImportError("import rchw.hdl, not hdl")

__all__: list[str] = []

need("amaranth", "hdl")
