"""Damaged data: a table that people, programs or disks have spoilt is read rightly or refused."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.cli.command_line import SMALL, Called
from tests.cli.damage import bytes_damaged
from tests.cli.fuzzing import LONG, behaves, examples, fresh, idle

CELLS = [
    "", " ", "nan", "NaN", "inf", "-inf", "Infinity", "1e400", "-1e308", "1e308", "1e101", "5e-324",
    "-", ".", "1.", ".5", "+1", "--1", "1e", "e1", "1_000", "1,5", "1.5.2", "0x10", "0b1", "1j",
    "#", "None", "True", "# 1", "x", "\u0663", "\uff11", "\u22121", " 1 ", '"1"', '"', '"1', "'1'",
    '"1\n2"', "9" * 400, "9" * 5000, "a" * 200_000, "\x00", "\u2028", "\ufeff", "\u202e", "-129",
    "127", "128", "=1+1", "1;2", "1\t2",
]  # fmt: skip
HEADERS = [
    "x", "", " ", "#x", "X", "x[0]", "0", "1", "last", "wire", "é", '"a,b"', "a\nb", "x" * 500,
]  # fmt: skip
DTYPES = [
    "<f8", ">f8", "<f4", "<f2", "<g", "<i8", ">i2", "i1", "u1", "<u8", "?", "c16", "S3", "U3", "O",
    "M8[s]", "m8[s]", "V4", "i4,f8",
]  # fmt: skip
SHAPES = [
    (0,), (1,), (8,), (40,), (40, 1), (40, 2), (40, 0), (0, 3), (1, 40), (4, 5, 2), (), (40, 70),
]  # fmt: skip
ROWS: list[list[str]] = [[], [""], ["1"] * 9]
ENDS = ("\n", "\n", "\r\n", "\r")
LIES = (b"(1<<50,)", b"(10**12,)", b"(-40,)", b"(4000000000000,)")
SPECIAL = [np.nan, np.inf, -np.inf, 1e300, -1e300, 1e101, 5e-324, 128.0, -129.0, 0.5, 2.0**53]


@st.composite
def texts(draw: Any) -> bytes:
    """Bytes of a table of text, with some of its cells, rows or bytes spoilt."""
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    columns, rows = draw(st.integers(1, 3)), draw(st.sampled_from([0, 1, 2, 8, 40, 40, 40]))
    style = draw(st.sampled_from(["real", "real", "code", "still", "huge"]))
    scale = {"real": 1.0, "code": 60.0, "still": 0.0, "huge": 1e307}[style]
    table = scale * rng.normal(size=(rows, columns))
    table = np.floor(table) if style == "code" else table
    cells = [[repr(value) for value in row] for row in table.tolist()]
    if draw(st.booleans()):
        cells.insert(0, [draw(st.sampled_from(HEADERS)) for _ in range(columns)])
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2, 5])) if cells else 0):
        row = cells[draw(st.integers(0, len(cells) - 1))]
        what = draw(st.sampled_from(["cell", "cell", "cell", "more", "less", "row"]))
        if what == "cell" and row:
            row[draw(st.integers(0, len(row) - 1))] = draw(st.sampled_from(CELLS))
        elif what == "more":
            row.append(draw(st.sampled_from(CELLS)))
        elif what == "less":
            del row[-1:]
        else:
            cells.insert(draw(st.integers(0, len(cells))), list(draw(st.sampled_from(ROWS))))
    delimiter, end = draw(st.sampled_from(",,,;\t| ")), draw(st.sampled_from(ENDS))
    text = end.join(delimiter.join(row) for row in cells) + end * draw(st.sampled_from([1, 0, 3]))
    content = text.encode("utf-8", "surrogatepass")
    return bytes_damaged(draw, content) if not draw(st.integers(0, 4)) else content


def _array(draw: Any) -> NDArray[Any]:
    """Array of any type and shape, now and then with one entry that is special."""
    shape, dtype = draw(st.sampled_from(SHAPES)), np.dtype(draw(st.sampled_from(DTYPES)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    values = np.asarray(50 * rng.normal(size=shape))
    if dtype.kind not in "fc":
        whole: NDArray[Any] = np.abs(values).astype(np.int64)
        return whole.astype(object if dtype.names else dtype)
    if values.size and draw(st.booleans()):
        values.flat[draw(st.integers(0, values.size - 1))] = draw(st.sampled_from(SPECIAL))
    with np.errstate(all="ignore"):
        changed: NDArray[Any] = values.astype(dtype)
    return changed


@st.composite
def arrays(draw: Any) -> tuple[str, bytes]:
    """Suffix and bytes of what numpy saves, or of something like it."""
    stream = io.BytesIO()
    if draw(st.booleans()):
        np.save(stream, _array(draw), allow_pickle=True)
        content = stream.getvalue()
        if not draw(st.integers(0, 3)):  # a header that promises what does not follow
            content = content.replace(b"(40,)", draw(st.sampled_from(LIES)))
        suffix = ".npy"
    else:
        names = st.sampled_from(["x", "inputs", "targets", "", "a/b", "../x", "x.npy", "é", "file"])
        with zipfile.ZipFile(stream, "w") as archive:
            for name in draw(st.lists(names, max_size=3, unique=True)):
                one = io.BytesIO()
                np.save(one, _array(draw), allow_pickle=True)
                content = one.getvalue()
                content = bytes_damaged(draw, content) if not draw(st.integers(0, 7)) else content
                archive.writestr(f"{name}.npy" if draw(st.integers(0, 9)) else name + "-", content)
        content, suffix = stream.getvalue(), ".npz"
    content = bytes_damaged(draw, content) if not draw(st.integers(0, 3)) else content
    return draw(st.sampled_from([suffix] * 9 + [".csv", ".npy"])), content


FILES = st.one_of(texts().map(lambda content: (".csv", content)), arrays())
WORDS = st.sampled_from(
    [
        ("run", "small.json", "-o", "out.csv"),
        ("run", "small.json", "--input-columns", "0"),
        ("run", "small.json", "--input-columns", "0", "--codes", "-o", "out.csv", "--states"),
        ("run", "small.json", "--input-columns", "x", "--states"),
        ("verify", "small.json", "--soak", "--input-columns", "0", "-o", "out", "--input"),
        ("train", "-o", "small.json", *SMALL),
        ("train", "-o", "small.json", *SMALL, "--input-columns", "0", "--encoder", "mean-std"),
        ("train", "-o", "new.json", *SMALL, "--target-columns", "1", "--reservoir", "integer"),
    ]
)


@pytest.fixture
def place(made: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a design and an earlier result."""
    with fresh(made) as folder:
        (folder / "out.csv").write_text("earlier")
        idle(monkeypatch, folder / "small.json")
        yield folder


def check(file: tuple[str, bytes], words: tuple[str, ...], place: Path) -> Called:
    """What is not refused gives as many rows as were read, all of them finite."""
    with fresh(place) as folder:
        suffix, content = file
        (folder / f"data{suffix}").write_bytes(content)
        done = behaves([*words, f"data{suffix}", "--json"], folder)
        if done.code == 0 and words[0] == "run":
            header, *rows = (folder / "out.csv").read_text().splitlines()
            if "-o" in words:
                assert header.startswith("x_ahead") and len(rows) == done.record["samples"]
            else:
                assert len(done.record["rows"]) == done.record["samples"] > 0
                assert rows == [] and header == "earlier"
        return done


def test_inputs(place: Path) -> None:
    def one(file: tuple[str, bytes], words: tuple[str, ...]) -> None:
        check(file, words, place)

    given(FILES, WORDS)(examples(150)(one))()


@pytest.mark.slow
def test_inputs_for_long(place: Path) -> None:
    def one(file: tuple[str, bytes], words: tuple[str, ...]) -> None:
        check(file, words, place)

    given(FILES, WORDS)(LONG(one))()


def test_pickled_code_in_arrays_is_never_run(place: Path) -> None:
    """An object array holds a program; reading it would run that."""

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return open, (str(place / "run.txt"), "w")

    bomb = np.empty(9, dtype=object)
    bomb[:] = [Bomb() for _ in range(9)]
    np.save(place / "bomb.npy", bomb, allow_pickle=True)
    np.savez(place / "bomb.npz", x=bomb)
    for name in ("bomb.npy", "bomb.npz"):
        assert behaves(["run", "small.json", name, "--json"], place).code == 2
    assert not (place / "run.txt").exists()
