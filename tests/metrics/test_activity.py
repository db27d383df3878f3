"""How units use their range, by hand."""

from collections.abc import Callable

import pytest

from rchw.errors import DesignError
from rchw.metrics import saturation_fraction


def test_saturation_by_hand() -> None:
    assert saturation_fraction([[-8, 7], [6, 9]], -8, 7) == 0.75


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "rails": (lambda: saturation_fraction([1], 3, 3), r"low must be below high, not \(1,\), 3, 3"),
    "no states": (lambda: saturation_fraction([], 0, 1), r"states must not be empty"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()
