"""Tests of the integer reference."""
