"""Writing files so that an interrupted or failed run leaves the earlier result intact."""

import hashlib
import os
import tempfile
from pathlib import Path

from rchw.errors import RchwError

__all__ = ["sha256_of", "write_atomic"]


def write_atomic(path: str | Path, content: str | bytes) -> Path:
    """Write `content` to a temporary file beside `path`, then rename it over `path`.

    Parameters
    ----------
    path : str or Path
        Its folder is created when missing.
    content : str or bytes
        Text is written as UTF-8 with ``\\n`` line ends.

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


def sha256_of(path: str | Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
