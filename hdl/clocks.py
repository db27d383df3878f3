"""What the folded readout does in each clock of a sample."""

from dataclasses import dataclass

from rchw.design import Design
from rchw.schedule import layer_passes, schedule

__all__ = ["INPUTS", "SQUARES", "STATES", "ReadoutClock", "readout_clocks"]

STATES, SQUARES, INPUTS = 0, 1, 2  # of the first layer; two more for every further one


@dataclass(frozen=True)
class ReadoutClock:
    """One clock: which features the operands hold, and which outputs they are added to.

    Attributes
    ----------
    features : tuple of int or None
        Index of each operand's feature; None is padding.
    source : int
        2 l states of layer l, 2 l + 1 squares, and behind all those j-th groups of input codes.
    group : int
        Which G of the word's P units.
    hold : int
        Which of the H sets of outputs.
    layer : int
        Whose word is in work.
    """

    features: tuple[int | None, ...]
    source: int
    group: int
    hold: int
    layer: int = 0


def readout_clocks(design: Design) -> list[ReadoutClock]:
    """What the readout does in each clock of a sample, in order."""
    plan, passes = schedule(design), layer_passes(design)
    starts = {block.key: block.start for block in design.blocks}
    clocks: list[ReadoutClock] = []

    def add(chosen: list[int | None], source: int, group: int, number: int) -> None:
        for hold in range(plan.hold):
            clocks.append(ReadoutClock(tuple(chosen), source, group, hold, number))

    for number, (layer, part) in enumerate(zip(design.layers, passes, strict=True)):
        n, lanes, seen = layer.n_units, layer.lanes, design.features.of_layers[number]
        suffix = f"_{number}" if number else ""
        states, squares = starts.get(f"states{suffix}", 0), starts.get(f"squares{suffix}", 0)
        for word in reversed(range(part.words)):
            if not seen.per_unit:
                add([None] * plan.operands, STATES + 2 * number, 0, number)
                continue
            filled = min(n - word * lanes, lanes)
            for group in reversed(range(-(-filled // plan.group))):
                start = word * lanes + group * plan.group
                units = [u if u < n else None for u in range(start, start + plan.group)]
                plain = [None if u is None else states + u for u in units]
                squared = [None if u is None else squares + u for u in units]
                if plan.paired:
                    add(plain + squared, STATES, group, number)
                    continue
                if seen.states:
                    add(plain, STATES + 2 * number, group, number)
                if seen.squares is not None:
                    add(squared, SQUARES + 2 * number, group, number)
    if design.features.inputs:
        base, last = starts["inputs"], len(passes) - 1
        for turn, start in enumerate(range(0, design.n_inputs, plan.group)):
            channels: list[int | None] = [
                base + k if k < design.n_inputs else None for k in range(start, start + plan.group)
            ]
            channels += [None] * plan.group * plan.paired
            add(channels, INPUTS + 2 * last + turn, 0, last)
    return clocks
