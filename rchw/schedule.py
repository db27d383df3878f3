"""When what happens: clocks per sample as a formula of the design.

Folded form
    The state pass updates `lanes` P units per clock, in W = ceil(N / P) words, the highest first.
    The readout takes G features per clock (or one feature for H clocks) as the words come out, so
    a word lasts ``D = per_unit * (P / G) * H`` clocks; the first word, when P does not divide N,
    only as many as its units need. Input features follow, G at a time. Then::

        busy   = ceil(n_top / G) * A * H + (W - 1) * D + ceil(K / G) * H
        clocks = max(busy, hazard, H + 2)

    with A features per unit and n_top units in the highest word. With F features, L outputs and M
    multipliers ``busy`` is ``max(W, ceil(F * L / M))`` up to the rounding of each kind of feature
    to whole clocks. ``hazard`` is the least sample period at which every tap reads a state after
    it was written: at most ``loop_latency - 1`` above the busy time when taps wrap backwards or W
    is small, and nothing otherwise. ``H + 2`` is more than ``busy`` only where a single feature
    serves several outputs in turn: the first must not be replaced before the last is complete.
    Where it costs no clock, the loop is one register longer, which stands behind the state memory
    (`Schedule.read_register`).

Matrix
    The folded form of a `MatrixLayer` takes one column per clock, the highest first, so that a word
    lasts S clocks, and the readout works on the word before meanwhile::

        S      = max(C, loop_latency, D of any word, D + ceil(K / G) * H + 4)
        busy   = W * S
        clocks = max(busy, hazard)

    C is N, of sparse rows the most connections of a unit, of an antisymmetric matrix W * P, as it
    takes the columns of a word together; the last term of S is there where inputs are features. The
    hazard is above the busy time only where the last word, which is written last, is wanted again
    too soon.

Parallel form
    P = N and M = F * L: one sample per clock.

Feedback
    A sample goes in when the output of the one before has left, so that the period is the latency
    and the clock in which the output is taken; folded one more to begin the pass, and another where
    words are registered behind the memories::

        clocks = latency + 1                     parallel
        clocks = latency + 2 + read_register     folded
"""

from dataclasses import dataclass, replace
from math import ceil

from rchw.activation import Clip
from rchw.design import Design, ExternalLayer, MatrixLayer, RingLayer
from rchw.errors import DesignError

__all__ = [
    "Schedule",
    "answer_clocks",
    "default_multipliers",
    "latency",
    "matrix_columns",
    "possible_multipliers",
    "schedule",
]

_SETTLING = 2  # clocks from a sample's last product until the sums of all its outputs are complete


@dataclass(frozen=True)
class Schedule:
    """Clocks and shapes of one design.

    Attributes
    ----------
    parallel : bool
        One sample per clock; the other fields then are 1 or 0.
    words : int
        W, words of the state pass.
    group : int
        G, features per clock of the readout.
    hold : int
        H, clocks per feature.
    paired : bool
        State and square of a unit are taken in the same clock.
    word_clocks, top_clocks, input_clocks : int
        Clocks of a word, of the highest word, and of the input features.
    loop_latency : int
        Clocks from reading a state to the first clock that can read its successor.
    read_register : bool
        Words are registered behind the memories, which the loop latency includes.
    clocks : int
        Clocks per sample.
    busy : int
        The same without waiting for the loop.
    steps : int
        S, clocks in which the columns of a word are taken; 0 where there is no matrix.
    awaited : int
        Clocks of the period that wait for outputs which are fed back.
    """

    parallel: bool
    words: int
    group: int
    hold: int
    paired: bool
    word_clocks: int
    top_clocks: int
    input_clocks: int
    loop_latency: int
    read_register: bool
    clocks: int
    busy: int
    steps: int = 0
    awaited: int = 0

    @property
    def pass_clocks(self) -> int:
        """Clocks per sample of the core, which knows nothing of the outputs that return to it."""
        return self.clocks - self.awaited

    @property
    def operands(self) -> int:
        """Features that are multiplied in one clock."""
        return self.group * (2 if self.paired else 1)

    @property
    def waits(self) -> bool:
        """Whether the period has clocks in which the readout multiplies nothing."""
        return self.pass_clocks > self.busy

    @property
    def sum_levels(self) -> int:
        """Levels of the tree that adds their products, a register behind each."""
        return (self.operands - 1).bit_length()


def loop_latency(design: Design) -> int:
    """Least clocks of the state loop: read, taps, sum, activation (two unless clip), write.

    That are 5 or 6. A matrix takes three more, a gain two, a leak one, a step of Euler two;
    `schedule` adds a register behind the memories where the sample period hides it. States from
    outside have no loop: 3 clocks take the beat, shift it, and hold the word.
    """
    layer = design.layer
    if isinstance(layer, ExternalLayer):
        return 3
    matrix = 3 * isinstance(layer, MatrixLayer)  # weights, product, accumulator
    update = {"replace": 0, "leaky": 1, "increment": 2}[layer.update]
    activation = not isinstance(layer.activation, Clip)
    return 5 + matrix + activation + 2 * (layer.gain is not None) + update


def _shapes(lanes: int, outputs: int, per_unit: int) -> dict[int, tuple[int, int, bool]]:
    """Possible multiplier counts of the folded form: M to (G, H, paired)."""
    shapes = {}
    for hold in range(1, outputs + 1):
        if outputs % hold == 0:
            shapes[outputs // hold] = (1, hold, False)
    for group in range(1, lanes + 1):
        if lanes % group == 0:
            shapes[outputs * group] = (group, 1, False)
    if per_unit == 2:
        shapes[outputs * 2 * lanes] = (lanes, 1, True)
    return shapes


def possible_multipliers(lanes: int, design: Design) -> list[int]:
    """Multiplier counts that can be built for `lanes`, ascending."""
    counts = set(_shapes(lanes, design.n_outputs, design.features.per_unit))
    if lanes == design.n_units:
        counts.add(design.n_products * design.n_outputs)
    return sorted(counts)


def default_multipliers(n_units: int, lanes: int, outputs: int, products: int) -> int:
    """Fewest multipliers that keep the pace of the state pass without squares."""
    return products * outputs if lanes == n_units else lanes * outputs


def schedule(design: Design) -> Schedule:
    """Derive the schedule, or refuse lanes and multipliers that cannot be built.

    Raises
    ------
    DesignError
        If the multipliers are not a divisor of the outputs, nor outputs times a divisor of the
        lanes (twice that where states and squares go together), nor fully parallel.
    """
    plan = _pass_schedule(design)
    if not design.feedback:
        return plan
    begins = 1 if plan.parallel else 2 + plan.read_register
    clocks = _latency(design, plan) + begins
    return replace(plan, clocks=clocks, awaited=clocks - plan.clocks)


def _pass_schedule(design: Design) -> Schedule:
    """The schedule without what a sample waits for outputs."""
    layer, multipliers = design.layer, design.readout.multipliers
    n_units, lanes = layer.n_units, layer.lanes
    if lanes == n_units and multipliers == design.n_products * design.n_outputs:
        return Schedule(True, 1, n_units, 1, False, 1, 1, 0, 1, False, 1, 1)
    shapes = _shapes(lanes, design.n_outputs, design.features.per_unit)
    if multipliers not in shapes:
        possible = ", ".join(str(count) for count in possible_multipliers(lanes, design))
        raise DesignError(
            f"multipliers must be one of {possible} for {lanes} lanes and "
            f"{design.n_outputs} outputs, not {multipliers}"
        )
    group, hold, paired = shapes[multipliers]
    words = ceil(n_units / lanes)
    per_group = hold if paired else design.features.per_unit * hold
    word_clocks = lanes // group * per_group
    top_units = n_units - (words - 1) * lanes
    top_clocks = ceil(top_units / group) * per_group
    input_clocks = ceil(design.n_inputs / group) * hold if design.features.inputs else 0
    loop = loop_latency(design)
    if isinstance(layer, MatrixLayer):
        margin = input_clocks + 4 if input_clocks else 0
        last = (word_clocks if words > 1 else top_clocks) + margin
        steps = max(_columns(layer), loop, word_clocks, top_clocks, last)
        period = _matrix_period(layer, words, steps, loop)
        return Schedule(
            False, words, group, hold, paired, word_clocks, top_clocks, input_clocks, loop, False,
            period, words * steps, steps,
        )  # fmt: skip
    busy = top_clocks + (words - 1) * word_clocks + input_clocks
    registered = (
        words > 1
        and isinstance(layer, RingLayer)
        and _hazard(design, loop + 1, words, word_clocks, top_clocks) <= busy
    )
    loop += registered
    hazard = _hazard(design, loop, words, word_clocks, top_clocks)
    clocks = max(busy, hazard, hold + _SETTLING)
    return Schedule(
        False,
        words,
        group,
        hold,
        paired,
        word_clocks,
        top_clocks,
        input_clocks,
        loop,
        registered,
        clocks,
        busy,
    )


def answer_clocks(design: Design) -> int:
    """Clocks that an answer takes more than the outputs of a sample.

    One where samples are summed up: a register in front of the sums, where samples that do not
    count become nothing. With argmax one for each level of comparisons, ``ceil(log2(L))``.
    """
    readout = design.readout
    return readout.sums + readout.argmax * (design.n_outputs - 1).bit_length()


def latency(design: Design) -> int:
    """Clocks from a sample's input beat to its output beat, if neither side pauses.

    Where a sequence has one answer it is counted from its last sample. To all forms come the
    `answer_clocks`.

    Folded form
        ``busy + loop_latency(design) + 4``, two more with squares, and ``ceil(log2(n))`` more where
        n products are added per clock. The input is taken when the first word has been read, so a
        register behind the memories adds nothing.
    Folded matrix
        ``busy + loop_latency(design) + D + ceil(K / G) * H + 3``, with D of the last word, the
        inputs where they are features, and the same more for squares and levels of the sum.
    Parallel form
        6 (4 where the states come from outside), and one for every two levels of the adder tree
        over the features whose weight is not zero, of the output that has the most of them.
    """
    return _latency(design, schedule(design))


def _latency(design: Design, plan: Schedule) -> int:
    answer = answer_clocks(design)
    squares = 2 * (design.features.squares is not None)
    if plan.steps:
        last = plan.word_clocks if plan.words > 1 else plan.top_clocks
        after = plan.loop_latency + last + plan.input_clocks + 3
        return plan.busy + after + squares + plan.sum_levels + answer
    if not plan.parallel:
        return plan.busy + loop_latency(design) + 4 + squares + plan.sum_levels + answer
    rows = zip(*design.readout.by_segment, strict=True)  # of each output those of all segments
    used = [[any(weights) for weights in zip(*row, strict=True)] for row in rows]
    terms = max(sum(row[: design.n_products]) for row in used)
    stages = 4 if isinstance(design.layer, ExternalLayer) else 6
    while terms > 1:
        stages, terms = stages + 1, ceil(terms / 4)
    return stages + answer


def _columns(layer: MatrixLayer) -> int:
    """C, columns that a word takes at most."""
    if layer.matrix.kind == "antisymmetric":
        return ceil(layer.n_units / layer.lanes) * layer.lanes
    if layer.matrix.kind == "dense":
        return layer.n_units
    return max(1, *(len(row) for row in layer.connections))


def matrix_columns(layer: MatrixLayer) -> list[list[tuple[int | None, int]]]:
    """Of every unit the column and the weight of each step, the highest first; then None and 0.

    Dense rows take all columns, so that all lanes take the same. In an antisymmetric matrix lane l
    takes those of a word in turn from the l-th on, and None where the last word has no unit.
    """
    if layer.matrix.kind == "sparse":
        return [[(j, weight) for j, weight in reversed(row)] for row in layer.connections]
    full, n, lanes = layer.matrix.full.tolist(), layer.n_units, layer.lanes
    if layer.matrix.kind == "dense":
        return [[(j, row[j]) for j in range(n - 1, -1, -1)] for row in full]
    found: list[list[tuple[int | None, int]]] = []
    for unit, row in enumerate(full):
        places = [(unit + turn) % lanes for turn in range(lanes)]
        words = range((n - 1) // lanes * lanes, -1, -lanes)
        columns = [word + place for word in words for place in places]
        found.append([(j, row[j]) if j < n else (None, 0) for j in columns])
    return found


def _matrix_period(layer: MatrixLayer, words: int, steps: int, loop: int) -> int:
    """Least sample period at which no column is read before it is written."""
    # One word without a connection: its inputs still have to wait for the readout.
    period = max(words * steps, steps + loop - 4)
    together = layer.lanes if layer.matrix.kind == "antisymmetric" else 1
    for unit, row in enumerate(matrix_columns(layer)):
        begins = (words - 1 - unit // layer.lanes) * steps
        for step, (column, _) in enumerate(row):
            if column is None:
                continue
            # A column is looked up one clock after its step began, or that of its whole word.
            written = (words - column // layer.lanes) * steps - 2 + loop
            period = max(period, written - begins - step // together * together)
    return period


def _hazard(design: Design, latency: int, words: int, word_clocks: int, top_clocks: int) -> int:
    """Least sample period at which no tap reads a state before it is written."""
    layer = design.layer
    if not isinstance(layer, RingLayer):
        return latency

    def start(unit: int) -> int:
        step = words - 1 - unit // layer.lanes
        return 0 if step == 0 else top_clocks + (step - 1) * word_clocks

    offsets = [(tap.offset, tap.weights) for tap in layer.taps]
    if layer.remembers:
        offsets.append((0, (1,) * layer.n_units))
    period = latency  # no sample may overtake the one before it in the pipeline
    for offset, weights in offsets:
        for unit in range(layer.n_units):
            if weights[unit]:
                source = (unit - offset) % layer.n_units
                period = max(period, latency + start(source) - start(unit))
    return period
