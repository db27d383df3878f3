"""The page of a search says what its front is, and nothing of the machine."""

import re
from dataclasses import replace

import pytest

from rchw.codesign.engine import LocalEngine
from rchw.codesign.explore import explore
from rchw.codesign.front import Front
from rchw.codesign.space import Space
from rchw.report.front import front_page
from tests.train.tiny import tiny_task

FLOORS = {"persistence": 1.5, "linear floor": 0.4, "quadratic ring": 0.05, "NVAR": 0.02}


@pytest.fixture(scope="module")
def front() -> Front:
    space = Space(reservoirs=("cycle", "deep"), units=(6, 10), readout_bits=(8,), output_bits=(8,))
    return explore(
        tiny_task(), "ulx3s", space, objectives=("error", "rate", "latency"), budget=10,
        engine=LocalEngine(1),
    )  # fmt: skip


def test_the_page_tells_of_every_design_of_the_front(front: Front) -> None:
    errors = {found.name: 0.123 + 0.001 * k for k, found in enumerate(front.members)}
    text = front_page(front, errors, FLOORS, "rchw explore tiny")
    assert text == front_page(front, errors, FLOORS, "rchw explore tiny")
    for found in front.members:
        assert f'<a href="{found.name}.json">' in text
        assert f"{errors[found.name]:.4g}" in text and f"{found.figures['error']:.4g}" in text
    told = ["ULX3S", "samples per second", "linear floor", "NVAR", "quadratic ring", "1,000"]
    told += ["rchw verilog", f"of which {len(front.refused)} were refused"]
    assert not [words for words in told if words not in text]
    assert not re.findall(r'(?:src|href)="(?!trial_|#)', text.replace("http://www.w3.org", "#"))
    assert "<script" not in text


def test_the_page_says_which_estimates_are_guesses(front: Front) -> None:
    """Each by itself, with the reasons; and that there is none, where there is none."""
    errors = dict.fromkeys((found.name for found in front.members), 0.5)
    first, *others = front.members
    designs = [replace(d, extrapolates=()) for d in front.designs]
    inside = replace(front, designs=tuple(designs))
    text = front_page(inside, errors, FLOORS, "rchw explore tiny")
    assert "No estimate extrapolates" in text and "guesses" not in text
    place = next(k for k, d in enumerate(designs) if (d.name, d.fidelity) == (first.name, "full"))
    designs[place] = replace(designs[place], extrapolates=("units 6", "activation pwl"))
    text = front_page(replace(front, designs=tuple(designs)), errors, FLOORS, "rchw explore tiny")
    assert f"Cells and clock of 1 of the {len(others) + 1} designs are guesses" in text
    assert f"<td>{first.name}</td><td>units 6; activation pwl</td>" in text


def test_the_best_under_so_many_cells_is_on_the_page(front: Front) -> None:
    errors = dict.fromkeys((found.name for found in front.members), 0.5)
    text = front_page(front, errors, FLOORS, "rchw explore tiny")
    best = front.best("cells", 20000)
    assert best is not None and f">{best.name}<" in text
    allowed = [d for d in front.designs if d.fidelity == "full" and d.figures["cells"] <= 20000]
    assert best.figures["error"] == min(d.figures["error"] for d in allowed)
    assert front.best("cells", 1.0) is None
