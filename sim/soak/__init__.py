"""Long runs of the emitted Verilog at the speed of the simulator: stimulus and checker in C++.

The program in ``cpp`` drives the model that Verilator makes of ``NAME.v``, and holds every output
beat against an interpreter of the design file of its own.
"""

__all__: list[str] = []
