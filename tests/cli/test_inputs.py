"""Input codes and last flags from a file: `run` and `verify --soak` read the same rows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rchw import reference
from rchw.cli.inputs import read_inputs, read_sequences
from rchw.document import save
from rchw.errors import DesignError
from tests.cli.command_line import call, refused
from tests.examples import CLASSES, EXAMPLE
from tests.sim.pair import pair


def test_what_is_read_is_what_run_answers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a file with more columns, by the design's name and by others."""
    from rchw.document import load

    design, data = load(folder / "small.json"), folder / "small.csv"
    whole = np.genfromtxt(data, delimiter=",", skip_header=1)
    for place, columns in enumerate((None, "noise")):
        more = () if columns is None else ("--input-columns", columns)
        done = call(capsys, "run", folder / "small.json", data, *more, "--json")
        codes, last = read_sequences(design, data, columns)
        assert last is None and np.array_equal(codes, read_inputs(design, data, columns))
        assert np.array_equal(codes, design.encode(whole[:, [place]]))
        answer = design.decode(reference.run(design, codes).outputs)
        assert done.record["rows"] == answer.tolist()


@pytest.mark.parametrize(
    ("text", "wanted", "ends"),
    [
        ("u,tlast\n1,0\n2,1\n3,0\n", None, [False, True, False]),
        ("tlast;u\n1;1\n0.0;2\n1.0;3\n", None, [True, False, True]),
        ("speed,tlast\n1,0\n2,1\n3,0\n", None, [False, True, False]),
        ("u,TLAST\n1,0\n2,1\n3,0\n", None, None),
        ("u,last\n1,0\n2,1\n3,0\n", None, None),
        ("u,v\n1,0\n2,1\n3,0\n", None, None),
        ("v,tlast\n9,1\n9,2\n9,3\n", "tlast", None),
    ],
)
def test_the_marks_are_those_of_a_column(
    text: str, wanted: str | None, ends: list[bool] | None, tmp_path: Path
) -> None:
    """One that is called `tlast` and is no input."""
    file = tmp_path / "a.csv"
    file.write_text(text)
    codes, last = read_sequences(pair(), file, wanted, codes=True)
    assert codes.tolist() == [[1], [2], [3]]
    assert (None if last is None else last.tolist()) == ends


def test_run_answers_once_per_sequence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    design = save(CLASSES, tmp_path / "classes.json")
    rows = [[1, -2], [3, 4], [-5, 6], [7, -8], [0, 1]]
    codes, whole, marked = np.array(rows), tmp_path / "whole.csv", tmp_path / "marked.csv"
    last = np.array([0, 1, 0, 0, 1])
    np.savetxt(whole, codes, "%d", ",", header="wind,rain", comments="")
    table = np.column_stack([codes, last])
    np.savetxt(marked, table, "%d", ",", header="wind,rain,tlast", comments="")
    for data, flags in ((whole, [0, 0, 0, 0, 1]), (marked, last)):
        record = call(capsys, "run", design, data, "--codes", "--json").record
        assert record["rows"] == reference.run(CLASSES, codes, flags).outputs.tolist()
        assert (record["columns"], record["samples"]) == (["readout"], 5)
    words = ("run", design, whole, "--states")
    refused(capsys, words, "states must be left out where a sequence has one answer, not given")


def test_a_channel_of_that_name_is_an_input(tmp_path: Path) -> None:
    channel = replace(pair().inputs[0], name="tlast")
    file = tmp_path / "a.csv"
    file.write_text("u,tlast\n1,7\n2,8\n")
    codes, last = read_sequences(replace(pair(), inputs=(channel,)), file, codes=True)
    assert codes.tolist() == [[7], [8]] and last is None


def test_arrays_mark_too(tmp_path: Path) -> None:
    rows = np.arange(10).reshape(5, 2)
    np.savez(tmp_path / "a.npz", inputs=rows, tlast=rows[:, 0] == 4)
    codes, last = read_sequences(EXAMPLE, tmp_path / "a.npz", codes=True)
    assert np.array_equal(codes, rows)
    assert last is not None and last.tolist() == [False, False, True, False, False]


@pytest.mark.parametrize("mark", ["2", "-1", "0.5"])
def test_a_mark_that_is_none(mark: str, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"u,tlast\n1,0\n2,{mark}\n")
    with pytest.raises(DesignError) as caught:
        read_sequences(pair(), file, codes=True)
    assert str(caught.value) == f"tlast in {file} must be 0 or 1, not {mark} at sample 1"


def test_a_mark_that_is_no_number(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("u,tlast\n1,0\n2,yes\n")
    with pytest.raises(DesignError, match="row 3, column 'tlast' must be a finite number, not 'ye"):
        read_sequences(pair(), file)
