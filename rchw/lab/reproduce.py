"""Published figures, run, and the page of what came out: targets, bands, ours, verdicts."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rchw.errors import DesignError
from rchw.experiment import Steps, finite, versions
from rchw.files import write_atomic
from rchw.lab.figures import FIGURES, Measured, PublishedFigure

__all__ = ["FILE", "Reproduced", "chosen_figures", "reproduce"]

FILE = "reproduce.json"


@dataclass(frozen=True)
class Reproduced:
    """What came out.

    Attributes
    ----------
    record : dict
        JSON-ready; ``figures`` in the order they were asked for.
    """

    record: dict[str, Any]

    @property
    def missed(self) -> list[str]:
        """Names of figures outside their band."""
        return [each["name"] for each in self.record["figures"] if each["verdict"] == "missed"]

    def write(self, folder: Path) -> Path:
        """Write the record, or leave what was there.

        Raises
        ------
        RchwError
            If the folder cannot be written.
        """
        text = json.dumps(self.record, indent=1, allow_nan=False)
        return write_atomic(folder / FILE, text + "\n")


def chosen_figures(names: Sequence[str]) -> list[PublishedFigure]:
    """Figures of these names; all without names.

    Raises
    ------
    DesignError
        If there is none of a name.
    """
    for name in names:
        if name not in FIGURES:
            raise DesignError(f"figure must be one of {', '.join(FIGURES)}, not {name!r}")
    return [FIGURES[name] for name in dict.fromkeys(names or FIGURES)]


def reproduce(figures: Sequence[PublishedFigure], steps: Steps) -> Reproduced:
    """Run figures one after the other.

    Those whose data are not free are listed as such.
    """
    begun, entries = time.monotonic(), []
    for figure in figures:
        entry = _facts(figure)
        if figure.run is None:
            entries.append(entry | {"verdict": "not run"})
            continue
        start = time.monotonic()
        with steps.step(f"{figure.name}: {figure.title}") as told:
            measured = figure.run(told)
        seconds = round(time.monotonic() - start, 1)
        entries.append(entry | _found(figure, measured) | {"seconds": seconds})
    return Reproduced(
        {
            "kind": "reproduce",
            "version": 1,
            "figures": entries,
            "tools": versions("scipy", "numba"),
            "seconds": round(time.monotonic() - begun, 1),
        }
    )


def _facts(figure: PublishedFigure) -> dict[str, Any]:
    return {
        "name": figure.name,
        "title": figure.title,
        "quantity": figure.quantity,
        "target": figure.target,
        "band": str(figure.band),
        "condition": figure.condition,
        "source": figure.source,
        "status": figure.status,
    }


def _found(figure: PublishedFigure, measured: Measured) -> dict[str, Any]:
    return {
        "ours": finite(measured.score),
        "noisy": None if measured.noisy is None else finite(measured.noisy),
        "noise": measured.noise,
        "baselines": {key: finite(value) for key, value in measured.baselines.items()},
        "checks": dict(measured.checks),
        "details": dict(measured.details),
        "verdict": "within" if figure.reached(measured) else "missed",
    }
