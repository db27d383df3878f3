"""Tests of the experiments with devices."""
