"""Writing files so that an interrupted or failed run leaves the earlier result intact."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rchw.errors import RchwError

__all__ = ["sha256_of", "together", "write_atomic"]


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


@contextmanager
def together(folder: Path) -> Iterator[Path]:
    """Write several files that belong together: all of them appear, or none.

    Parameters
    ----------
    folder : Path
        Created when missing.

    Yields
    ------
    Path
        A temporary folder; what is in it when the block ends well is renamed into `folder`.

    Raises
    ------
    RchwError
        If the folder cannot be created or written, or the disk is full.
    """
    temporary = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".part-", dir=folder))
        yield temporary
        made = sorted(temporary.iterdir())
        blocked = [folder / item.name for item in made if (folder / item.name).is_dir()]
        if blocked:
            raise RchwError(f"{blocked[0]} cannot be written: it is a folder")
        for item in made:
            os.replace(item, folder / item.name)
    except RchwError as error:
        raise type(error)(str(error).replace(f"{temporary}/", f"{folder}/")) from error
    except OSError as error:
        raise RchwError(f"{folder} cannot be written: {error.strerror}") from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def sha256_of(path: str | Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
