"""The witnesses: benches, runners and scoreboards that hold the circuit against the reference."""

if __name__ != "rchw.sim":
    raise ImportError("import rchw.sim, not sim")

__all__: list[str] = []
