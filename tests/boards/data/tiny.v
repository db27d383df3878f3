// A small folded multiply-accumulate with the stream ports of the project: for every sample u it
// replaces x[i] by (x[i] >>> 1) + u + i and returns the sum of x[i] * w[i] over 16 units. States and
// weights are in block RAM; behind the RAM and the product stand plain registers.
module tiny (
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
  (* ram_style = "block", no_rw_check *) reg [15:0] x [0:15];
  (* ram_style = "block" *) reg [15:0] w [0:15];
  integer k;
  initial for (k = 0; k < 16; k = k + 1) begin
    x[k] = 16'd0;
    w[k] = 16'd40503 * (k + 1);
  end

  reg busy = 1'b0, full = 1'b0, last = 1'b0, first = 1'b1;
  reg [4:0] count = 5'd0;
  reg signed [15:0] u = 16'sd0;
  assign s_axis_tready = !busy && !full;
  assign m_axis_tvalid = full;
  assign m_axis_tlast = last;

  // One unit enters per clock; `go` and `at` follow it through the pipeline.
  wire issue = busy && !count[4];
  reg [6:0] go = 7'd0;
  reg [23:0] at = 24'd0;
  reg [15:0] x_read, x_held, w_read, w_held, w_kept, w_last;
  reg signed [15:0] state, state_held;
  (* keep *) reg signed [31:0] product;  // kept: Yosys cannot pack two registers into SB_MAC16
  reg signed [31:0] product_held;
  reg signed [39:0] total = 40'sd0;
  wire signed [15:0] old = first ? 16'sd0 : x_held;

  always @(posedge aclk) begin
    x_read <= x[count[3:0]];
    x_held <= x_read;
    state <= (old >>> 1) + u + $signed({1'b0, at[7:4]});
    if (go[2]) x[at[11:8]] <= state;
    w_read <= w[count[3:0]];
    w_held <= w_read;
    w_kept <= w_held;
    w_last <= w_kept;
    state_held <= state;
    product <= state_held * $signed(w_last);
    product_held <= product;
    if (!busy) total <= 40'sd0;
    else if (go[5]) total <= total + product_held;
    at <= {at[19:0], count[3:0]};
    go <= {go[5:0], issue};
    if (!aresetn) begin
      busy <= 1'b0;
      full <= 1'b0;
      first <= 1'b1;
      go <= 7'd0;
    end else begin
      if (s_axis_tvalid && s_axis_tready) begin
        busy <= 1'b1;
        count <= 5'd0;
        u <= s_axis_tdata;
        last <= s_axis_tlast;
      end else if (issue) count <= count + 5'd1;
      if (go[6] && !go[5]) begin
        full <= 1'b1;
        busy <= 1'b0;
        first <= last;
      end
      if (m_axis_tvalid && m_axis_tready) full <= 1'b0;
    end
  end
  assign m_axis_tdata = total_out;
  reg [39:0] total_out = 40'd0;
  always @(posedge aclk) if (go[6] && !go[5]) total_out <= total;
endmodule
