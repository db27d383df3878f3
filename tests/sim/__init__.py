"""Tests of the benches: that they pass what is right and catch what is wrong."""
