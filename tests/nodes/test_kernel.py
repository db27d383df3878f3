"""A compiled loop is the loop."""

import builtins
import importlib
from types import ModuleType

import numpy as np
import pytest

from rchw.nodes.kernel import Kernel


def _halved(values: np.ndarray, result: np.ndarray) -> None:
    for k in range(values.size):
        result[k] = values[k] / 2.0 if k == 0 else result[k - 1] / 2.0 + values[k]


def test_both_ways_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=50)
    fast, slow, without = np.empty(50), np.empty(50), np.empty(50)
    Kernel(_halved)(values, fast)
    Kernel(_halved).plain(values, slow)

    def missing(name: str) -> ModuleType:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    kernel = Kernel(_halved)
    kernel(values, without)
    assert np.array_equal(fast, slow) and np.array_equal(fast, without)
    assert kernel._fast is kernel.plain and builtins.callable(kernel.plain)


def test_a_folder_that_cannot_be_written_costs_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    class Numba(ModuleType):
        """A compiler that has nowhere to keep its code."""

        @staticmethod
        def njit(*loop: object, cache: bool = False, error_model: str) -> object:
            def refused(_: object) -> object:
                raise RuntimeError("no locator available")

            if cache:
                return refused
            return loop[0] if loop else lambda given: given

    monkeypatch.setattr(importlib, "import_module", lambda name: Numba(name))
    values, result = np.arange(5.0), np.empty(5)
    Kernel(_halved)(values, result)
    assert result[-1] > 0
