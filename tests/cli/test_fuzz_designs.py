"""Damaged design files: taken as what they say, or refused with one sentence by every command."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rchw import reference
from rchw.design import Design
from rchw.document import digest, from_document, load, save, to_document
from rchw.hdl.emit import emit
from tests.cli.command_line import Called
from tests.cli.damage import bytes_damaged, documents_damaged, json_text
from tests.cli.fuzzing import LONG, behaves, examples, fresh, idle
from tests.designs import designs, stimulus

REFUSING = {
    "verilog": ["verilog", "d.json", "-o", "out"],
    "verify": ["verify", "d.json", "--samples", "48", "-o", "out"],
    "netlist": ["verify", "d.json", "--netlist", "ecp5", "--samples", "48", "-o", "out"],
    "soak": ["verify", "d.json", "--soak", "--samples", "100", "-o", "out"],
    "coverage": ["verify", "d.json", "--coverage", "--samples", "48", "-o", "out"],
    "mutants": ["verify", "d.json", "--mutants", "3", "-o", "out"],
    "prove": ["prove", "d.json", "-o", "out"],
    "build": ["build", "d.json", "--board", "hx8k", "-o", "out"],
    "report": ["report", "."],
    "evidence": ["evidence", "."],
}


@st.composite
def files(draw: Any) -> bytes:
    """Bytes of a design file that was damaged in one of many ways, or not at all."""
    document = to_document(draw(designs(max_units=5)))
    way = draw(st.integers(0, 9))
    if way == 0:
        return json_text(draw, document).encode()
    if way < 8:
        return documents_damaged(draw, document)
    return bytes_damaged(draw, json_text(draw, document).encode())


@pytest.fixture
def place(made: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with earlier results, where no tool starts."""
    with fresh(made) as folder:
        (folder / "out").mkdir()
        for name in ("small_.v", "generated.v", "verify.json", "prove.json"):
            (folder / "out" / name).write_text("earlier")
        idle(monkeypatch, folder / "small.json")
        for path in folder.glob("small*.json"):
            path.unlink()  # of several designs, reports would take this one
        (folder / "out/verify.json").unlink()
        yield folder


def check(content: bytes, name: str, place: Path) -> Called:
    """Hold `run` and one more command to the law, and what is accepted to its meaning."""
    with fresh(place) as folder:
        path = folder / "d.json"
        path.write_bytes(content)
        (folder / "in.csv").write_text("0\n0.5\n-3\n1e9\n")
        done = behaves(["run", "d.json", "in.csv", "--input-columns", "0", "--json"], folder)
        other = behaves([*REFUSING[name], "--json"], folder)
        try:
            design = load(path)
        except ValueError as error:
            sentence = str(error).replace(str(folder), "").lstrip("/")
            assert done.code == 2 and sentence.split(":")[0] in done.record["error"]
            if name not in ("report", "evidence"):  # those take other JSON for a stranger's
                assert other.record == done.record
            return done
        again = load(save(design, folder / "again.json"))
        assert again == design and digest(again) == digest(design)
        codes, last = stimulus(design, np.random.default_rng(0), 16)
        trace = reference.run(design, codes, last)
        assert trace.outputs.shape == (16, design.n_outputs)
        return done


@st.composite
def accepted(draw: Any) -> Design:
    """Design out of a file that was damaged, and yet is one."""
    document = to_document(draw(designs(max_units=4)))
    for _ in range(9):
        try:
            return from_document(json.loads(documents_damaged(draw, document)))
        except (ValueError, RecursionError):
            continue
    return from_document(document)


def becomes_verilog(design: Design) -> None:
    text = emit(design)
    assert f"// design {digest(design)}" in text and f"module {design.name}(" in text


NAMES = st.sampled_from(sorted(REFUSING))


def test_design_files(place: Path) -> None:
    def one(content: bytes, name: str) -> None:
        check(content, name, place)

    given(files(), NAMES)(examples(60)(one))()


@pytest.mark.slow
def test_design_files_for_long(place: Path) -> None:
    def one(content: bytes, name: str) -> None:
        check(content, name, place)

    given(files(), NAMES)(LONG(one))()


def test_what_is_accepted_becomes_verilog() -> None:
    given(accepted())(examples(8)(becomes_verilog))()


@pytest.mark.slow
def test_what_is_accepted_becomes_verilog_for_long() -> None:
    given(accepted())(LONG(becomes_verilog))()
