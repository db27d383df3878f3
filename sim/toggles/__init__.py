"""How often every net of a circuit changes, counted by Verilator while samples go through."""

__all__: list[str] = []
