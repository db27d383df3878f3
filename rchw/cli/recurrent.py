"""What ``train --feedback --teaching`` does: FORCE, full-FORCE and partial-FORCE."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from rchw.cli.console import Outcome, Screen, clocks_words, pairs, table
from rchw.errors import DesignError
from rchw.tasks import Task
from rchw.taught import taught
from rchw.train import TrainOptions
from rchw.train.force import TEACHINGS, ForceOptions
from rchw.train.force_design import Widths
from rchw.train.recurrent import HELD

__all__ = ["Teaching"]

_SHARED = ("units", "density", "leak_shift", "activation", "weight_bits", "seed")
_WIDTHS = (
    "state_bits",
    "readout_bits",
    "output_bits",
    "input_bits",
    "rounding",
    "multipliers",
    "name",
)
_READ = (*_SHARED, *_WIDTHS, "reservoir", "lanes", "search")
_DEFAULTS = ForceOptions()


@dataclass(frozen=True)
class Teaching:
    """A rule for recurrent networks, and its own options where the user gave them."""

    rule: str
    given: Mapping[str, Any]

    @classmethod
    def of(cls, rule: str | None, feedback: bool, **given: Any) -> "Teaching | None":
        """None where the readout alone is taught, by ridge.

        Raises
        ------
        DesignError
            If there is no such rule, or an option is of another.
        """
        if rule is not None and not feedback:
            raise DesignError(f"teaching must be left out without --feedback, not {rule}")
        if rule not in (None, "ridge", *TEACHINGS):
            raise DesignError(
                f"teaching must be one of ridge, {', '.join(TEACHINGS)}, not {rule!r}"
            )
        there = {key: value for key, value in given.items() if value is not None}
        if rule in (None, "ridge"):
            for key, value in there.items():
                words = key.replace("_", " ")
                raise DesignError(f"{words} must be left out without --teaching force, not {value}")
            return None
        return cls(str(rule), there)

    @property
    def usual(self) -> TrainOptions:
        """Defaults of the options that other trainings have too."""
        return TrainOptions(
            reservoir="leaky", units=_DEFAULTS.units, readout_bits=Widths.readout_bits,
            activation=_DEFAULTS.activation, rounding=Widths.rounding,
        )  # fmt: skip

    def options(self, options: TrainOptions) -> tuple[ForceOptions, Widths]:
        """Options of the training and widths of the design.

        Raises
        ------
        DesignError
            If one is out of range, or means nothing to the rule.
        """
        if options.reservoir != "leaky":
            raise DesignError(
                f"reservoir must be leaky for {self.rule}, which needs a matrix, not "
                f"{options.reservoir}"
            )
        for field in fields(TrainOptions):
            value = getattr(options, field.name)
            if field.name not in _READ and value != field.default:
                words = field.name.replace("_", " ")
                raise DesignError(f"{words} must be left out for {self.rule}, not {value}")
        if not isinstance(options.readout_bits, int):
            raise DesignError(
                f"readout bits must be one number for {self.rule}, not {options.readout_bits}"
            )
        own = {key: value for key, value in self.given.items() if key != "integer_samples"}
        if self.rule == "partial-force":
            own.setdefault("trained_units", options.units // 2)
        shared = {key: getattr(options, key) for key in _SHARED}
        there = {key: value for key, value in shared.items() if value is not None}
        widths = {key: getattr(options, key) for key in _WIDTHS}
        bits = {key: value for key, value in widths.items() if value is not None}
        return (
            ForceOptions(teaching=self.rule, **there, **own),
            Widths(lanes=options.layer_lanes[0], **bits),
        )

    def trained(
        self,
        task: Task,
        options: TrainOptions,
        steps: int | None,
        output: Path,
        screen: Screen,
        facts: Mapping[str, Any],
    ) -> Outcome:
        """Train, write, and what is shown of it."""
        force, widths = self.options(options)
        # The integers' share comes off the end, so that the design begins behind all of it.
        usual = (task.train.stop - task.washout) // 4 if self.rule == "force" else 0
        made = taught(
            task, force, widths, screen, source=facts["source"], run_steps=steps,
            integer_samples=self.given.get("integer_samples", usual),
            series_seed=facts["seed"], columns=facts["columns"],
        )  # fmt: skip
        files = made.write(output)
        record = made.record | {"files": {key: str(path) for key, path in files.items()}}
        return Outcome(record, [_runs(record), pairs(_told(record))])


def _runs(record: Mapping[str, Any]) -> Any:
    """Table of the free runs."""
    rows = []
    for name, key in (("float network", "float"), ("integer design", "test")):
        run = record[key]
        rows.append([
            name, str(run["valid"]), f"{run['early']:.4g}", f"{run['whole']:.4g}",
            f"{run['shift']:+d}", f"{run['shape']:.4g}", "yes" if run["held"] else "no",
        ])  # fmt: skip
    if record["channels"]["inputs"]:
        return table(*_cued(record))
    title = f"{record['task']['name']}: left alone for {record['steps']} samples behind training"
    columns = [">valid for", ">nrmse early", ">nrmse", ">samples ahead", ">shape", "held"]
    return table(["", *columns], rows, title)


def _cued(record: Mapping[str, Any]) -> tuple[list[str], list[list[str]], str]:
    """Table of runs under inputs, which tell the time: no phase is taken out."""
    rows = []
    for name, key in (("float network", "float"), ("integer design", "test")):
        run = record[key]
        errors = run["repetitions"]
        within = sum(error is not None and error < HELD for error in errors)
        rows.append([
            name, str(run["valid"]), f"{run['whole']:.4g}",
            f"{within} of {len(errors)}" if errors else "-", "yes" if run["held"] else "no",
        ])  # fmt: skip
    title = f"{record['task']['name']}: under its inputs for {record['steps']} samples"
    columns = [">valid for", ">nrmse", f">repetitions within {HELD:g}", "held"]
    return ["", *columns], rows, f"{title} behind training"


def _told(record: Mapping[str, Any]) -> dict[str, str]:
    history = record["history"]
    rows = {
        "error before updates": f"{history['first_before']:.3g} at first, "
        f"{history['last_before']:.3g} at last, of full scale",
        "after over before": f"{history['first_ratio']:.3g} at first, {history['last_ratio']:.3g}",
        "weights moved": f"{history['first_move']:.3g} at first, {history['last_move']:.3g}",
    }
    if record["tuning"] is not None:
        tuning = record["tuning"]
        rows["on integers"] = (
            f"error before updates {tuning['first_before']:.3g} at first, "
            f"{tuning['last_before']:.3g} at last"
        )
    if not record["test"]["held"]:
        rows["verdict"] = "lost: left alone, the design does not keep the shape of the targets"
        if record["channels"]["inputs"]:
            rows["verdict"] = "lost: under its inputs, the design does not keep to the targets"
    return rows | {
        "clocks per sample": clocks_words(record),
        "digest": record["digest"],
        "written": ", ".join(record["files"].values()),
    }
