"""What a circuit is made of, in bits: additions, choices, registers; counted from its design alone.

A `Bill` is filled by `rchw.codesign.lanes`, `rchw.codesign.readout` and `rchw.codesign.whole`. They
follow the circuits of `rchw.hdl` register by register without building them. What one bit of each
kind takes in cells is not written here: it is calibrated (`benchmarks.estimator_fit`).
"""

from dataclasses import dataclass, field

from rchw.codesign.constants import Additions, additions
from rchw.codesign.memories import Memory, Product

__all__ = ["KINDS", "Bill", "Path"]

KINDS = {
    "add": "bits of additions and subtractions",
    "chain": "chains of carries of additions, subtractions and comparisons, each by itself",
    "joined": "bits of operands beyond the second of sums that synthesis joins to one",
    "sum": "bits of accumulators: an addition, and a choice between it and a start",
    "choice": "bits of choices between two values",
    "gate": "bits of choices between a value and nothing or its negative",
    "clip": "bits of limits",
    "compare": "bits of comparisons",
    "held": "bits of registers behind gates",
    "plain": "bits of registers behind a register, a memory or a port",
    "absorbed": "bits of registers around multipliers and behind memories, which may take them in",
    "counter": "bits of counters",
    "queue": "bits of results that wait in a queue",
    "port": "bits of the streams, which the wrapper of the board shifts",
}


@dataclass(frozen=True)
class Path:
    """A way from register to register that may be the longest.

    Attributes
    ----------
    levels : float
        LUTs one behind the other, the sum bit of an addition among them.
    carries : float
        Bits of carries one behind the other. Of sums of sums the longest counts: the carries of the
        next run along with those of the one before.
    memory : bool
        It begins at a block RAM without a register behind it.
    factors : (int, int) or None
        It passes a product of two variables of so many bits.
    chains : float
        Chains of carries that it enters and leaves.
    kind : str
        Of that product: ``product``, ``registered product`` with registers on both sides, or such a
        ``square``, both of whose operands come from one register.
    """

    levels: float
    carries: float = 0.0
    memory: bool = False
    factors: tuple[int, int] | None = None
    kind: str = "product"
    chains: float = 0.0


@dataclass
class Bill:
    """Counts by the names of `KINDS`, memories and products, and what sets the clock.

    Attributes
    ----------
    counts : dict of str to float
    memories : list of Memory
    products : list of Product
    paths : dict of str to set of Path
        By a name; of one name all that occur.
    """

    counts: dict[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 0.0))
    memories: list[Memory] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    paths: dict[str, set[Path]] = field(default_factory=dict)

    def add(self, kind: str, bits: float, chains: float = 0) -> None:
        """Add so many bits of a kind, in so many chains of carries."""
        self.counts[kind] += bits
        self.counts["chain"] += chains

    def times(self, code: int, width: int) -> Additions:
        """A product of a variable of `width` bits with a constant."""
        found = additions(code, width)
        self.add("add", found.bits, found.chains)
        self.add("joined", found.joined)
        return found

    def counter(self, clocks: int) -> None:
        """A counter of `rchw.hdl.counter.countdown`."""
        if clocks > 1:
            self.counts["counter"] += (clocks - 1).bit_length() + 1

    def path(self, name: str, path: Path) -> None:
        """A path under this name."""
        self.paths.setdefault(name, set()).add(path)
