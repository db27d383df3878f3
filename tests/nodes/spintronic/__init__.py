"""Tests of the spintronic nodes."""
