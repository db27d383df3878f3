"""The bill of a limit: `rchw.hdl.arith.clamp`."""

from math import ceil, log

from rchw.codesign.bill import Bill, Path
from rchw.codesign.memories import width_of

__all__ = ["clamp"]

_GATED = 2  # `rchw.hdl.arith.MAX_GATED`


def clamp(bill: Bill, given: int, low: int, high: int, before: Path) -> Path:
    """Limit a value of `given` bits to the codes from `low` to `high`.

    Returns `before` with what the limit adds to it: of a full range, or of one that only lacks the
    lowest code, gates, if few bits are dropped; of a full range with more dropped bits a test of
    these; of any other range two comparisons.
    """
    bits = width_of(low, high)
    least, most = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    whole = (low, high) == (least, most)
    if whole and given <= bits:
        return before
    exact = max(given, bits + 1)
    dropped = exact - bits
    levels, carries, chains = before.levels, before.carries, before.chains
    if dropped <= _GATED and high == most and low - least in (0, 1):
        bill.add("clip", bits)
        return Path(levels + 2.0 + (low > least), carries, chains=chains)
    if whole:
        bill.add("clip", bits + dropped)
        return Path(levels + 3.0 + ceil(log(dropped + 1) / log(4)), carries, chains=chains)
    bill.add("compare", 2 * exact, 2)
    bill.add("clip", 2 * bits)
    return Path(levels + 3.0, max(carries, exact) + 1, chains=chains + 1)
