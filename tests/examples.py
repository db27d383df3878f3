"""Small literal designs in which every part of a design has a say."""

from dataclasses import replace

from rchw.activation import Clip, PiecewiseLinear
from rchw.design import (
    AffineEncoder,
    Design,
    ExternalLayer,
    Features,
    Feedback,
    InputChannel,
    LevelInput,
    LinearInput,
    Matrix,
    MatrixInput,
    MatrixLayer,
    Output,
    Readout,
    RingLayer,
    Scaling,
    Segments,
    Tap,
    TapsInput,
    UnitCodes,
    UnitFeatures,
)
from rchw.fixed import Overflow, QFormat, Rounding

__all__ = [
    "ANTISYMMETRIC",
    "CLASSES",
    "DEEP",
    "EULER",
    "EXAMPLE",
    "EXTERNAL",
    "FEEDBACK",
    "MATRIX",
    "SEGMENTS",
    "small_cycle",
]


def small_cycle(
    weight: int, inputs: tuple[LinearInput, ...], bias: tuple[int, ...], activation: Clip
) -> RingLayer:
    """Two lanes of a cycle of 8-bit states; tap weights have the format of the inputs."""
    n_units = len(bias)
    return RingLayer(
        n_units=n_units,
        state=QFormat(8, 7),
        tap_format=inputs[0].format,
        taps=(Tap(1, (weight,) * n_units),),
        inputs=inputs,
        bias_format=QFormat(4, 7),
        bias=bias,
        activation=activation,
        lanes=2,
    )


EXAMPLE = Design(
    name="example",
    inputs=(
        InputChannel("wind", QFormat(4, 3), AffineEncoder(2.0, 0.125)),
        InputChannel("rain", QFormat(4, 3), AffineEncoder(-1.0, 0.5)),
    ),
    layers=(
        RingLayer(
            n_units=5,
            state=QFormat(6, 5),
            tap_format=QFormat(4, 2),
            taps=(Tap(1, (3, 3, -2, 3, 3)), Tap(4, (0, 1, 1, 1, 0))),
            inputs=(
                LinearInput(QFormat(3, 1), (1, -1, 1, 1, -1)),
                LevelInput(QFormat(3, 1), (-4, 0, 3, 5, 7), (-1, -1, 2, 0, 1), (1, 2, -2, 1, 3)),
            ),
            bias_format=QFormat(5, 4),
            bias=(2, 0, -3, 1, 5),
            activation=PiecewiseLinear(-30, 29, ((None, 1, -4), (-8, 0, 0), (9, 1, 4))),
            rounding=Rounding.HALF_UP,
            leak_shift=1,
            initial_state=(1, 0, -7, 0, 20),
            lanes=2,
        ),
    ),
    features=Features(
        squares=QFormat(7, 6, False),
        square_rounding=Rounding.HALF_EVEN,
        inputs=True,
        one=QFormat(3, 2),
    ),
    readout=Readout(
        outputs=(
            Output("power", QFormat(9, 4), 3.0, 0.25),
            Output("trend", QFormat(7, 2), -1.0, 2.0),
        ),
        weight_format=QFormat(5, 3),
        weights=(
            (7, -3, 2, 9, -11, 4, 0, 1, -2, 6, 3, -5, 8),
            (-1, 2, -3, 4, -5, 6, -7, 8, -9, 10, -11, 12, -13),
        ),
        rounding=Rounding.HALF_EVEN,
        overflow=Overflow.WRAP,
        multipliers=4,
    ),
    provenance={"source": "written by hand"},
)


EULER = replace(
    EXAMPLE,
    name="steps",
    layers=(
        replace(
            EXAMPLE.ring,
            state=QFormat(9, 5),
            leak_shift=0,
            gain=UnitCodes(QFormat(3, 1, False), (2, 1, 3, 2, 5)),
            step=UnitCodes(QFormat(4, 4), (3, -2, 1, 5, 3)),
            horizon=20,
        ),
    ),
)
"""The same as a ring with gains that takes steps of Euler."""


def _parallel(layer: MatrixLayer) -> Design:
    multipliers = EXAMPLE.n_products * EXAMPLE.n_outputs
    readout = replace(EXAMPLE.readout, multipliers=multipliers)
    return replace(EXAMPLE, name=layer.family, layers=(layer,), readout=readout)


MATRIX = _parallel(
    MatrixLayer(
        n_units=5,
        state=QFormat(6, 5),
        matrix=Matrix(
            QFormat(4, 2),
            "sparse",
            ((3, -2), (1,), (), (2, 3, -4), (1, 1)),
            ((1, 4), (0,), (), (0, 2, 3), (0, 4)),
            scaling=Scaling("radius", 0.75),
        ),
        inputs=EXAMPLE.ring.inputs,
        bias_format=QFormat(5, 4),
        bias=(2, 0, -3, 1, 5),
        activation=PiecewiseLinear(-30, 29, ((None, 1, -4), (-8, 0, 0), (9, 1, 4))),
        rounding=Rounding.HALF_UP,
        leak_shift=(1, 0, 2, 3, 1),
        initial_state=(1, 0, -7, 0, 20),
        lanes=5,
    )
)
"""A leaky echo state network with sparse rows, one of them empty."""


ANTISYMMETRIC = _parallel(
    MatrixLayer(
        n_units=5,
        state=QFormat(9, 5),
        matrix=Matrix(
            QFormat(4, 2),
            "antisymmetric",
            ((), (3,), (-2, 5), (1, 0, 7), (-8, 2, -3, 4)),
            diagonal=(-1, -1, -2, -1, 0),
            scaling=Scaling("circular", 1.5),
        ),
        inputs=EXAMPLE.ring.inputs,
        bias_format=QFormat(5, 4),
        bias=(2, 0, -3, 1, 5),
        activation=Clip(-30, 29),
        rounding=Rounding.HALF_EVEN,
        step=UnitCodes(QFormat(4, 4), (3, 2, 1, 5, 3)),
        lanes=5,
        name="euler",
    )
)
"""An Euler state network."""


EXTERNAL = Design(
    name="outside",
    inputs=EXAMPLE.inputs[:1],
    layers=(ExternalLayer(5, QFormat(6, 5), AffineEncoder(1.5e-6, 4e5), lanes=2),),
    features=EXAMPLE.features,
    readout=replace(EXAMPLE.readout, weights=tuple(row[:12] for row in EXAMPLE.readout.weights)),
    provenance=EXAMPLE.provenance,
)


FEEDBACK = replace(
    EXAMPLE,
    name="loop",
    feedback=(
        Feedback(QFormat(4, 2), (3, -2, 1, 0, 5), "trend", "ring", initial=9, teacher=True),
        Feedback(QFormat(5, 4), (-7, 3, 9, -2, 1), "power", "ring", initial=-40),
    ),
)
"""Both outputs return to the ring, one of them with a teacher."""


SEGMENTS = replace(
    EXAMPLE,
    name="segments",
    readout=replace(
        EXAMPLE.readout,
        outputs=tuple(replace(out, format=QFormat(9, 2)) for out in EXAMPLE.readout.outputs),
        weights=tuple(
            (*row, *row[3:], *row[:3], *row[7:], *row[:7]) for row in EXAMPLE.readout.weights
        ),
        accumulate="segments",
        segments=Segments(3, 3),
    ),
)
"""The same with one answer per sequence, of three segments of three samples."""


CLASSES = replace(
    MATRIX,
    name="classes",
    readout=replace(SEGMENTS.readout, argmax=True, multipliers=MATRIX.readout.multipliers),
)
"""A class for every sequence, from the parallel circuit of a matrix."""


DEEP = Design(
    name="series",
    inputs=EXAMPLE.inputs,
    layers=(
        replace(
            EXAMPLE.ring,
            inputs=tuple(
                replace(entry, source=channel.name)
                for channel, entry in zip(EXAMPLE.inputs, EXAMPLE.ring.inputs, strict=True)
                if isinstance(entry, LinearInput | LevelInput)
            ),
        ),
        RingLayer(
            n_units=4,
            state=QFormat(7, 5),
            tap_format=QFormat(4, 2),
            taps=(Tap(1, (3, -2, 2, 3)),),
            inputs=(
                TapsInput("ring", QFormat(4, 3), (Tap(0, (7, -5, 4, 6)), Tap(3, (0, 3, 0, -4)))),
                LinearInput(QFormat(3, 1), (1, 0, -2, 3), source="rain"),
            ),
            bias_format=QFormat(5, 5),
            bias=(1, -4, 0, 3),
            activation=Clip(-60, 57),
            rounding=Rounding.HALF_EVEN,
            initial_state=(3, 0, -9, 2),
            lanes=2,
            name="middle",
        ),
        MatrixLayer(
            n_units=3,
            state=QFormat(8, 6),
            matrix=Matrix(QFormat(4, 3), "sparse", ((3,), (), (-5, 2)), ((1,), (), (0, 2))),
            inputs=(
                MatrixInput(
                    "middle",
                    Matrix(
                        QFormat(4, 2),
                        "dense",
                        ((1, -2, 0, 3), (2, 1, -4, 1), (-1, 0, 2, 3)),
                        scaling=Scaling("radius", 0.5),
                    ),
                ),
                MatrixInput(
                    "ring", Matrix(QFormat(3, 2), "sparse", ((2, -3), (), (1,)), ((0, 4), (), (2,)))
                ),
            ),
            bias_format=QFormat(4, 4),
            bias=(1, -2, 3),
            activation=Clip(-128, 127),
            rounding=Rounding.HALF_UP,
            leak_shift=1,
            lanes=2,
            name="last_of_all",
        ),
    ),
    features=replace(
        EXAMPLE.features,
        later=(
            UnitFeatures(),
            UnitFeatures(squares=QFormat(6, 5, False), square_rounding=Rounding.HALF_UP),
        ),
    ),
    readout=replace(
        EXAMPLE.readout,
        weights=tuple(
            (*row[:5], *states, *row[5:10], *squares, *row[10:])
            for row, states, squares in zip(
                EXAMPLE.readout.weights,
                ((5, -6, 3, 2, -1, 4, 7), (-3, 8, -2, 1, 6, -5, 4)),
                ((3, -2, 5), (-4, 6, 1)),
                strict=True,
            )
        ),
        multipliers=2,
    ),
)
"""Three layers in series: two rings by taps, and a matrix that reads both of them."""
