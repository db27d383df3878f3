"""From Verilog to a bitstream, and back as a netlist that can be simulated."""

if __name__ != "rchw.boards":
    raise ImportError("import rchw.boards, not boards")

__all__: list[str] = []
