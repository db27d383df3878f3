"""The Verilog around the designs under test: one top for several designs, one probe for each.

The probe watches every clock at simulator speed: it counts transfers, stamps them with the clock,
and latches the first breach of the stream rules. Python then wakes only when a beat moves, not at
every clock, and a folded design of 400 clocks per sample costs little more than a parallel one.
Each design has its own clock, so that those not under test cost nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rchw.fixed import QFormat
from rchw.sim.lanes import word_bytes

__all__ = ["BREACHES", "HARNESS", "Top", "harness"]

HARNESS = "rchw_harness"

BREACHES = {
    1: "m_axis_tvalid must stay high until m_axis_tready, but it dropped",
    2: "m_axis_tdata must stay stable while m_axis_tready is low, but it changed",
    3: "m_axis_tlast must stay stable while m_axis_tready is low, but it changed",
    4: "m_axis and s_axis_tready must have known bits, but some are unknown",
    5: "every output beat must follow its input beat, but one more came out than went in",
    6: "m_axis_tvalid must not wait for m_axis_tready, but it went low with it",
}

_PROBE = """\
module rchw_probe #(parameter W = 8) (
    input clk, input rst_n, input s_valid, input s_ready,
    input answers, input m_valid, input m_ready, input m_last, input [W-1:0] m_data,
    output reg [31:0] s_count, output reg [31:0] s_clock,
    output reg [31:0] m_count, output reg [31:0] m_clock,
    output reg [W-1:0] m_word, output reg m_word_last,
    output reg [31:0] s_stalls, output reg [31:0] m_stalls,
    output reg [2:0] breach, output reg [31:0] breach_beat
);
    reg [31:0] clocks, in_flight;
    reg held, held_last;
    reg [W-1:0] held_data;
    wire s_fire = rst_n & s_valid & s_ready;
    wire m_fire = rst_n & m_valid & m_ready;
    wire due = s_fire & answers;
    wire unknown = (^{s_ready, m_valid}) === 1'bx
                 || (m_valid === 1'b1 && (^{m_last, m_data}) === 1'bx);
    wire [2:0] found = !rst_n ? 3'd0
        : unknown ? 3'd4
        : held & !m_valid ? 3'd1
        : held & m_data != held_data ? 3'd2
        : held & m_last != held_last ? 3'd3
        : m_fire & !due & in_flight == 0 ? 3'd5 : 3'd0;
    initial begin
        clocks = 0; in_flight = 0; held = 0; s_count = 0; m_count = 0; s_clock = 0; m_clock = 0;
        s_stalls = 0; m_stalls = 0; breach = 0; breach_beat = 0;
    end
    always @(posedge clk) begin
        clocks <= clocks + 1;
        held <= rst_n & m_valid & !m_ready;
        held_data <= m_data;
        held_last <= m_last;
        in_flight <= rst_n ? in_flight + {31'd0, due} - {31'd0, m_fire} : 32'd0;
        // The counts come last: whoever waits for one may look at the rest at once.
        if (s_fire) begin s_clock <= clocks; s_count <= s_count + 1; end
        if (m_fire) begin
            m_clock <= clocks; m_word <= m_data; m_word_last <= m_last; m_count <= m_count + 1;
        end
        if (rst_n & s_valid & !s_ready) s_stalls <= s_stalls + 1;
        if (rst_n & m_valid & !m_ready) m_stalls <= m_stalls + 1;
        if (!rst_n) breach <= 0;
        else if (breach == 0 && found != 0) begin breach <= found; breach_beat <= m_count; end
    end
endmodule
"""


@dataclass(frozen=True)
class Top:
    """A module with the AXI4-Stream names and the formats of its lanes.

    Parameters
    ----------
    name : str
        Verilog module.
    inputs, outputs : tuple of QFormat
        Lanes of ``s_axis_tdata`` and ``m_axis_tdata``, channel 0 first.
    output_names : tuple of str
        For messages; may be empty.
    pooled : bool
        Only a beat with ``tlast`` has an answer.
    """

    name: str
    inputs: tuple[QFormat, ...]
    outputs: tuple[QFormat, ...]
    output_names: tuple[str, ...] = ()
    pooled: bool = False


def harness(tops: Sequence[Top]) -> str:
    """Verilog of module `HARNESS`, which holds every top behind ports ``d0_*``, ``d1_*``, ...

    Only these ports are visible to the simulator's procedural interface: exposing every signal
    of a design makes it several times slower.
    """
    ports, body = [], []
    for index, top in enumerate(tops):
        d = f"d{index}"
        wide_in, wide_out = 8 * word_bytes(top.inputs), 8 * word_bytes(top.outputs)
        ports += [
            f"input {name} /*verilator public_flat_rw*/"
            for name in (f"{d}_aclk", f"{d}_aresetn", f"{d}_s_valid", f"{d}_s_last", f"{d}_m_ready")
        ]
        ports.append(f"input [{wide_in - 1}:0] {d}_s_data /*verilator public_flat_rw*/")
        outputs = {"s_ready": 1, "m_valid": 1, "m_word": wide_out, "m_word_last": 1, "breach": 3}
        outputs |= dict.fromkeys(("s_count", "s_clock", "m_count", "m_clock"), 32)
        outputs |= dict.fromkeys(("s_stalls", "m_stalls", "breach_beat"), 32)
        ports += [
            f"output [{width - 1}:0] {d}_{name} /*verilator public_flat_rd*/"
            for name, width in outputs.items()
        ]
        answers = f"{d}_s_last" if top.pooled else "1'b1"
        seen = [name for name in outputs if name not in ("s_ready", "m_valid")]
        body += [
            f"  wire [{wide_out - 1}:0] {d}_m_data;",
            f"  wire {d}_m_last;",
            f"  {top.name} {d} (.aclk({d}_aclk), .aresetn({d}_aresetn),",
            f"    .s_axis_tdata({d}_s_data), .s_axis_tvalid({d}_s_valid),",
            f"    .s_axis_tready({d}_s_ready), .s_axis_tlast({d}_s_last),",
            f"    .m_axis_tdata({d}_m_data), .m_axis_tvalid({d}_m_valid),",
            f"    .m_axis_tready({d}_m_ready), .m_axis_tlast({d}_m_last));",
            f"  rchw_probe #(.W({wide_out})) {d}_probe (.clk({d}_aclk), .rst_n({d}_aresetn),",
            f"    .s_valid({d}_s_valid), .s_ready({d}_s_ready), .m_valid({d}_m_valid),",
            f"    .answers({answers}),",
            f"    .m_ready({d}_m_ready), .m_last({d}_m_last), .m_data({d}_m_data),",
            "    " + ", ".join(f".{name}({d}_{name})" for name in seen) + ");",
        ]
    header = ",\n  ".join(ports)
    return "\n".join([_PROBE, f"module {HARNESS} (\n  {header}\n);", *body, "endmodule", ""])
