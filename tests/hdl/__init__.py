"""Tests of the generators: against the law, against the reference, from the emitted Verilog."""
