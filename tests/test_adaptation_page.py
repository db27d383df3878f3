"""The page `docs/adaptation.md`: its code gives what it shows, and it tells of every rule."""

import re
from pathlib import Path
from typing import Any

import pytest

from rchw.adapt import RULES

PAGE = (Path(__file__).parents[1] / "docs" / "adaptation.md").read_text(encoding="utf-8")


def test_the_code_of_the_page_gives_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    pairs = re.findall(r"```python\n(.*?)```\n\n((?:    [^\n]*\n)+)", PAGE, re.DOTALL)
    assert len(pairs) == PAGE.count("```python") == 4
    for block, shown in pairs:
        exec(block, names)
        printed = capsys.readouterr().out
        assert printed == re.sub(r"^    ", "", shown, flags=re.MULTILINE)
    for largest, found in names["exponents"]:
        assert found > largest - 0.05


def test_it_tells_of_every_rule() -> None:
    told = set(re.findall(r"`([a-z-]+)`", PAGE))
    assert set(RULES) <= told
