"""What switches in a netlist: a record of counts per clock, by the kinds of cells."""

from dataclasses import asdict, dataclass
from typing import Any

from rchw.errors import DesignError

__all__ = ["KINDS", "Activity"]

KINDS = ("lut", "carry", "ff", "block_ram", "dsp", "input")
"""What drives a net; the last are the ports."""


@dataclass(frozen=True)
class Activity:
    """What switches, per clock, while a design takes samples without pauses.

    Attributes
    ----------
    digest : str
        Of the design.
    device : str
        Whose netlist it is, by its name.
    samples, clocks : int
        That were counted.
    changes : dict
        Changes of nets per clock, by the kind of cell that drives them; see `KINDS`.
    nets : dict
        Number of nets of each kind.
    resources : dict
        Cells of the netlist, as `rchw.boards.check.resources` counts them.
    dsp_operand_changes : float
        Changes of the operand bits at all multipliers, per clock.
    block_ram_accesses : float
        Reads and writes of block RAM per clock: ports whose enable was high.
    pin_changes : float
        Changes of the bits of the streams, in and out, per clock.
    source : str
        What was sent.
    """

    digest: str
    device: str
    samples: int
    clocks: int
    changes: dict[str, float]
    nets: dict[str, int]
    resources: dict[str, int]
    dsp_operand_changes: float
    block_ram_accesses: float
    pin_changes: float
    source: str

    @property
    def rate(self) -> float:
        """Mean changes of a net in a clock, over LUTs, carries and flip-flops."""
        kinds = ("lut", "carry", "ff")
        nets = sum(self.nets[kind] for kind in kinds)
        return sum(self.changes[kind] for kind in kinds) / nets if nets else 0.0

    def facts(self) -> dict[str, Any]:
        """As a record has it; `from_facts` is the inverse."""
        return asdict(self)

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> "Activity":
        """Read what `facts` has written.

        Raises
        ------
        DesignError
            If a fact is missing or one is too many.
        """
        names = set(cls.__dataclass_fields__)
        if not isinstance(facts, dict) or set(facts) != names:
            raise DesignError(f"activity must have {', '.join(sorted(names))} and nothing else")
        return cls(**facts)
