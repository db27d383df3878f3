"""Tests of rchw.tasks."""
