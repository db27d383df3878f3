"""Layers in series as circuits: clock for clock, under pauses, and with faults that must show."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Module, Signal, Value
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rchw.design import Design, Segments
from rchw.errors import MismatchError
from rchw.fixed import QFormat
from rchw.hdl import folded, gather, passes, readout
from rchw.hdl.clocks import ReadoutClock, readout_clocks
from rchw.hdl.emit import emit, write_verilog
from rchw.schedule import latency, layer_passes, schedule
from rchw.sim.runner import build
from rchw.sim.stream import StreamTrace
from rchw.sim.verify import job_for
from tests.designs import deep_designs
from tests.examples import DEEP
from tests.hdl.kinds import families
from tests.hdl.test_generated import PAIRS, check
from tests.hdl.test_sequences import check as check_sequences

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")


def made_parallel(design: Design) -> Design:
    """The same codes in one clock per sample."""
    layers = tuple(replace(layer, lanes=layer.n_units) for layer in design.layers)
    products = design.n_products * design.n_outputs
    return replace(design, layers=layers, readout=replace(design.readout, multipliers=products))


def made_with(design: Design, lanes: Sequence[int], multipliers: int) -> Design:
    layers = [replace(layer, lanes=p) for layer, p in zip(design.layers, lanes, strict=True)]
    chosen = replace(design.readout, multipliers=multipliers)
    return replace(design, layers=tuple(layers), readout=chosen)


def check_clocks(design: Design, drawn: int) -> StreamTrace:
    trace = check(design, drawn, "never", "never")
    assert set(np.diff(trace.clocks_in).tolist()) == {schedule(design).clocks}
    assert set(np.subtract(trace.clocks_out, trace.clocks_in).tolist()) == {latency(design)}
    return trace


ANY = st.one_of(deep_designs(3, 2), deep_designs(3, 2), deep_designs(3, 2).map(made_parallel))
FEW = settings(max_examples=4, suppress_health_check=list(HealthCheck))


@FEW
@given(ANY, st.integers(0, 2**32 - 1))
def test_drawn_designs_to_the_clock(
    tally: dict[str, Counter[str]], design: Design, drawn: int
) -> None:
    check_clocks(design, drawn)
    tally["layers in series in Amaranth's simulator, clock for clock"].update(families(design))


@pytest.mark.slow
@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(st.one_of(deep_designs(), deep_designs().map(made_parallel)), st.integers(0, 2**32 - 1))
def test_a_hundred_drawn_designs_to_the_clock(design: Design, drawn: int) -> None:
    check_clocks(design, drawn)


@FEW
@given(ANY, st.integers(0, 2**32 - 1), st.sampled_from(PAIRS))
def test_drawn_designs_under_pauses(
    tally: dict[str, Counter[str]], design: Design, drawn: int, pair: tuple[str, str]
) -> None:
    check(design, drawn, *pair)
    tally["layers in series in Amaranth's simulator, gaps and stalls"].update(families(design))


@pytest.mark.parametrize(
    "lanes, multipliers", [((2, 2, 2), 2), ((1, 3, 2), 1), ((5, 4, 3), 2), ((4, 2, 2), 4)]
)
def test_lanes_of_every_layer(lanes: tuple[int, ...], multipliers: int) -> None:
    """Of their own, all of one layer in a word included; the passes add up to the period."""
    design = made_with(DEEP, lanes, multipliers)
    check_clocks(design, 1)
    parts = layer_passes(design)
    assert schedule(design).clocks == sum(part.clocks for part in parts)
    assert [part.words for part in parts] == [
        -(-layer.n_units // p) for layer, p in zip(design.layers, lanes, strict=True)
    ]
    assert [bool(part.steps) for part in parts] == [False, False, True]


@pytest.mark.parametrize("parallel", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "accumulate", ["last", *(pytest.param(k, marks=pytest.mark.slow) for k in ("segments", "sum"))]
)
def test_one_answer_per_sequence(accumulate: str, parallel: bool) -> None:
    """Of layers in series too: the last layer asks for the place of the answer."""
    wide = tuple(replace(output, format=QFormat(9, 2)) for output in DEEP.readout.outputs)
    rows = tuple((*row, *row[::-1]) for row in DEEP.readout.weights)
    changes: dict[str, dict[str, Any]] = {
        "last": {},
        "sum": {"segments": Segments(5)},
        "segments": {
            "segments": Segments(3, 2), "outputs": wide, "weights": rows, "argmax": True,
        },
    }  # fmt: skip
    changed = replace(DEEP.readout, accumulate=accumulate, **changes[accumulate])
    design = replace(DEEP, readout=changed)
    check_sequences(made_parallel(design) if parallel else design, 3, "never", "random:50:4", 8)


GATHER = gather.gather  # also where another stands in its place


def older(m: Module, name: str, source: gather.Written, *given: Any, **named: Any) -> list[Value]:
    """What is kept of the earlier layer is a sample late."""
    line: list[Value] = list(source.data)
    for word in range(source.words):
        held = [Signal.like(code, name=f"{name}_old_{word}_{k}") for k, code in enumerate(line)]
        with m.If(source.write):
            m.d.sync += [late.eq(code) for late, code in zip(held, line, strict=True)]
        line = list(held)
    return GATHER(m, name, replace(source, data=line), *given, **named)


def swapped(design: Design) -> list[ReadoutClock]:
    """The features of the first two layers stand in each other's place."""
    other = {0: 1, 1: 0}
    clocks = readout_clocks(design)
    return [replace(clock, layer=other.get(clock.layer, clock.layer)) for clock in clocks]


def hasty(design: Design) -> tuple[Any, ...]:
    """A layer does not wait until the one before is written."""
    parts = layer_passes(design)  # not that of the module, which this replaces
    return (replace(parts[0], clocks=parts[0].busy + 1), *parts[1:])


FAULTS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "old states": (passes, "gather", older),
    "swapped": (readout, "readout_clocks", swapped),
    "hasty": (folded, "layer_passes", hasty),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_show(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, name, wrong = FAULTS[fault]
    monkeypatch.setattr(module, name, wrong)
    with pytest.raises(MismatchError):
        check(DEEP, 1, "never", "never")


@pytest.mark.slow
def test_the_verilog_of_layers_in_series(tmp_path: Path) -> None:
    """Both forms in Verilator through every phase, and one that reads what was before."""
    named = [
        DEEP,
        replace(made_parallel(DEEP), name="beside"),
        replace(DEEP, name="stale"),
    ]
    files = [write_verilog(design, tmp_path) for design in named[:2]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passes, "gather", older)
        files.append(write_verilog(named[2], tmp_path))
    jobs = [job_for(design, 96, 1)[0] for design in named]
    made = build(files, [job.top for job in jobs], tmp_path / "build", optimize="-O0")
    verdicts = [record["verdict"] for record in made.run_all(jobs, seed=1)]
    assert verdicts == ["pass", "pass", "fail"]
    head = emit(DEEP).splitlines()
    assert any("2, 2, 2 lanes, 2 multipliers, 64 clocks per sample" in line for line in head)
    assert schedule(DEEP).clocks == 64
