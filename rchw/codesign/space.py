"""What a search may choose: kinds and sizes of reservoirs, widths, lanes, and hyperparameters.

A trial is a reservoir; every readout of it is a design (`Space.readouts`). What has an order, such
as the values of `rchw.train.axes`, is asked for as a place on its axis, so that an optimiser knows
neighbours; what a reservoir does not have is not asked for.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple, Protocol

from rchw.adapt import rule_named
from rchw.errors import DesignError
from rchw.train import Hyperparameters, TrainOptions
from rchw.train.axes import axes
from rchw.train.budget import Each
from rchw.train.families import (
    ADAPTABLE,
    EULERS,
    LAYER_RESERVOIRS,
    LEAST_UNITS,
    MATRICES,
    RESERVOIRS,
    one_of,
)

__all__ = ["Point", "Readout", "Space", "Trial", "ask", "candidate", "first_points", "parse_span"]

Point = dict[str, dict[str, Any]]

_PLACES = 16  # on an axis, as many as the longest has values
_DENSITIES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_MOST_LAYERS, _MOST_SHIFT, _MOST_SPREAD, _MOST_RING_SHIFT = 4, 5, 4, 3
_MOST_READOUTS = 256  # of a reservoir
_NONE = "none"
_SEGMENTS = 4  # least bits of a state that goes through segments
_OPTIONAL = ("readout_adders", "readout_nonzeros", "adapt", "bounded")  # may be empty
# The same name means something else to an Euler system; an optimiser must not learn across.
_OWN_NAMES = {"feedback": "coupling", "radius": "euler_radius"}


class Readout(NamedTuple):
    """Which readout a design has: fields of `rchw.train.TrainOptions`."""

    squares: bool
    readout_bits: Each
    output_bits: int
    readout_adders: int | None = None
    readout_nonzeros: int | None = None

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "Readout":
        """The readout of a stored result or of options, in which those without effect lack."""
        given = {name: fields[name] for name in cls._fields if name in fields}
        bits = given["readout_bits"]
        return cls(**{**given, "readout_bits": bits if isinstance(bits, int) else tuple(bits)})

    @property
    def widths(self) -> tuple[int, ...]:
        """Of its weights, one or one for each output."""
        return (self.readout_bits,) if isinstance(self.readout_bits, int) else self.readout_bits

    def facts(self) -> dict[str, Any]:
        """Its fields, ready for JSON, without the budgets that it does not have."""
        fields = {k: list(v) if isinstance(v, tuple) else v for k, v in self._asdict().items()}
        return {name: value for name, value in fields.items() if value is not None}


class Trial(Protocol):
    """What `ask` needs of an Optuna trial."""

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Choose one of several."""
        ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        """Choose a whole number, both ends included."""
        ...


@dataclass(frozen=True)
class Space:
    """What is searched; everything else is as `rchw.train.TrainOptions` has it.

    Parameters
    ----------
    reservoirs : tuple of str
        As of `TrainOptions`.
    units, input_bits, state_bits, weight_bits : (int, int)
        Least and most; the last is of matrices.
    lanes : tuple of int
        Ascending; as many as there are units at most, of the smallest layer.
    activations : tuple of str
    squares : tuple of bool
    readout_bits, output_bits : tuple of int
        Ascending. Of every reservoir all readouts are tried, with and without squares.
    mixed_bits : bool
        Whether every output also has widths of its own, of `readout_bits`.
    readout_adders, readout_nonzeros : tuple of int
        Ascending. Budgets of each output: every readout is also tried within each.
    adapt : tuple of str
        Rules of `rchw.adapt.RULES`, with their own parameters: a reservoir that can be adapted is
        by one of them, or by none.
    signs : tuple of str
    bounded : tuple of int
        Ascending, as of `TrainOptions`; Euler systems may also saturate.
    seed : int
        Of what is drawn, as of `TrainOptions`.

    Raises
    ------
    DesignError
        If a value is out of range, or there is nothing to choose from.
    """

    reservoirs: tuple[str, ...] = RESERVOIRS
    units: tuple[int, int] = (20, 200)
    input_bits: tuple[int, int] = (4, 12)
    state_bits: tuple[int, int] = (4, 16)
    weight_bits: tuple[int, int] = (4, 10)
    lanes: tuple[int, ...] = (1, 2, 4, 8, 16)
    activations: tuple[str, ...] = ("clip", "pwl", "table")
    squares: tuple[bool, ...] = (False, True)
    readout_bits: tuple[int, ...] = (6, 8, 12, 16)
    output_bits: tuple[int, ...] = (12, 16)
    mixed_bits: bool = False
    readout_adders: tuple[int, ...] = ()
    readout_nonzeros: tuple[int, ...] = ()
    adapt: tuple[str, ...] = ()
    signs: tuple[str, ...] = ("auto",)
    bounded: tuple[int, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        for name in (
            "reservoirs",
            "lanes",
            "activations",
            "squares",
            "readout_bits",
            "output_bits",
            "signs",
            *_OPTIONAL,
        ):
            chosen, words = getattr(self, name), name.replace("_", " ")
            least = name not in _OPTIONAL
            if len(set(chosen)) < len(chosen) or (least and not chosen):
                words += " must be distinct" + " and at least one" * least
                raise DesignError(f"{words}, not {chosen}")
        for reservoir in self.reservoirs:
            one_of("reservoir", reservoir, RESERVOIRS)
        for activation in self.activations:
            one_of("activation", activation, ("clip", "pwl", "table"))
        limits = {
            "units": (1, 4096), "input_bits": (2, 24), "state_bits": (2, 24),
            "weight_bits": (2, 24), "lanes": (1, 4096), "readout_bits": (2, 24),
            "output_bits": (2, 24), "readout_adders": (0, 10**6), "readout_nonzeros": (1, 10**6),
            "bounded": (1, 2**20),
        }  # fmt: skip
        for name, (low, high) in limits.items():
            chosen, words = getattr(self, name), name.replace("_", " ")
            if not chosen:
                continue
            if list(chosen) != sorted(chosen) or not low <= chosen[0] <= chosen[-1] <= high:
                raise DesignError(
                    f"{words} must ascend, from {low} to {high} at most, not "
                    f"{', '.join(str(value) for value in chosen)}"
                )
        for rule in self.adapt:
            rule_named(rule)
        for signs in self.signs:
            one_of("signs", signs, ("auto", "pi", "random"))
        for adders in self.readout_adders[:1]:  # has a rule of its own, as the seed
            TrainOptions(readout_bits=self.readout_bits[-1], readout_adders=adders)
        TrainOptions(seed=self.seed)

    def readouts(self, n_outputs: int = 1) -> list[Readout]:
        """All readouts of a reservoir; those within budgets come last.

        Raises
        ------
        DesignError
            If one output is to have mixed widths, or they are too many.
        """
        widths: list[Each] = list(self.readout_bits)
        if self.mixed_bits:
            if n_outputs == 1:
                raise DesignError("mixed bits must be left out for one output")
            count = len(widths) ** n_outputs
            if count > _MOST_READOUTS:
                raise DesignError(
                    f"mixed bits must be at most {_MOST_READOUTS} combinations, not {count}: "
                    f"choose fewer readout bits"
                )
            widths += [w for w in product(self.readout_bits, repeat=n_outputs) if len(set(w)) > 1]
        plain = [Readout(*each) for each in product(self.squares, widths, self.output_bits)]
        adders = [
            each._replace(readout_adders=most) for most in self.readout_adders for each in plain
        ]
        nonzeros = [
            each._replace(readout_nonzeros=most) for most in self.readout_nonzeros for each in plain
        ]
        return [*plain, *adders, *nonzeros]


def ask(space: Space, trial: Trial) -> Point:
    """Ask a trial for a reservoir.

    Parameters
    ----------
    space : Space
    trial : Trial
        Such as one of Optuna; what it is asked depends on what it suggested before.

    Returns
    -------
    dict
        ``options`` and ``hyperparameters``, ready for JSON, and for `candidate`.
    """
    found: dict[str, Any] = {"reservoir": trial.suggest_categorical("reservoir", space.reservoirs)}
    found["units"] = trial.suggest_int("units", *space.units, log=True)
    kind = found["reservoir"]
    if kind == "deep":
        layers = trial.suggest_int("layers", 2, _MOST_LAYERS)
        kind = trial.suggest_categorical("layer_reservoir", LAYER_RESERVOIRS)
        found["layers"] = max(min(layers, found["units"] // LEAST_UNITS.get(kind, 1)), 1)
        found["layer_reservoir"] = kind
    if found["reservoir"] != "integer":
        found["input_bits"] = trial.suggest_int("input_bits", *space.input_bits)
        found["activation"] = trial.suggest_categorical("activation", space.activations)
        width = trial.suggest_int("state_bits", *space.state_bits)
        found["state_bits"] = max(width, _SEGMENTS) if found["activation"] == "pwl" else width
        found["weights"] = trial.suggest_categorical("weights", ("shift-add", "integer"))
    found |= _connections(space, trial, found["reservoir"], kind)
    found |= _asked_for(space, trial, kind)
    found["rounding"] = trial.suggest_categorical("rounding", ("truncate", "half-up", "half-even"))
    found["encoder"] = trial.suggest_categorical("encoder", ("min-max", "mean-std"))
    found["input_features"] = trial.suggest_categorical("input_features", (False, True))
    found["lanes"] = space.lanes[trial.suggest_int("lanes", 0, len(space.lanes) - 1)]
    # One multiplier, or as many as keep pace with the states.
    if trial.suggest_categorical("single_multiplier", (False, True)):
        found["multipliers"] = 1
    chosen: dict[str, Any] = {}
    for name, values in axes(_options(space, found)).items():
        own = _OWN_NAMES.get(name, name) if kind in EULERS else name
        if len(values) == 1:
            chosen[name] = values[0]
        elif name == "window" or isinstance(values[0], str | bool):
            chosen[name] = trial.suggest_categorical(own, values)
        else:
            chosen[name] = values[trial.suggest_int(own, 0, _PLACES - 1) * len(values) // _PLACES]
    return {"options": found, "hyperparameters": chosen}


def _connections(space: Space, trial: Trial, reservoir: str, kind: str) -> dict[str, Any]:
    """What is asked of matrices, and of leaks where the options hold them."""
    found: dict[str, Any] = {}
    if kind in MATRICES:
        found["weight_bits"] = trial.suggest_int("weight_bits", *space.weight_bits)
        found["scaling"] = trial.suggest_categorical("scaling", ("radius", "circular"))
    if kind == "leaky":
        density = _DENSITIES[trial.suggest_int("density", 0, len(_DENSITIES) - 1)]
        if density < 1:
            found["density"] = density
    if reservoir == "leaky":
        shift = trial.suggest_int("unit_leak_shift", 0, _MOST_SHIFT)
        spread = trial.suggest_int("unit_leak_spread", 0, _MOST_SPREAD)
        found |= {"leak_shifts": f"{shift}..{shift + spread}"} if spread else {"leak_shift": shift}
    elif reservoir not in ("deep", *EULERS):
        found["leak_shift"] = trial.suggest_int("ring_leak_shift", 0, _MOST_RING_SHIFT)
    return found


def _asked_for(space: Space, trial: Trial, kind: str) -> dict[str, Any]:
    """What is chosen only where a space has more than the usual of it."""
    found: dict[str, Any] = {}
    if space.adapt and kind in ADAPTABLE:
        rule = trial.suggest_categorical("adapt", (_NONE, *space.adapt))
        found |= {"adapt": rule} if rule != _NONE else {}
    if space.bounded and kind in EULERS:
        samples = trial.suggest_categorical("bounded", (0, *space.bounded))
        found |= {"bounded": samples} if samples else {}
    if space.signs != ("auto",):
        found["signs"] = trial.suggest_categorical("signs", space.signs)
    return found


def _options(space: Space, chosen: Mapping[str, Any]) -> TrainOptions:
    """Options without a readout; no more lanes than the smallest layer has units."""
    least = min(TrainOptions(**{**chosen, "lanes": 1}).layer_units)
    lanes = min(chosen["lanes"], least)
    return TrainOptions(**{**chosen, "lanes": lanes}, seed=space.seed, search="none")


def candidate(space: Space, point: Point) -> tuple[TrainOptions, Hyperparameters]:
    """Options, but for the readout, and hyperparameters of a reservoir that `ask` has given.

    Raises
    ------
    DesignError
        If there is no such reservoir.
    """
    return _options(space, point["options"]), Hyperparameters(**point["hyperparameters"])


def first_points(space: Space) -> list[dict[str, Any]]:
    """What to try first, by the names that `ask` uses: of each reservoir the usual one."""
    middle = round(math.sqrt(space.units[0] * space.units[1]))
    widths = {
        name: min(max(8, getattr(space, name)[0]), getattr(space, name)[1])
        for name in ("input_bits", "state_bits", "weight_bits")
    }
    usual = {
        "units": middle, "layers": 2, "layer_reservoir": "cycle", **widths,
        "activation": space.activations[0], "weights": "shift-add", "scaling": "radius",
        "density": 3, "unit_leak_shift": 1, "unit_leak_spread": 0, "ring_leak_shift": 0,
        "rounding": "half-up", "encoder": "min-max", "input_features": False, "lanes": 0,
        "single_multiplier": False,
        "adapt": _NONE, "bounded": 0, "signs": space.signs[0],
    }  # fmt: skip
    found = []
    for reservoir in space.reservoirs:
        asked = _Answers({"reservoir": reservoir, **usual})
        ask(space, asked)
        found.append(asked.given)
    return found


class _Answers:
    """A trial that suggests what it was told, and of hyperparameters the usual ones."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self.known = known
        self.given: dict[str, Any] = {}

    def _usual(self, name: str) -> Any:
        named = next((key for key, own in _OWN_NAMES.items() if own == name), name)
        return getattr(Hyperparameters(), named)

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """As told, or the usual one."""
        self.given[name] = self.known[name] if name in self.known else self._usual(name)
        return self.given[name]

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        """As told; the middle of an axis that nothing is known of."""
        self.given[name] = self.known.get(name, (low + high) // 2)
        return int(self.given[name])


def parse_span(text: str, what: str) -> tuple[int, int]:
    """Two ends such as ``20..200``, or one number for both.

    Raises
    ------
    DesignError
        If it is neither.

    >>> parse_span("4..12", "bits"), parse_span("8", "bits")
    ((4, 12), (8, 8))
    """
    match = re.fullmatch(r"\s*(\d{1,9})(?:\.\.(\d{1,9}))?\s*", text)
    if not match:
        raise DesignError(f"{what} must be a number or a range such as 4..12, not {text[:40]!r}")
    return int(match[1]), int(match[2] or match[1])
