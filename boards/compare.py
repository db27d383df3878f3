"""Keep a fault of Yosys out of synthesis: signed comparisons with a small negative constant.

Yosys maps a comparison of at most 4 bits with a constant to one LUT (``cmp2lut.v``, used by
`synth_ice40` and `synth_ecp5`). In the pinned version it reads a negative constant there as a
positive one. Comparisons with the constants -8 to -1, which alone can come to be so narrow, are
therefore turned into comparisons of unsigned numbers first, which it maps rightly; a test tries all
of them. Nothing else is touched, so that netlists without them stay bit for bit as they are.
"""

__all__ = ["COMPARISONS"]

# Verilog for Yosys' pass techmap. Inverting the sign bits of both sides keeps their order.
COMPARISONS = """\
(* techmap_celltype = "$lt $le $gt $ge" *)
module rchw_signed_comparison (A, B, Y);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  parameter _TECHMAP_CELLTYPE_ = "";
  parameter [A_WIDTH-1:0] _TECHMAP_CONSTMSK_A_ = 0;
  parameter [A_WIDTH-1:0] _TECHMAP_CONSTVAL_A_ = 0;
  parameter [B_WIDTH-1:0] _TECHMAP_CONSTMSK_B_ = 0;
  parameter [B_WIDTH-1:0] _TECHMAP_CONSTVAL_B_ = 0;
  (* force_downto *) input [A_WIDTH-1:0] A;
  (* force_downto *) input [B_WIDTH-1:0] B;
  (* force_downto *) output [Y_WIDTH-1:0] Y;

  // Of a number from -8 to -1 all bits from the fourth on are ones, and the highest is.
  localparam [A_WIDTH-1:0] LOW_A = (1 << (A_WIDTH < 4 ? A_WIDTH - 1 : 3)) - 1;
  localparam [B_WIDTH-1:0] LOW_B = (1 << (B_WIDTH < 4 ? B_WIDTH - 1 : 3)) - 1;
  localparam SMALL_A = &_TECHMAP_CONSTMSK_A_ && &(_TECHMAP_CONSTVAL_A_ | LOW_A);
  localparam SMALL_B = &_TECHMAP_CONSTMSK_B_ && &(_TECHMAP_CONSTVAL_B_ | LOW_B);
  localparam WIDTH = A_WIDTH > B_WIDTH ? A_WIDTH : B_WIDTH;

  generate
    if (!(A_SIGNED && B_SIGNED && (SMALL_A || SMALL_B))) begin
      wire _TECHMAP_FAIL_ = 1;
    end else begin
      wire [WIDTH-1:0] a = {{WIDTH{A[A_WIDTH-1]}}, A} ^ (1 << (WIDTH - 1));
      wire [WIDTH-1:0] b = {{WIDTH{B[B_WIDTH-1]}}, B} ^ (1 << (WIDTH - 1));
      if (_TECHMAP_CELLTYPE_ == "$lt") assign Y = a < b;
      if (_TECHMAP_CELLTYPE_ == "$le") assign Y = a <= b;
      if (_TECHMAP_CELLTYPE_ == "$gt") assign Y = a > b;
      if (_TECHMAP_CELLTYPE_ == "$ge") assign Y = a >= b;
    end
  endgenerate
endmodule
"""
