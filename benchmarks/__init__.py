"""Measurements whose figures appear in the documentation; each module is a command."""
