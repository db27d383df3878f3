"""Adaptation of the reservoir itself, without targets: gains, biases and weights between units."""

__all__: list[str] = []
