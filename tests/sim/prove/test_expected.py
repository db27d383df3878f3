"""Ranges of states that the proof starts from: never narrower than what inputs reach."""

from dataclasses import replace

import numpy as np
import pytest

from rchw import reference
from rchw.design import Design, Tap
from rchw.sim.prove.expected import Expected
from rchw.sim.prove.forms import Forms
from rchw.sim.stimulus import unit_drive
from tests.sim.test_stimulus import design as cycle


def ranges(design: Design) -> list[tuple[int, int]]:
    """Least and greatest code of every unit."""
    expected = Expected(design, Forms())
    return [expected._forms.bounds(expected.state(0, unit)) for unit in range(design.n_units)]


@pytest.mark.parametrize("weight", [1, 2])
@pytest.mark.parametrize("n_units", [3, 8])
def test_a_push_reaches_both_ends_of_every_range(n_units: int, weight: int) -> None:
    """In a ring of one tap a state is a monotone function of every input that it remembers."""
    circuit = cycle(n_units, input_weight=weight)
    found = ranges(circuit)
    assert (weight == 2) == ((-127, 127) in found)
    for unit, (low, high) in enumerate(found):
        up, down = (unit_drive(circuit, unit, upper) for upper in (True, False))
        assert reference.run(circuit, up).states[:, unit].max() == high
        assert reference.run(circuit, down).states[:, unit].min() == low


def test_what_does_not_settle_is_as_wide_as_it_can_be() -> None:
    """A feedback of 7/8 on itself and a neighbour adds up to more than 1; it grows to the rails."""
    circuit = cycle(5)
    taps = tuple(Tap(offset, (7,) * 5) for offset in (0, 1))
    assert ranges(replace(circuit, layers=(replace(circuit.ring, taps=taps),))) == [(-127, 127)] * 5


def test_a_range_that_grows_keeps_all_bits_of_a_code() -> None:
    """States grow to 16, which has six bits; the proof gives them eight, as the circuit does."""
    circuit = cycle(4, input_weight=0)
    quiet = replace(circuit, layers=(replace(circuit.ring, bias=(5,) * 4),))
    assert ranges(quiet) == [(-65, 64)] * 4
    assert reference.run(quiet, np.zeros((99, 2), dtype=np.int64)).states.max() < 20
    still = replace(circuit, layers=(replace(circuit.ring, bias=(1,) * 4),))
    assert ranges(still) == [(1, 1)] * 4, "what settles at once is as it is"
