"""What a search has found: all designs, and those of them that no other is better than."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from rchw.codesign.objectives import front_of, vector
from rchw.codesign.space import Readout, candidate
from rchw.codesign.trial import FULL, Trials
from rchw.design import Design
from rchw.errors import RchwError
from rchw.train import Hyperparameters, TrainOptions

__all__ = ["COSTS", "Found", "Front"]

COSTS = ("cells", "luts", "rams", "dsps", "energy", "clock", "rate", "latency")


@dataclass(frozen=True)
class Found:
    """One design that was evaluated.

    Attributes
    ----------
    trial : int
        Number of its reservoir, from 0.
    fidelity : str
        ``full``, or ``short`` for a part of the samples only.
    options, hyperparameters : dict
        Fields of `TrainOptions` and `Hyperparameters` that the search chose.
    figures : dict
        ``error`` on the validation samples, ``regularisation``, and costs as estimated.
    broken : float
        By how much limits are exceeded; 0 where they are kept to.
    extrapolates : tuple of str
        In what it lies outside of what the estimator was calibrated on: cells and clock are guesses
        then.
    """

    trial: int
    fidelity: str
    options: dict[str, Any]
    hyperparameters: dict[str, Any]
    figures: dict[str, float]
    broken: float
    extrapolates: tuple[str, ...] = ()

    @property
    def readout(self) -> Readout:
        """Which of the readouts of its reservoir it has."""
        return Readout.of(self.options)

    @property
    def name(self) -> str:
        """Of its files: the trial, squares where there are any, bits of the readout, budgets."""
        own = self.readout
        words = f"trial_{self.trial:04d}{'s' if own.squares else ''}"
        words += f"_{'x'.join(str(width) for width in own.widths)}_{own.output_bits}"
        words += "" if own.readout_adders is None else f"_a{own.readout_adders}"
        return words + ("" if own.readout_nonzeros is None else f"_z{own.readout_nonzeros}")

    @classmethod
    def of(cls, trial: int, fidelity: str, result: Mapping[str, Any]) -> Iterator["Found"]:
        """All designs of a stored result; none where it was refused."""
        point = result["point"]
        for entry in result.get("designs", ()):
            readout = Readout.of(entry).facts()
            figures = {
                key: entry[key] for key in ("error", "regularisation", *COSTS) if key in entry
            }
            yield cls(
                trial, fidelity, {**point["options"], **readout}, point["hyperparameters"], figures,
                entry["broken"], tuple(entry["extrapolates"]),
            )  # fmt: skip


@dataclass(frozen=True)
class Front:
    """The result of a search.

    Attributes
    ----------
    objectives : tuple of str
    designs : tuple of Found
        All that were evaluated, of every trial in order.
    refused : dict
        Trials that were not trained, by number, and why.
    trials : Trials
        What computed them.
    record : dict
        What the search was, ready for JSON.
    processor_seconds : float
        Of all its trials, also of those before an interruption; not in the record, since it differs
        from machine to machine.
    """

    objectives: tuple[str, ...]
    designs: tuple[Found, ...]
    refused: dict[int, str]
    trials: Trials
    record: dict[str, Any]
    processor_seconds: float = 0.0

    @property
    def members(self) -> list[Found]:
        """Designs that no other is better than in all objectives, by the first of them.

        Only those on all samples, within the limits; of equal ones the first.
        """
        allowed = self._allowed()
        points = [vector(found.figures, self.objectives) for found in allowed]
        places = front_of(points) if points else []
        return [allowed[place] for place in sorted(places, key=lambda place: points[place])]

    def _allowed(self) -> list[Found]:
        return [d for d in self.designs if d.fidelity == FULL.name and not d.broken]

    def best(self, name: str, most: float) -> Found | None:
        """The design of least error of which a figure is at most so much, if there is any."""
        fitting = [found for found in self._allowed() if found.figures[name] <= most]
        return min(fitting, key=lambda found: found.figures["error"]) if fitting else None

    def candidate(self, found: Found) -> tuple[TrainOptions, Hyperparameters]:
        """Options, with readout and name, and hyperparameters of a design."""
        own = found.readout
        rest = {key: value for key, value in found.options.items() if key not in own._fields}
        point = {"options": rest, "hyperparameters": found.hyperparameters}
        options, hyper = candidate(self.trials.space, point)
        return replace(options, **own._asdict(), name=found.name), hyper

    def design(self, found: Found) -> Design:
        """Train a design once more, from its options, hyperparameters and lambda.

        Raises
        ------
        RchwError
            If it comes to another error than the search has noted.
        """
        options, hyper = self.candidate(found)
        error, count = found.figures["error"], len({design.trial for design in self.designs})
        made, again = self.trials.again(options, hyper, found.figures["regularisation"], count)
        if again != error:
            raise RchwError(f"{found.name} must come to its error {error} again, not to {again}")
        return made

    def entry(self, found: Found) -> dict[str, Any]:
        """Everything that it takes to make a design again, and its figures, ready for JSON."""
        named = asdict(found)
        named.pop("broken")
        return {"name": found.name, **named}

    def summary(self) -> dict[str, Any]:
        """The record of the search and its front, ready for JSON: the same for every engine."""
        return {**self.record, "front": [self.entry(found) for found in self.members]}

    def table(self) -> str:
        """CSV with one line per design, and one per trial that was refused."""
        options = sorted({key for found in self.designs for key in found.options})
        hyper = sorted({key for found in self.designs for key in found.hyperparameters})
        costs = [name for name in COSTS if any(name in found.figures for found in self.designs)]
        text = io.StringIO()
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(
            ["trial", "fidelity", "front", "error", *costs, "within_limits", "regularisation",
             *options, *(f"hyper_{key}" for key in hyper), "extrapolates", "refused"]
        )  # fmt: skip
        chosen = {found.name for found in self.members}
        rows: list[tuple[int, list[Any]]] = [
            (
                found.trial,
                [
                    found.trial, found.fidelity,
                    int(found.fidelity == FULL.name and found.name in chosen),
                    repr(found.figures["error"]),
                    *(found.figures.get(name, "") for name in costs), int(not found.broken),
                    found.figures["regularisation"],
                    *(_cell(found.options.get(key, "")) for key in options),
                    *(found.hyperparameters.get(key, "") for key in hyper),
                    "; ".join(found.extrapolates), "",
                ],
            )
            for found in self.designs
        ]  # fmt: skip
        empty = [""] * (4 + len(costs) + len(options) + len(hyper))
        rows += [(trial, [trial, "", 0, *empty, why]) for trial, why in self.refused.items()]
        lines.writerows(row for _, row in sorted(rows, key=lambda pair: pair[0]))
        return text.getvalue()


def _cell(value: Any) -> Any:
    """A value of the table; widths of several outputs by commas."""
    return ",".join(str(each) for each in value) if isinstance(value, list) else value
