"""The ports that a file of Verilog must have to be held against a design."""

from rchw.design import Design
from rchw.errors import DesignError
from rchw.hdl.top import lane_map
from rchw.sim.prove.words import Words

__all__ = ["check_ports"]


def check_ports(words: Words, design: Design) -> None:
    """Refuse a circuit without the ports of `docs/stream.md`, or with others' widths.

    Parameters
    ----------
    words : Words
    design : Design

    Raises
    ------
    DesignError
        Which names the first of them.
    """
    taken = sum(lane_map([channel.format for channel in design.beat])[-1])
    given = sum(lane_map([output.format for output in design.readout.answers])[-1])
    ports = {
        "input": dict.fromkeys(
            ("aclk", "aresetn", "s_axis_tvalid", "s_axis_tlast", "m_axis_tready"), 1
        )
        | {"s_axis_tdata": taken},
        "output": dict.fromkeys(("s_axis_tready", "m_axis_tvalid", "m_axis_tlast"), 1)
        | {"m_axis_tdata": given},
    }
    for kind, names in ports.items():
        there = words.inputs if kind == "input" else words.outputs
        for name, width in names.items():
            found = len(there.get(name, ()))
            if found != width:
                what = f"{found} bits" if found else "none"
                raise DesignError(
                    f"module {design.name} must have the {kind} {name} of {width} bits, not {what}"
                )
