"""Files appear whole or not at all, and an earlier one survives every failure."""

import hashlib
import os
from pathlib import Path

import pytest

from rchw import files
from rchw.errors import RchwError, ToolError
from rchw.files import sha256_of, together, write_atomic


def test_text_and_bytes_are_written_as_they_are(tmp_path: Path) -> None:
    text = write_atomic(tmp_path / "deep" / "er" / "a.txt", "zwölf\n")
    data = write_atomic(str(tmp_path / "b.bin"), b"\x00\r\n")
    assert text.read_bytes() == "zwölf\n".encode() and data.read_bytes() == b"\x00\r\n"
    assert text.stat().st_mode & 0o777 == 0o644
    assert sha256_of(data) == hashlib.sha256(b"\x00\r\n").hexdigest()


def failing(error: BaseException) -> object:
    def replace(*args: object) -> None:
        raise error

    return replace


@pytest.mark.parametrize(
    ("error", "seen", "sentence"),
    [
        (OSError(28, "No space left on device"), RchwError, r"a cannot be written: No space left"),
        (KeyboardInterrupt(), KeyboardInterrupt, None),
    ],
)
def test_a_failure_leaves_the_old_file_and_no_other(
    error: BaseException,
    seen: type[BaseException],
    sentence: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_atomic(tmp_path / "a", "old")
    monkeypatch.setattr(os, "replace", failing(error))
    with pytest.raises(seen, match=sentence):
        write_atomic(tmp_path / "a", "new")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_what_is_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(RchwError, match=r"folder cannot be written: "):
        write_atomic(tmp_path / "folder", "x")
    (tmp_path / "file").write_text("x")
    with pytest.raises(RchwError, match=r"file/a cannot be written: "):
        write_atomic(tmp_path / "file" / "a", "x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


def test_files_that_belong_together_appear_together(tmp_path: Path) -> None:
    with together(tmp_path / "out") as part:
        write_atomic(part / "a", "1")
        write_atomic(part / "b", "2")
        assert not (tmp_path / "out" / "a").exists()
    assert {p.name: p.read_text() for p in (tmp_path / "out").iterdir()} == {"a": "1", "b": "2"}


@pytest.mark.parametrize("error", [ToolError("no yosys"), ValueError("bug"), KeyboardInterrupt()])
def test_a_block_that_fails_leaves_the_old_files(error: BaseException, tmp_path: Path) -> None:
    write_atomic(tmp_path / "a", "old")
    with pytest.raises(type(error)), together(tmp_path) as part:
        write_atomic(part / "a", "new")
        raise error
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_the_temporary_folder_is_in_no_sentence(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"^see .*/out/log$"), together(tmp_path / "out") as part:
        raise ToolError(f"see {part}/log")


def test_a_folder_in_the_way_of_one_keeps_all_back(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    with pytest.raises(RchwError, match=r"b cannot be written: it is a folder"):
        with together(tmp_path) as part:
            write_atomic(part / "a", "1")
            write_atomic(part / "b", "2")
    assert [p.name for p in tmp_path.iterdir()] == ["b"]
    (tmp_path / "file").write_text("x")
    with pytest.raises(RchwError, match=r"file cannot be written: "), together(tmp_path / "file"):
        pytest.fail("the block must not start")


def test_a_plain_write_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test of failures fails for a writer that truncates first."""

    def plain(path: Path, content: str) -> Path:
        path.write_text(content)
        os.replace(path, path)
        return path

    monkeypatch.setitem(globals(), "write_atomic", plain)
    with pytest.raises(AssertionError):
        test_a_failure_leaves_the_old_file_and_no_other(
            KeyboardInterrupt(), KeyboardInterrupt, None, tmp_path, monkeypatch
        )
    assert files.write_atomic is not plain
