"""A tiny circuit with the stream's ports, its reference, and the same circuit broken on purpose."""

import numpy as np
from numpy.typing import NDArray

from rchw.fixed import QFormat
from rchw.sim.harness import Top

__all__ = ["FAULTS", "reference", "stimulus", "top", "verilog"]

_TEXT = """\
module NAME (
    input aclk, input aresetn,
    input [23:0] s_axis_tdata, input s_axis_tvalid, output s_axis_tready, input s_axis_tlast,
    output [23:0] m_axis_tdata, output m_axis_tvalid, input m_axis_tready, output m_axis_tlast
);
    reg [1:0] step;
    reg signed [11:0] u;
    reg signed [7:0] v;
    reg last, fresh, stalled;
    reg [6:0] beats;
    reg signed [15:0] x;
    initial fresh = 1;
    wire signed [15:0] from = fresh ? 16'sd0 : x;
    wire signed [7:0] high = x[15:8];
    assign s_axis_tready = step == 0;
    assign m_axis_tvalid = step == 3;
    assign m_axis_tlast = last;
    assign m_axis_tdata = {high, x};
    always @(posedge aclk)
        if (!aresetn) begin
            step <= 0;
            fresh <= 1;
            stalled <= 0;
            beats <= 0;
        end else begin
            stalled <= m_axis_tvalid & !m_axis_tready;
            case (step)
                0: if (s_axis_tvalid & s_axis_tready) begin
                    u <= s_axis_tdata[11:0];
                    v <= s_axis_tdata[23:16];
                    last <= s_axis_tlast;
                    step <= 1;
                end
                1: begin
                    x <= from - (from >>> 2) + u + v;
                    fresh <= 0;
                    step <= 2;
                end
                2: begin
                    beats <= beats + 1;
                    step <= 3;
                end
                3: if (m_axis_tready) begin
                    step <= 0;
                    fresh <= last;
                end
            endcase
        end
endmodule
"""

# name of the fault: (text, its replacement)
FAULTS = {
    "right": ("", ""),
    "drops_valid": ("tvalid = step == 3", "tvalid = step == 3 & !stalled"),
    "changes_payload": ("{high, x}", "{high, x ^ {15'd0, stalled}}"),
    "changes_last": ("tlast = last", "tlast = last ^ stalled"),
    "loses_sample": ("step <= 3;", "step <= beats == 40 ? 0 : 3;"),
    "off_by_one": ("u + v;", "u + v + (beats == 60 ? 16'sd1 : 16'sd0);"),
    "waits_for_ready": ("tvalid = step == 3", "tvalid = step == 3 & m_axis_tready"),
    "wrong_last": ("last <= s_axis_tlast", "last <= s_axis_tlast | beats == 30"),
    "repeats_beat": ("step <= 0;\n                    fresh", "step <= beats != 50 ? 0 : "
                     "stalled ? 0 : 3; stalled <= 1;\n                    fresh"),
    "ignores_reset": ("fresh <= 1;", ""),
    "extends_wrongly": ("wire signed [7:0] high = x[15:8]", "wire [7:0] high = x[15:8] & 8'h7f"),
    "never_ready": ("tready = step == 0", "tready = step == 0 & beats < 20"),
}  # fmt: skip


def verilog(fault: str) -> str:
    """Return a module named after the fault."""
    old, new = FAULTS[fault]
    assert not old or _TEXT.count(old) == 1, fault
    return _TEXT.replace("NAME", fault).replace(old, new) if old else _TEXT.replace("NAME", fault)


def top(fault: str) -> Top:
    """Its lanes: two inputs, two outputs."""
    inputs, outputs = (QFormat(12), QFormat(8)), (QFormat(16, 4), QFormat(8))
    return Top(fault, inputs, outputs, ("state", "high"))


def reference(codes: NDArray[np.int64], last: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Output codes (T, 2)."""
    x, outputs = 0, []
    for (u, v), ends in zip(codes.tolist(), last.tolist(), strict=True):
        x += u + v - (x >> 2)
        outputs.append((x, x >> 8))
        x = 0 if ends else x
    return np.array(outputs, dtype=np.int64)


def stimulus(samples: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Input codes (T, 2) and last flags (T,)."""
    rng = np.random.default_rng(seed)
    columns = [rng.integers(-2048, 2048, samples), rng.integers(-128, 128, samples)]
    return np.stack(columns, axis=1), rng.random(samples) < 0.05
