"""Tests of the emulated devices."""
