"""The page `docs/metrics.md`: its code runs, and it tells of every function."""

import inspect
import re
from pathlib import Path
from typing import Any

from rchw import metrics

PAGE = (Path(__file__).parents[1] / "docs" / "metrics.md").read_text(encoding="utf-8")


def test_the_code_of_the_page_runs() -> None:
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    for block in blocks:
        exec(block, names)
    assert len(blocks) == 1 and names["states"].shape == (5000, 20)


def test_it_tells_of_every_function() -> None:
    functions = {name for name in metrics.__all__ if inspect.isfunction(getattr(metrics, name))}
    told = set(re.findall(r"`([a-z_]+)(?:\(|`|;)", PAGE))
    assert functions <= told
