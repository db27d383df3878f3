"""Asking z3 so that Ctrl-C is heard."""

from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

__all__ = ["checked"]


def checked(solver: Any) -> Any:
    """Ask in a thread, so that this one hears of an interruption at once, and passes it on."""
    solver.set("ctrl_c", False)  # z3 would take it for a question that it may leave open
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(solver.check)
        try:
            return asked.result()
        except BaseException:
            while not asked.done():
                solver.interrupt()  # in vain if it has not begun
                wait([asked], 0.05)
            raise
