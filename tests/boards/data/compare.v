// Signed comparisons of few bits with negative constants behind the stream ports.
module compare (
  input aclk,
  input aresetn,
  input [15:0] s_axis_tdata,
  input s_axis_tvalid,
  output s_axis_tready,
  input s_axis_tlast,
  output [39:0] m_axis_tdata,
  output m_axis_tvalid,
  input m_axis_tready,
  output m_axis_tlast
);
  reg full = 1'b0, last = 1'b0;
  reg [15:0] u = 16'd0;
  assign s_axis_tready = !full || m_axis_tready;
  always @(posedge aclk)
    if (!aresetn) full <= 1'b0;
    else if (s_axis_tready) begin
      full <= s_axis_tvalid;
      last <= s_axis_tlast;
      u <= s_axis_tdata;
    end
  wire signed [3:0] a = u[3:0], b = u[7:4];
  wire signed [7:0] wide = {{5{u[10]}}, u[10:8]};
  assign m_axis_tdata = {
    33'd0, a >= $signed(3'h4), a < $signed(4'hd), $signed(2'h2) <= b, b > $signed(5'h19),
    wide > $signed(8'hfe), wide <= $signed(3'h5), a < $signed(4'h3)
  };
  assign m_axis_tvalid = full;
  assign m_axis_tlast = last;
endmodule
