"""Each operator changes one thing in the numbers of a design, and only where there is one."""

from dataclasses import replace

import numpy as np
import pytest

from rchw.activation import Clip, tanh_table
from rchw.design import Design
from rchw.errors import DesignError
from rchw.sim.mutate.numbers import NUMBERS, operators
from tests.examples import DEEP, EULER, EXAMPLE, EXTERNAL, FEEDBACK, MATRIX, SEGMENTS

TABLED = replace(
    EXAMPLE, layers=(replace(EXAMPLE.ring, activation=tanh_table(EXAMPLE.ring.state, 5)[0]),)
)


def changed(operator: str, design: Design, draws: int = 60) -> list[tuple[str, Design]]:
    found = []
    rng = np.random.default_rng(1)
    for _ in range(draws):
        try:
            drawn = NUMBERS[operator](design, rng)
        except DesignError:  # such as a rail outside the format: it is not built
            continue
        if drawn is not None:
            found.append(drawn)
    return found


@pytest.mark.parametrize("operator", NUMBERS)
def test_an_operator_changes_the_design(operator: str) -> None:
    bases = {"gain": EULER, "step": EULER, "matrix": MATRIX, "unit read": DEEP}
    bases |= {"segment": SEGMENTS, "feedback": FEEDBACK}
    check_changes(operator, bases.get(operator, EXAMPLE))


@pytest.mark.parametrize("operator", operators(DEEP))
def test_an_operator_changes_layers_in_series(operator: str) -> None:
    """Every layer that has the part is drawn, and told."""
    told = "".join(where for where, _ in check_changes(operator, DEEP))
    names = [layer.name for layer in DEEP.layers]
    found = [name for name in names if f"layer {name}: " in told]
    # None of the readout and of all; those with taps, a matrix, a table, two channels, sources.
    some = {
        **dict.fromkeys(("readout weight", "saturation", "units swapped"), names[:0]),
        **dict.fromkeys(("outputs swapped", "end of a sequence"), names[:0]),
        **dict.fromkeys(("tap weight", "tap offset"), names[:2]),
        **dict.fromkeys(("activation table", "inputs swapped"), names[:1]),
        "matrix": names[2:], "unit read": names[1:],
    }  # fmt: skip
    assert found == some.get(operator, names)


def check_changes(operator: str, base: Design) -> list[tuple[str, Design]]:
    found = [(where, design) for where, design in changed(operator, base) if design != base]
    # The place in words tells which change it was.
    places = {where: str(design) for where, design in found}
    assert places and len(set(places.values())) == len(places)
    for _, design in found:
        assert [c.format for c in design.inputs] == [c.format for c in base.inputs]
        assert design.readout.outputs == base.readout.outputs
    return found


def test_a_flipped_bit_is_one_bit() -> None:
    for where, design in changed("readout weight", EXAMPLE):
        rows = zip(design.readout.weights, EXAMPLE.readout.weights, strict=True)
        pairs = [(a, b) for new, old in rows for a, b in zip(new, old, strict=True) if a != b]
        (one,) = pairs
        bit = int(where.rsplit(" ", 1)[1])
        assert (one[0] ^ one[1]) & 31 == 1 << bit


def test_where_there_is_no_place_there_is_nothing() -> None:
    law = EXAMPLE.ring.activation
    assert not isinstance(law, Clip)
    clip = replace(EXAMPLE, layers=(replace(EXAMPLE.ring, activation=Clip(-30, 29)),))
    assert not changed("activation table", clip) and changed("activation table", TABLED)
    assert not changed("clip rail", TABLED) and changed("clip rail", clip)
    single = replace(
        EXAMPLE,
        readout=replace(
            EXAMPLE.readout,
            outputs=EXAMPLE.readout.outputs[:1],
            weights=EXAMPLE.readout.weights[:1],
        ),
    )
    assert not changed("outputs swapped", single) and changed("outputs swapped", EXAMPLE)
    bare = replace(EXAMPLE, layers=(replace(EXAMPLE.ring, taps=()),))
    assert not changed("tap weight", bare) and not changed("tap offset", bare)
    assert not changed("gain", EXAMPLE) and not changed("step", EXAMPLE)
    assert not changed("matrix", EXAMPLE) and not changed("tap weight", MATRIX)


def test_parts_that_a_layer_has_not_have_no_operator() -> None:
    """Else they would change the draws of designs without them."""
    answers = {"segment", "feedback"}
    late = {"gain", "step", "matrix", "unit read"} | answers
    assert set(NUMBERS) - set(operators(EXAMPLE)) == late
    assert set(NUMBERS) - set(operators(EULER)) == {"matrix", "unit read"} | answers
    assert set(NUMBERS) - set(operators(MATRIX)) == {"gain", "step", "unit read"} | answers
    assert set(NUMBERS) - set(operators(DEEP)) == {"gain", "step"} | answers
    assert set(NUMBERS) - set(operators(EXTERNAL)) == late


def test_one_leak_of_many_changes() -> None:
    shifts = (0, 1, 3, 2, 0)
    leaks = replace(EXAMPLE, layers=(replace(EXAMPLE.ring, leak_shift=shifts),))
    for where, design in changed("leak shift", leaks):
        pairs = zip(design.ring.leak_shifts, shifts, strict=True)
        moves = {unit: new - old for unit, (new, old) in enumerate(pairs) if new != old}
        ((unit, move),) = moves.items()
        assert abs(move) == 1 and where == f"leak shift[{unit}] {shifts[unit] + move}"
