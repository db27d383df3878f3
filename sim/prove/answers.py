"""What the solver said, kept in a file as it comes: a proof that was stopped does not ask again."""

import hashlib
import json
from pathlib import Path

import z3

from rchw.errors import RchwError

__all__ = ["Answers"]


class Answers:
    """Answers by their questions.

    Parameters
    ----------
    file : Path, optional
        A line of JSON for each; created with the first. What is no such line, as the last one may
        be after a kill, counts as not answered.

    Raises
    ------
    RchwError
        If the file cannot be read or written.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._known: dict[str, tuple[bool, list[int]]] = {}
        if file is None or not file.exists():
            return
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError as error:
            raise RchwError(f"{file} cannot be read: {error.strerror}") from error
        for line in lines:
            try:
                question, equal, values = json.loads(line)
            except ValueError:
                continue
            self._known[question] = (bool(equal), [int(value) for value in values])

    def get(self, question: str) -> tuple[bool, list[int]] | None:
        """Whether it was always so, and if not, values for which it was not."""
        return self._known.get(_key(question)) if self._known else None

    def add(self, question: str, equal: bool, values: list[int]) -> None:
        """Keep an answer."""
        if self._file is None:
            return
        line = json.dumps([_key(question), equal, values]) + "\n"
        try:
            with self._file.open("a", encoding="utf-8") as stream:
                stream.write(line)
        except OSError as error:
            raise RchwError(f"{self._file} cannot be written: {error.strerror}") from error


def _key(question: str) -> str:
    """Hash of a question and of who was asked."""
    return hashlib.sha256(f"{z3.get_full_version()}\n{question}".encode()).hexdigest()
