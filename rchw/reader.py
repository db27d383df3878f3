"""One object of a JSON document, read strictly: every key once, checked, errors with a path."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from rchw.errors import DesignError
from rchw.fixed import QFormat

__all__ = ["Reader", "codes", "integer", "short"]


def short(value: Any) -> str:
    """JSON of a value for an error sentence, cut at 60 characters."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def integer(value: Any, where: str) -> int:
    """Refuse what is not an integer; ``true`` and ``4.0`` are not."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise DesignError(f"{where} must be an integer, not {short(value)}")
    return value


def codes(value: Any, where: str) -> tuple[int, ...]:
    """Refuse what is not a list of integers."""
    if not isinstance(value, list):
        raise DesignError(f"{where} must be a list of integers, not {short(value)}")
    return tuple(integer(item, f"{where}[{index}]") for index, item in enumerate(value))


class Reader:
    """One JSON object: every key is taken once, and `end` refuses what remains.

    Parameters
    ----------
    value : any
        Parsed JSON.
    path : str
        Where it stands in the document, for the error sentences.

    Raises
    ------
    DesignError
        From every method, if the key is missing or its value breaks the rule.
    """

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, Mapping):
            raise DesignError(f"{path} must be an object, not {short(value)}")
        self._value = dict(value)
        self._path = path

    def take(self, key: str) -> Any:
        """Take any value."""
        if key not in self._value:
            raise DesignError(f"{self._path} must have the key {key!r}")
        return self._value.pop(key)

    def where(self, key: str) -> str:
        """Path of a key."""
        return f"{self._path}.{key}"

    def text(self, key: str) -> str:
        """Take a string."""
        value = self.take(key)
        if not isinstance(value, str):
            raise DesignError(f"{self.where(key)} must be a string, not {short(value)}")
        return value

    def integer(self, key: str) -> int:
        """Take an integer."""
        return integer(self.take(key), self.where(key))

    def real(self, key: str) -> float:
        """Take a finite number; minus zero is read as zero, which is its equal."""
        value = self.take(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise DesignError(f"{self.where(key)} must be a number, not {short(value)}")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise DesignError(f"{self.where(key)} must be a finite number, not {short(value)}")
        return number + 0.0

    def flag(self, key: str) -> bool:
        """Take true or false."""
        value = self.take(key)
        if not isinstance(value, bool):
            raise DesignError(f"{self.where(key)} must be true or false, not {short(value)}")
        return value

    def codes(self, key: str) -> tuple[int, ...]:
        """Take a list of integers."""
        return codes(self.take(key), self.where(key))

    def items(self, key: str) -> list[Any]:
        """Take a list."""
        value = self.take(key)
        if not isinstance(value, list):
            raise DesignError(f"{self.where(key)} must be a list, not {short(value)}")
        return value

    def format(self, key: str) -> QFormat:
        """Take a format by its printed name."""
        try:
            return QFormat.parse(self.text(key))
        except DesignError as error:
            raise DesignError(f"{self.where(key)}: {error}") from None

    def choice(self, key: str, names: Sequence[str]) -> str:
        """Take one of some strings."""
        value = self.text(key)
        if value not in names:
            raise DesignError(f"{self.where(key)} must be one of {', '.join(names)}, not {value!r}")
        return value

    def object(self, key: str) -> "Reader":
        """Take an object."""
        return Reader(self.take(key), self.where(key))

    def built(self, key: str, names: Sequence[str], later: Mapping[str, str]) -> str:
        """Take one of `names`; refuse by name what version 1 defines but this release lacks.

        Parameters
        ----------
        key : str
        names : sequence of str
            What is built.
        later : mapping of str to str
            What is defined and not built, and why.
        """
        value = self.choice(key, [*names, *later])
        if value in later:
            raise DesignError(
                f"{self.where(key)} must be {' or '.join(names)} in this release, "
                f"not {value}: {later[value]}"
            )
        return value

    def only(self, key: str, built: Any, why: str) -> None:
        """Take a key of which this release builds one value; refuse the others with the reason."""
        value = self.take(key)
        if value != built or type(value) is not type(built):  # 1.0 and true are not 1
            raise DesignError(
                f"{self.where(key)} must be {json.dumps(built)} in this release, "
                f"not {short(value)}: {why}"
            )

    def rest(self) -> dict[str, Any]:
        """Return all keys not yet taken, which may hold any JSON that can be written again."""
        try:
            json.dumps(self._value, allow_nan=False)
        except (TypeError, ValueError):
            raise DesignError(f"{self._path} must be JSON with finite numbers") from None
        return self._value

    def end(self) -> None:
        """Refuse any key not yet taken."""
        if self._value:
            raise DesignError(f"{self._path} has the unknown key {sorted(self._value)[0]!r}")
