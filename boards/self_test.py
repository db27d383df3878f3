"""A wrapper with which a board tests a design by itself: stimulus, signatures, two lights.

It takes the place of `rchw.boards.wrapper` and has the same ports, so that every board can hold it:

* ``led`` is low (lit) once all blocks have passed and for as long as none has failed;
* ``serial_out`` is high as soon as a signature was wrong or no result came for 2**21 clocks, and
  stays so until a reset;
* ``serial_in``, which boards pull up, plants a fault while it is low: a bit of every output beat is
  turned, so that the test must fail.

The test repeats for ever, with a reset of the core in between. Its beats and signatures are those
of `rchw.sim.soak.signature`. Pauses come from a generator of their own, of which no code depends,
in half of the blocks: gaps, short stalls, and now and then a stall of 100 clocks.
"""

from rchw.boards.wrapper import core_declaration
from rchw.design import Design
from rchw.sim.lanes import lane_bytes, word_bytes
from rchw.sim.soak.signature import FEEDBACK, HELD, MARK_BITS, Plan

__all__ = ["self_test_verilog"]


def _source(design: Design, wide: int) -> list[str]:
    """Wires from the generators' bits to ``tdata``: as they are, or each code at a rail."""
    lines, start = [], 0
    for k, channel in enumerate(design.beat):
        width, lane = channel.format.width, 8 * lane_bytes(channel.format)
        top = f"bits[{start + width - 1}]"
        rest = f"{{{width - 1}{{{'~' if channel.format.signed else ''}{top}}}}}"
        code = top if width == 1 else f"{{{top}, {rest}}}"
        lines.append(f"  wire [{width - 1}:0] rail_{k} = {code};")
        if lane > width:
            unread = f"bits[{start + lane - 1}:{start + width}], "
        else:
            unread = ""
        lines.append(
            f"  assign data[{start + lane - 1}:{start}] ="
            f" {{{unread}rails ? rail_{k} : bits[{start + width - 1}:{start}]}};"
        )
        start += lane
    return lines


def self_test_verilog(design: Design, plan: Plan, *, blackbox: bool = True) -> str:
    """Return the wrapper, module ``NAME_board``, in Verilog-2005.

    Parameters
    ----------
    design : Design
    plan : Plan
        From `rchw.sim.soak.signature.plan_test`.
    blackbox : bool
        Declare the core as a black box, for synthesis of the wrapper alone.
    """
    name = design.name
    wide = 8 * word_bytes([channel.format for channel in design.beat])
    out = 8 * word_bytes([output.format for output in design.readout.answers])
    words, sums = len(plan.starts), len(plan.signatures[0])
    blocks = len(plan.signatures)
    low, high = plan.samples.bit_length() - 1, blocks.bit_length() - 1
    count = low + high
    each = plan.answers.bit_length() - 1
    answers = each + high
    # Samples without an answer are no standstill.
    alive = "given | taken" if design.readout.pooled else "given"
    held = HELD.bit_length() - 1
    declared = core_declaration(name, wide, out) + "\n" if blackbox else ""
    steps = "\n".join(
        f"""\
  reg [63:0] x{k};
  wire [63:0] x{k}_a = x{k} ^ (x{k} << 13);
  wire [63:0] x{k}_b = x{k}_a ^ (x{k}_a >> 7);
  wire [63:0] x{k}_next = x{k}_b ^ (x{k}_b << 17);"""
        for k in range(words)
    )
    starts = "\n".join(
        f"    x{k} <= !running ? 64'h{start:016x} : taken & goes_on ? x{k}_next : x{k};"
        for k, start in enumerate(plan.starts)
    )
    checks = "\n".join(
        f"""\
  reg [63:0] sum{k};
  reg [63:0] want{k};
  always @(posedge clk)
    sum{k} <= !running ? 64'd0 : !given ? sum{k}
      : {{sum{k}[62:0], 1'b0}} ^ (sum{k}[63] ? 64'h{FEEDBACK:016x} : 64'd0) ^ word[{64 * k}+:64];
  always @(*) case (out_count[{answers - 1}:{each}])"""
        + "".join(
            f"\n    {high}'d{b}: want{k} = 64'h{row[k]:016x};"
            for b, row in enumerate(plan.signatures)
        )
        + f"\n    default: want{k} = 64'd0;\n  endcase"
        for k in range(sums)
    )
    differ = " | ".join(f"sum{k} != want{k}" for k in range(sums))
    source = "\n".join(_source(design, wide))
    return f"""\
{declared}module {name}_board (
  input clk,         // oscillator of the board
  input reset_n,     // button, low while pressed
  input serial_in,   // low: a fault is planted
  output serial_out, // high: the test has failed
  output led         // low: the test has passed
);
  reg [1:0] reset_sync = 2'b00;
  reg [1:0] fault_sync = 2'b00;
  always @(posedge clk) begin
    reset_sync <= {{reset_sync[0], reset_n}};
    fault_sync <= {{fault_sync[0], !serial_in}};
  end
  wire on = reset_sync[1];

  // Between two runs the core is in reset.
  reg [2:0] pause = 3'd0;
  reg running = 1'b0;
  wire over;
  always @(posedge clk) begin
    pause <= !on | over ? 3'd0 : running ? pause : pause + 3'd1;
    running <= on & !over & (running | pause == 3'd7);
  end

  // Pauses in blocks 2, 3, 6, 7 and so on.
  reg [31:0] pace;
  wire [31:0] pace_a = pace ^ (pace << 13);
  wire [31:0] pace_b = pace_a ^ (pace_a >> 17);
  always @(posedge clk) pace <= on ? pace_b ^ (pace_b << 5) : 32'd1;

  // Source: beats are counted as they are taken.
{steps}
  wire [{64 * words - 1}:0] bits = {{{", ".join(f"x{k}" for k in reversed(range(words)))}}};
  reg [{count}:0] in_count;
  reg s_valid;
  wire s_ready;
  wire taken = s_valid & s_ready;
  wire rails = in_count[{low}];
  wire in_slow = in_count[{low + 1 if high > 1 else low}];
  wire goes_on = !rails | &in_count[{held - 1}:0];
  wire s_last = goes_on & ~|bits[{wide + MARK_BITS - 1}:{wide}];
  wire [{wide - 1}:0] data;
{source}
  wire last_taken = taken & &in_count[{count - 1}:0];
  always @(posedge clk) begin
{starts}
    in_count <= !running ? {count + 1}'d0 : in_count + taken;
    s_valid <= running & !in_count[{count}] & !last_taken
      & (s_valid & !s_ready | !in_slow | (taken ? |pace[4:2] : |pace[1:0]));
  end

  // Sink: a signature per 64 bits, compared after each block while no beat is taken.
  reg [{answers - 1}:0] out_count;
  reg m_ready;
  reg [6:0] stall;
  reg [2:0] checking;
  reg differs;
  wire m_valid;
  wire m_last;
  wire [{out - 1}:0] m_data;
  wire given = m_valid & m_ready;
  wire out_slow = out_count[{each + 1 if high > 1 else each}];
  wire ends = given & &out_count[{each - 1}:0];
  wire [{64 * sums - 1}:0] word = {{{{{64 * sums - out - 1}{{1'b0}}}}, m_last, m_data[{out - 1}:1],
    m_data[0] ^ fault_sync[1]}};
{checks}
  // The count of results is that of the block that has ended until it has been compared.
  always @(posedge clk) begin
    out_count <= !running ? {answers}'d0 : out_count + (given & !ends | checking[2]);
    checking <= running ? {{checking[1:0], ends}} : 3'd0;
    stall <= out_slow & ~|stall & ~|pace[17:8] ? 7'd100 : stall - |stall;
    m_ready <= running & !ends & ~|checking & ~|stall & (!out_slow | |pace[7:5]);
    differs <= {differ};
  end
  assign over = checking[2] & &out_count;

  // Verdict.
  reg [21:0] idle;
  reg failed = 1'b0;
  reg passed = 1'b0;
  always @(posedge clk) begin
    idle <= !running | {alive} ? 22'd0 : idle + !idle[21];
    failed <= on & (failed | checking[2] & differs | idle[21]);
    passed <= on & (passed | over & !differs);
  end
  assign serial_out = failed;
  assign led = !(passed & !failed);

  {name} core (
    .aclk(clk),
    .aresetn(running),
    .s_axis_tdata(data),
    .s_axis_tvalid(s_valid),
    .s_axis_tready(s_ready),
    .s_axis_tlast(s_last),
    .m_axis_tdata(m_data),
    .m_axis_tvalid(m_valid),
    .m_axis_tready(m_ready),
    .m_axis_tlast(m_last)
  );
endmodule
"""
