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

__all__ = ["check_file", "check_folder", "sha256_of", "together", "write_atomic"]


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
        renamed into `folder`, where they take the place of those of the same name.

    Raises
    ------
    RchwError
        If the folder cannot be created or written, or the disk is full.
    """
    place = folder.absolute()
    missing = [path for path in (place, *place.parents) if not path.exists()]
    failed = place.with_name(f"{place.name}.failed")
    temporary = None
    try:
        place.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".part-", dir=place))
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
            shutil.rmtree(temporary, ignore_errors=True)
        for path in missing:
            with suppress(OSError):
                path.rmdir()


def _put_in_place(temporary: Path, folder: Path) -> None:
    """Rename every file of one folder into another, without a moment for an interruption."""
    made = sorted(path for path in temporary.rglob("*") if not path.is_dir())
    targets = [folder / path.relative_to(temporary) for path in made]
    for target in targets:
        if target.is_dir():
            raise RchwError(f"{target} cannot be written: it is a folder")
        check_folder(target.parent)
    with _uninterrupted():
        for path, target in zip(made, targets, strict=True):
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(path, target)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait until the block has ended."""
    usual = signal.getsignal(signal.SIGINT)
    if usual is None or threading.current_thread() is not threading.main_thread():
        yield  # not Python's to handle, or of another thread
        return
    struck = []
    signal.signal(signal.SIGINT, lambda number, frame: struck.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
        if struck:
            signal.raise_signal(signal.SIGINT)


def sha256_of(path: str | Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
