"""Tests of the biological substrates."""
