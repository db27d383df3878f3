"""The page `docs/stream.md` against the circuit: ports, words, clocks per sample, latency."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from rchw.design import Design
from rchw.document import from_document
from rchw.hdl.top import AxiTop
from rchw.schedule import possible_multipliers, schedule
from rchw.sim.stream import trace_stream
from tests.test_design_format import example

PAGE = (Path(__file__).parents[1] / "docs" / "stream.md").read_text(encoding="utf-8")


def table(header: str) -> list[list[str]]:
    """Cells of the rows under a header line."""
    body = PAGE[PAGE.index(header) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in body]


def beats() -> list[tuple[int, int]]:
    return [(int(row[2], 16), int(row[3])) for row in table("| sample | codes in")]


def test_the_ports_of_the_page_are_those_of_the_top() -> None:
    listed = {row[0]: row[1] for row in table("| port | direction")}
    members = AxiTop(from_document(example())).signature.members
    assert listed == {name: str(member.flow.name).lower() for name, member in members.items()}
    assert [members[f"{side}_axis_tdata"].shape for side in "sm"] == [16, 16]


def measured() -> list[tuple[int, int, int, int]]:
    return [
        (int(lanes), int(multipliers), int(clocks), int(latency))
        for lanes, multipliers, clocks, latency in table("| P | M | clocks per sample")
    ]


@pytest.mark.parametrize("lanes, multipliers, clocks, latency", measured())
def test_words_clocks_and_latency_of_the_page(
    lanes: int, multipliers: int, clocks: int, latency: int
) -> None:
    design = from_document(example())
    design = replace(
        design,
        layer=replace(design.layer, lanes=lanes),
        readout=replace(design.readout, multipliers=multipliers),
    )
    trace = trace_stream(AxiTop(design), beats())
    rows = table("| sample | codes in")
    assert list(trace.payloads) == [(int(row[5], 16), int(row[3])) for row in rows]
    entered, left = trace.clocks_in, trace.clocks_out
    assert {b - a for a, b in pairwise(entered)} == {clocks}
    assert {b - a for a, b in zip(entered, left, strict=True)} == {latency}
    assert (schedule(design).clocks, formula(design)) == (clocks, latency)


def formula(design: Design) -> int:
    """Latency as the page has it."""
    plan = schedule(design)
    if plan.parallel:
        counts = [sum(1 for w in row[:-1] if w) for row in design.readout.weights]
        levels = 0
        while 4**levels < max(counts):
            levels += 1
        return 6 + levels
    several = plan.group > 1 or plan.paired
    return plan.busy + plan.loop_latency + 3 + (design.features.squares is not None) + several


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
