"""The user's own files: round trips, columns, defaults, and one sentence per kind of bad data."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.tasks import load_task
from rchw.tasks.files import load_file, read_table

RNG = np.random.default_rng(0)
U, V, Y = RNG.normal(size=(3, 100))


def text(path: Path, columns: dict[str, Any], delimiter: str = ",", header: bool = True) -> Path:
    """Write columns as text, every number with the digits that bring it back."""
    rows = [delimiter.join(columns)] if header else []
    for values in zip(*columns.values(), strict=True):
        rows.append(delimiter.join(v if isinstance(v, str) else repr(float(v)) for v in values))
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture
def three(tmp_path: Path) -> Path:
    return text(tmp_path / "three.csv", {"u": U, "v": V, "y": Y})


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("header", [False, True])
def test_csv_round_trip(tmp_path: Path, delimiter: str, header: bool) -> None:
    path = text(tmp_path / "a.csv", {"u": U, "v": V}, delimiter, header)
    table = read_table(path)
    assert table.names == (("u", "v") if header else ("0", "1"))
    assert np.array_equal(table.values((1, 0)), np.stack([V, U], axis=1))


def test_one_column_is_forecast_one_step_ahead(tmp_path: Path) -> None:
    """50, 25 and the rest of 99 samples; a tenth of the training samples is washout."""
    task = load_task(str(text(tmp_path / "series.csv", {"u": U}, header=False)))
    assert np.array_equal(task.inputs[:, 0], U[:-1])
    assert np.array_equal(task.targets[:, 0], U[1:])
    assert (task.train, task.validation, task.test) == (slice(0, 49), slice(49, 73), slice(73, 99))
    assert (task.name, task.washout, task.metric, task.horizon) == ("series", 4, "nmse", 1)
    assert task.source == "file series.csv; inputs 0; targets 0; horizon 1"


def test_channels_have_the_names_of_their_columns(tmp_path: Path, three: Path) -> None:
    """An input that is forecast too is called so; what has no name gets a letter and a number."""
    task = load_task(three, input_columns="v,u", target_columns="y,v", horizon=1)
    assert (task.input_names, task.output_names) == (("v", "u"), ("y", "v_ahead"))
    np.savez(tmp_path / "pair.npz", inputs=np.stack([U, V], axis=1), targets=Y)
    np.savez(tmp_path / "named.npz", load=np.stack([U, V], axis=1), price=Y)
    task = load_task(tmp_path / "pair.npz")
    assert (task.input_names, task.output_names) == (("u0", "u1"), ("y0",))
    task = load_task(tmp_path / "named.npz", target_columns="price")
    assert (task.input_names, task.output_names) == (("load_0", "load_1"), ("price",))
    bare = text(tmp_path / "bare.csv", {"a": U, "b": V}, header=False)
    task = load_task(bare, input_columns="1")
    assert (task.input_names, task.output_names) == (("u0",), ("y0",))
    assert load_task("henon", split=(300, 50, 50)).input_names == ()


def test_names_of_channels_are_distinct(tmp_path: Path) -> None:
    """Neither twice, nor that of a column which is another."""
    headings = ["A", "a", "%", "u0", "a_ahead"]
    path = text(tmp_path / "odd.csv", dict(zip("abcde", (U, V, Y, U, V), strict=True)))
    path.write_text("\n".join([",".join(headings), *path.read_text().splitlines()[1:]]))
    table = read_table(path)
    assert table.identifiers == ("a", "a_2", None, "u0", "a_ahead")
    task = load_file(path, input_columns="2,0", target_columns="0", horizon=1)
    assert task.input_names == ("u0_2", "a") and task.output_names == ("a_ahead_2",)
    assert table.named(["u0", "a"]) == (3, 0) and table.named(["a", "u0_2"]) is None


def test_same_data_same_hashes_from_every_kind_of_file(tmp_path: Path, three: Path) -> None:
    array = np.stack([U, V, Y], axis=1)
    np.save(tmp_path / "three.npy", array)
    np.savez(tmp_path / "three.npz", u=U, v=V, y=Y)
    np.savez(tmp_path / "pair.npz", inputs=array[:, :2], targets=Y)
    np.savetxt(tmp_path / "numpy.csv", array, delimiter=",", fmt="%.18e", header="u,v,y")
    expected = load_task(three, target_columns=["y"]).hashes()
    for name, columns in (
        ("three.npy", "2"), ("three.npz", "y"), ("pair.npz", None), ("numpy.csv", "y"),
    ):  # fmt: skip
        assert load_task(tmp_path / name, target_columns=columns).hashes() == expected, name


def test_columns_by_name_and_number(three: Path) -> None:
    task = load_task(three, input_columns="v, u", target_columns=[2])
    assert np.array_equal(task.inputs, np.stack([V, U], axis=1))
    assert np.array_equal(task.targets[:, 0], Y)
    assert task.horizon == 0 and task.inputs.shape == (100, 2)
    assert task.source == "file three.csv; inputs v, u; targets y; horizon 0"
    two = load_task(three, input_columns=[0], target_columns="v,y", horizon=2)
    assert np.array_equal(two.targets, np.stack([V[2:], Y[2:]], axis=1))


def test_names_go_before_numbers(tmp_path: Path) -> None:
    """A header of numbers cannot be told from data; one name suffices to tell a column."""
    np.savez(tmp_path / "a.npz", **{"1": U, "0": V})
    table = read_table(tmp_path / "a.npz")
    assert table.find("1", "columns") == (0,)
    assert table.find([1], "columns") == (1,)


def test_all_other_columns_are_inputs(three: Path) -> None:
    assert np.array_equal(load_task(three, target_columns="v").inputs, np.stack([U, Y], axis=1))
    forecast = load_task(three, horizon=3)
    assert forecast.inputs.shape == (97, 3)
    assert np.array_equal(forecast.targets[:, 0], U[3:])


def test_an_input_may_be_forecast_beside_others(three: Path) -> None:
    task = load_task(three, input_columns="u,y", target_columns="y", horizon=1)
    assert np.array_equal(task.targets[:, 0], Y[1:])


def test_a_column_that_is_not_used_may_hold_anything(tmp_path: Path) -> None:
    dates = [f"2020-01-{day}" for day in range(100)]
    path = text(tmp_path / "a.csv", {"date": dates, "u": U})
    assert np.array_equal(load_task(path, input_columns="u").inputs[:, 0], U[:-1])


def test_text_as_found_in_the_wild(tmp_path: Path) -> None:
    """A byte order mark, Windows line ends, empty lines, quotes, spaces."""
    path = tmp_path / "a.csv"
    lines = ['"u" , "v"', "", *(f' {i}, "{i * i}"' for i in range(20)), ",", ""]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    table = read_table(path)
    assert table.names == ("u", "v") and table.rows[0] == 3
    assert table.values((1,))[:, 0].tolist() == [i * i for i in range(20)]


def test_split_and_washout(three: Path) -> None:
    """Rows after the last split are left out; 200 is the largest default washout."""
    task = load_task(three, split=(50, 20, 10), washout=7, target_columns="y")
    assert (len(task.inputs), task.washout, task.test) == (80, 7, slice(70, 80))
    shorter = load_task(three, split=(50, 20, 5), target_columns="y")
    assert shorter.hashes()["train"] == task.hashes()["train"]


def test_default_washout_is_at_most_200(tmp_path: Path) -> None:
    np.save(tmp_path / "long.npy", RNG.normal(size=10001))
    assert load_task(tmp_path / "long.npy").washout == 200


BAD_TEXT = [
    ("", "must hold rows of numbers, not be empty$"),
    ("\n\n  \n", "must hold rows of numbers, not be empty$"),
    ("u,v\n", "must hold rows of numbers, not a header alone$"),
    ("1,2\n3\n4,5\n", "row 2 must have 2 cells, not 1$"),
    ("u,v\n1,2\n3,4,5\n", "row 3 must have 2 cells, not 3$"),
    ("u,v\n1,2\n3,hello\n", "row 3, column 'v' must be a finite number, not 'hello'$"),
    ("1,2\n3,1_000\n", "row 2, column '1' must be a finite number, not '1_000'$"),
    ("u,v\n1,2\n\n3,\n", "row 4, column 'v' must be a finite number, not ''$"),
    ("u,v\n1,nan\n3,4\n", "row 2, column 'v' must be a finite number, not 'nan'$"),
    ("u,v\n1,2\n-inf,4\n", "row 3, column 'u' must be a finite number, not '-inf'$"),
    ("u\n" + "1\n2\n" * 4, "must hold at least 8 samples after the horizon to be split, not 7$"),
    ("u,y\n" + "1,2\n" * 40, "^inputs must vary over the train samples, not be constant at 1 in"),
    ("u,y\n" + "1,2\n3,2\n" * 20, "^targets must vary over the train samples, not be .* at 2 in"),
    ("u\n1\n\x00\n", "must be a finite number|must be comma-separated text"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "sentence"), BAD_TEXT)
def test_refuses_text(tmp_path: Path, content: str, sentence: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content)
    columns = "y" if "y" in content.split("\n", maxsplit=1)[0] else None
    with pytest.raises(DesignError, match=sentence) as caught:
        load_task(path, target_columns=columns)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value) or "vary" in str(caught.value)


def with_entry(value: float) -> Any:
    array = np.stack([U, V], axis=1)
    array[5, 1] = value
    return array


BAD_ARRAYS: list[tuple[str, Any, str]] = [
    ("a.npy", np.zeros(0), "must hold rows of numbers, not be empty$"),
    ("a.npy", np.zeros((5, 0)), "must hold rows of numbers, not be empty$"),
    ("a.npy", np.zeros((5, 5, 5)), r"must have shape \(T,\) or \(T, C\), not \(5, 5, 5\)$"),
    ("a.npy", np.float64(3.0), r"must have shape \(T,\) or \(T, C\), not \(\)$"),
    ("a.npy", np.array(["a", "b"]), "must hold real numbers, not <U1$"),
    ("a.npy", U + 1j, "must hold real numbers, not complex128$"),
    ("a.npy", with_entry(np.nan), "row 5, column '1' must be a finite number, not 'nan'$"),
    ("a.npz", {"u": with_entry(np.inf)}, r"row 5, column 'u\[1\]' must be a finite .*'inf'$"),
    ("a.npz", {}, "must hold rows of numbers, not be empty$"),
    ("a.npz", {"u": U, "v": V[:50]}, "^array 'v' of .* must have as many rows .*100, not 50$"),
    ("a.npz", {"u": U, "note": np.array("x")}, "^array 'note' of .* must hold real numbers"),
]


@pytest.mark.parametrize(("name", "content", "sentence"), BAD_ARRAYS)
def test_refuses_arrays(tmp_path: Path, name: str, content: Any, sentence: str) -> None:
    path = tmp_path / name
    if name.endswith(".npz"):
        np.savez(path, **content)
    else:
        np.save(path, content)
    with pytest.raises(DesignError, match=sentence):
        load_task(path)


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04broken", b"\x93NUMPY\x01\x00"])
def test_refuses_bytes_that_are_no_arrays(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DesignError, match=r"must hold arrays of numbers as numpy saves them"):
        load_task(path)


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_damaged_arrays_are_refused_or_read(tmp_path: Path, name: str) -> None:
    """Cut anywhere, or with any byte of the head changed: a sentence, never another error."""
    path = tmp_path / name
    if name.endswith(".npz"):
        np.savez_compressed(path, u=U[:20], v=V[:20])
    else:
        np.save(path, U[:20])
    whole = path.read_bytes()
    damaged = [whole[:cut] for cut in range(0, len(whole) - 1, 7)]
    for place in range(0, len(whole), 3):
        damaged.append(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
    refused = 0
    for content in damaged:
        path.write_bytes(content)
        try:
            load_task(path)
        except DesignError:
            refused += 1
    assert refused > len(damaged) // 2


def test_refuses_pickled_objects(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DesignError, match=r"must hold arrays of numbers as numpy saves them"):
        load_task(path)


def test_refuses_other_bytes_among_arrays(tmp_path: Path) -> None:
    """Numpy gives out what does not begin as an array as it is."""
    path = tmp_path / "a.npz"
    np.savez(path, u=U)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("v.npy", b"no array")
    with pytest.raises(DesignError, match=r"must hold arrays of numbers as numpy saves them"):
        load_task(path)


def test_refuses_another_encoding_or_kind(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("größe\n1\n".encode("latin-1"))
    with pytest.raises(DesignError, match=r"must be UTF-8 text"):
        load_task(path)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DesignError, match=r"must be readable, not refused: Is a directory$"):
        load_task(tmp_path / "folder.csv")
    with pytest.raises(DesignError, match=r"^file must be one of .csv, .npy, .npz, not 'a.txt'$"):
        load_file(tmp_path / "a.txt")


@pytest.mark.parametrize(("options", "sentence"), [
    ({"input_columns": "w"}, r"^input columns must be columns of .*\(0 to 2: u, v, y\), not 'w'$"),
    ({"target_columns": [3]}, "^target columns must be columns of .*, not '3'$"),
    ({"target_columns": "-1"}, "^target columns must be columns of .*, not '-1'$"),
    ({"input_columns": "u,0"}, "^input columns must be different columns of .*, not 'u,0'$"),
    ({"input_columns": []}, r"^input columns must be different columns of .*, not \[\]$"),
    ({"target_columns": "u,v,y"}, "^input columns must be left in .*, not all be targets$"),
    ({"horizon": 0}, "^horizon must be at least 1, not 0, as column 'u' is input and target$"),
    ({"target_columns": "y", "horizon": -1}, "^horizon must be at least 0, not -1$"),
    ({"input_columns": "u", "target_columns": "u"}, "^horizon must be at least 1, not 0, as "),
    ({"horizon": 95}, "must hold at least 8 samples after the horizon to be split, not 5$"),
    ({"horizon": 1000}, "must hold at least 8 samples after the horizon to be split, not 0$"),
    ({"split": (50, 30, 20)}, "^split must add up to at most 99, the rows of .*, not 100$"),
    ({"split": (50, 30, 1)}, "^split must be three lengths of at least 2 samples, not 50, 30, 1$"),
    ({"washout": 48}, "^washout must leave at least 2 of the 49 training samples, not be 48$"),
])  # fmt: skip
def test_refuses_options(three: Path, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        load_task(three, **options)


def test_refuses_an_ambiguous_name(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "u,u\n" + "\n".join(f"{a!r},{b!r}" for a, b in zip(U.tolist(), V.tolist(), strict=True))
    )
    with pytest.raises(DesignError, match=r"must name one column of .*, not 'u', which 2 columns"):
        load_task(path, input_columns="u")
    assert np.array_equal(load_task(path, input_columns=[1]).inputs[:, 0], V[:-1])
