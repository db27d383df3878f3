"""The drive: scaled on training samples, limited, converted."""

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.nodes.drive import Drive


def test_inputs_reach_both_ends_and_no_further() -> None:
    drive = Drive(-0.5, 2.0).fitted([[1.0], [3.0]])
    scaled = drive.scaled([[0.0], [1.0], [2.0], [3.0], [9.0]])
    assert scaled.ravel().tolist() == [-1, -1, 0, 1, 1]
    assert drive.played(scaled).ravel().tolist() == [-0.5, -0.5, 0.75, 2.0, 2.0]


def test_a_converter_has_its_levels_and_no_others() -> None:
    drive = Drive(0.0, 3.0, bits=2)
    played = drive.played(np.linspace(-1, 1, 1001))
    assert np.unique(played).tolist() == [0.0, 1.0, 2.0, 3.0]
    exact = Drive(0.0, 3.0).played(np.linspace(-1, 1, 1001))
    assert np.abs(played - exact).max() <= 0.5 + 1e-12
    fine = Drive(0.0, 3.0, bits=16).played(np.linspace(-1, 1, 1001))
    assert np.abs(fine - exact).max() <= 1.5 / 65535 + 1e-12


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((1.0, 1.0), r"^range of the drive must be finite and rise, not go from 1\.0 to 1\.0$"),
        ((0.0, np.nan), r"^range of the drive must be finite and rise, not go from 0\.0 to nan$"),
        ((0.0, 1.0, 0), r"^DAC bits must be from 1 to 24, not 0$"),
        ((0.0, 1.0, 8, 0.0, 0.0), r"finite gain other than 0, not offset 0\.0 and gain 0\.0$"),
    ],
)
def test_bad_drives_are_refused(arguments: tuple[float, ...], sentence: str) -> None:
    low, high, *rest = arguments
    bits = int(rest[0]) if rest else None
    with pytest.raises(DesignError, match=sentence):
        Drive(low, high, bits, *rest[1:])


def test_inputs_that_stand_still_cannot_be_scaled() -> None:
    with pytest.raises(DesignError, match=r"^inputs must vary to scale the drive, not be 2 "):
        Drive(0.0, 1.0).fitted([[2.0], [2.0]])
    with pytest.raises(DesignError, match=r"^inputs must hold samples to scale the drive, not be "):
        Drive(0.0, 1.0).fitted(np.zeros((0, 1)))


def test_every_channel_has_its_own_scale() -> None:
    inputs = np.array([[0.0, 300.0], [1.0, 400.0], [0.5, 350.0]])
    fitted = Drive(-1.0, 1.0).fitted(inputs)
    assert fitted.scaled(inputs).tolist() == [[-1.0, -1.0], [1.0, 1.0], [0.0, 0.0]]
    with pytest.raises(
        DesignError, match=r"^inputs must vary .* not be 2 throughout in channel 1$"
    ):
        Drive(-1.0, 1.0).fitted([[0.0, 2.0], [1.0, 2.0]])
