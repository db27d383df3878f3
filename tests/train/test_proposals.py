"""The order of candidates: start, random points, steps from the best."""

from typing import Any

from rchw.train.proposals import BUDGETS, UNORDERED, Point, proposals

GRID: dict[str, tuple[Any, ...]] = {
    "feedback": tuple(range(12)),
    "bias": (0.0, 0.1, 0.2),
    "bias_signs": ("same", "independent"),
    "window": tuple(range(16)),
}
START: Point = {"feedback": 5, "bias": 0.1, "bias_signs": "same", "window": 0}


def drawn(budget: int = 40, seed: int = 0, unordered: tuple[str, ...] = ()) -> list[Point]:
    return list(proposals(GRID, START, budget, seed, lambda: START, unordered))


def test_the_start_comes_first_and_no_point_twice() -> None:
    points = drawn(budget=100)
    assert points[0] == START and len(points) == 100
    assert len({tuple(point.values()) for point in points}) == 100
    assert all(point[key] in values for point in points for key, values in GRID.items())
    assert all(p["bias_signs"] == "same" for p in points if p["bias"] == 0.0)


def test_the_order_depends_on_the_seed_alone() -> None:
    assert drawn() == drawn() != drawn(seed=1)


def test_steps_change_few_axes_by_at_most_two_places() -> None:
    steps = drawn(budget=40)[14:30]  # before the surroundings are used up
    for point in steps:
        moved = [key for key in GRID if point[key] != START[key]]
        assert 1 <= len(moved) <= 2
        assert abs(point["feedback"] - 5) <= 2 and point["window"] <= 2


def test_an_axis_without_neighbours_is_left_for_any_other_value() -> None:
    windows = {point["window"] for point in drawn(budget=120, unordered=("window",))[41:]}
    assert len(windows) > 12 and windows <= set(range(16))
    assert max(p["window"] for p in drawn(budget=60)[21:40]) < max(windows)
    single = proposals({"window": (0,)}, {"window": 0}, 5, 0, lambda: {"window": 0}, ("window",))
    assert list(single) == [{"window": 0}]


def test_a_used_up_grid_ends_the_search() -> None:
    grid = {"feedback": (1, 2, 3)}
    points = list(proposals(grid, {"feedback": 1}, 50, 0, lambda: {"feedback": 1}))
    assert sorted(point["feedback"] for point in points) == [1, 2, 3]


def test_every_search_has_a_budget_and_says_what_has_no_neighbours() -> None:
    assert UNORDERED.keys() == BUDGETS.keys() == {"none", "quick", "full"}
    assert UNORDERED["full"] == ("window",)
