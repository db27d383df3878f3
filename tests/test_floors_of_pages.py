"""Tables of accuracy: each of them says what is reached without a reservoir."""

import re
from collections.abc import Iterator

import pytest

from benchmarks.accuracy import FOLDER
from benchmarks.accuracy_rows import FLOORS

PAGES = {"readouts": 4, "linear_floor": 3, "codesign": 5, "accuracy": 5}
# Tables of bounds, of what searches took, and of lambda that stand beside one with floors.
OTHERS = ("| target |", "| search |", "| row |", "| states |")


def tables(text: str) -> Iterator[str]:
    """Tables with errors: four digits behind the point."""
    for found in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        if re.search(r"\| 0\.\d{4}\b", found) and not found.startswith(OTHERS):
            yield found


@pytest.mark.parametrize("page", PAGES)
def test_every_table_has_the_linear_and_the_quadratic_floor(page: str) -> None:
    found = list(tables((FOLDER / f"{page}.md").read_text(encoding="utf-8")))
    assert len(found) >= PAGES[page]
    for table in found:
        for floor in ("linear", "quadratic_ring"):
            row = re.search(rf"^\| {FLOORS[floor]}.*\| 0\.\d{{4}}", table, re.MULTILINE)
            assert row is not None or "one step ahead" in table, f"{floor}:\n{table}"
