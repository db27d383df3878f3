"""Tests of the stream rules by SymbiYosys."""
