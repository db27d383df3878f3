"""Devices that differ: reproducible, truncated where the parameter ends, independent streams."""

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.nodes.biological import Culture, Wiring
from rchw.nodes.variation import KINDS, Variation, vary, vary_node
from tests.nodes.test_parameters import Few


def drawn(kind: str, spread: float, parameter: str = "time_constant") -> np.ndarray:
    """Draw twenty thousand devices."""
    return vary(Few(), [Variation(parameter, spread, kind)], 20_000, 3).of_devices(20_000)[
        parameter
    ]


def test_moments_are_those_that_were_asked_for() -> None:
    normal = drawn("normal", 0.1) / 2e-3
    assert abs(normal.mean() - 1) < 0.004 and abs(normal.std() - 0.1) < 0.003
    logarithm = np.log(drawn("lognormal", 0.5) / 2e-3)
    assert abs(np.median(logarithm)) < 0.02 and abs(logarithm.std() - 0.5) < 0.02
    uniform = drawn("uniform", 0.2) / 2e-3
    assert 0.8 <= uniform.min() < 0.801 and 1.199 < uniform.max() <= 1.2


def test_no_value_leaves_its_range() -> None:
    share = drawn("normal", 1.0, "share")
    assert share.min() >= 0 and share.max() < 1
    inside = np.mean((share > 0.25) & (share < 0.75))  # of a normal law cut at one deviation
    assert abs(inside - 0.3829 / 0.6827) < 0.015


def test_one_more_variation_changes_no_other() -> None:
    one = vary(Few(), [Variation("share", 0.3)], 5, 8)
    two = vary(Few(), [Variation("time_constant", 0.3), Variation("share", 0.3)], 5, 8)
    assert one.share == two.share and one.time_constant != two.time_constant
    assert vary(Few(), [Variation("share", 0.3)], 5, 8) == one
    assert vary(Few(), [Variation("share", 0.3)], 5, 9) != one


def test_every_set_of_a_node_varies_by_itself() -> None:
    node = Culture(Wiring(100, rows=3), seed=2)
    varied = vary_node(node, [Variation("weight", 0.1)], 4)
    assert isinstance(varied, Culture)
    one, other = np.array(varied.excitatory.weight), np.array(varied.inhibitory.weight)
    assert (len(one), len(other)) == (node.parts["excitatory"], node.parts["inhibitory"])
    assert abs(one.mean() / 6 - 1) < 0.05 and abs(other.mean() / 10 - 1) < 0.1
    assert not np.allclose(one[: len(other)] / 6, other / 10)
    assert varied.excitatory.decay == node.excitatory.decay
    assert vary_node(node, [], 4) == node
    with pytest.raises(DesignError, match=r"^variation must be of one of recovery, .*, not 'x'$"):
        vary_node(node, [Variation("x", 0.1)], 4)
    with pytest.raises(DesignError, match=r"^bias must not be 0 to vary, for a spread is a share"):
        vary_node(node, [Variation("bias", 0.1)], 4)


@pytest.mark.parametrize(
    ("variations", "sentence"),
    [
        (
            [Variation("mass", 0.1)],
            r"^variation must be of one of time_constant, share, not 'mass'$",
        ),
        (
            [Variation("share", 0.1)] * 2,
            r"^variations must be of distinct parameters, not of share ",
        ),
        (
            [Variation("share", 1e6)],
            r"^spread of share must leave values within its range, not be ",
        ),
    ],
)
def test_bad_variations_are_refused(variations: list[Variation], sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        vary(Few(), variations, 200, 1)


def test_bad_kinds_and_spreads_are_refused() -> None:
    with pytest.raises(
        DesignError, match=rf"^variation must be one of {', '.join(KINDS)}, not 'x'$"
    ):
        Variation("share", 0.1, "x")
    with pytest.raises(DesignError, match=r"^spread must be finite and at least 0, not -0\.1$"):
        Variation("share", -0.1)
    with pytest.raises(DesignError, match=r"^seed of the variations must be at least 0, not -1$"):
        vary(Few(), [Variation("share", 0.1)], 2, -1)
