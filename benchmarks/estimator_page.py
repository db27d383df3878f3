"""The page of the estimator's benchmark, from its record and the coefficients."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from rchw.codesign.estimate import Estimate

__all__ = ["TARGETS", "Judged", "markdown", "worst"]

TARGETS = {"cells": 0.10, "clock": 0.20}
Row = Mapping[str, Any]
_HEAD = """\
# The estimator beside place-and-route

Made by `{command}`: the designs of `benchmarks/estimator_designs.py` were drawn by seed and listed
in `results/estimator_designs.json`. The first list for calibration and the first held-out one
(sha256 {sha256} of both) were there before any design was measured and anything was calibrated;
further ones for calibration were drawn when these had shown of which forms they have too few.
Calibration saw {calibration} builds: {earlier} rows of [size.md](size.md)
and `results/families.json`, with the seeds that are told there, and {drawn} of the {listed} designs
listed for it, with one seed of nextpnr. Of the {all_held} held-out designs {held} were built so
far, with five seeds each (`{command} --measure` builds what is missing); no coefficient saw them.
What the model counts was changed by what the builds of the calibration showed, while ten designs of
the first list had been built, and once more, in the sums of products with constants, when all of it
had; then the second list was drawn, and nothing was changed after it was measured.
{missing}The target is {cells:.0f} % on cells and {clock:.0f} % on the median clock; block RAMs and
multipliers must be equal. *Extrapolated*: the estimator itself says that the calibration saw
nothing like it; `rchw estimate` tells in what.

![Errors over measured values](../docs/images/estimator.svg)
"""


@dataclass(frozen=True)
class Judged:
    """A design that was built, and what was predicted of it."""

    key: str
    what: str
    row: Row
    found: Estimate

    @property
    def cells(self) -> float:
        """Relative error."""
        return float(self.found.cells / self.row["cells"] - 1)

    @property
    def clock(self) -> float:
        """Relative error, of the median."""
        return float(self.found.clock_hz / 1e6 / self.row["mhz"] - 1)

    @property
    def counted(self) -> bool:
        """Whether block RAMs and multipliers are equal."""
        own = self.found.block_rams, self.found.multipliers
        return own == (self.row["block_ram"], self.row["dsp"])


def worst(rows: Sequence[Judged]) -> dict[str, float]:
    """Largest absolute error of each target."""
    return {name: max(abs(getattr(row, name)) for row in rows) for name in TARGETS}


def _table(rows: Sequence[Judged]) -> Iterator[str]:
    yield (
        "| design | cells | predicted | error | MHz, median (of seeds) | predicted | error "
        "| RAM | DSP | verdict |"
    )
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|---|"
    for one in rows:
        row, found = one.row, one.found
        seeds = row["mhz_per_seed"].values()
        missed = [name for name in TARGETS if abs(getattr(one, name)) > TARGETS[name]]
        missed += [] if one.counted else ["RAM or DSP"]
        verdict = f"missed: {', '.join(missed)}" if missed else "met"
        verdict += ", extrapolated" * bool(found.extrapolates)
        yield (
            f"| {one.what} | {row['cells']} | {found.cells} | {100 * one.cells:+.1f} % | "
            f"{row['mhz']:.1f} ({min(seeds):.0f} to {max(seeds):.0f}) | "
            f"{found.clock_hz / 1e6:.1f} | {100 * one.clock:+.1f} % | "
            f"{_pair(found.block_rams, row['block_ram'])} | "
            f"{_pair(found.multipliers, row['dsp'])} | {verdict} |"
        )


def _pair(found: int, measured: int) -> str:
    return str(found) if found == measured else f"{found}, not {measured}"


def _summary(boards: Mapping[str, Sequence[Judged]]) -> Iterator[str]:
    yield "| board | designs | cells within 10 % | worst | clock within 20 % | worst | RAM, DSP |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for board, rows in boards.items():
        if rows:
            most = worst(rows)
            within = {
                name: sum(abs(getattr(row, name)) <= TARGETS[name] for row in rows)
                for name in TARGETS
            }
            yield (
                f"| {board} | {len(rows)} | {within['cells']} | {100 * most['cells']:.1f} % | "
                f"{within['clock']} | {100 * most['clock']:.1f} % | "
                f"{sum(row.counted for row in rows)} |"
            )


_LISTS = {"held-out": "Held out, first list", "fresh": "Held out, second list"}


def _spread(rows: Sequence[Judged]) -> str:
    spreads = [
        max(row.row["mhz_per_seed"].values()) / min(row.row["mhz_per_seed"].values()) - 1
        for row in rows
    ]
    return (
        f"The fastest of five seeds is {100 * median(spreads):.0f} % (median over the designs; at "
        f"most {100 * max(spreads):.0f} %) above the slowest: no estimator of the clock of one "
        "build can be better than that."
    )


def markdown(
    record: Row,
    sha256: str,
    counts: Mapping[str, int],
    held: Mapping[str, Mapping[str, Sequence[Judged]]],
    seen: Mapping[str, Sequence[Judged]],
    models: Row,
) -> str:
    """Page of a record.

    Parameters
    ----------
    record : mapping
    sha256 : str
        Of the list of designs.
    counts : mapping
        ``earlier``, ``drawn``, ``listed``, ``held`` and ``all_held``.
    held : mapping
        By list and board the held-out designs.
    seen : mapping
        By board those of the calibration.
    models : mapping
        The coefficients.
    """
    everything = [row for boards in held.values() for rows in boards.values() for row in rows]
    refused = [
        f"{key} ({row['missing']})" for key, row in record["rows"].items() if "missing" in row
    ]
    head = _HEAD.format(
        command=models["command"],
        sha256=sha256[:12],
        calibration=counts["earlier"] + counts["drawn"],
        missing=f"Not built: {'; '.join(refused)}. " if refused else "",
        cells=100 * TARGETS["cells"],
        clock=100 * TARGETS["clock"],
        **counts,
    )
    parts = [head]
    for kind, boards in held.items():
        parts.append(f"## {_LISTS[kind]}\n\n" + "\n".join(_summary(boards)) + "\n")
        for board, rows in boards.items():
            if rows:
                parts.append(f"### {board}\n\n" + "\n".join(_table(rows)) + "\n")
    if everything:
        parts.append(_spread(everything) + "\n")
    elsewhere = counts["earlier"] + counts["drawn"] - sum(map(len, seen.values()))
    parts.append(
        "## Calibration\n\nHow well the fit agrees with what it was fitted to; not shown are "
        f"{elsewhere} builds for other boards.\n"
    )
    parts.append("\n".join(_summary(seen)) + "\n")
    tools = {k: v for row in record["rows"].values() for k, v in row.get("tools", {}).items()}
    parts.append(", ".join(f"{name} {version}" for name, version in sorted(tools.items())) + ".\n")
    return "\n".join(parts)
