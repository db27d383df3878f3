"""Faults planted in a circuit and in the numbers of its design, to see which the checks catch."""

__all__: list[str] = []
