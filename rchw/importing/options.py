"""What a user fixes of an import (`ImportOptions`) and what its search chooses (`Scales`)."""

from dataclasses import dataclass

from rchw.errors import DesignError
from rchw.fixed import Rounding
from rchw.layers import MAX_WEIGHT_WIDTH, check_range

__all__ = ["ACTIVATIONS", "LEAKS", "READOUTS", "ImportOptions", "Scales"]

ACTIVATIONS = ("auto", "table", "pwl", "clip")
READOUTS = ("match", "keep", "retrain")
LEAKS = ("nearest", "faster", "slower")


def _one_of(what: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise DesignError(f"{what} must be one of {', '.join(allowed)}, not {value!r}")


@dataclass(frozen=True)
class ImportOptions:
    """Fixed by the user; the names are those of the command line.

    Parameters
    ----------
    state_bits, weight_bits, input_bits, readout_bits, output_bits : int
        Widths; weights are those of units and of inputs.
    activation : str
        Of a network with tanh: ``table``, ``pwl`` or ``clip``; ``auto`` takes what does best on
        validation samples. All others are a clip.
    readout : str
        ``match``: fitted to what the network itself gives; ``keep``: its own weights;
        ``retrain``: fitted to the targets of the data.
    rounding : str
        Of states.
    lanes : int
        P.
    multipliers : int, optional
        M; as many as keep pace with the lanes.
    name : str
        Of the design.

    Raises
    ------
    DesignError
        If a value is not possible.
    """

    state_bits: int = 12
    weight_bits: int = 8
    input_bits: int = 12
    readout_bits: int = 12
    output_bits: int = 16
    activation: str = "auto"
    readout: str = "match"
    rounding: str = "half-up"
    lanes: int = 1
    multipliers: int | None = None
    name: str = "imported"

    def __post_init__(self) -> None:
        for what in ("state", "weight", "input", "readout", "output"):
            check_range(f"{what} bits", getattr(self, f"{what}_bits"), 2, MAX_WEIGHT_WIDTH)
        _one_of("activation", self.activation, ACTIVATIONS)
        _one_of("readout", self.readout, READOUTS)
        _one_of("rounding", self.rounding, tuple(r.value for r in Rounding))


@dataclass(frozen=True)
class Scales:
    """One candidate of the search.

    Parameters
    ----------
    activation : str
        ``table``, ``pwl`` or ``clip``.
    leak : str
        Where a leak rate is no power of two: the ``nearest``, or the next one that is ``faster`` or
        ``slower``.
    weights, inputs, states, index : int
        Fraction bits of matrix, input weights, states and table index beyond those that leave room
        for the largest value on the training samples. What lies outside saturates.
    """

    activation: str = "table"
    leak: str = "nearest"
    weights: int = 0
    inputs: int = 0
    states: int = 0
    index: int = 0
