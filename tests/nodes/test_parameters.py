"""Parameters refuse what is not physical, and say what they are."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.nodes.parameters import Parameters, Quantity, quantity


@dataclass(frozen=True)
class Few(Parameters):
    """Two parameters of no device."""

    time_constant: Quantity = quantity(2e-3, "s", "made up", above=0)
    share: Quantity = quantity(0.5, "1", "made up", loose=True, least=0, below=1)


def test_a_parameter_knows_its_unit_and_source() -> None:
    first, second = Few.facts()
    assert (first.name, first.unit, first.source, first.loose) == (
        "time_constant", "s", "made up", False,
    )  # fmt: skip
    assert second.loose and (second.least, second.below) == (0, 1)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"time_constant": 0.0}, r"^time constant must be above 0 s, not 0$"),
        ({"time_constant": math.nan}, r"^time constant must be a finite number, not nan$"),
        ({"time_constant": math.inf}, r"^time constant must be a finite number, not inf$"),
        ({"time_constant": "1"}, r"^time constant must be a finite number, not '1'$"),
        ({"share": 1.0}, r"^share must be at least 0 and below 1, not 1$"),
        ({"share": (0.2, -0.1)}, r"^share must be at least 0 and below 1, not -0\.1$"),
    ],
)
def test_what_is_not_physical_is_refused(values: dict[str, float], sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        Few(**values)


def test_every_device_has_a_value() -> None:
    found = Few(share=(0.1, 0.2, 0.3)).of_devices(3)
    assert found["share"].tolist() == [0.1, 0.2, 0.3]
    assert found["time_constant"].tolist() == [2e-3] * 3
    found["share"][0] = 9.0
    assert Few().of_devices(2)["share"].dtype == np.float64
    with pytest.raises(DesignError, match=r"^share must be one value or 2, one per device, not 3$"):
        Few(share=(0.1, 0.2, 0.3)).of_devices(2)
