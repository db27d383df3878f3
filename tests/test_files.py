"""Files appear whole or not at all, and an earlier one survives every failure."""

import hashlib
import os
import signal
from pathlib import Path

import pytest

from rchw import files
from rchw.errors import RchwError, ToolError
from rchw.files import STOPPING, check_file, check_folder, sha256_of, together, write_atomic


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


def test_files_in_subfolders_take_the_place_of_their_elders(tmp_path: Path) -> None:
    """What the block does not write stays, and what it starts from may be as it was."""
    out = tmp_path / "out"
    for name in ("a", "cache/b", "cache/c", "other/d"):
        write_atomic(out / name, "old")
    with together(out, start_from=["cache", "none"]) as part:
        assert (part / "cache/b").read_text() == "old" and not (part / "other").exists()
        for name in ("a", "cache/b", "new/e"):
            write_atomic(part / name, "new")
        assert (out / "cache/b").read_text() == "old"
    found = {name: (out / name).read_text() for name in ("a", "cache/b", "new/e")}
    assert set(found.values()) == {"new"}
    assert {(out / name).read_text() for name in ("cache/c", "other/d")} == {"old"}
    assert len(list(out.rglob("*"))) == 8, "and nothing else"


def test_the_folder_may_be_the_one_worked_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_atomic("mine.json", "mine")
    with together(Path(), keep_logs=True) as part:
        write_atomic(part / "made.json", "made")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made.json", "mine.json"]


def test_a_folder_made_for_nothing_is_removed(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(ZeroDivisionError), together(tmp_path / "there" / "b" / "c"):
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_logs_of_a_failure_are_kept_beside(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for keep in (True, False):
        with pytest.raises(ToolError) as told, together(out, keep_logs=keep) as part:
            write_atomic(part / "deep" / "x.log", f"why {keep}")
            raise ToolError(f"see {part}/deep/x.log")
        place = tmp_path / "out.failed" if keep else out
        assert str(told.value) == f"see {place}/deep/x.log"
        assert (tmp_path / "out.failed/deep/x.log").read_text() == "why True"
        assert [path.name for path in tmp_path.iterdir()] == ["out.failed"]
    with together(out, keep_logs=True):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["out"], "what has become right"


@pytest.mark.parametrize("number", STOPPING)
def test_an_interruption_while_renaming_waits(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two files, both have arrived when it is noticed."""
    rename, usual = os.replace, signal.signal(number, signal.default_int_handler)

    def strike(source: Path, target: Path) -> None:
        os.kill(os.getpid(), number)
        rename(source, target)

    try:
        with pytest.raises(KeyboardInterrupt), together(tmp_path / "out") as part:
            (part / "a").write_text("new")
            (part / "b").write_text("new")
            monkeypatch.setattr(os, "replace", strike)
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, usual)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a", "b"]


def test_what_a_killed_process_had_complete_is_finished(tmp_path: Path) -> None:
    """Two of its three files are in place, and so all three must be."""
    for name in ("a", "b", "deep/c"):
        write_atomic(tmp_path / name, "old")
    write_atomic(tmp_path / "a", "new")
    for name in ("b", "deep/c"):
        write_atomic(tmp_path / ".done-1" / name, "new")
    write_atomic(tmp_path / ".part-2/a", "never complete")
    with together(tmp_path) as part:
        assert {(tmp_path / name).read_text() for name in ("a", "b", "deep/c")} == {"new"}
        write_atomic(part / "b", "newer")
    assert (tmp_path / "b").read_text() == "newer" and (tmp_path / "a").read_text() == "new"
    assert not list(tmp_path.glob(".done-*"))


def test_the_highest_folder_has_a_place_for_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no name to put a suffix to."""
    monkeypatch.setattr("tempfile.mkdtemp", lambda prefix, dir: str(tmp_path))
    with pytest.raises(ZeroDivisionError), together(Path("/"), keep_logs=True):
        raise ZeroDivisionError


def test_what_is_in_the_way_is_told_beforehand(tmp_path: Path) -> None:
    write_atomic(tmp_path / "file", "x")
    check_folder(tmp_path / "a" / "b")
    check_file(tmp_path / "file")
    check_file(tmp_path / "a" / "b")
    for path in (tmp_path / "file", tmp_path / "file" / "a" / "b"):
        with pytest.raises(RchwError, match=r"/file must be a folder, not a file$"):
            check_folder(path)
    with pytest.raises(RchwError, match=r"/file must be a folder, not a file$"):
        check_file(tmp_path / "file" / "a")
    with pytest.raises(RchwError, match=r"must be a file, not a folder$"):
        check_file(tmp_path)


def test_a_folder_that_may_not_be_written_is_refused_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked of the system, not of the mode: root may write where nobody may."""
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path)
    check_folder(tmp_path.parent / "other")
    for path in (tmp_path, tmp_path / "a" / "b"):
        with pytest.raises(RchwError, match=rf"^{tmp_path} cannot be written: Permission denied$"):
            check_folder(path)
    with pytest.raises(RchwError, match="cannot be written: Permission denied"):
        check_file(tmp_path / "file")


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
