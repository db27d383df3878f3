"""Names of modules and channels: the words none may be, and identifiers made of any heading.

No module may be named after a keyword, whatever language its neighbours are read as. Source: IEEE
Std 1800-2017, annex B, table B.1, which contains the keywords of IEEE Std 1364-2005.
"""

import keyword
import re
from collections.abc import Collection

__all__ = ["KEYWORDS", "identifier", "unique"]

_LONGEST = 30  # of the 40 that a name may have, so that suffixes fit
# What marks the end of a sequence, and attributes of Amaranth's structures.
_TAKEN = ("last", "as_bits", "as_value", "eq", "lowermethod", "shape")

KEYWORDS = frozenset(
    """
    accept_on alias always always_comb always_ff always_latch and assert assign assume automatic
    before begin bind bins binsof bit break buf bufif0 bufif1 byte
    case casex casez cell chandle checker class clocking cmos config const constraint context
    continue cover covergroup coverpoint cross
    deassign default defparam design disable dist do
    edge else end endcase endchecker endclass endclocking endconfig endfunction endgenerate endgroup
    endinterface endmodule endpackage endprimitive endprogram endproperty endsequence endspecify
    endtable endtask enum event eventually expect export extends extern
    final first_match for force foreach forever fork forkjoin function
    generate genvar global
    highz0 highz1
    if iff ifnone ignore_bins illegal_bins implements implies import incdir include initial inout
    input inside instance int integer interconnect interface intersect
    join join_any join_none
    large let liblist library local localparam logic longint
    macromodule matches medium modport module
    nand negedge nettype new nexttime nmos nor noshowcancelled not notif0 notif1 null
    or output
    package packed parameter pmos posedge primitive priority program property protected pull0 pull1
    pulldown pullup pulsestyle_ondetect pulsestyle_onevent pure
    rand randc randcase randsequence rcmos real realtime ref reg reject_on release repeat restrict
    return rnmos rpmos rtran rtranif0 rtranif1
    s_always s_eventually s_nexttime s_until s_until_with scalared sequence shortint shortreal
    showcancelled signed small soft solve specify specparam static string strong strong0 strong1
    struct super supply0 supply1 sync_accept_on sync_reject_on
    table tagged task this throughout time timeprecision timeunit tran tranif0 tranif1 tri tri0 tri1
    triand trior trireg type typedef
    union unique unique0 unsigned until until_with untyped use uwire
    var vectored virtual void
    wait wait_order wand weak weak0 weak1 while wildcard wire with within wor
    xnor xor
    """.split()
)


def identifier(heading: str) -> str:
    """Make a name for a channel of a column's heading; empty where nothing is left of it.

    Keywords of Verilog and Python, ``last`` and what states are called, ``x0``, ``x1`` and so on,
    get an underscore.

    >>> [identifier(heading) for heading in ("load", "T (°C)", "2nd", "reg", "x0", "%")]
    ['load', 't_c', 'c_2nd', 'reg_', 'x0_', '']
    """
    name = re.sub(r"[^a-z0-9]+", "_", heading.lower()).strip("_")[:_LONGEST].rstrip("_")
    if name[:1].isdigit():
        name = f"c_{name}"
    reserved = name in KEYWORDS or keyword.iskeyword(name) or name in _TAKEN
    return f"{name}_" if reserved or re.fullmatch(r"x\d+", name) else name


def unique(name: str, taken: Collection[str]) -> str:
    """Return the name, or the first of ``name_2``, ``name_3`` and so on that is not taken.

    >>> unique("load", {"load", "load_2"})
    'load_3'
    """
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    return found
