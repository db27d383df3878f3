"""Tests of the photonic nodes."""
