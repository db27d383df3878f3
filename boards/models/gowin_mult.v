// Behavioural models of the Gowin multiplier primitives MULT9X9, MULT18X18 and MULT36X36.
//
// Written from what Gowin documents in UG287 (DSP user guide: ports and parameters of each
// primitive) and in the DSP chapter of its data sheets (DS861 1.8E, 2.9.1: widths, and registers
// that may be bypassed); no vendor source was used. Covered: the product of two operands, each
// signed or not. Not covered: the registers, the shift inputs (ASEL, BSEL) and outputs;
// `rchw.boards.modelled` refuses a netlist that has these.

module MULT9X9 (
  input [8:0] A, SIA, B, SIB, input ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET,
  output [17:0] DOUT, output [8:0] SOA, SOB
);
  parameter AREG = 1'b0;
  parameter BREG = 1'b0;
  parameter OUT_REG = 1'b0;
  parameter PIPE_REG = 1'b0;
  parameter ASIGN_REG = 1'b0;
  parameter BSIGN_REG = 1'b0;
  parameter SOA_REG = 1'b0;
  parameter MULT_RESET_MODE = "SYNC";
  wire signed [17:0] wide_a = {{9{ASIGN && A[8]}}, A};
  wire signed [17:0] wide_b = {{9{BSIGN && B[8]}}, B};
  assign DOUT = wide_a * wide_b;
endmodule

module MULT18X18 (
  input [17:0] A, SIA, B, SIB, input ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET,
  output [35:0] DOUT, output [17:0] SOA, SOB
);
  parameter AREG = 1'b0;
  parameter BREG = 1'b0;
  parameter OUT_REG = 1'b0;
  parameter PIPE_REG = 1'b0;
  parameter ASIGN_REG = 1'b0;
  parameter BSIGN_REG = 1'b0;
  parameter SOA_REG = 1'b0;
  parameter MULT_RESET_MODE = "SYNC";
  wire signed [35:0] wide_a = {{18{ASIGN && A[17]}}, A};
  wire signed [35:0] wide_b = {{18{BSIGN && B[17]}}, B};
  assign DOUT = wide_a * wide_b;
endmodule

module MULT36X36 (
  input [35:0] A, B, input ASIGN, BSIGN, CE, CLK, RESET, output [71:0] DOUT
);
  parameter AREG = 1'b0;
  parameter BREG = 1'b0;
  parameter OUT0_REG = 1'b0;
  parameter OUT1_REG = 1'b0;
  parameter PIPE_REG = 1'b0;
  parameter ASIGN_REG = 1'b0;
  parameter BSIGN_REG = 1'b0;
  parameter MULT_RESET_MODE = "SYNC";
  wire signed [71:0] wide_a = {{36{ASIGN && A[35]}}, A};
  wire signed [71:0] wide_b = {{36{BSIGN && B[35]}}, B};
  assign DOUT = wide_a * wide_b;
endmodule
