"""Hot loops, compiled where numba can be imported: the same function, sooner."""

import importlib
from collections.abc import Callable
from functools import cached_property
from typing import Any

__all__ = ["Kernel"]


class Kernel:
    """A function of numbers and arrays, compiled when it is first called.

    Parameters
    ----------
    loop : callable
        The definition. It writes its results into the arrays that it is given.
    contract : bool
        Whether a product and the sum it goes into may be rounded once: sooner, and not the bits of
        the plain loop.

    Attributes
    ----------
    plain : callable
        The same without a compiler; it runs where there is no numba.
    """

    def __init__(self, loop: Callable[..., Any], *, contract: bool = False) -> None:
        self.plain = loop
        # Division by 0 gives infinity as in numpy: an exception would cost every division.
        self._options: dict[str, Any] = {"error_model": "numpy"}
        if contract:
            self._options["fastmath"] = {"contract"}

    def __call__(self, *arguments: Any) -> Any:
        """Call the compiled function."""
        return self._fast(*arguments)

    @cached_property
    def _fast(self) -> Callable[..., Any]:
        try:
            numba: Any = importlib.import_module("numba")
        except ImportError:
            return self.plain
        fast: Callable[..., Any]
        try:
            fast = numba.njit(cache=True, **self._options)(self.plain)
        except RuntimeError:  # no folder to keep the machine code in
            fast = numba.njit(**self._options)(self.plain)
        return fast
