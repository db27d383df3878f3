// Behavioural model of the ECP5 block RAM primitive DP16KD.
//
// Written from the behaviour that Lattice documents in FPGA-TN-02204 (ECP5 and ECP5-5G memory usage
// guide); no vendor source was used. Covered: widths 1, 2, 4, 9, 18 on both ports and the pseudo
// dual port form of 36 bits, byte enables, the three write modes, output registers (REGMODE
// "OUTREG"), inverted clocks. Not covered: reset of the output, chip select, writing through both
// ports; `rchw.boards.modelled` refuses a netlist that has these. Write and read of one word in one
// clock through two ports returns the old word here and is undefined in the device.
//
// Memory: 1024 words of 18 bits. INITVAL_xx holds 16 words, 20 bits apart. A port of 18 bits is
// addressed by AD13..AD4 with byte enables at AD1..AD0; 9 bits by AD13..AD3; 4, 2 and 1 bits by
// AD13..AD2, AD1, AD0 and leave the ninth bit of every byte unused; 36 bits by AD13..AD5 with byte
// enables at AD3..AD0, the low half at data A and the high half at data B.
module DP16KD (
  input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8,
  DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0,
  input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4,
  ADA3, ADA2, ADA1, ADA0,
  input CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
  output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8,
  DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0,
  input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8,
  DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
  input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4,
  ADB3, ADB2, ADB1, ADB0,
  input CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
  output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8,
  DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
);
  parameter DATA_WIDTH_A = 18;
  parameter DATA_WIDTH_B = 18;
  parameter REGMODE_A = "NOREG";
  parameter REGMODE_B = "NOREG";
  parameter RESETMODE = "SYNC";
  parameter ASYNC_RESET_RELEASE = "SYNC";
  parameter CSDECODE_A = "0b000";
  parameter CSDECODE_B = "0b000";
  parameter WRITEMODE_A = "NORMAL";
  parameter WRITEMODE_B = "NORMAL";
  parameter CLKAMUX = "CLKA";
  parameter CLKBMUX = "CLKB";
  parameter GSR = "ENABLED";
  parameter INIT_DATA = "STATIC";
  parameter [319:0] INITVAL_00 = 320'd0;
  parameter [319:0] INITVAL_01 = 320'd0;
  parameter [319:0] INITVAL_02 = 320'd0;
  parameter [319:0] INITVAL_03 = 320'd0;
  parameter [319:0] INITVAL_04 = 320'd0;
  parameter [319:0] INITVAL_05 = 320'd0;
  parameter [319:0] INITVAL_06 = 320'd0;
  parameter [319:0] INITVAL_07 = 320'd0;
  parameter [319:0] INITVAL_08 = 320'd0;
  parameter [319:0] INITVAL_09 = 320'd0;
  parameter [319:0] INITVAL_0A = 320'd0;
  parameter [319:0] INITVAL_0B = 320'd0;
  parameter [319:0] INITVAL_0C = 320'd0;
  parameter [319:0] INITVAL_0D = 320'd0;
  parameter [319:0] INITVAL_0E = 320'd0;
  parameter [319:0] INITVAL_0F = 320'd0;
  parameter [319:0] INITVAL_10 = 320'd0;
  parameter [319:0] INITVAL_11 = 320'd0;
  parameter [319:0] INITVAL_12 = 320'd0;
  parameter [319:0] INITVAL_13 = 320'd0;
  parameter [319:0] INITVAL_14 = 320'd0;
  parameter [319:0] INITVAL_15 = 320'd0;
  parameter [319:0] INITVAL_16 = 320'd0;
  parameter [319:0] INITVAL_17 = 320'd0;
  parameter [319:0] INITVAL_18 = 320'd0;
  parameter [319:0] INITVAL_19 = 320'd0;
  parameter [319:0] INITVAL_1A = 320'd0;
  parameter [319:0] INITVAL_1B = 320'd0;
  parameter [319:0] INITVAL_1C = 320'd0;
  parameter [319:0] INITVAL_1D = 320'd0;
  parameter [319:0] INITVAL_1E = 320'd0;
  parameter [319:0] INITVAL_1F = 320'd0;
  parameter [319:0] INITVAL_20 = 320'd0;
  parameter [319:0] INITVAL_21 = 320'd0;
  parameter [319:0] INITVAL_22 = 320'd0;
  parameter [319:0] INITVAL_23 = 320'd0;
  parameter [319:0] INITVAL_24 = 320'd0;
  parameter [319:0] INITVAL_25 = 320'd0;
  parameter [319:0] INITVAL_26 = 320'd0;
  parameter [319:0] INITVAL_27 = 320'd0;
  parameter [319:0] INITVAL_28 = 320'd0;
  parameter [319:0] INITVAL_29 = 320'd0;
  parameter [319:0] INITVAL_2A = 320'd0;
  parameter [319:0] INITVAL_2B = 320'd0;
  parameter [319:0] INITVAL_2C = 320'd0;
  parameter [319:0] INITVAL_2D = 320'd0;
  parameter [319:0] INITVAL_2E = 320'd0;
  parameter [319:0] INITVAL_2F = 320'd0;
  parameter [319:0] INITVAL_30 = 320'd0;
  parameter [319:0] INITVAL_31 = 320'd0;
  parameter [319:0] INITVAL_32 = 320'd0;
  parameter [319:0] INITVAL_33 = 320'd0;
  parameter [319:0] INITVAL_34 = 320'd0;
  parameter [319:0] INITVAL_35 = 320'd0;
  parameter [319:0] INITVAL_36 = 320'd0;
  parameter [319:0] INITVAL_37 = 320'd0;
  parameter [319:0] INITVAL_38 = 320'd0;
  parameter [319:0] INITVAL_39 = 320'd0;
  parameter [319:0] INITVAL_3A = 320'd0;
  parameter [319:0] INITVAL_3B = 320'd0;
  parameter [319:0] INITVAL_3C = 320'd0;
  parameter [319:0] INITVAL_3D = 320'd0;
  parameter [319:0] INITVAL_3E = 320'd0;
  parameter [319:0] INITVAL_3F = 320'd0;

  reg [17:0] memory [0:1023];
  reg [319:0] initial_bits;
  integer i;
  initial begin
    for (i = 0; i < 1024; i = i + 1) begin
      case (i / 16)
        0: initial_bits = INITVAL_00;
        1: initial_bits = INITVAL_01;
        2: initial_bits = INITVAL_02;
        3: initial_bits = INITVAL_03;
        4: initial_bits = INITVAL_04;
        5: initial_bits = INITVAL_05;
        6: initial_bits = INITVAL_06;
        7: initial_bits = INITVAL_07;
        8: initial_bits = INITVAL_08;
        9: initial_bits = INITVAL_09;
        10: initial_bits = INITVAL_0A;
        11: initial_bits = INITVAL_0B;
        12: initial_bits = INITVAL_0C;
        13: initial_bits = INITVAL_0D;
        14: initial_bits = INITVAL_0E;
        15: initial_bits = INITVAL_0F;
        16: initial_bits = INITVAL_10;
        17: initial_bits = INITVAL_11;
        18: initial_bits = INITVAL_12;
        19: initial_bits = INITVAL_13;
        20: initial_bits = INITVAL_14;
        21: initial_bits = INITVAL_15;
        22: initial_bits = INITVAL_16;
        23: initial_bits = INITVAL_17;
        24: initial_bits = INITVAL_18;
        25: initial_bits = INITVAL_19;
        26: initial_bits = INITVAL_1A;
        27: initial_bits = INITVAL_1B;
        28: initial_bits = INITVAL_1C;
        29: initial_bits = INITVAL_1D;
        30: initial_bits = INITVAL_1E;
        31: initial_bits = INITVAL_1F;
        32: initial_bits = INITVAL_20;
        33: initial_bits = INITVAL_21;
        34: initial_bits = INITVAL_22;
        35: initial_bits = INITVAL_23;
        36: initial_bits = INITVAL_24;
        37: initial_bits = INITVAL_25;
        38: initial_bits = INITVAL_26;
        39: initial_bits = INITVAL_27;
        40: initial_bits = INITVAL_28;
        41: initial_bits = INITVAL_29;
        42: initial_bits = INITVAL_2A;
        43: initial_bits = INITVAL_2B;
        44: initial_bits = INITVAL_2C;
        45: initial_bits = INITVAL_2D;
        46: initial_bits = INITVAL_2E;
        47: initial_bits = INITVAL_2F;
        48: initial_bits = INITVAL_30;
        49: initial_bits = INITVAL_31;
        50: initial_bits = INITVAL_32;
        51: initial_bits = INITVAL_33;
        52: initial_bits = INITVAL_34;
        53: initial_bits = INITVAL_35;
        54: initial_bits = INITVAL_36;
        55: initial_bits = INITVAL_37;
        56: initial_bits = INITVAL_38;
        57: initial_bits = INITVAL_39;
        58: initial_bits = INITVAL_3A;
        59: initial_bits = INITVAL_3B;
        60: initial_bits = INITVAL_3C;
        61: initial_bits = INITVAL_3D;
        62: initial_bits = INITVAL_3E;
        63: initial_bits = INITVAL_3F;
      endcase
      memory[i] = initial_bits[20 * (i % 16) +: 18];
    end
  end

  wire [13:0] address_a = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4,
    ADA3, ADA2, ADA1, ADA0};
  wire [13:0] address_b = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4,
    ADB3, ADB2, ADB1, ADB0};
  wire [17:0] write_a = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8,
    DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
  wire [17:0] write_b = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8,
    DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};
  wire clock_a = CLKA ^ (CLKAMUX == "INV");
  wire clock_b = CLKB ^ (CLKBMUX == "INV");
  wire select_a = {CSA2, CSA1, CSA0} == 3'b000;
  wire select_b = {CSB2, CSB1, CSB0} == 3'b000;

  // What a port of `width` bits sees of a word.
  function [17:0] narrow;
    input integer width;
    input [17:0] word;
    input [13:0] address;
    begin
      case (width)
        18: narrow = word;
        9: narrow = {9'd0, word[9 * address[3] +: 9]};
        4: narrow = {14'd0, word[9 * address[3] + 4 * address[2] +: 4]};
        2: narrow = {16'd0, word[9 * address[3] + 4 * address[2] + 2 * address[1] +: 2]};
        default: narrow = {17'd0, word[9 * address[3] + address[2:0]]};
      endcase
    end
  endfunction

  // The word after a write of `width` bits.
  function [17:0] merged;
    input integer width;
    input [17:0] word;
    input [13:0] address;
    input [17:0] data;
    begin
      merged = word;
      case (width)
        18: begin
          if (address[0]) merged[8:0] = data[8:0];
          if (address[1]) merged[17:9] = data[17:9];
        end
        9: merged[9 * address[3] +: 9] = data[8:0];
        4: merged[9 * address[3] + 4 * address[2] +: 4] = data[3:0];
        2: merged[9 * address[3] + 4 * address[2] + 2 * address[1] +: 2] = data[1:0];
        default: merged[9 * address[3] + address[2:0]] = data[0];
      endcase
    end
  endfunction

  reg [17:0] latch_a = 18'd0;
  reg [17:0] latch_b = 18'd0;
  reg [17:0] register_a = 18'd0;
  reg [17:0] register_b = 18'd0;
  wire [9:0] word_a = address_a[13:4];
  wire [9:0] word_b = address_b[13:4];

  generate
    if (DATA_WIDTH_A == 36) begin : wide_write
      always @(posedge clock_a)
        if (CEA && WEA && select_a) begin
          if (address_a[0]) memory[{word_a[9:1], 1'b0}][8:0] <= write_a[8:0];
          if (address_a[1]) memory[{word_a[9:1], 1'b0}][17:9] <= write_a[17:9];
          if (address_a[2]) memory[{word_a[9:1], 1'b1}][8:0] <= write_b[8:0];
          if (address_a[3]) memory[{word_a[9:1], 1'b1}][17:9] <= write_b[17:9];
        end
    end else begin : port_a_write
      always @(posedge clock_a)
        if (CEA && WEA && select_a)
          memory[word_a] <= merged(DATA_WIDTH_A, memory[word_a], address_a, write_a);
    end
    if (DATA_WIDTH_B == 36) begin : wide_read
      always @(posedge clock_b)
        if (RSTB) begin
          latch_a <= 18'd0;
          latch_b <= 18'd0;
        end else if (CEB) begin
          latch_a <= memory[{word_b[9:1], 1'b0}];
          latch_b <= memory[{word_b[9:1], 1'b1}];
        end
      always @(posedge clock_b)
        if (RSTB) begin
          register_a <= 18'd0;
          register_b <= 18'd0;
        end else if (OCEB) begin
          register_a <= latch_a;
          register_b <= latch_b;
        end
      assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8,
    DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} = REGMODE_B == "OUTREG" ? register_a : latch_a;
    end else begin : port_reads
      if (DATA_WIDTH_A != 36) begin : port_a_read
        always @(posedge clock_a)
          if (RSTA) latch_a <= 18'd0;
          else if (CEA && select_a) begin
            if (!WEA || WRITEMODE_A == "READBEFOREWRITE")
              latch_a <= narrow(DATA_WIDTH_A, memory[word_a], address_a);
            else if (WRITEMODE_A == "WRITETHROUGH")
              latch_a <= narrow(
                DATA_WIDTH_A,
                merged(DATA_WIDTH_A, memory[word_a], address_a, write_a),
                address_a
              );
          end
        always @(posedge clock_a)
          if (RSTA) register_a <= 18'd0;
          else if (OCEA) register_a <= latch_a;
      end
      assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8,
    DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} = REGMODE_A == "OUTREG" ? register_a : latch_a;
      always @(posedge clock_b) begin
        if (RSTB) latch_b <= 18'd0;
        else if (CEB && select_b) begin
          if (!WEB || WRITEMODE_B == "READBEFOREWRITE")
            latch_b <= narrow(DATA_WIDTH_B, memory[word_b], address_b);
          else if (WRITEMODE_B == "WRITETHROUGH")
            latch_b <= narrow(
              DATA_WIDTH_B,
              merged(DATA_WIDTH_B, memory[word_b], address_b, write_b),
              address_b
            );
        end
        if (RSTB) register_b <= 18'd0;
        else if (OCEB) register_b <= latch_b;
      end
    end
    if (DATA_WIDTH_A != 36) begin : port_b_write
      always @(posedge clock_b)
        if (CEB && WEB && select_b)
          memory[word_b] <= merged(DATA_WIDTH_B, memory[word_b], address_b, write_b);
    end
  endgenerate
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8,
    DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0} = REGMODE_B == "OUTREG" ? register_b : latch_b;
endmodule
