"""Tests of rchw.boards."""
