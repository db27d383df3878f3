"""The rules of `docs/stream.md` as a Verilog module around an emitted top, to read and to prove.

The module has the ports of the stream as inputs, an instance of the design, and assertions. It
knows the design's formulas and nothing of what is inside. In the folded form, and where outputs are
fed back, a scoreboard counts what is under way and follows one beat, whichever the prover likes.
In the parallel form all beats move together, so there it is a belt of as many places as the latency
has clocks. Where a sequence has one answer, only beats with tlast are under way in this sense.
"""

from dataclasses import dataclass

from rchw.design import Design
from rchw.hdl.top import lane_map
from rchw.schedule import latency, schedule

__all__ = ["FAULTS", "RULES", "Bounds", "belt", "bounds", "checker", "groups"]

RULES = {
    "stays": "while m_axis_tvalid waits for m_axis_tready, tvalid, tdata and tlast stay",
    "once": "each beat that goes in comes out at most once, and none comes out that did not go in",
    "order": "beats come out in order, each with the tlast it had",
    "answers": "while a beat is under way and the output does not pause, one comes out in time",
    "takes": "while the output does not pause, a beat that is offered is taken in time",
    "latency": "if the output never pauses, a beat takes the clocks of the latency formula",
    "period": "if neither side pauses, a sample takes the clocks of the schedule",
}
FAULTS = {
    "PAUSES": "the circuit does not see that the output pauses",
    "READY": "s_axis_tready is stuck at 1",
    "VALID": "m_axis_tvalid is stuck at 1",
    "LAST": "s_axis_tlast is stuck at 0 inside",
}
_WAIT = 2  # clocks from an offer to the first chance that a sample begins: see docs/stream.md


@dataclass(frozen=True)
class Bounds:
    """Numbers of the rules.

    Attributes
    ----------
    latency, clocks : int
        Of `rchw.schedule`.
    room : int
        Beats that may be under way.
    wait : int
        Clocks in which an offered beat must be taken, if the output does not pause.
    """

    latency: int
    clocks: int
    room: int
    wait: int


def belt(design: Design) -> bool:
    """Whether all beats of a design move together, one per clock."""
    return schedule(design).parallel and not design.feedback


def bounds(design: Design) -> Bounds:
    """Numbers of the rules for a design."""
    plan, clocks = schedule(design), latency(design)
    if belt(design):
        return Bounds(clocks, 1, clocks, 1)
    return Bounds(clocks, plan.clocks, clocks // plan.clocks + 2, plan.clocks + _WAIT)


def groups(design: Design) -> dict[str, tuple[str, ...]]:
    """Rules that are proved together, by the name of their task: they help each other."""
    if belt(design):
        return {"beats": ("stays", "once", "order", "takes")}
    return {
        "beats": ("stays", "once", "order", "answers", "takes"),
        "latency": ("latency",),
        "period": ("period",),
    }


def checker(design: Design, inside: str = "", table: str = "") -> str:
    """Verilog of the module ``NAME_rules``.

    Of the macros ``BEATS``, ``LATENCY`` and ``PERIOD`` one chooses the rules, as `groups` tells;
    ``FAULT_`` and a key of `FAULTS` plants that fault.

    Parameters
    ----------
    design : Design
    inside, table : str
        With the macro ``TABLE``: connections to the inside of the circuit, and what is asserted of
        it, as from `rchw.sim.rules.tables`.
    """
    end_in = sum(lane_map([channel.format for channel in design.beat])[-1])
    end_out = sum(lane_map([answer.format for answer in design.readout.answers])[-1])
    numbers = bounds(design)
    pooled = design.readout.pooled
    body = (_PASSED if pooled else _BELT) if belt(design) else _SCOREBOARD
    if inside:
        inside = f"`ifdef TABLE\n{inside}`endif\n"
    head = _HEAD.replace("    .aclk(aclk),\n", f"{inside}    .aclk(aclk),\n")
    text = (head + _STAYS + body).replace("NAME", design.name)
    for key, value in {
        "@IN": end_in - 1,
        "@OUT": end_out - 1,
        "@LATENCY": numbers.latency,
        "@CLOCKS": numbers.clocks,
        "@ROOM": numbers.room,
        "@WAIT": numbers.wait,
        "@ASKED": "taken && s_axis_tlast" if pooled else "taken",
        "@ITS_LAST": "1" if pooled else "its_last",
    }.items():
        text = text.replace(key, str(value))
    return f"{text}{table}endmodule\n"


_HEAD = """\
// The stream rules of NAME, to be proved; written by rchw, from the design and its formulas.
// A beat moves at a rising edge at which tvalid and tready are high.

module NAME_rules (
  input aclk,
  input aresetn,
  input [@IN:0] s_axis_tdata,
  input s_axis_tvalid,
  input s_axis_tlast,
  input m_axis_tready,
  input follow  // the beat that is taken now is the one to follow
);
  wire s_ready, m_valid;
  wire [@OUT:0] m_axis_tdata;
  wire m_axis_tlast;

  // Planted faults: what the circuit sees, and what is seen of it.
`ifdef FAULT_PAUSES
  wire ready_inside = 1;
`else
  wire ready_inside = m_axis_tready;
`endif
`ifdef FAULT_LAST
  wire last_inside = 0;
`else
  wire last_inside = s_axis_tlast;
`endif
`ifdef FAULT_READY
  wire s_axis_tready = 1;
`else
  wire s_axis_tready = s_ready;
`endif
`ifdef FAULT_VALID
  wire m_axis_tvalid = 1;
`else
  wire m_axis_tvalid = m_valid;
`endif

  NAME circuit (
    .aclk(aclk),
    .aresetn(aresetn),
    .s_axis_tdata(s_axis_tdata),
    .s_axis_tvalid(s_axis_tvalid),
    .s_axis_tready(s_ready),
    .s_axis_tlast(last_inside),
    .m_axis_tdata(m_axis_tdata),
    .m_axis_tvalid(m_valid),
    .m_axis_tready(ready_inside),
    .m_axis_tlast(m_axis_tlast)
  );

  // The circuit starts in any state whatever, with one clock of reset. Resets may come again.
  reg started = 0;
  always @(posedge aclk) started <= 1;
  always @* if (!started) assume (!aresetn);
  wire running = started && aresetn;

  // What a source must do: keep a beat until it is taken, and offer none in a reset.
  reg offered = 0;
  always @(posedge aclk) offered <= s_axis_tvalid && !s_axis_tready;
  always @* if (!aresetn) assume (!s_axis_tvalid);
            else if (offered) assume (s_axis_tvalid);

  wire taken = s_axis_tvalid && s_axis_tready;
  wire given = m_axis_tvalid && m_axis_tready;
"""
_STAYS = """
`ifdef BEATS
  // While the output waits, it stays what it is.
  reg waiting = 0, last_before;
  reg [@OUT:0] data_before;
  always @(posedge aclk) begin
    waiting <= aresetn && m_axis_tvalid && !m_axis_tready;
    last_before <= m_axis_tlast;
    data_before <= m_axis_tdata;
  end
  always @* if (running && waiting) stays: assert (
    m_axis_tvalid && m_axis_tlast == last_before && m_axis_tdata == data_before);
`endif
"""
_SCOREBOARD = """
  // How many beats are under way.
  reg [$clog2(@ROOM + 2) - 1:0] count = 0;
  wire asked = @ASKED;
  always @(posedge aclk) count <= aresetn ? count + asked - given : 0;

  // One beat, any: how many go before it, and since when it is under way.
  reg following = 0, its_last;
  reg [$clog2(@ROOM + 2) - 1:0] ahead;
  reg [$clog2(@LATENCY + 2) - 1:0] age;
  wire it_comes = following && given && ahead == 0;
  always @(posedge aclk)
    if (!aresetn) following <= 0;
    else if (!following) begin
      following <= follow && asked;
      its_last <= s_axis_tlast;
      ahead <= count - given;
      age <= 1;
    end else begin
      age <= age + 1;
      if (given) begin
        ahead <= ahead - 1;
        following <= ahead != 0;
      end
    end

`ifdef BEATS
  always @* if (running) once: assert (count <= @ROOM && !(m_axis_tvalid && count == 0));
  always @* if (running && it_comes) order: assert (m_axis_tlast == @ITS_LAST);

  reg [$clog2(@LATENCY + 2) - 1:0] silent = 0;
  always @(posedge aclk)
    silent <= aresetn && m_axis_tready && count != 0 && !m_axis_tvalid ? silent + 1 : 0;
  always @* if (running) answers: assert (silent < @LATENCY);

  reg [$clog2(@WAIT + 2) - 1:0] refused = 0;
  always @(posedge aclk)
    refused <= aresetn && m_axis_tready && s_axis_tvalid && !s_axis_tready ? refused + 1 : 0;
  always @* if (running) takes: assert (refused < @WAIT);
`endif

`ifdef LATENCY
  always @* assume (m_axis_tready);
  always @* if (running && following) latency: assert (it_comes == (age == @LATENCY));
`endif

`ifdef PERIOD
  always @* assume (m_axis_tready);
  reg [$clog2(@CLOCKS + 2) - 1:0] since = 0;  // a beat was taken, with the next one offered
  always @(posedge aclk)
    since <= !aresetn ? 0 : taken ? 1 : since == 0 || !s_axis_tvalid ? 0 : since + 1;
  always @* if (running && since != 0 && s_axis_tvalid)
    period: assert (taken == (since == @CLOCKS));
`endif
"""
_BELT = """
  // A belt: it moves unless the output waits, and has a place for every clock of the latency.
  wire moves = !m_axis_tvalid || m_axis_tready;
  reg [@LATENCY - 1:0] beats = 0, lasts;
  always @(posedge aclk)
    if (!aresetn) beats <= 0;
    else if (moves) begin
      beats <= {beats, taken};
      lasts <= {lasts, s_axis_tlast};
    end

`ifdef BEATS
  always @* if (running) once: assert (m_axis_tvalid == beats[@LATENCY - 1]);
  always @* if (running && m_axis_tvalid) order: assert (m_axis_tlast == lasts[@LATENCY - 1]);
  always @* if (running) takes: assert (s_axis_tready == moves);
`endif
"""
_PASSED = """
  // A belt of what will be answered, with a place for every clock of the latency but the last.
  // There an answer waits, and what has none passes it by.
  reg [@LATENCY - 2:0] beats = 0;
  reg shown = 0;
  wire comes = beats[@LATENCY - 2];
  wire moves = !(shown && !m_axis_tready && comes);
  always @(posedge aclk)
    if (!aresetn) begin
      beats <= 0;
      shown <= 0;
    end else begin
      if (moves) beats <= {beats, @ASKED};
      if (moves && comes) shown <= 1;
      else if (m_axis_tready) shown <= 0;
    end

`ifdef BEATS
  always @* if (running) once: assert (m_axis_tvalid == shown);
  always @* if (running && m_axis_tvalid) order: assert (m_axis_tlast);
  always @* if (running) takes: assert (s_axis_tready == moves);
`endif
"""
