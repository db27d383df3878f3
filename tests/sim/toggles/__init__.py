"""Counts of changes of nets."""
