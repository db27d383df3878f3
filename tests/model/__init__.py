"""Tests of the floating-point models."""
