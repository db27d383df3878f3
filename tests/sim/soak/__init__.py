"""Tests of `rchw.sim.soak`."""
