"""Pickles as data: arrays, numbers, texts and the names of everything else; nothing is called.

A pickle is a program: what reads it usually imports and calls whatever it names. Here every name
becomes an empty class of that name, whose objects keep the attributes that the file gives them.
Only arrays of real numbers get their values. So a file from a stranger can do no harm, and the
package that has written it need not be installed.
"""

import pickle
import re
from io import BytesIO
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError

__all__ = ["Inert", "PickledArray", "read_pickle"]

_RECONSTRUCT = re.compile(r"numpy\.(?:_?core\.)(?:multiarray|numeric)")


class Inert:
    """What a pickle calls by a name: its attributes, and nothing that it can do."""

    def __new__(cls, *arguments: Any, **keywords: Any) -> "Inert":
        """Take and forget whatever it is made of."""
        return super().__new__(cls)

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        parts = state if isinstance(state, tuple) else (state,)
        for part in parts:
            if isinstance(part, dict):
                self.__dict__.update({k: v for k, v in part.items() if isinstance(k, str)})

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, value: Any) -> None:
        """Take and forget an entry."""

    def extend(self, values: Any) -> None:
        """Take and forget entries."""

    add = append


class _Encoded(Inert):
    """Bytes as the protocols before 3 have them: a text of their numbers."""

    content = b""

    def __init__(self, text: Any = "", *arguments: Any) -> None:
        self.content = text.encode("latin-1") if isinstance(text, str) else b""


class _Type(Inert):
    """The type of an array's numbers, ``f8`` and its like."""

    code = ""
    order = ""

    def __init__(self, code: Any = "", *arguments: Any) -> None:
        self.code = code if isinstance(code, str) else ""

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, tuple) and len(state) > 1 and state[1] in (">", "<"):
            self.order = state[1]

    def numpy(self) -> np.dtype[Any] | None:
        """The type, if it is one of real numbers."""
        real = re.fullmatch(r"[iuf][1248]|b1", self.code)
        return np.dtype(self.order + self.code) if real else None


class PickledArray(Inert):
    """An array of a pickle.

    Attributes
    ----------
    values : array or None
        None where the entries are no real numbers.
    """

    values: NDArray[Any] | None = None

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, tuple) and len(state) == 5:
            _, shape, dtype, fortran, content = state
            self._fill(shape, dtype, "F" if fortran else "C", content)

    def _fill(self, shape: Any, dtype: Any, order: Any, content: Any) -> None:
        known = dtype.numpy() if isinstance(dtype, _Type) else None
        right = isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)
        if known is None or not right or order not in ("C", "F"):
            return
        content = content.content if isinstance(content, _Encoded) else content
        if isinstance(content, bytes | bytearray) and len(content) == prod(shape) * known.itemsize:
            self.values = np.frombuffer(bytes(content), known).reshape(shape, order=order)


class _FromBuffer(PickledArray):
    """An array as the protocol 5 has it."""

    def __init__(self, *arguments: Any) -> None:
        if len(arguments) >= 4:
            content, dtype, shape, order = arguments[:4]
            self._fill(shape, dtype, order, content)


class _Scalar(PickledArray):
    """One number of numpy's."""

    def __init__(self, *arguments: Any) -> None:
        if len(arguments) == 2:
            self._fill((), arguments[0], "C", arguments[1])


_ARRAYS = {"_reconstruct": PickledArray, "_frombuffer": _FromBuffer, "scalar": _Scalar}


_KNOWN: dict[tuple[str, str], type[Inert]] = {
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _Encoded,
    ("builtins", "bytes"): _Encoded,
    ("__builtin__", "bytes"): _Encoded,
}


class _Reader(pickle.Unpickler):
    """Gives out empty classes, each for its name."""

    def __init__(self, content: bytes) -> None:
        super().__init__(BytesIO(content))
        self._made: dict[tuple[str, str], type[Inert]] = dict(_KNOWN)

    def find_class(self, module: str, name: str, /) -> type[Inert]:
        """Nothing is imported."""
        if name in _ARRAYS and _RECONSTRUCT.fullmatch(module):
            return _ARRAYS[name]
        if (module, name) not in self._made:
            self._made[module, name] = type(
                name.replace("\0", ""), (Inert,), {"__module__": module}
            )
        return self._made[module, name]


def read_pickle(content: bytes, what: str) -> Any:
    """What a pickle holds, without anything of it being called.

    Parameters
    ----------
    content : bytes
    what : str
        Its name in messages.

    Returns
    -------
    object
        Numbers, texts, lists, dictionaries; `PickledArray`; everything else an `Inert`, or where a
        name stands for itself, a class of that name.

    Raises
    ------
    DesignError
        If the bytes are no pickle.
    """
    try:
        return _Reader(content).load()
    except Exception:  # whatever a broken program stumbles over
        raise DesignError(f"{what} must be a pickle as Python saves it, not other bytes") from None
