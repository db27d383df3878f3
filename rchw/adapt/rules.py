"""Every rule of adaptation by its name, as the command line and the benchmarks ask for it."""

import inspect
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from numpy.typing import ArrayLike

from rchw.adapt.history import History
from rchw.adapt.homeostasis import flow_control, variance_control
from rchw.adapt.intrinsic import intrinsic_plasticity
from rchw.adapt.stopping import Stopping
from rchw.adapt.synaptic import anti_hebbian, anti_oja, bcm, hebbian, oja
from rchw.adapt.transition import phase_transition
from rchw.errors import DesignError
from rchw.reservoir import Reservoir

__all__ = [
    "RULES",
    "Rule",
    "checked_parameters",
    "defaults",
    "parse_parameters",
    "parse_stopping",
    "rule_named",
]

Rule = Callable[..., tuple[Reservoir, History]]

# A rule takes (reservoir, inputs) and numbers by keyword, each with a default.
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "intrinsic-plasticity": intrinsic_plasticity,
        "phase-transition": phase_transition,
        "hebbian": hebbian,
        "anti-hebbian": anti_hebbian,
        "oja": oja,
        "anti-oja": anti_oja,
        "bcm": bcm,
        "flow-control": flow_control,
        "variance-control": variance_control,
    }
)


def rule_named(name: str) -> Rule:
    """The rule of a name.

    Raises
    ------
    DesignError
        If there is none.
    """
    if name not in RULES:
        raise DesignError(f"rule of adaptation must be one of {', '.join(RULES)}, not {name!r}")
    return RULES[name]


def defaults(name: str) -> dict[str, float | None]:
    """Numbers that a rule takes and what they are if they are not given.

    >>> defaults("intrinsic-plasticity")["learning_rate"]
    0.0005
    """
    parameters = inspect.signature(rule_named(name)).parameters.values()
    numbers = (p for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "stopping")
    return {p.name: p.default for p in numbers}


def checked_parameters(name: str, given: Mapping[str, float]) -> dict[str, float | int]:
    """Parameters for a rule, whole numbers where their defaults are.

    Raises
    ------
    DesignError
        If the rule has no such parameter, or it must be a whole number.
    """
    return _checked(name, defaults(name), given)


def _checked(
    owner: str, known: Mapping[str, float | None], given: Mapping[str, float]
) -> dict[str, float | int]:
    found: dict[str, float | int] = {}
    for key, value in given.items():
        if key not in known:
            raise DesignError(
                f"parameter of {owner} must be one of {', '.join(known)}, not {key!r}"
            )
        whole = isinstance(known[key], int) and not isinstance(known[key], bool)
        if whole and value != int(value):
            raise DesignError(f"{key} of {owner} must be a whole number, not {value:g}")
        found[key] = int(value) if whole else float(value)
    return found


def parse_stopping(rule: str, text: str, targets: ArrayLike) -> Stopping:
    """Early stopping by targets, its parameters as the command line has them: ``patience=3``.

    Raises
    ------
    DesignError
        If the rule does not stop early, the text has another form, there is no such parameter, or
        it is out of range.

    >>> parse_stopping("anti-oja", "patience=2,held-out=0.25", []).patience
    2
    """
    if "stopping" not in inspect.signature(rule_named(rule)).parameters:
        able = [name for name in RULES if "stopping" in inspect.signature(RULES[name]).parameters]
        raise DesignError(
            f"stopping must be left out for {rule}, and is there for {', '.join(able)}"
        )
    fields = inspect.signature(Stopping).parameters.values()
    known: dict[str, float | None] = {p.name: p.default for p in fields if p.name != "targets"}
    numbers = _checked(f"stopping of {rule}", known, _numbers(text, "patience=3"))
    given: dict[str, Any] = dict(numbers)
    return Stopping(targets, **given)


def parse_parameters(rule: str, text: str | None) -> dict[str, float | int]:
    """Parameters of a rule as the command line has them: ``std=0.2,epochs=5``.

    Raises
    ------
    DesignError
        If the text has another form, or the rule no such parameter.

    >>> parse_parameters("intrinsic-plasticity", "std=0.2,epochs=5")
    {'std': 0.2, 'epochs': 5}
    """
    return checked_parameters(rule, _numbers(text or "", "epochs=5"))


def _numbers(text: str, example: str) -> dict[str, float]:
    """Numbers by their names, of a text such as ``std=0.2,epochs=5``."""
    given: dict[str, float] = {}
    for part in text.split(","):
        if not part.strip():
            continue
        name, equals, value = (word.strip() for word in part.partition("="))
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not equals or not math.isfinite(number):
            raise DesignError(
                f"parameters of adaptation must be NAME=NUMBER,... such as {example}, not "
                f"{part.strip()[:40]!r}"
            )
        given[name.replace("-", "_")] = number
    return given
