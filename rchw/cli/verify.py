"""The commands that check circuits: ``verify``."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.table import Table

from rchw.cli.console import Outcome, Screen, pairs, table
from rchw.cli.options import Json
from rchw.design import Design
from rchw.document import load
from rchw.errors import DesignError
from rchw.files import check_folder, sha256_of

__all__ = [
    "mutants_shown",
    "netlist_shown",
    "rails_table",
    "soak_shown",
    "verify_command",
    "verify_shown",
]

_DesignFile = Annotated[Path, typer.Argument(metavar="DESIGN.json")]


def verify_command(
    design_file: _DesignFile,
    samples: Annotated[
        int | None,
        typer.Option(
            help="Of the longest phase; of all with --soak; 2000. With --mutants of a fault that "
            "survives a quick run; 100000."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the stimulus.")] = 1,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder; build/NAME/verify.")
    ] = None,
    soak: Annotated[
        bool, typer.Option("--soak", help="For long: stimulus and checker in C++, no Python.")
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            "--input",
            metavar="INPUT",
            help="With --soak: a .csv, .npy or .npz file whose rows are sent, round and round.",
        ),
    ] = None,
    codes: Annotated[
        bool, typer.Option("--codes", help="The file of --input holds integer codes.")
    ] = False,
    input_columns: Annotated[
        str | None, typer.Option(help="Of the file of --input, as of `rchw run`.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(help="Threads of --soak; as many as there are cores.")
    ] = None,
    netlist: Annotated[
        str | None,
        typer.Option(metavar="FAMILY", help="What synthesis makes of it: ice40, ecp5, gowin."),
    ] = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Count what the run comes to, and name the holes.")
    ] = False,
    mutants: Annotated[
        int | None, typer.Option(help="Plant so many faults, and count which are caught.")
    ] = None,
    simulator: Annotated[
        str, typer.Option(help="verilator, or icarus, in which unknown bits stay unknown.")
    ] = "verilator",
    as_json: Json = False,
) -> Outcome:
    """Hold the Verilog of a design against the reference, in cocotb and a simulator."""
    from rchw.sim.verify import verify

    design = load(design_file)
    folder = output or Path("build", design.name, "verify")
    check_folder(folder)
    if jobs is not None and not soak:
        raise DesignError(f"jobs must be left out without --soak, not {jobs}")
    if data is not None and not soak:
        raise DesignError(f"input must be left out without --soak, not {data}")
    if codes and data is None:
        raise DesignError("codes must be left out without --input, not given")
    if input_columns is not None and data is None:
        raise DesignError(f"input columns must be left out without --input, not {input_columns!r}")
    ways = {
        "--simulator": simulator != "verilator",
        "--soak": soak,
        "--netlist": netlist is not None,
        "--coverage": coverage,
        "--mutants": mutants is not None,
    }
    chosen = [name for name, given in ways.items() if given]
    if len(chosen) > 1:
        raise DesignError(f"only one of {', '.join(ways)} must be given, not {', '.join(chosen)}")
    if mutants is not None:
        return _mutants(design, folder, mutants, samples, seed, Screen(as_json))
    samples = 2000 if samples is None else samples
    if coverage:
        from rchw.cli.coverage import coverage_outcome

        return coverage_outcome(design, folder, samples, seed, Screen(as_json))
    if soak:
        fed = {} if data is None else _fed(design, data, input_columns, codes)
        return _soak(design, folder, samples, seed, jobs, fed, Screen(as_json))
    if netlist is not None:
        from rchw.boards.verify import netlist_device, verify_netlist

        netlist_device(netlist)  # refused before anything is shown
        with Screen(as_json).step(f"verifying the {netlist} netlist of {design.name}") as say:
            record = verify_netlist(
                design, netlist, folder, samples=samples, seed=seed, progress=say
            )
        return Outcome(record, netlist_shown(record, folder), passed=record["verdict"] == "pass")
    with Screen(as_json).step(f"verifying {design.name}") as say:
        record = verify(
            design, folder, samples=samples, seed=seed, simulator=simulator, progress=say
        )
    file = "icarus.json" if simulator == "icarus" else "verify.json"
    shown = verify_shown(record, folder, file)
    return Outcome(record, shown, passed=record["verdict"] == "pass")


def _fed(design: Design, data: Path, columns: str | None, codes: bool) -> dict[str, Any]:
    """What a soak is given of a file, and told of it."""
    from rchw.cli.inputs import read_sequences

    found, last = read_sequences(design, data, columns, codes)
    origin = {"file": str(data), "sha256": sha256_of(data), "columns": columns, "codes": codes}
    return {"codes": found, "last": last, "origin": origin}


def _soak(
    design: Design,
    folder: Path,
    samples: int,
    seed: int,
    jobs: int | None,
    fed: dict[str, Any],
    screen: Screen,
) -> Outcome:
    from rchw.sim.soak.run import soak

    with screen.step(f"soaking {design.name}") as say:
        record = soak(design, folder, samples=samples, seed=seed, jobs=jobs, progress=say, **fed)
    return Outcome(record, soak_shown(record, folder), passed=record["verdict"] == "pass")


def soak_shown(record: dict[str, Any], folder: Path) -> list[RenderableType]:
    """Counts and the verdict of a soak."""
    sent = record["input"]
    facts = {
        "verdict": record["sentence"] or f"all {record['checked']:,} output beats are equal",
        "input": "drawn"
        if sent is None
        else f"{sent['rows']:,} rows of {sent['file']}, round and round; tlast is {sent['tlast']}",
        "samples": f"{record['samples']:,} in {record['blocks']:,} blocks of seed {record['seed']}",
        "audited": f"{record['audited']:,} of them against the Python reference too",
        "resets": f"{record['resets']:,}",
        "waits": f"{record['stalls_in']:,} clocks at the input, {record['stalls_out']:,} at the "
        "output",
        "speed": f"{record['samples_per_second']:,} samples per second with {record['jobs']} jobs",
        "digest": record["digest"],
        "written": str(folder / "soak.json"),
    }
    return [pairs(facts)]


def _mutants(
    design: Design, folder: Path, mutants: int, samples: int | None, seed: int, screen: Screen
) -> Outcome:
    from rchw.sim.mutate.run import LONG, mutate

    long = LONG if samples is None else samples
    with screen.step(f"planting faults in {design.name}") as say:
        record = mutate(design, folder, mutants=mutants, seed=seed, samples=long, say=say)
    return Outcome(record, mutants_shown(record, folder), passed=record["verdict"] == "pass")


def mutants_shown(record: dict[str, Any], folder: Path) -> list[RenderableType]:
    """Table of the operators of which there are mutants, those that were missed, the verdict."""
    counts = ("made", "caught", "equivalent", "missed", "not_built")
    rows = [
        [name, *(str(row[count]) for count in counts), _said(row["by"])]
        for name, row in record["operators"].items()
        if row["made"] or row["not_built"]
    ]
    rows.append(["all", *(str(record[count]) for count in counts), _said(record["by"])])
    missed = [
        [row["operator"], row["where"], row["sentence"] or ""]
        for row in record["mutants"]
        if row["result"] == "missed"
    ]
    real = record["made"] - record["equivalent"]
    facts = {
        "verdict": record["sentence"]
        or f"{record['caught']} of {real} that are not proved equivalent were caught, "
        f"{record['by'].get('step', 0)} of them by a step alone",
        "mutants": f"{record['made']} of {record['wanted']} wanted, seed {record['seed']}",
        "proof without a fault": record["circuit_proof"] or "",
        "digest": record["digest"],
        "written": str(folder / "mutants.json"),
    }
    columns = ["operator", *(f">{count.replace('_', ' ')}" for count in counts), "caught by"]
    shown: list[RenderableType] = [table(columns, rows)]
    if missed:
        shown.append(table(["missed", "where", "the prover"], missed))
    return [*shown, pairs({what: fact for what, fact in facts.items() if fact})]


def _said(by: dict[str, int]) -> str:
    return ", ".join(f"{check} {count}" for check, count in by.items())


def netlist_shown(record: dict[str, Any], folder: Path) -> list[RenderableType]:
    """Table of what the netlist is made of, and all that `verify_shown` shows."""
    made = {"device": f"{record['device']}, by {record['command']}"}
    capacity = record["capacity"]
    for kind, count in record["resources"].items():
        made[kind] = f"{count} of {capacity[kind]}" if kind in capacity else str(count)
    if record["fallback"]:
        made["once more, as"] = record["fallback"]
    return [pairs(made), *verify_shown(record, folder, f"netlist-{record['target']}.json")]


def verify_shown(
    record: dict[str, Any], folder: Path, file: str = "verify.json"
) -> list[RenderableType]:
    """Table of phases and the verdict."""
    rows = [
        [
            phase["name"], str(phase["samples"]), str(phase["checked"]), str(phase["resets"]),
            phase["verdict"],
        ]
        for phase in record["phases"]
    ]  # fmt: skip
    facts = {
        "verdict": record["sentence"] or f"all {record['checked']} output beats are equal",
        "clocks per sample": f"{record['clocks_formula']} by the formula",
        "digest": record["digest"],
        "written": str(folder / file),
    }
    if record["clocks_per_sample"]:
        facts["clocks per sample"] += f", {record['clocks_per_sample']['mean']:g} measured"
    columns = ["phase", ">samples", ">checked", ">resets", "verdict"]
    return [table(columns, rows), rails_table(record["rails"]), pairs(facts)]


def rails_table(rails: Sequence[dict[str, Any]]) -> Table:
    """Table of the ends of states and outputs: whether the run was there, and if not, why."""
    rows = [
        [row["what"], row["side"], str(row["code"]), row["status"], row["reason"] or ""]
        for row in rails
    ]
    return table(["rail of", "", ">code", "", "why"], rows)
