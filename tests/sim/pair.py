"""Two units as a design, and as Verilog written by hand, with a weight that can be wrong."""

from rchw.activation import Clip
from rchw.design import Design, Features, InputChannel, LinearInput, Output, Readout, RingLayer, Tap
from rchw.fixed import QFormat

__all__ = ["VERILOG", "pair"]

# Two units, x0 <- clip(3/4 x1 + u/2), x1 <- clip(3/4 x0 - u/2), y = x0 + WEIGHT x1 + 1
VERILOG = """\
module pair (
    input aclk, input aresetn,
    input [7:0] s_axis_tdata, input s_axis_tvalid, output s_axis_tready, input s_axis_tlast,
    output [15:0] m_axis_tdata, output reg m_axis_tvalid, input m_axis_tready,
    output reg m_axis_tlast
);
    reg signed [7:0] x0, x1;
    reg fresh;
    wire signed [15:0] u = $signed(s_axis_tdata);
    wire signed [15:0] a = fresh ? 16'sd0 : x0;
    wire signed [15:0] b = fresh ? 16'sd0 : x1;
    wire signed [15:0] z0 = (b * 3 + u * 2) >>> 2;
    wire signed [15:0] z1 = (a * 3 - u * 2) >>> 2;
    wire signed [15:0] y = x0 + x1 * WEIGHT + 128;
    assign s_axis_tready = m_axis_tready | !m_axis_tvalid;
    assign m_axis_tdata = y;
    always @(posedge aclk)
        if (!aresetn) begin
            m_axis_tvalid <= 0;
            fresh <= 1;
        end else if (s_axis_tready) begin
            m_axis_tvalid <= s_axis_tvalid;
            if (s_axis_tvalid) begin
                m_axis_tlast <= s_axis_tlast;
                fresh <= s_axis_tlast;
                x0 <= z0 > 127 ? 127 : z0 < -127 ? -127 : z0;
                x1 <= z1 > 127 ? 127 : z1 < -127 ? -127 : z1;
            end
        end
endmodule
"""


def pair() -> Design:
    """Build the design that the Verilog above realises with weight 2."""
    quarters = QFormat(4, 2)
    layer = RingLayer(
        n_units=2,
        state=QFormat(8, 7),
        tap_format=quarters,
        taps=(Tap(1, (3, 3)),),
        inputs=(LinearInput(quarters, (2, -2)),),
        bias_format=QFormat(4, 7),
        bias=(0, 0),
        activation=Clip(-127, 127),
        lanes=2,
    )
    readout = Readout((Output("y", QFormat(12, 7)),), QFormat(4, 0), ((1, 2, 1),), multipliers=2)
    return Design("pair", (InputChannel("u", QFormat(8, 7)),), (layer,), Features(), readout)
