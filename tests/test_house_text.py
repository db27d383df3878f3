"""The rules of the house that concern the text of a module: no way around a check, no chance."""

import ast
import io
import re
import tokenize
from collections.abc import Callable

import pytest

from tests.test_house import CHECKED, ROOT, files, imports

LONGEST = 400  # lines of a module


def comments(text: str) -> list[str]:
    """Comments of a module."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


WAYS_AROUND = ("skip", "skipif", "skipIf", "skipUnless", "xfail", "importorskip", "skipTest")


def text_breaches(text: str) -> list[str]:
    """Ways around a check: tests that do not run, rules switched off without a reason."""
    wrong = []
    for node in ast.walk(ast.parse(text)):
        names = [node.attr] if isinstance(node, ast.Attribute) else []
        if isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
        wrong += [name for name in names if name in WAYS_AROUND]
    for comment in comments(text):
        if re.search(r"\bno" r"qa\b|\bTO" r"DO\b|\bFIX" r"ME\b|\bXX" r"X\b", comment):
            wrong.append(comment)
        if re.search(r"type: ignore", comment) and not re.fullmatch(
            r"# type: ignore\[[a-z-]+\]  # .+", comment
        ):
            wrong.append(comment)
    return wrong


def chance_breaches(text: str) -> list[str]:
    """Random numbers of a state that all share, or of no fixed seed; imports of everything."""
    tree, wrong = ast.parse(text), []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called.endswith(("default_rng", "Random")) and not (node.args or node.keywords):
                wrong.append(called)
            found = re.fullmatch(r"(?:np|numpy)\.random\.([a-z_]+)|random\.[a-z]\w*", called)
            if found and found.group(1) != "default_rng":
                wrong.append(called)
    wrong += [f"{module} *" for module, name in imports(tree) if name == "*"]
    return wrong


RULES: dict[str, tuple[Callable[[str], list[str]], tuple[str, ...]]] = {
    "no way around a check": (
        text_breaches,
        (  # Samples that the rule must refuse: nothing here is skipped, silenced or to be done.
            "import pytest\npytest.importorskip('numba')",
            "from pytest import importorskip\nimportorskip('numba')",
            "@pytest.mark.skip\ndef test(): ...",
            "@pytest.mark.xfail(strict=True)\ndef test(): ...",
            "import numpy  # noqa: F401",
            "x = f()  # type: ignore",
            "x = f()  # type: ignore[arg-type]",
            "x = 1  # TODO: more",
        ),
    ),
    "no chance without a seed": (
        chance_breaches,
        (
            "import numpy as np\nrng = np.random.default_rng()",
            "import numpy as np\nx = np.random.normal(size=3)",
            "import numpy as np\nnp.random.seed(0)",
            "import random\nx = random.randint(0, 3)",
            "from random import Random\nrng = Random()",
            "from amaranth import *",
        ),
    ),
}
"""Name of a rule: what breaks it in a text, and texts that break it once each."""


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_holds_everywhere(rule: str) -> None:
    breaches, _ = RULES[rule]
    found = {
        str(path.relative_to(ROOT)): wrong
        for path in files(*CHECKED)
        if (wrong := breaches(path.read_text(encoding="utf-8")))
    }
    assert not found


@pytest.mark.parametrize(
    ("rule", "text"), [(rule, text) for rule, (_, texts) in RULES.items() for text in texts]
)
def test_a_breach_is_seen(rule: str, text: str) -> None:
    breaches, _ = RULES[rule]
    assert len(breaches(text)) == 1


def test_modules_are_short() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in files(*CHECKED)
    }
    assert not {path: length for path, length in lengths.items() if length > LONGEST}
