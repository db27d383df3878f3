"""Tests of rchw.importing."""
