"""A minimal wrapper with which every design fits the pins of every board.

The stream ports of a design are wider than a board has pins. The wrapper brings one input beat in
through one pin, a bit per clock, and one output beat out through another. Every bit of both streams
passes, so nothing of the design can be optimised away, and both sides of the core are registers, so
the core alone decides the clock.

Line protocol, both ways: the line rests at 0; a 1 starts a frame; then follow ``tdata``, lowest bit
first, and ``tlast``. A frame is read only after the previous one was accepted by the core. Bits are
in step with the clock of the board, which is enough to keep a design alive and to watch it, but no
way to feed it from a computer.

A frame is counted by a mark: the input register starts as 1000..0, is shifted right, and is full
when the mark falls out, so there is no wide counter on a critical path.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rchw.errors import DesignError

__all__ = ["WRAPPER_PORTS", "StreamPorts", "core_declaration", "stream_ports", "wrapper_verilog"]

WRAPPER_PORTS = ("clk", "reset_n", "serial_in", "serial_out", "led")

_DATA = ("s_axis_tdata", "m_axis_tdata")
_SINGLE = {
    "aclk": "input",
    "aresetn": "input",
    "s_axis_tvalid": "input",
    "s_axis_tready": "output",
    "s_axis_tlast": "input",
    "m_axis_tvalid": "output",
    "m_axis_tready": "input",
    "m_axis_tlast": "output",
}


@dataclass(frozen=True, slots=True)
class StreamPorts:
    """Widths in bits of the two data ports of a core."""

    s_axis_tdata: int
    m_axis_tdata: int

    @property
    def directions(self) -> dict[str, tuple[str, int]]:
        """Direction and width of every port."""
        ports = {name: (direction, 1) for name, direction in _SINGLE.items()}
        ports["s_axis_tdata"] = ("input", self.s_axis_tdata)
        ports["m_axis_tdata"] = ("output", self.m_axis_tdata)
        return ports


def stream_ports(ports: Mapping[str, tuple[str, int]], name: str) -> StreamPorts:
    """Check the ports of a core and return the widths of its streams.

    Parameters
    ----------
    ports : mapping
        Direction and width of every port of module `name`.
    name : str
        Used in error sentences.

    Raises
    ------
    DesignError
        If a port is missing, unknown, of the wrong direction, or not whole bytes wide.
    """
    streams = StreamPorts(*(ports.get(data, ("", 0))[1] for data in _DATA))
    wanted = streams.directions
    for port in sorted(wanted.keys() | ports.keys()):
        if port not in wanted:
            raise DesignError(f"module {name} must have the stream ports only, not {port}")
        if port not in ports:
            raise DesignError(f"module {name} must have an {wanted[port][0]} {port}, and has none")
        if ports[port] != wanted[port]:
            (kind, width), (other, found) = wanted[port], ports[port]
            raise DesignError(
                f"{name}.{port} must be an {kind} of {width} bits, not an {other} of {found}"
            )
    for port in _DATA:
        if wanted[port][1] % 8:
            raise DesignError(f"{port} must be whole bytes wide, not {wanted[port][1]} bits")
    return streams


def core_declaration(name: str, wide_in: int, wide_out: int) -> str:
    """Declare a core of these data widths, which has its own netlist."""
    return f"""\
(* blackbox *)
module {name} (
  input aclk, input aresetn,
  input [{wide_in - 1}:0] s_axis_tdata,
  input s_axis_tvalid, output s_axis_tready, input s_axis_tlast,
  output [{wide_out - 1}:0] m_axis_tdata,
  output m_axis_tvalid, input m_axis_tready, output m_axis_tlast
);
endmodule
"""


def wrapper_verilog(name: str, ports: StreamPorts) -> str:
    """Return the wrapper of the core `name`, module ``NAME_board``, in Verilog-2005.

    Latency
    -------
    ``s_axis_tdata`` bits + 3 clocks from the start bit to the core, and ``m_axis_tdata`` bits
    + 2 clocks for an answer.
    Resources
    ---------
    One flip-flop per data bit on both sides, about 20 more, and half a LUT per output bit.

    Parameters
    ----------
    name : str
        The core's top module.
    ports : StreamPorts
        Its widths.
    """
    wide_in, wide_out = ports.s_axis_tdata + 1, ports.m_axis_tdata + 1
    return f"""\
{core_declaration(name, wide_in - 1, wide_out - 1)}
module {name}_board (
  input clk,        // oscillator of the board
  input reset_n,    // button, low while pressed
  input serial_in,  // frames of s_axis: 1, tdata from bit 0, tlast
  output serial_out, // frames of m_axis: 1, tdata from bit 0, tlast
  output led        // low while an answer is sent
);
  // Reset: two flip-flops, zero at power-up, so that the core starts in reset.
  reg [1:0] reset_sync = 2'b00;
  reg aresetn = 1'b0;
  always @(posedge clk) begin
    reset_sync <= {{reset_sync[0], reset_n}};
    aresetn <= reset_sync[1];
  end

  // Input: a frame is complete when the mark reaches bit 0 of the shift register.
  reg [1:0] line = 2'b00;
  reg receiving = 1'b0;
  reg s_valid = 1'b0;
  reg [{wide_in}:0] frame_in = 0;
  wire s_ready;
  always @(posedge clk) begin
    line <= {{line[0], serial_in}};
    if (!aresetn) begin
      receiving <= 1'b0;
      s_valid <= 1'b0;
    end else if (receiving) begin
      frame_in <= {{line[1], frame_in[{wide_in}:1]}};
      if (frame_in[1]) begin
        receiving <= 1'b0;
        s_valid <= 1'b1;
      end
    end else if (s_valid) begin
      if (s_ready) s_valid <= 1'b0;
    end else if (line[1]) begin
      receiving <= 1'b1;
      frame_in <= {{1'b1, {wide_in}'d0}};
    end
  end

  // The core.
  wire m_valid;
  wire m_last;
  wire [{wide_out - 2}:0] m_data;
  reg m_ready = 1'b0;
  {name} core (
    .aclk(clk),
    .aresetn(aresetn),
    .s_axis_tdata(frame_in[{wide_in - 1}:1]),
    .s_axis_tvalid(s_valid),
    .s_axis_tready(s_ready),
    .s_axis_tlast(frame_in[{wide_in}]),
    .m_axis_tdata(m_data),
    .m_axis_tvalid(m_valid),
    .m_axis_tready(m_ready),
    .m_axis_tlast(m_last)
  );

  // Output: an answer is taken, then shifted out behind a start bit.
  reg loaded = 1'b0;
  reg sending = 1'b0;
  reg [{wide_out}:0] frame_out = 0;
  reg [{max(1, wide_out.bit_length()) - 1}:0] left = 0;
  reg done = 1'b0;
  always @(posedge clk) begin
    if (!aresetn) begin
      m_ready <= 1'b0;
      loaded <= 1'b0;
      sending <= 1'b0;
      done <= 1'b0;
    end else begin
      m_ready <= !sending && !loaded && !(m_ready && m_valid);
      loaded <= m_ready && m_valid;
      if (loaded) sending <= 1'b1;
      else if (done) sending <= 1'b0;
      done <= sending && !done && left == 0;
    end
    if (m_ready) frame_out <= {{m_last, m_data, 1'b1}};
    else if (sending) frame_out <= {{1'b0, frame_out[{wide_out}:1]}};
    if (loaded) left <= {wide_out - 1};
    else left <= left - 1'b1;
  end
  assign serial_out = sending && frame_out[0];
  assign led = !sending;
endmodule
"""
