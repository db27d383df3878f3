"""An external layer refuses what no converter gives; the channels of its states are in order."""

from dataclasses import replace
from typing import Any

import pytest

from rchw.design import AffineEncoder, ExternalLayer, InputChannel
from rchw.errors import DesignError
from rchw.fixed import QFormat
from tests.examples import EXTERNAL

LAYER = ExternalLayer(3, QFormat(8, 7), AffineEncoder(0.5, 2.0), lanes=2)


def test_a_beat_holds_the_channels_and_then_the_states() -> None:
    names = [channel.name for channel in EXTERNAL.beat]
    assert names == ["wind", "x0", "x1", "x2", "x3", "x4"]
    assert (EXTERNAL.n_inputs, EXTERNAL.n_lanes, EXTERNAL.n_units) == (1, 6, 5)
    assert [channel.format for channel in LAYER.channels] == [QFormat(8, 7)] * 3
    codes = EXTERNAL.encode([[4.0, 1.5e-6, 1.5e-6 + 1e-6, 1.0, -1.0, 0.0]])
    assert codes.tolist() == [[2, 0, 13, 31, -32, -19]]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"n_units": 0}, r"^units must be from 1 to 4096, not 0$"),
        ({"lanes": 4}, r"^lanes must be from 1 to 3, not 4$"),
        ({"state": QFormat(8, 7, False)}, r"^state format must be signed, not ufix8_en7$"),
        ({"state": QFormat(25, 7)}, r"^state width must be from 2 to 24, not 25$"),
        ({"name": "X"}, r"^layer name must be a lower-case identifier of at most 40, not 'X'$"),
    ],
)
def test_bad_layers_are_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        replace(LAYER, **change)


def test_no_channel_has_the_name_of_a_state() -> None:
    with pytest.raises(DesignError, match=r"^input name must not be that of another lane, x2$"):
        replace(EXTERNAL, inputs=(InputChannel("x2", QFormat(4, 3)),))
    with pytest.raises(
        DesignError, match=r"^inputs must be at least 1 channel to be features, not 0$"
    ):
        replace(EXTERNAL, inputs=())
