"""A self-checking Verilog testbench and its golden vectors, for simulators without Python."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rchw import reference
from rchw.design import Design, ExternalLayer
from rchw.document import digest
from rchw.errors import DesignError
from rchw.files import write_atomic
from rchw.schedule import schedule
from rchw.sim.lanes import pack, word_bytes
from rchw.sim.stimulus import rail_drive, stimulus
from rchw.sim.top import top_of

__all__ = ["bench_verilog", "check_vectors", "golden_codes", "write_vectors"]

_MOST = 1_000_000  # samples; all of them are held in memory


def check_vectors(samples: int, seed: int) -> None:
    """Refuse what no golden vectors can be made of; see `golden_codes`."""
    if samples < 16:
        raise DesignError(f"samples must be at least 16, not {samples}")
    if samples > _MOST:
        raise DesignError(f"samples must be at most {_MOST}, not {samples}")
    if seed < 0:
        raise DesignError(f"seed must be at least 0, not {seed}")


def golden_codes(
    design: Design, samples: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_], reference.Trace]:
    """Input codes (T, K), last flags (T,) and what the reference makes of them.

    The stimulus of the benches, followed by drives toward both rails of the activation.

    Raises
    ------
    DesignError
        If `samples` is below 16, or `seed` below 0.
    """
    check_vectors(samples, seed)
    codes, last = stimulus(design, samples, np.random.default_rng(seed))
    parts, flags = [codes], [last]
    for upper in (True, False):
        push = rail_drive(design, upper).codes
        ends = np.zeros(len(push), dtype=bool)
        ends[-1] = True
        parts.append(push)
        flags.append(ends)
    codes, last = np.concatenate(parts), np.concatenate(flags)
    return codes, last, reference.run(design, codes, last)


def _hex(words: list[int], last: NDArray[np.bool_], data_bits: int) -> str:
    """One line per beat: ``{tlast, tdata}`` in hexadecimal."""
    digits = (data_bits + 4) // 4
    beats = [(int(flag) << data_bits) | word for word, flag in zip(words, last, strict=True)]
    return "".join(f"{beat:0{digits}x}\n" for beat in beats)


def write_vectors(design: Design, out: Path, samples: int = 256, seed: int = 1) -> list[Path]:
    """Write ``NAME_in.hex``, ``NAME_out.hex`` and ``NAME_vectors.csv``.

    The hexadecimal files hold a beat per line, ``tlast`` above ``tdata``; the table holds the same
    as integer codes, with the states in between.
    """
    codes, last, trace = golden_codes(design, samples, seed)
    top = top_of(design)
    words_in, words_out = pack(codes, top.inputs), pack(trace.outputs, top.outputs)
    names = [channel.name for channel in design.beat] + ["last"]
    columns = [codes, last[:, None].astype(np.int64)]
    if not isinstance(design.layers[0], ExternalLayer):  # whose states are among the codes
        names += [f"x{unit}" for unit in range(design.n_units)]
        columns.append(trace.states)
    names += [output.name for output in design.readout.answers]
    answers = np.full((len(codes), len(top.outputs)), "", dtype=object)  # none where there is none
    answers[design.answered(last)] = trace.outputs
    table = np.concatenate([*columns, answers], axis=1)
    rows = [",".join(names), *(",".join(map(str, row)) for row in table.tolist())]
    name = design.name
    return [
        write_atomic(out / f"{name}_in.hex", _hex(words_in, last, 8 * word_bytes(top.inputs))),
        write_atomic(
            out / f"{name}_out.hex",
            _hex(words_out, last[design.answered(last)], 8 * word_bytes(top.outputs)),
        ),
        write_atomic(out / f"{name}_vectors.csv", "\n".join(rows) + "\n"),
    ]


def bench_verilog(design: Design, beats: int, answers: int | None = None) -> str:
    """Verilog text of ``NAME_tb.v`` for golden vectors of that many beats, and of as many answers.

    Three passes over the vectors: without pauses, with pauses on both sides, and with a reset in
    mid-stream before the last. It prints one line ``PASS`` or ``FAIL`` and the first difference.
    """
    top = top_of(design)
    name, clocks = design.name, schedule(design).clocks
    given, count = "BEATS", ""
    if answers not in (None, beats):
        given, count = "ANSWERS", f"\n  localparam ANSWERS = {answers};"
    # Where a sequence has one answer, inputs may come for long without any output.
    moved = "" if given == "BEATS" else "if (s_valid && s_ready) idle <= 0;\n      else "
    wide_in, wide_out = 8 * word_bytes(top.inputs), 8 * word_bytes(top.outputs)
    return f"""\
// {name}_tb: runs the golden vectors of design
// {digest(design)}
// With Icarus Verilog:
//   $ iverilog -g2005 -o {name}_tb {name}.v {name}_tb.v && vvp {name}_tb
// With Verilator 5:
//   $ verilator --binary --timing -Wno-fatal --top-module {name}_tb {name}.v {name}_tb.v

module {name}_tb;
  localparam BEATS = {beats};{count}
  localparam LIMIT = {16 * clocks + 2000}; // clocks without a beat after which it counts as stuck

  reg [{wide_in}:0] words_in [0:BEATS-1];   // tlast, tdata
  reg [{wide_out}:0] words_out [0:{given}-1];
  initial begin
    $readmemh("{name}_in.hex", words_in);
    $readmemh("{name}_out.hex", words_out);
  end

  reg aclk = 1'b0;
  always #5 aclk = !aclk;

  reg aresetn = 1'b0;
  reg s_valid = 1'b0;
  reg m_ready = 1'b0;
  wire s_ready, m_valid, m_last;
  wire [{wide_out - 1}:0] m_data;
  integer sent = 0, got = 0, idle = 0, pass = 0, errors = 0;
  reg held = 1'b0;
  reg [{wide_out}:0] held_word = 0;
  reg [15:0] noise = 16'hace1; // pauses of the second and third pass

  wire [{wide_in}:0] word_in = sent < BEATS ? words_in[sent] : {wide_in + 1}'d0;
  wire [{wide_out}:0] word_out = got < {given} ? words_out[got] : {wide_out + 1}'d0;

  {name} dut (
    .aclk(aclk),
    .aresetn(aresetn),
    .s_axis_tdata(word_in[{wide_in - 1}:0]),
    .s_axis_tvalid(s_valid),
    .s_axis_tready(s_ready),
    .s_axis_tlast(word_in[{wide_in}]),
    .m_axis_tdata(m_data),
    .m_axis_tvalid(m_valid),
    .m_axis_tready(m_ready),
    .m_axis_tlast(m_last)
  );

  task fail(input [8*48-1:0] why);
    begin
      $display("FAIL {name}: %0s, pass %0d, beat %0d: want %h, got %h",
               why, pass, got, word_out, {{m_last, m_data}});
      $finish;
    end
  endtask

  // Everything is driven at the falling edge and judged at the rising one.
  always @(negedge aclk) begin
    noise <= {{noise[14:0], noise[15] ^ noise[13] ^ noise[12] ^ noise[10]}};
    s_valid <= aresetn && sent < BEATS && (pass == 0 || s_valid || noise[1:0] != 2'd0);
    m_ready <= pass == 0 || noise[4:2] > 3'd2;
  end

  always @(posedge aclk) begin
    if (!aresetn) begin
      held <= 1'b0;
      idle <= 0;
    end else begin
      held <= m_valid && !m_ready;
      held_word <= {{m_last, m_data}};
      if (held && !m_valid) fail("tvalid dropped before tready");
      if (held && m_valid && {{m_last, m_data}} != held_word) fail("payload changed while waiting");
      if (s_valid && s_ready) sent <= sent + 1;
      if (m_valid && m_ready) begin
        if (got >= {given} || {{m_last, m_data}} !== word_out) fail("wrong beat");
        got <= got + 1;
        idle <= 0;
      end else {moved}if (m_valid || idle < LIMIT) idle <= idle + 1;
      else fail("stuck");
    end
  end

  // Drops what is under way, so that the next beat is the first of a sequence.
  task restart;
    begin
      @(negedge aclk);
      aresetn = 1'b0;
      s_valid = 1'b0;
      repeat (2) @(negedge aclk);
      sent = 0;
      got = 0;
      aresetn = 1'b1;
    end
  endtask

  initial begin
    restart;
    wait (got == {given});
    pass = 1;
    restart;
    wait (got == {given} / 2);
    pass = 2;
    restart;
    wait (got == {given});
    repeat (20) @(negedge aclk);
    $display("PASS {name}: %0d beats in each of 2 passes, one cut by reset", BEATS);
    $finish;
  end
endmodule
"""
