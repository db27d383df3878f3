"""Writing files so that an interrupted or failed run leaves the earlier result intact."""

import errno
import hashlib
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from rchw.errors import RchwError

__all__ = [
    "STOPPING",
    "check_file",
    "check_folder",
    "finish",
    "sha256_of",
    "together",
    "write_atomic",
]

STOPPING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Signals that ask a process to end: Ctrl-C, `kill`, a terminal that is closed."""

_PART, _DONE = ".part-", ".done-"  # folders of what is being made, and of what only has to be moved


def write_atomic(path: str | Path, content: str | bytes) -> Path:
    r"""Write `content` to a temporary file beside `path`, then rename it over `path`.

    Parameters
    ----------
    path : str or Path
        Its folder is created when missing.
    content : str or bytes
        Text is written as UTF-8 with ``\n`` line ends.

    Raises
    ------
    RchwError
        If the folder cannot be created or written, or the disk is full.
    """
    path = Path(path)
    data = content.encode() if isinstance(content, str) else content
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise RchwError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)
    return path


def check_folder(path: Path) -> None:
    """Refuse what cannot become a folder, before any work is done for it.

    Raises
    ------
    RchwError
        If the path, or what it would lie in, is a file or may not be written to.
    """
    for place in (path, *path.absolute().parents):
        if place.is_dir():
            if not os.access(place, os.W_OK | os.X_OK):
                raise RchwError(f"{place} cannot be written: {os.strerror(errno.EACCES)}")
            return
        if place.exists():
            raise RchwError(f"{place} must be a folder, not a file")


def check_file(path: Path) -> None:
    """Refuse what cannot become a file, before any work is done for it.

    Raises
    ------
    RchwError
        If the path is a folder, or what it would lie in is a file or may not be written to.
    """
    if path.is_dir():
        raise RchwError(f"{path} must be a file, not a folder")
    check_folder(path.parent)


@contextmanager
def together(
    folder: Path, *, start_from: Sequence[str] = (), keep_logs: bool = False
) -> Iterator[Path]:
    """Write files that belong together: all of them appear in a folder, or none.

    Parameters
    ----------
    folder : Path
        Created when missing, and removed again if that came to nothing.
    start_from : sequence of str
        Subfolders to begin with as they are.
    keep_logs : bool
        Whether ``FOLDER.failed`` is for what a failure leaves, if tools have logged there.

    Yields
    ------
    Path
        A temporary folder; when the block ends well, the files in it and in its subfolders are
        renamed into `folder`, where they take the place of those of the same name. If the process
        is killed in between, the next that writes into this folder goes on with it; see `finish`.

    Raises
    ------
    RchwError
        If the folder cannot be created or written, or the disk is full.
    """
    place = folder.absolute()
    missing = [path for path in (place, *place.parents) if not path.exists()]
    failed = place.parent / f"{place.name}.failed"
    temporary = None
    try:
        place.mkdir(parents=True, exist_ok=True)
        finish(place)
        temporary = Path(tempfile.mkdtemp(prefix=_PART, dir=place))
        for name in start_from:
            if (place / name).is_dir():
                shutil.copytree(place / name, temporary / name)
        yield temporary
        _put_in_place(temporary, folder)
        missing = []
        if keep_logs:
            shutil.rmtree(failed, ignore_errors=True)
    except RchwError as error:
        text = str(error)
        if temporary is not None:
            if keep_logs and any(temporary.rglob("*.log")):
                shutil.rmtree(failed, ignore_errors=True)
                temporary.rename(failed)
                text = text.replace(f"{temporary}", f"{failed}")
            text = text.replace(f"{temporary.resolve()}", f"{folder}")
            text = text.replace(f"{temporary}", f"{folder}")
        raise type(error)(text) from error
    except OSError as error:
        raise RchwError(f"{folder} cannot be written: {error.strerror}") from error
    finally:
        if temporary is not None:
            for left in (temporary, _complete(temporary)):
                shutil.rmtree(left, ignore_errors=True)
        for path in missing:
            with suppress(OSError):
                path.rmdir()


def _put_in_place(temporary: Path, folder: Path) -> None:
    """Rename a folder's files into another: without a moment to interrupt, and to kill as well."""
    made = sorted(path for path in temporary.rglob("*") if not path.is_dir())
    targets = [folder / path.relative_to(temporary) for path in made]
    for target in targets:
        if target.is_dir():
            raise RchwError(f"{target} cannot be written: it is a folder")
        check_folder(target.parent)
    with _uninterrupted():
        complete = temporary.rename(_complete(temporary))
        _move(complete, folder)


def _complete(temporary: Path) -> Path:
    """What a temporary folder is called when it is complete."""
    return temporary.with_name(temporary.name.replace(_PART, _DONE, 1))


def finish(folder: Path) -> None:
    """Put in place what was complete, but not all in place, when a process was killed.

    Raises
    ------
    OSError
        If a file cannot be renamed.
    """
    for complete in sorted(folder.glob(f"{_DONE}*")):
        with _uninterrupted():
            _move(complete, folder)


def _move(complete: Path, folder: Path) -> None:
    """Rename every file of one folder into another, and remove the first."""
    for path in sorted(path for path in complete.rglob("*") if not path.is_dir()):
        target = folder / path.relative_to(complete)
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # another process was at it too, and did it
            os.replace(path, target)
    shutil.rmtree(complete, ignore_errors=True)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let Ctrl-C, and whatever else asks to stop, wait until the block has ended."""
    usual = {number: signal.getsignal(number) for number in STOPPING}
    if None in usual.values() or threading.current_thread() is not threading.main_thread():
        yield  # not Python's to handle, or of another thread
        return
    struck: list[int] = []
    for number in (number for number, handler in usual.items() if handler != signal.SIG_IGN):
        signal.signal(number, lambda number, frame: struck.append(number))
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
        for number in struck[:1]:
            signal.raise_signal(number)


def sha256_of(path: str | Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
