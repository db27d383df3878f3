"""Tests of co-design."""
