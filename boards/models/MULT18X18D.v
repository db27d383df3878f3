// Behavioural model of the ECP5 multiplier primitive MULT18X18D.
//
// Written from the behaviour that Lattice documents in FPGA-TN-02205 (ECP5 and ECP5-5G sysDSP usage
// guide); no vendor source was used. Covered: signed and unsigned operands, and each of the input,
// pipeline and output registers off ("NONE") or on with one clock (CLK0), any enable (CE0 to
// CE3) and synchronous reset (RST0). Not covered: shift inputs (SOURCEA, SOURCEB), operand C, other
// clocks.
module MULT18X18D (
  input A17, A16, A15, A14, A13, A12, A11, A10, A9, A8,
  A7, A6, A5, A4, A3, A2, A1, A0,
  input B17, B16, B15, B14, B13, B12, B11, B10, B9, B8,
  B7, B6, B5, B4, B3, B2, B1, B0,
  input C17, C16, C15, C14, C13, C12, C11, C10, C9, C8,
  C7, C6, C5, C4, C3, C2, C1, C0,
  input SRIA17, SRIA16, SRIA15, SRIA14, SRIA13, SRIA12, SRIA11, SRIA10, SRIA9, SRIA8,
  SRIA7, SRIA6, SRIA5, SRIA4, SRIA3, SRIA2, SRIA1, SRIA0,
  input SRIB17, SRIB16, SRIB15, SRIB14, SRIB13, SRIB12, SRIB11, SRIB10, SRIB9, SRIB8,
  SRIB7, SRIB6, SRIB5, SRIB4, SRIB3, SRIB2, SRIB1, SRIB0,
  input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
  input CLK3, CLK2, CLK1, CLK0, CE3, CE2, CE1, CE0, RST3, RST2, RST1, RST0,
  output SROA17, SROA16, SROA15, SROA14, SROA13, SROA12, SROA11, SROA10, SROA9, SROA8,
  SROA7, SROA6, SROA5, SROA4, SROA3, SROA2, SROA1, SROA0,
  output SROB17, SROB16, SROB15, SROB14, SROB13, SROB12, SROB11, SROB10, SROB9, SROB8,
  SROB7, SROB6, SROB5, SROB4, SROB3, SROB2, SROB1, SROB0,
  output ROA17, ROA16, ROA15, ROA14, ROA13, ROA12, ROA11, ROA10, ROA9, ROA8,
  ROA7, ROA6, ROA5, ROA4, ROA3, ROA2, ROA1, ROA0,
  output ROB17, ROB16, ROB15, ROB14, ROB13, ROB12, ROB11, ROB10, ROB9, ROB8,
  ROB7, ROB6, ROB5, ROB4, ROB3, ROB2, ROB1, ROB0,
  output ROC17, ROC16, ROC15, ROC14, ROC13, ROC12, ROC11, ROC10, ROC9, ROC8,
  ROC7, ROC6, ROC5, ROC4, ROC3, ROC2, ROC1, ROC0,
  output P35, P34, P33, P32, P31, P30, P29, P28, P27, P26,
  P25, P24, P23, P22, P21, P20, P19, P18, P17, P16,
  P15, P14, P13, P12, P11, P10, P9, P8, P7, P6,
  P5, P4, P3, P2, P1, P0,
  output SIGNEDP
);
  parameter REG_INPUTA_CLK = "NONE";
  parameter REG_INPUTA_CE = "CE0";
  parameter REG_INPUTA_RST = "RST0";
  parameter REG_INPUTB_CLK = "NONE";
  parameter REG_INPUTB_CE = "CE0";
  parameter REG_INPUTB_RST = "RST0";
  parameter REG_INPUTC_CLK = "NONE";
  parameter REG_INPUTC_CE = "CE0";
  parameter REG_INPUTC_RST = "RST0";
  parameter REG_PIPELINE_CLK = "NONE";
  parameter REG_PIPELINE_CE = "CE0";
  parameter REG_PIPELINE_RST = "RST0";
  parameter REG_OUTPUT_CLK = "NONE";
  parameter REG_OUTPUT_CE = "CE0";
  parameter REG_OUTPUT_RST = "RST0";
  parameter CLK0_DIV = "ENABLED";
  parameter CLK1_DIV = "ENABLED";
  parameter CLK2_DIV = "ENABLED";
  parameter CLK3_DIV = "ENABLED";
  parameter HIGHSPEED_CLK = "NONE";
  parameter GSR = "ENABLED";
  parameter CAS_MATCH_REG = "FALSE";
  parameter SOURCEB_MODE = "B_SHIFT";
  parameter MULT_BYPASS = "DISABLED";
  parameter RESETMODE = "SYNC";

  wire [17:0] a = {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8,
    A7, A6, A5, A4, A3, A2, A1, A0};
  wire [17:0] b = {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8,
    B7, B6, B5, B4, B3, B2, B1, B0};
  reg [17:0] input_a = 18'd0;
  reg [17:0] input_b = 18'd0;
  reg signed_a = 1'b0;
  reg signed_b = 1'b0;
  reg [35:0] pipeline = 36'd0;
  reg [35:0] out = 36'd0;

  wire [17:0] used_a = REG_INPUTA_CLK == "NONE" ? a : input_a;
  wire [17:0] used_b = REG_INPUTB_CLK == "NONE" ? b : input_b;
  wire sign_a = (REG_INPUTA_CLK == "NONE" ? SIGNEDA : signed_a) && used_a[17];
  wire sign_b = (REG_INPUTB_CLK == "NONE" ? SIGNEDB : signed_b) && used_b[17];
  wire signed [35:0] wide_a = {{18{sign_a}}, used_a};
  wire signed [35:0] wide_b = {{18{sign_b}}, used_b};
  wire [35:0] product = wide_a * wide_b;
  wire [35:0] inner = REG_PIPELINE_CLK == "NONE" ? product : pipeline;

  function enable;
    input [23:0] pin;
    input [3:0] pins;
    case (pin)
      "CE0": enable = pins[0];
      "CE1": enable = pins[1];
      "CE2": enable = pins[2];
      default: enable = pins[3];
    endcase
  endfunction

  wire [3:0] enables = {CE3, CE2, CE1, CE0};
  always @(posedge CLK0)
    if (RST0) begin
      {input_a, input_b, signed_a, signed_b, pipeline, out} <= 110'd0;
    end else begin
      if (enable(REG_INPUTA_CE, enables)) {signed_a, input_a} <= {SIGNEDA, a};
      if (enable(REG_INPUTB_CE, enables)) {signed_b, input_b} <= {SIGNEDB, b};
      if (enable(REG_PIPELINE_CE, enables)) pipeline <= product;
      if (enable(REG_OUTPUT_CE, enables)) out <= inner;
    end

  assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26,
    P25, P24, P23, P22, P21, P20, P19, P18, P17, P16,
    P15, P14, P13, P12, P11, P10, P9, P8, P7, P6,
    P5, P4, P3, P2, P1, P0} = REG_OUTPUT_CLK == "NONE" ? inner : out;
  assign {SROA17, SROA16, SROA15, SROA14, SROA13, SROA12, SROA11, SROA10, SROA9, SROA8,
    SROA7, SROA6, SROA5, SROA4, SROA3, SROA2, SROA1, SROA0} = 18'd0;
  assign {SROB17, SROB16, SROB15, SROB14, SROB13, SROB12, SROB11, SROB10, SROB9, SROB8,
    SROB7, SROB6, SROB5, SROB4, SROB3, SROB2, SROB1, SROB0} = 18'd0;
  assign {ROA17, ROA16, ROA15, ROA14, ROA13, ROA12, ROA11, ROA10, ROA9, ROA8,
    ROA7, ROA6, ROA5, ROA4, ROA3, ROA2, ROA1, ROA0} = 18'd0;
  assign {ROB17, ROB16, ROB15, ROB14, ROB13, ROB12, ROB11, ROB10, ROB9, ROB8,
    ROB7, ROB6, ROB5, ROB4, ROB3, ROB2, ROB1, ROB0} = 18'd0;
  assign {ROC17, ROC16, ROC15, ROC14, ROC13, ROC12, ROC11, ROC10, ROC9, ROC8,
    ROC7, ROC6, ROC5, ROC4, ROC3, ROC2, ROC1, ROC0} = 18'd0;
  assign SIGNEDP = SIGNEDA | SIGNEDB;
endmodule
