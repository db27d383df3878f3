// Block RAMs of several shapes behind the stream ports: a sample writes to and reads from each.
module rams (
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
  (* ram_style = "block" *) reg [3:0] narrow [0:4095];
  (* ram_style = "block" *) reg [8:0] byte_wide [0:2047];
  (* ram_style = "block" *) reg [17:0] word_wide [0:1023];
  (* ram_style = "block" *) reg [35:0] wide [0:511];
  (* ram_style = "block" *) reg [0:0] single [0:16383];
  integer k;
  initial begin
    for (k = 0; k < 64; k = k + 1) narrow[61 * k] = k;
    for (k = 0; k < 64; k = k + 1) byte_wide[31 * k] = 3 * k;
    for (k = 0; k < 64; k = k + 1) word_wide[15 * k] = 2661 * k;
    for (k = 0; k < 64; k = k + 1) wide[7 * k] = {k[3:0], 32'd2654435761 * k};
    for (k = 0; k < 64; k = k + 1) single[255 * k] = 1'b1;
  end
  assign s_axis_tready = !m_axis_tvalid || m_axis_tready;
  wire take = s_axis_tvalid && s_axis_tready;
  wire [15:0] u = s_axis_tdata;
  reg [15:0] v = 16'd0;
  reg [2:0] busy = 3'd0;
  reg full = 1'b0, last = 1'b0;
  reg [3:0] a, a2;
  reg [8:0] b, b2;
  reg [17:0] c, c2;
  reg [35:0] d, d2;
  reg e, e2;
  always @(posedge aclk) begin
    if (take) v <= u;
    if (take) begin
      narrow[v[11:0]] <= u[3:0];
      byte_wide[v[10:0]] <= u[8:0];
      word_wide[v[9:0]] <= {u[1:0], u};
      wide[v[8:0]] <= {u[3:0], u, ~u};
      single[v[13:0]] <= u[5];
    end
    a <= narrow[u[11:0]]; a2 <= a;
    b <= byte_wide[u[10:0]]; b2 <= b;
    c <= word_wide[u[9:0]]; c2 <= c;
    d <= wide[u[8:0]]; d2 <= d;
    e <= single[u[13:0]]; e2 <= e;
  end
  reg [39:0] sum = 40'd0;
  always @(posedge aclk) begin
    sum <= aresetn ? {sum[38:0], sum[39]} + {a2, d2} + {b2, c2, e2} : 40'd0;
    if (!aresetn) full <= 1'b0;
    else if (take) begin
      full <= 1'b1;
      last <= s_axis_tlast;
    end else if (m_axis_tready) full <= 1'b0;
  end
  assign m_axis_tdata = sum;
  assign m_axis_tvalid = full;
  assign m_axis_tlast = last;
endmodule
