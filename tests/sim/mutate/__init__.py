"""Tests of `rchw.sim.mutate`."""
