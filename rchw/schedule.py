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

Layers in series
    Folded, they take turns: a layer begins its pass when all new states of the layer before are
    written, and the first when the last is through. So no pass waits for another, and::

        clocks = sum over layers of (busy + drain)

    With ``busy`` as above, for one layer, of which the last has those of the input features.
    ``drain`` is the loop latency of the layer, and with a matrix also D of its last word and the
    input features, which follow there. The loop is two clocks longer where states of an earlier
    layer are read through taps.

Parallel form
    P = N and M = F * L: one sample per clock, also of layers in series.

Feedback
    A sample goes in when the output of the one before has left, so that the period is the latency
    and the clock in which the output is taken; folded one more to begin the pass, and another where
    words are registered behind the memories::

        clocks = latency + 1                     parallel
        clocks = latency + 2 + read_register     folded
"""

from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from rchw.activation import Clip
from rchw.columns import matrix_columns, most_columns
from rchw.design import Design, ExternalLayer, MatrixLayer, RingLayer, Stage
from rchw.errors import DesignError
from rchw.multipliers import default_multipliers, possible_multipliers, shapes_of

__all__ = [
    "Schedule",
    "answer_clocks",
    "default_multipliers",
    "latency",
    "layer_passes",
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


def loop_latency(design: Design | Stage) -> int:
    """Least clocks of the state loop: read, taps, sum, activation (two unless clip), write.

    That are 5 or 6. A matrix takes three more, a gain two, a leak one, a step of Euler two;
    `schedule` adds a register behind the memories where the sample period hides it. States from
    outside have no loop: 3 clocks take the beat, shift it, and hold the word. Of layers in series
    it is that of one of them.
    """
    if isinstance(design, Design) and isinstance(design.layer, ExternalLayer):
        return 3
    stage = design.stage
    layer = stage.layer
    matrix = 3 if stage.stepwise else 2 * bool(stage.feeds)  # weights, product, accumulator
    update = {"replace": 0, "leaky": 1, "increment": 2}[layer.update]
    activation = not isinstance(layer.activation, Clip)
    return 5 + matrix + activation + 2 * (layer.gain is not None) + update


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
    multipliers, each = design.readout.multipliers, [layer.lanes for layer in design.layers]
    everything = design.n_products * design.n_outputs
    if each == [layer.n_units for layer in design.layers] and multipliers == everything:
        return Schedule(True, 1, design.n_units, 1, False, 1, 1, 0, 1, False, 1, 1)
    shapes = shapes_of(each, design)
    if multipliers not in shapes:
        possible = ", ".join(str(count) for count in possible_multipliers(each, design))
        lanes_text = ", ".join(str(lanes) for lanes in each)
        raise DesignError(
            f"multipliers must be one of {possible} for {lanes_text} lanes and "
            f"{design.n_outputs} outputs, not {multipliers}"
        )
    group, hold, paired = shapes[multipliers]
    if len(design.layers) > 1:
        parts = _passes(design, group, hold)
        return Schedule(
            False, sum(part.words for part in parts), group, hold, False, 0, 0,
            parts[-1].input_clocks, parts[-1].loop_latency, parts[0].read_register,
            sum(part.clocks for part in parts), sum(part.busy for part in parts),
        )  # fmt: skip
    layer = design.layer
    n_units, lanes = layer.n_units, layer.lanes
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
        steps = max(most_columns(design.stage), loop, word_clocks, top_clocks, last)
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


def layer_passes(design: Design, plan: Schedule | None = None) -> tuple[Schedule, ...]:
    """The schedule of every layer of a folded design by itself; of one layer `schedule`, or `plan`.

    Raises
    ------
    DesignError
        As `schedule`.
    """
    plan = plan or schedule(design)
    return (plan,) if len(design.layers) == 1 else _passes(design, plan.group, plan.hold)


def _passes(design: Design, group: int, hold: int) -> tuple[Schedule, ...]:
    inputs = ceil(design.n_inputs / group) * hold if design.features.inputs else 0
    found = []
    for number, stage in enumerate(design.stages):
        last = number == len(design.stages) - 1
        per_unit = design.features.of_layers[number].per_unit
        found.append(_pass(stage, per_unit, group, hold, inputs if last else 0))
    return tuple(found)


def _pass(stage: Stage, per_unit: int, group: int, hold: int, input_clocks: int) -> Schedule:
    """One layer of several, which ends when its last states are written and read out."""
    lanes, n_units = stage.layer.lanes, stage.n_units
    words = ceil(n_units / lanes)
    top_units = n_units - (words - 1) * lanes
    # A word of a layer that is no feature lasts as one feature, of which nothing is added.
    word_clocks = lanes // group * per_unit * hold or hold
    top_clocks = ceil(top_units / group) * per_unit * hold or hold
    loop = loop_latency(stage)
    if stage.stepwise:
        margin = input_clocks + 4 if input_clocks else 0
        last = word_clocks if words > 1 else top_clocks
        steps = max(most_columns(stage), loop, word_clocks, top_clocks, last + margin)
        busy = words * steps
        return Schedule(
            False, words, group, hold, False, word_clocks, top_clocks, input_clocks, loop, False,
            busy + loop + last + input_clocks, busy, steps,
        )  # fmt: skip
    registered = words > 1
    loop += registered and not stage.feeds
    busy = top_clocks + (words - 1) * word_clocks + input_clocks
    return Schedule(
        False, words, group, hold, False, word_clocks, top_clocks, input_clocks, loop, registered,
        busy + loop, busy,
    )  # fmt: skip


def latency(design: Design, plan: Schedule | None = None) -> int:
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
    Layers in series, folded
        All passes but the last, and the same of the last layer with the loop latency of its pass,
        less the register behind the memories of the first, if it has one.
    Parallel form
        6 (4 where the states come from outside, 2 more for each further layer), and one for every
        two levels of the adder tree over the features whose weight is not zero, of the output that
        has the most of them.
    """
    return _latency(design, plan or schedule(design))


def _latency(design: Design, plan: Schedule) -> int:
    answer = answer_clocks(design)
    squares = 2 * any(block.kind == "squares" for block in design.blocks)
    if not plan.parallel and len(design.layers) > 1:
        parts = layer_passes(design)
        final = parts[-1]
        own = final.busy + final.loop_latency + 4 + squares + final.sum_levels
        if final.steps:
            word = final.word_clocks if final.words > 1 else final.top_clocks
            own += word + final.input_clocks - 1
        return sum(part.clocks for part in parts[:-1]) + own - parts[0].read_register + answer
    if plan.steps:
        last = plan.word_clocks if plan.words > 1 else plan.top_clocks
        after = plan.loop_latency + last + plan.input_clocks + 3
        return plan.busy + after + squares + plan.sum_levels + answer
    if not plan.parallel:
        return plan.busy + loop_latency(design) + 4 + squares + plan.sum_levels + answer
    rows = zip(*design.readout.by_segment, strict=True)  # of each output those of all segments
    used = [[any(weights) for weights in zip(*row, strict=True)] for row in rows]
    terms = max(sum(row[: design.n_products]) for row in used)
    stages = 4 + 2 * len(design.stages)
    while terms > 1:
        stages, terms = stages + 1, ceil(terms / 4)
    return stages + answer


def _matrix_period(layer: MatrixLayer, words: int, steps: int, loop: int) -> int:
    """Least sample period at which no column is read before it is written."""
    # One word without a connection: its inputs still have to wait for the readout.
    period = max(words * steps, steps + loop - 4)
    lanes = layer.lanes

    def wait(column: int, step: int) -> int:
        # A column is looked up one clock after its step began, or that of its whole word.
        return (words - column // lanes) * steps - 2 + loop - step

    if layer.matrix.kind == "dense":  # the first word waits longest, all columns are in all rows
        last = layer.n_units - 1
        return max(period, *(wait(column, last - column) for column in range(layer.n_units)))
    if layer.matrix.kind == "antisymmetric":
        firsts = range(0, layer.n_units, lanes)
        return max(period, *(wait(first, (words - 1) * lanes - first) for first in firsts))
    for unit, row in enumerate(matrix_columns(layer)):
        begins = (words - 1 - unit // lanes) * steps
        for step, (column, _) in enumerate(row):
            assert column is not None
            period = max(period, wait(column, step) - begins)
    return period


def _hazard(design: Design, latency: int, words: int, word_clocks: int, top_clocks: int) -> int:
    """Least sample period at which no tap reads a state before it is written."""
    layer = design.layer
    if not isinstance(layer, RingLayer):
        return latency

    units = np.arange(layer.n_units)
    step = words - 1 - units // layer.lanes
    start = np.where(step == 0, 0, top_clocks + (step - 1) * word_clocks)
    offsets = [(tap.offset, np.array(tap.weights) != 0) for tap in layer.taps]
    if layer.remembers:
        offsets.append((0, np.ones(layer.n_units, dtype=bool)))
    period = latency  # no sample may overtake the one before it in the pipeline
    for offset, used in offsets:
        ahead = start[(units - offset) % layer.n_units] - start
        period = max(period, latency + int(ahead[used].max(initial=-latency)))
    return period
