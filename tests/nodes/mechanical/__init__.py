"""Tests of the mechanical substrates."""
