"""The certificate as Verilog: one table of all states of the control, and assertions that cite it.

The assertions stand beside the rules in the tasks that prove by induction, from one clock to the
next. They are proved with the rules, and nothing of the table is assumed.
"""

from collections.abc import Iterable

from rchw.sim.rules.control import Control, Place, State

__all__ = ["connections", "exposed", "table"]


def exposed(control: Control) -> dict[str, int]:
    """What the table is about, registers and rows of memories: names in the flat circuit, widths.

    Parameters
    ----------
    control : Control
    """
    return {**control.registers, **control.flags}


def connections(control: Control) -> str:
    """Lines of the instance of the circuit, by which these become wires of the same names."""
    return "".join(f"    .{_wire(name)}({_wire(name)}),\n" for name in exposed(control))


def table(control: Control) -> str:
    """The table and its assertions, to stand behind the rules in their module.

    Parameters
    ----------
    control : Control
    """
    places = [(name, bit) for name, width in control.flags.items() for bit in range(width)]
    most = max(state.count for state in control.states.values())
    rows = {code: _row(state, most, places) for code, state in control.states.items()}
    columns = {
        name: max(1, max(row[name] for row in rows.values()).bit_length())
        for name in next(iter(rows.values()))
    }
    size, total = sum(control.registers.values()), sum(columns.values())
    cases = []
    for code, row in rows.items():
        word = 0
        for name, width in columns.items():
            word = word << width | row[name]
        cases.append(f"      {size}'h{code:x}: row = {total}'h{word:x};")
    kept = [f"ahead == {k} && its_last == flags[place_{k}]" for k in range(most)] if places else "1"
    aged = " ||\n    ".join(f"ahead == {k} && age == age_{k}" for k in range(most))
    return _TABLE.format(
        wires=_lines(f"  wire [{w - 1}:0] {_wire(name)};" for name, w in exposed(control).items()),
        size=size - 1,
        control=",\n    ".join(_wire(name) for name in reversed(list(control.registers))),
        flags=_flags(places),
        columns=_lines(f"  wire [{width - 1}:0] {name};" for name, width in columns.items()),
        names=",\n    ".join(columns),
        total=total - 1,
        cases=_lines(cases),
        kept=" ||\n    ".join(kept),
        aged=aged,
    )


def _flags(places: list[Place]) -> str:
    """Where last flags are; nothing where they are always set."""
    if not places:
        return ""
    bits = ",\n    ".join(f"{_wire(name)}[{bit}]" for name, bit in reversed(places))
    return f"  wire [{len(places) - 1}:0] flags = {{\n    {bits}\n  }};\n"


def _row(state: State, most: int, places: list[Place]) -> dict[str, int]:
    row = {"counted": state.count, "kept_offer": int(state.offered)}
    row |= {"silent_most": state.silent, "refused_most": state.refused}
    row |= {"flows": int(state.flows), "since_then": state.since}
    for ahead in range(most):
        row[f"age_{ahead}"] = state.ages.get(ahead, 0)
        row[f"place_{ahead}"] = places.index(state.lasts[ahead]) if ahead in state.lasts else 0
    return row


def _wire(name: str) -> str:
    return f"\\{name} "


def _lines(texts: Iterable[str]) -> str:
    return "\n".join(texts)


_TABLE = """
`ifdef TABLE
  // Every state of the control, and what holds in it: how many beats are under way, the most that
  // the counters above can be, where the last flag of each beat is kept, and its age while nothing
  // pauses. rchw found them by following the handshakes; here they are proved with the rules.
{wires}
  wire [{size}:0] control = {{
    {control}
  }};
{flags}{columns}
  reg known;
  reg [{total}:0] row;
  assign {{
    {names}
  }} = row;
  always @* begin
    known = 1;
    case (control)
{cases}
      default: begin known = 0; row = 0; end
    endcase
  end
  always @* if (started) is_known: assert (
    known && count == counted && (offered || !kept_offer));
`ifdef BEATS
  always @* if (started) waits: assert (silent <= silent_most && refused <= refused_most);
  always @* if (started && following) is_kept: assert (ahead < counted && (
    {kept}));
`endif
`ifdef LATENCY
  always @* if (started) flows_on: assert (flows);
  always @* if (started && following) ages: assert (ahead < counted && (
    {aged}));
`endif
`ifdef PERIOD
  always @* if (started) flows_on: assert (flows);
  always @* if (started && since != 0) passes: assert (since == since_then);
`endif
`endif
"""
