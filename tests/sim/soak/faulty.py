"""The two units by hand, with faults of which an argument of the simulation chooses one."""

from tests.sim.pair import VERILOG

__all__ = ["FAULTS", "HIDDEN", "KEY", "faulty"]

FAULTS = (
    "none",
    "drops valid",
    "changes data",
    "changes last",
    "surplus beat",
    "waits for ready",
    "waits for a ready seen before",
    "loses a sample",
    "never ready again",
    "wrong last",
    "wrong code",
    "ignores reset",
    "extends wrongly",
    "a late beat",
    "a slow sample",
)
"""The number of a fault is its place."""
HIDDEN = len(FAULTS)
"""Number of one that drawn codes do not reach: a wrong code after these three."""
KEY = (37, -91, 14)

_EDITS = {
    "    reg fresh;": """\
    reg fresh, pending, stalled, seen;
    reg [31:0] beats, fault, at;
    reg signed [7:0] before1, before2;
    reg hit;
    always @(posedge aclk)
        if (!aresetn) begin
            before1 <= 0;
            before2 <= 0;
        end else if (s_axis_tvalid & s_axis_tready) begin
            before1 <= u;
            before2 <= before1;
            hit <= before2 == 37 & before1 == -91 & u == 14;
        end
    initial begin
        if (!$value$plusargs("fault=%d", fault)) fault = 0;
        if (!$value$plusargs("at=%d", at)) at = 400;
    end
    wire leave = m_axis_tvalid & m_axis_tready;
    always @(posedge aclk) begin
        stalled <= aresetn & m_axis_tvalid & !m_axis_tready;
        seen <= aresetn & !leave & (seen | m_axis_tready);
        beats <= !aresetn ? 0 : leave ? beats + 1 : beats;
    end
    reg [3:0] delay;
    always @(posedge aclk) delay <= !aresetn | beats != 200 ? 0 : delay + (pending & !delay[3]);
    assign m_axis_tvalid = fault == 13 ? pending & (beats != 200 | delay[3])
        : fault == 1 ? pending & !stalled
        : fault == 5 ? pending & m_axis_tready : fault == 6 ? pending & seen : pending;
    assign m_axis_tlast = last ^ (fault == 3 & stalled) ^ (fault == 9 & beats == 30);""",
    "output reg m_axis_tvalid": "output m_axis_tvalid",
    "output reg m_axis_tlast": "output m_axis_tlast",
    "s_axis_tready = m_axis_tready | !m_axis_tvalid;": """\
s_axis_tready = (m_axis_tready | !pending) & !(fault == 4 & (beats == 100 | beats == 101))
        & !(fault == 6 & pending & !seen) & !(fault == 8 & beats >= 600)

        & !(fault == 13 & beats == 200 & !delay[3]) & !(fault == 14 & beats == 200 & pending);""",
    "assign m_axis_tdata = y;": """\
wire signed [15:0] shown = y ^ (fault == 2 & stalled)
        ^ (fault == 10 & beats == at) ^ (fault == 15 & hit);
    assign m_axis_tdata = fault == 12 ? shown | 16'h1000 : shown;""",
    "            m_axis_tvalid <= 0;\n            fresh <= 1;": """\
            pending <= 0;
            if (fault != 11) fresh <= 1;""",
    "            m_axis_tvalid <= s_axis_tvalid;": """\
            pending <= s_axis_tvalid & !(fault == 7 & beats == 300);""",
    "m_axis_tlast <= s_axis_tlast;": "last <= s_axis_tlast;",
    "            end\n        end\nendmodule": """\
            end
        end else if (leave & (fault == 8 | fault == 14))
            pending <= 0;
endmodule""",
}


def faulty() -> str:
    """Verilog of module ``pair``: right, unless the simulation is given ``+fault=NUMBER``.

    The beat of a wrong code is chosen by ``+at=BEAT``.
    """
    text = VERILOG.replace("WEIGHT", "2")
    for old, new in _EDITS.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text.replace("reg fresh, pending", "reg fresh, last, pending")
