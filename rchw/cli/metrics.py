"""The command ``metrics``: what a reservoir of any kind remembers, computes and forgets."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from rchw.cli.console import Outcome, Screen, pairs, table
from rchw.cli.emulate import settings_of
from rchw.cli.options import Json
from rchw.errors import DesignError
from rchw.files import check_folder

__all__ = ["metrics_command"]


def metrics_command(
    source: Annotated[
        str, typer.Argument(help="A DESIGN.json, or a node, such as memristive; see `rchw nodes`.")
    ],
    preset: Annotated[str | None, typer.Option(help="Of a node; the first.")] = None,
    units: Annotated[int | None, typer.Option(help="Of a node; the preset's.")] = None,
    snr_db: Annotated[
        float | None, typer.Option(help="Noise of the readings of a device, in dB; none.")
    ] = None,
    adc_bits: Annotated[
        int | None, typer.Option(help="Of the converter behind a device; exact.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=NUMBER: of what is tuned of a node.")
    ] = None,
    samples: Annotated[int, typer.Option(help="Of the long run.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Of the inputs, and of a node.")] = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A folder: record and picture.")
    ] = None,
    as_json: Json = False,
) -> Outcome:
    """Measure a reservoir: memory, capacities, ranks, entropy, echo states, exponent, layers."""
    from rchw.lab.characterise import MetricOptions, characterise

    options = MetricOptions(samples=samples, seed=seed)
    if output is not None:
        check_folder(output)
    given = {
        "--preset": preset, "--units": units, "--snr-db": snr_db, "--adc-bits": adc_bits,
        "--set": settings_of(set_ or (), "set") or None,
    }  # fmt: skip
    subject = _subject(source, given, seed)
    result = characterise(subject, options, Screen(as_json))
    record = dict(result.record)
    if output is not None:
        record["written"] = [str(path) for path in result.write(output)]
    return Outcome(record, _shown(record))


def _subject(source: str, given: dict[str, Any], seed: int) -> Any:
    from rchw.document import load
    from rchw.lab.subjects import of_design, of_node
    from rchw.lab.trial import Condition
    from rchw.nodes.presets import NODES, Size

    if source not in NODES and (source.endswith(".json") or Path(source).exists()):
        for words, value in given.items():
            if value is not None:
                raise DesignError(f"{words} must be left out for a design, not be {value}")
        return of_design(load(Path(source)))
    if source not in NODES:
        raise DesignError(
            f"source must be a design file or one of {', '.join(NODES)}, not {source[:60]!r}"
        )
    chosen = NODES[source].preset(given["--preset"])
    units = chosen.units if given["--units"] is None else given["--units"]
    condition = Condition(given["--snr-db"], given["--adc-bits"])
    return of_node(NODES[source], chosen, Size(units, 1, seed), condition, given["--set"])


def _shown(record: dict[str, Any]) -> list[Table]:
    memory, processing, ranks = record["memory"], record["processing"], record["ranks"]
    entropy, echo, separation = record["entropy"], record["echo"], record["separation"]
    degrees = ", ".join(f"{d}: {value:.2f}" for d, value in processing["per_degree"].items())
    across = entropy["across_units"]
    ratios = ", ".join(f"{value:.3g}" for value in separation["ratios"])
    inputs = ", ".join(f"{value:.2g}" for value in separation["inputs"])
    rows = [
        ["memory capacity", f"{memory['significant']:.2f}",
         f"delays 1 to {memory['delays'][-1]}, beyond chance"],
        ["processing capacity", f"{processing['total']:.2f}",
         f"of at most {processing['rank']}; by degree {degrees}"],
        ["kernel rank", str(ranks["kernel"]),
         f"of {ranks['streams']} unrelated streams; noise of {ranks['noise']:.2g}"],
        ["generalisation rank", str(ranks["generalisation"]),
         f"the last {ranks['shared']} of {ranks['length']} samples alike"],
        ["effective rank", f"{record['effective_rank']:.2f}", "exp of the entropy of directions"],
        ["entropy across units", "-" if across is None else f"{across:.3f}",
         f"nats, range {entropy['range']} as -1 to 1"],
        ["entropy per unit", f"{entropy['bits_per_unit']:.2f}",
         f"bits; least {entropy['least_bits']:.2f}, of {entropy['bins']} bins"],
        ["at the rails", f"{100 * record['saturation']:.2f} %", "of all states"],
        ["echo index", str(echo["responses"]),
         f"responses left of {echo['starts']} starts; distance {echo['distance']:.2g} deviations"],
        ["largest exponent", *_exponent(record["lyapunov"])],
        ["suffix organisation",
         "-" if record["suffix"]["rate"] is None else f"{record['suffix']['rate']:.4f}",
         f"of ln(distance) per common symbol, {record['suffix']['symbols']} symbols"],
        ["input separation", ratios, f"state over input distance, at {inputs}"],
    ]  # fmt: skip
    title = f"{record['source']['name']}: {record['units']} units, {record['samples']:,} samples"
    shown = [table(["metric", ">value", "what it is"], rows, title), _layers(record)]
    facts = {}
    if isinstance(record["conditions"], str):
        facts["echo conditions"] = f"none: {record['conditions']}"
    if "written" in record:
        facts["written"] = ", ".join(record["written"])
    return [*shown, pairs(facts)] if facts else shown


def _exponent(found: dict[str, Any]) -> tuple[str, str]:
    if found["method"] is None:
        return "-", f"refused: {found['refused']}"
    if found["forgets_entirely"]:
        return "-inf", "a change is lost entirely"
    return f"{found['maximum']:.4f}", f"per sample, by {found['method']}"


def _layers(record: dict[str, Any]) -> Table:
    layers, told = record["layers"], record["conditions"]
    columns = ["layer", ">units", ">time scale", ">mean frequency"]
    known = not isinstance(told, str)
    if known:
        columns += [">singular", ">Schur", ">radius of |M|", ">radius", ">sufficient"]
    rows = []
    for number, units in enumerate(layers["units"]):
        beyond = "" if layers["timescales"][number] < layers["horizon"] else " or more"
        row = [
            str(number + 1),
            str(units),
            f"{layers['timescales'][number]:.1f}{beyond}",
            f"{layers['centroids'][number]:.4f}",
        ]
        if known:
            found = told[number]
            row += [f"{found['largest_singular']:.3f}", _word(found["schur"])]
            row += [f"{found['absolute_radius']:.3f}", f"{found['radius']:.3f}"]
            row.append(_word(found["sufficient"]))
        rows.append(row)
    return table(columns, rows)


def _word(verdict: bool | None) -> str:
    return "not shown" if verdict is None else "yes" if verdict else "no"
