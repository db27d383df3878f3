"""Two small layers in series, a ring that a matrix reads, for checks that take long."""

from rchw.activation import Clip
from rchw.design import (
    Design,
    Features,
    InputChannel,
    LinearInput,
    Matrix,
    MatrixInput,
    MatrixLayer,
    Output,
    Readout,
    RingLayer,
    Tap,
    UnitFeatures,
)
from rchw.fixed import QFormat, Rounding

__all__ = ["BACK", "FRONT", "TWO"]

FRONT = RingLayer(
    n_units=4,
    state=QFormat(8, 7),
    tap_format=QFormat(4, 2),
    taps=(Tap(1, (3, 3, -2, 3)),),
    inputs=(LinearInput(QFormat(4, 2), (3, -2, 5, 1), source="u"),),
    bias_format=QFormat(4, 7),
    bias=(1, -4, 0, 3),
    activation=Clip(-127, 127),
    lanes=2,
    name="front",
)
BACK = MatrixLayer(
    n_units=4,
    state=QFormat(7, 6),
    matrix=Matrix(
        QFormat(4, 3), "sparse", ((3,), (-2, 1), (), (-5, 2)), ((1,), (0, 3), (), (0, 2))
    ),
    inputs=(
        MatrixInput(
            "front",
            Matrix(
                QFormat(4, 2), "dense", ((1, -2, 0, 3), (2, 1, -4, 1), (-1, 0, 2, 3), (1, 1, 0, -3))
            ),
        ),
        LinearInput(QFormat(3, 1), (1, 0, -2, 3), source="u"),
    ),
    bias_format=QFormat(4, 4),
    bias=(1, -2, 3, 0),
    activation=Clip(-63, 63),
    rounding=Rounding.HALF_UP,
    name="back",
)
TWO = Design(
    name="two",
    inputs=(InputChannel("u", QFormat(5, 4)),),
    layers=(FRONT, BACK),
    features=Features(later=(UnitFeatures(),)),
    readout=Readout(
        outputs=(Output("y", QFormat(8, 4)),),
        weight_format=QFormat(4, 3),
        weights=((3, -2, 5, 1, -4, 2, 7, -3, 2),),
    ),
)
"""Each layer has lanes of its own, and only the second an input of both kinds."""
