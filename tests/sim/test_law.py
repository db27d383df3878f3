"""The hash of a reference is that of what it computes: every law counts, and nothing else does."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rchw.activation import Clip, tanh_table
from rchw.design import Design, UnitCodes
from rchw.fixed import QFormat, Rounding
from rchw.reference import compiled, pipeline, readout, ring
from rchw.sim.law import law_sha256
from tests.examples import EXAMPLE, EXTERNAL


def layer(**changes: Any) -> Design:
    """Change the ring of the example."""
    return replace(EXAMPLE, layers=(replace(EXAMPLE.ring, **changes),))


def outputs(**changes: Any) -> Design:
    """Change the readout of the example."""
    return replace(EXAMPLE, readout=replace(EXAMPLE.readout, **changes))


def flipped(row: tuple[int, ...]) -> tuple[int, ...]:
    """One bit of the first weight."""
    return (row[0] ^ 1, *row[1:])


LAWS: dict[str, Callable[[], Design]] = {
    "tap weight": lambda: layer(
        taps=(
            replace(EXAMPLE.ring.taps[0], weights=flipped(EXAMPLE.ring.taps[0].weights)),
            *EXAMPLE.ring.taps[1:],
        )
    ),
    "bias": lambda: layer(bias=flipped(EXAMPLE.ring.bias)),
    "activation": lambda: layer(activation=Clip(-3, 3)),
    "table": lambda: layer(activation=tanh_table(EXAMPLE.ring.state)[0]),
    "rounding": lambda: layer(rounding=Rounding.HALF_EVEN),
    "leak": lambda: layer(leak_shift=2),
    "leak of one unit": lambda: layer(leak_shift=(1, 1, 1, 1, 0)),
    "gain": lambda: layer(gain=UnitCodes(QFormat(3, 1, False), (2, 2, 2, 2, 1))),
    "step": lambda: layer(leak_shift=0, step=UnitCodes(QFormat(3, 1, False), (2, 2, 2, 2, 1))),
    "initial state": lambda: layer(initial_state=(1,) * EXAMPLE.n_units),
    "reset": lambda: replace(EXAMPLE, reset_on_last=not EXAMPLE.reset_on_last),
    "square rounding": lambda: replace(
        EXAMPLE, features=replace(EXAMPLE.features, square_rounding=Rounding.TRUNCATE)
    ),
    "readout weight": lambda: outputs(
        weights=(flipped(EXAMPLE.readout.weights[0]), *EXAMPLE.readout.weights[1:])
    ),
    "output rounding": lambda: outputs(rounding=Rounding.TRUNCATE),
}


@pytest.mark.parametrize("name", LAWS)
def test_every_law_counts(name: str) -> None:
    assert law_sha256(LAWS[name]()) != law_sha256(EXAMPLE)


def test_what_changes_no_code_does_not_count() -> None:
    same = replace(layer(lanes=1), name="other", provenance={"by": "somebody"})
    assert law_sha256(same) == law_sha256(outputs(multipliers=1)) == law_sha256(EXAMPLE)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (ring, "shift_round"),
        (readout, "requantize"),
    ],
)
def test_another_rounding_in_the_reference_counts(
    module: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, before = getattr(module, name), law_sha256(EXAMPLE)

    def other(codes: Any, shift: int, *rest: Any) -> Any:
        return usual(codes + 1, shift, *rest)

    law_sha256.cache_clear()
    monkeypatch.setattr(module, name, other)
    assert law_sha256(EXAMPLE) != before
    law_sha256.cache_clear()


def test_another_compiled_path_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    before, usual = law_sha256(EXAMPLE), compiled.run_states
    law_sha256.cache_clear()
    monkeypatch.setattr(pipeline, "run_states", lambda *given: usual(*given) * 0)
    assert law_sha256(EXAMPLE) != before
    law_sha256.cache_clear()


def test_states_from_outside_have_a_readout_alone() -> None:
    weights = (flipped(EXTERNAL.readout.weights[0]), *EXTERNAL.readout.weights[1:])
    other = replace(EXTERNAL, readout=replace(EXTERNAL.readout, weights=weights))
    assert law_sha256(other) != law_sha256(EXTERNAL) != law_sha256(EXAMPLE)
