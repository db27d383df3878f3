"""Tests of the memristive devices."""
