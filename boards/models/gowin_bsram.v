// Behavioural models of the Gowin block RAM primitives SP, SPX9, SDPB, SDPX9B, DPB and DPX9B.
//
// Written from what Gowin documents in UG285 (BSRAM & SSRAM user guide: ports, parameters, address
// rules) and in the block SRAM chapter of its data sheets (DS861 1.8E, 2.7: tables 2-5 to 2-7 for
// widths, 2.7.6 for write modes); no vendor source was used. Covered: every width and mix of widths,
// byte enables, the write modes, block selection, synchronous reset of the output, contents. Not
// covered: the output register (READ_MODE 1), asynchronous reset while in use, two clocks;
// `rchw.boards.modelled` refuses a netlist that has these.
//
// Memory: 512 rows of four lanes, of 9 bits in the primitives with X9, else of 8. INIT_RAM_xx holds
// eight rows. A port of four lanes is addressed by AD13..AD5 with an enable for each lane at
// AD3..AD0; two lanes by AD13..AD4 with enables at AD1..AD0; one lane by AD13..AD3; 4, 2 and 1 bits
// by AD13..AD2, AD1, AD0.
//
// One port must not read, nor both write, what the other writes in the same clock (DS861, 2.7.2).
// Here these bits then come out different each time, neither old nor new. What an output holds
// before the first read is left open too.

`define RCHW_CONTENTS(BITS) parameter [BITS-1:0] \
  INIT_RAM_00 = 0, INIT_RAM_01 = 0, INIT_RAM_02 = 0, INIT_RAM_03 = 0, INIT_RAM_04 = 0, \
  INIT_RAM_05 = 0, INIT_RAM_06 = 0, INIT_RAM_07 = 0, INIT_RAM_08 = 0, INIT_RAM_09 = 0, \
  INIT_RAM_0A = 0, INIT_RAM_0B = 0, INIT_RAM_0C = 0, INIT_RAM_0D = 0, INIT_RAM_0E = 0, \
  INIT_RAM_0F = 0, INIT_RAM_10 = 0, INIT_RAM_11 = 0, INIT_RAM_12 = 0, INIT_RAM_13 = 0, \
  INIT_RAM_14 = 0, INIT_RAM_15 = 0, INIT_RAM_16 = 0, INIT_RAM_17 = 0, INIT_RAM_18 = 0, \
  INIT_RAM_19 = 0, INIT_RAM_1A = 0, INIT_RAM_1B = 0, INIT_RAM_1C = 0, INIT_RAM_1D = 0, \
  INIT_RAM_1E = 0, INIT_RAM_1F = 0, INIT_RAM_20 = 0, INIT_RAM_21 = 0, INIT_RAM_22 = 0, \
  INIT_RAM_23 = 0, INIT_RAM_24 = 0, INIT_RAM_25 = 0, INIT_RAM_26 = 0, INIT_RAM_27 = 0, \
  INIT_RAM_28 = 0, INIT_RAM_29 = 0, INIT_RAM_2A = 0, INIT_RAM_2B = 0, INIT_RAM_2C = 0, \
  INIT_RAM_2D = 0, INIT_RAM_2E = 0, INIT_RAM_2F = 0, INIT_RAM_30 = 0, INIT_RAM_31 = 0, \
  INIT_RAM_32 = 0, INIT_RAM_33 = 0, INIT_RAM_34 = 0, INIT_RAM_35 = 0, INIT_RAM_36 = 0, \
  INIT_RAM_37 = 0, INIT_RAM_38 = 0, INIT_RAM_39 = 0, INIT_RAM_3A = 0, INIT_RAM_3B = 0, \
  INIT_RAM_3C = 0, INIT_RAM_3D = 0, INIT_RAM_3E = 0, INIT_RAM_3F = 0
`define RCHW_ALL {\
  INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, \
  INIT_RAM_39, INIT_RAM_38, INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, \
  INIT_RAM_33, INIT_RAM_32, INIT_RAM_31, INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E, \
  INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B, INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28, \
  INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24, INIT_RAM_23, INIT_RAM_22, \
  INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D, INIT_RAM_1C, \
  INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18, INIT_RAM_17, INIT_RAM_16, \
  INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10, \
  INIT_RAM_0F, INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, \
  INIT_RAM_09, INIT_RAM_08, INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, \
  INIT_RAM_03, INIT_RAM_02, INIT_RAM_01, INIT_RAM_00}

// Both ports of any of them.
module rchw_gowin_bsram #(
  parameter LANE = 9,
  parameter WIDTH_A = 9,
  parameter WIDTH_B = 9,
  parameter [1:0] MODE_A = 0,  // of writing: the output stays, or shows the new or the old word
  parameter [1:0] MODE_B = 0,
  parameter [2048*LANE-1:0] CONTENTS = 0
) (
  input clk,
  input enable_a, input write_a, input reset_a, input [13:0] address_a,
  input [4*LANE-1:0] data_a, output reg [4*LANE-1:0] out_a,
  input enable_b, input write_b, input reset_b, input [13:0] address_b,
  input [4*LANE-1:0] data_b, output reg [4*LANE-1:0] out_b
);
  localparam ROW = 4 * LANE;
  localparam [ROW-1:0] ONE_LANE = {{3 * LANE{1'b0}}, {LANE{1'b1}}};
  localparam [ROW-1:0] ONES_A = {ROW{1'b1}} >> (ROW - WIDTH_A);
  localparam [ROW-1:0] ONES_B = {ROW{1'b1}} >> (ROW - WIDTH_B);

  reg [ROW-1:0] rows [0:511];
  reg [ROW-1:0] noise = 3 * ONE_LANE;
  integer k;
  initial for (k = 0; k < 512; k = k + 1) rows[k] = CONTENTS[ROW * k +: ROW];

  // Where in its row a port of some width is.
  function [5:0] place;
    input integer width;
    input [4:0] address;
    case (width / LANE)
      4: place = 0;
      2: place = address[4] ? 2 * LANE : 0;
      1: place = LANE * address[4:3];
      default: place = LANE * address[4:3] + (address[2:0] & ~(width[2:0] - 3'd1));
    endcase
  endfunction

  // Which bits of a word of some width are written.
  function [ROW-1:0] enabled;
    input integer width;
    input [3:0] lanes;
    begin
      enabled = {ROW{1'b1}} >> (ROW - width);
      if (width >= 2 * LANE) enabled = enabled & {
        {LANE{lanes[3]}}, {LANE{lanes[2]}}, {LANE{lanes[1]}}, {LANE{lanes[0]}}};
    end
  endfunction

  wire [8:0] row_a = address_a[13:5];
  wire [8:0] row_b = address_b[13:5];
  wire [5:0] place_a = place(WIDTH_A, address_a[4:0]);
  wire [5:0] place_b = place(WIDTH_B, address_b[4:0]);
  wire [ROW-1:0] written_a =
    enable_a && write_a ? enabled(WIDTH_A, address_a[3:0]) << place_a : 0;
  wire [ROW-1:0] written_b =
    enable_b && write_b ? enabled(WIDTH_B, address_b[3:0]) << place_b : 0;
  wire [ROW-1:0] forbidden_a = row_a == row_b ? written_a : 0;  // to port B, and the other way
  wire [ROW-1:0] forbidden_b = row_a == row_b ? written_b : 0;

  reg [ROW-1:0] old_a, old_b, new_a, new_b, seen_a, seen_b;
  always @(posedge clk) begin
    noise <= {noise[ROW-2:0], ~noise[ROW-1]};
    old_a = rows[row_a];
    old_b = rows[row_b];
    new_a = (old_a & ~written_a) | ((data_a << place_a) & written_a);
    new_b = (old_b & ~written_b) | ((data_b << place_b) & written_b);
    seen_a = write_a && MODE_A == 1 ? new_a : old_a;
    seen_b = write_b && MODE_B == 1 ? new_b : old_b;
    seen_a = (seen_a & ~forbidden_b) | (noise & forbidden_b);
    seen_b = (seen_b & ~forbidden_a) | (noise & forbidden_a);
    if (reset_a) out_a <= 0;
    else if (enable_a && !(write_a && MODE_A == 0)) out_a <= (seen_a >> place_a) & ONES_A;
    if (reset_b) out_b <= 0;
    else if (enable_b && !(write_b && MODE_B == 0)) out_b <= (seen_b >> place_b) & ONES_B;
    if (row_a == row_b)
      rows[row_a] = (old_a & ~written_a & ~written_b) | (new_a & written_a & ~written_b)
        | (new_b & written_b & ~written_a) | (noise & written_a & written_b);
    else begin
      rows[row_a] = new_a;
      rows[row_b] = new_b;
    end
  end
endmodule

module SP (
  input CLK, CE, OCE, RESET, WRE, input [13:0] AD, input [2:0] BLKSEL,
  input [31:0] DI, output [31:0] DO
);
  parameter READ_MODE = 1'b0;
  parameter [1:0] WRITE_MODE = 2'b00;
  parameter BIT_WIDTH = 32;
  parameter [2:0] BLK_SEL = 3'b000;
  parameter RESET_MODE = "SYNC";
  `RCHW_CONTENTS(256);
  rchw_gowin_bsram #(
    .LANE(8), .WIDTH_A(BIT_WIDTH), .WIDTH_B(8), .MODE_A(WRITE_MODE), .CONTENTS(`RCHW_ALL)
  ) both (
    .clk(CLK), .enable_a(CE && BLKSEL == BLK_SEL), .write_a(WRE), .reset_a(RESET),
    .address_a(AD), .data_a(DI), .out_a(DO), .enable_b(1'b0), .write_b(1'b0), .reset_b(1'b0),
    .address_b(14'd0), .data_b(32'd0), .out_b()
  );
endmodule

module SPX9 (
  input CLK, CE, OCE, RESET, WRE, input [13:0] AD, input [2:0] BLKSEL,
  input [35:0] DI, output [35:0] DO
);
  parameter READ_MODE = 1'b0;
  parameter [1:0] WRITE_MODE = 2'b00;
  parameter BIT_WIDTH = 36;
  parameter [2:0] BLK_SEL = 3'b000;
  parameter RESET_MODE = "SYNC";
  `RCHW_CONTENTS(288);
  rchw_gowin_bsram #(
    .LANE(9), .WIDTH_A(BIT_WIDTH), .WIDTH_B(9), .MODE_A(WRITE_MODE), .CONTENTS(`RCHW_ALL)
  ) both (
    .clk(CLK), .enable_a(CE && BLKSEL == BLK_SEL), .write_a(WRE), .reset_a(RESET),
    .address_a(AD), .data_a(DI), .out_a(DO), .enable_b(1'b0), .write_b(1'b0), .reset_b(1'b0),
    .address_b(14'd0), .data_b(36'd0), .out_b()
  );
endmodule

module SDPB (
  input CLKA, CEA, RESETA, CLKB, CEB, OCE, RESETB, input [13:0] ADA, ADB,
  input [2:0] BLKSELA, BLKSELB, input [31:0] DI, output [31:0] DO
);
  parameter READ_MODE = 1'b0;
  parameter BIT_WIDTH_0 = 32;
  parameter BIT_WIDTH_1 = 32;
  parameter [2:0] BLK_SEL_0 = 3'b000;
  parameter [2:0] BLK_SEL_1 = 3'b000;
  parameter RESET_MODE = "SYNC";
  `RCHW_CONTENTS(256);
  rchw_gowin_bsram #(
    .LANE(8), .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .CONTENTS(`RCHW_ALL)
  ) both (
    .clk(CLKA), .enable_a(CEA && BLKSELA == BLK_SEL_0), .write_a(1'b1), .reset_a(1'b0),
    .address_a(ADA), .data_a(DI), .out_a(), .enable_b(CEB && BLKSELB == BLK_SEL_1),
    .write_b(1'b0), .reset_b(RESETB), .address_b(ADB), .data_b(32'd0), .out_b(DO)
  );
endmodule

module SDPX9B (
  input CLKA, CEA, RESETA, CLKB, CEB, OCE, RESETB, input [13:0] ADA, ADB,
  input [2:0] BLKSELA, BLKSELB, input [35:0] DI, output [35:0] DO
);
  parameter READ_MODE = 1'b0;
  parameter BIT_WIDTH_0 = 36;
  parameter BIT_WIDTH_1 = 36;
  parameter [2:0] BLK_SEL_0 = 3'b000;
  parameter [2:0] BLK_SEL_1 = 3'b000;
  parameter RESET_MODE = "SYNC";
  `RCHW_CONTENTS(288);
  rchw_gowin_bsram #(
    .LANE(9), .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .CONTENTS(`RCHW_ALL)
  ) both (
    .clk(CLKA), .enable_a(CEA && BLKSELA == BLK_SEL_0), .write_a(1'b1), .reset_a(1'b0),
    .address_a(ADA), .data_a(DI), .out_a(), .enable_b(CEB && BLKSELB == BLK_SEL_1),
    .write_b(1'b0), .reset_b(RESETB), .address_b(ADB), .data_b(36'd0), .out_b(DO)
  );
endmodule

module DPB (
  input CLKA, CEA, OCEA, RESETA, WREA, CLKB, CEB, OCEB, RESETB, WREB,
  input [13:0] ADA, ADB, input [2:0] BLKSELA, BLKSELB,
  input [15:0] DIA, DIB, output [15:0] DOA, DOB
);
  parameter READ_MODE0 = 1'b0;
  parameter READ_MODE1 = 1'b0;
  parameter [1:0] WRITE_MODE0 = 2'b00;
  parameter [1:0] WRITE_MODE1 = 2'b00;
  parameter BIT_WIDTH_0 = 16;
  parameter BIT_WIDTH_1 = 16;
  parameter [2:0] BLK_SEL_0 = 3'b000;
  parameter [2:0] BLK_SEL_1 = 3'b000;
  parameter RESET_MODE = "SYNC";
  `RCHW_CONTENTS(256);
  wire [15:0] unused_a, unused_b;
  rchw_gowin_bsram #(
    .LANE(8), .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .MODE_A(WRITE_MODE0),
    .MODE_B(WRITE_MODE1), .CONTENTS(`RCHW_ALL)
  ) both (
    .clk(CLKA), .enable_a(CEA && BLKSELA == BLK_SEL_0), .write_a(WREA), .reset_a(RESETA),
    .address_a(ADA), .data_a({16'd0, DIA}), .out_a({unused_a, DOA}),
    .enable_b(CEB && BLKSELB == BLK_SEL_1), .write_b(WREB), .reset_b(RESETB), .address_b(ADB),
    .data_b({16'd0, DIB}), .out_b({unused_b, DOB})
  );
endmodule

module DPX9B (
  input CLKA, CEA, OCEA, RESETA, WREA, CLKB, CEB, OCEB, RESETB, WREB,
  input [13:0] ADA, ADB, input [2:0] BLKSELA, BLKSELB,
  input [17:0] DIA, DIB, output [17:0] DOA, DOB
);
  parameter READ_MODE0 = 1'b0;
  parameter READ_MODE1 = 1'b0;
  parameter [1:0] WRITE_MODE0 = 2'b00;
  parameter [1:0] WRITE_MODE1 = 2'b00;
  parameter BIT_WIDTH_0 = 18;
  parameter BIT_WIDTH_1 = 18;
  parameter [2:0] BLK_SEL_0 = 3'b000;
  parameter [2:0] BLK_SEL_1 = 3'b000;
  parameter RESET_MODE = "SYNC";
  `RCHW_CONTENTS(288);
  wire [17:0] unused_a, unused_b;
  rchw_gowin_bsram #(
    .LANE(9), .WIDTH_A(BIT_WIDTH_0), .WIDTH_B(BIT_WIDTH_1), .MODE_A(WRITE_MODE0),
    .MODE_B(WRITE_MODE1), .CONTENTS(`RCHW_ALL)
  ) both (
    .clk(CLKA), .enable_a(CEA && BLKSELA == BLK_SEL_0), .write_a(WREA), .reset_a(RESETA),
    .address_a(ADA), .data_a({18'd0, DIA}), .out_a({unused_a, DOA}),
    .enable_b(CEB && BLKSELB == BLK_SEL_1), .write_b(WREB), .reset_b(RESETB), .address_b(ADB),
    .data_b({18'd0, DIB}), .out_b({unused_b, DOB})
  );
endmodule
