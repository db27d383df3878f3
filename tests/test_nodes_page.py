"""The page `docs/nodes.md`: its code runs, and its table has every node, and no other."""

import inspect
import re
from pathlib import Path
from typing import Any

from rchw.nodes import Node, biological, mechanical, memristive, photonic, spintronic

PAGE = (Path(__file__).parents[1] / "docs" / "nodes.md").read_text(encoding="utf-8")
FAMILIES = (memristive, photonic, spintronic, mechanical, biological)


def test_the_code_of_the_page_runs() -> None:
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, names)
    assert names["states"].shape == (1000, 100) and names["codes"].shape == (1200, 100)
    assert names["codes"].min() >= -512 and names["codes"].max() <= 511
    assert (names["design"].n_units, names["design"].layer.lanes) == (100, 4)


def test_the_table_has_every_node() -> None:
    wanted = {name for name in dir(Node) if not name.startswith("_")}
    nodes = {
        name
        for family in FAMILIES
        for name, found in inspect.getmembers(family, inspect.isclass)
        if wanted <= {*dir(found), *getattr(found, "__dataclass_fields__", {})}
    }
    table = PAGE[PAGE.index("| family | node |") :].split("\n\n")[0]
    listed = {
        name
        for row in table.splitlines()[2:]
        for name in re.findall(r"`([^`]+)`", row.split("|")[2])
    }
    assert listed == nodes
