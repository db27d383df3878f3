"""The page `docs/stream.md` against the circuit: ports, words, clocks per sample, latency."""

import re
from dataclasses import replace
from itertools import count, pairwise
from math import ceil, log2
from pathlib import Path

import pytest
from hypothesis import given, seed, settings

from rchw.activation import Clip
from rchw.design import Design
from rchw.document import from_document
from rchw.hdl.top import AxiTop
from rchw.schedule import latency, possible_multipliers, schedule
from rchw.sim.stream import trace_stream
from tests.designs import designs
from tests.documents import example

PAGE = (Path(__file__).parents[1] / "docs" / "stream.md").read_text(encoding="utf-8")


def table(header: str) -> list[list[str]]:
    """Cells of the rows under a header line."""
    body = PAGE[PAGE.index(header) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in body]


def beats() -> list[tuple[int, int]]:
    return [(int(row[2], 16), int(row[3])) for row in table("| sample | codes in")]


def test_the_ports_of_the_page_are_those_of_the_top() -> None:
    listed = {row[0]: row[1] for row in table("| port | direction")}
    top = AxiTop(from_document(example()))
    trace_stream(top, beats())  # Amaranth warns, at any later time, of what is never built
    members = top.signature.members
    assert listed == {name: str(member.flow.name).lower() for name, member in members.items()}
    assert [members[f"{side}_axis_tdata"].shape for side in "sm"] == [16, 16]


def measured() -> list[tuple[int, int, int, int]]:
    return [
        (int(lanes), int(multipliers), int(clocks), int(late))
        for lanes, multipliers, clocks, late in table("| P | M | clocks per sample")
    ]


@pytest.mark.parametrize("lanes, multipliers, clocks, late", measured())
def test_words_clocks_and_latency_of_the_page(
    lanes: int, multipliers: int, clocks: int, late: int
) -> None:
    design = from_document(example())
    design = replace(
        design,
        layers=(replace(design.ring, lanes=lanes),),
        readout=replace(design.readout, multipliers=multipliers),
    )
    trace = trace_stream(AxiTop(design), beats())
    rows = table("| sample | codes in")
    assert list(trace.payloads) == [(int(row[5], 16), int(row[3])) for row in rows]
    entered, left = trace.clocks_in, trace.clocks_out
    assert {b - a for a, b in pairwise(entered)} == {clocks}
    assert {b - a for a, b in zip(entered, left, strict=True)} == {late}
    assert formula(design) == (clocks, late)


def formula(design: Design) -> tuple[int, int]:
    """Clocks per sample and latency, as the page has them, from the design alone."""
    layer, readout = design.ring, design.readout
    n, p, m = layer.n_units, layer.lanes, readout.multipliers
    outputs, squares = len(readout.outputs), design.features.squares is not None
    a = int(design.features.states) + int(squares)
    k = len(design.inputs) if design.features.inputs else 0
    if p == n and m == outputs * (a * n + k):
        products = a * n + k
        most = max(1, *(sum(w != 0 for w in row[:products]) for row in readout.weights))
        return 1, 6 + next(level for level in count() if 4**level >= most)
    paired = a == 2 and m == 2 * outputs * p
    g, h = (p, 1) if paired else (m // outputs, 1) if m >= outputs else (1, outputs // m)
    a = 1 if paired else a
    words = ceil(n / p)
    top, word = ceil((n - (words - 1) * p) / g) * a * h, p // g * a * h
    busy = top + (words - 1) * word + ceil(k / g) * h

    def start(unit: int) -> int:
        w = unit // p
        return 0 if w == words - 1 else top + (words - 2 - w) * word

    def hazard(loop: int) -> int:
        waits = [
            start((i - tap.offset) % n) - start(i)
            for tap in layer.taps
            for i in range(n)
            if tap.weights[i]
        ]
        return max(loop, *(loop + wait for wait in waits)) if waits else loop

    update = {"replace": 0, "leaky": 1, "increment": 2}[layer.update]
    loop = 5 + (not isinstance(layer.activation, Clip)) + 2 * (layer.gain is not None) + update
    r = int(words > 1 and hazard(loop + 1) <= busy)
    levels = ceil(log2(g * (1 + paired)))
    return max(busy, hazard(loop + r), h + 2), busy + loop + 4 + 2 * squares + levels


@seed(20261125)
@settings(max_examples=150, deadline=None, database=None)
@given(designs(max_units=40))
def test_the_formulas_of_the_page_are_those_of_the_schedule(design: Design) -> None:
    """Which `tests/hdl` holds the circuits to."""
    assert formula(design) == (schedule(design).clocks, latency(design))


def test_the_page_lists_every_choice() -> None:
    design = from_document(example())
    choices = [(lanes, m) for lanes in (1, 2, 3) for m in possible_multipliers(lanes, design)]
    assert [row[:2] for row in measured()] == choices


def test_the_words_of_the_page_are_codes_in_whole_bytes() -> None:
    """Without the circuit: two's complement bytes, the first lane lowest."""
    for row in table("| sample | codes in"):
        for codes, word in ((row[1], row[2]), (row[4], row[5])):
            lanes = [int(code) & 0xFF for code in re.findall(r"-?\d+", codes)]
            assert sum(lane << (8 * k) for k, lane in enumerate(lanes)) == int(word, 16)
