"""The command that proves circuits: ``prove``."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from rchw.cli.console import Outcome, Screen, pairs, table
from rchw.cli.options import Json
from rchw.document import load
from rchw.errors import DesignError
from rchw.files import check_folder
from rchw.process import check_timeout

__all__ = ["prove_command"]


def prove_command(
    design_file: Annotated[Path, typer.Argument(metavar="DESIGN.json")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder; build/NAME/prove.")
    ] = None,
    verilog: Annotated[
        Path | None, typer.Option(help="Hold this file against the design instead of its own.")
    ] = None,
    rules: Annotated[
        bool, typer.Option("--rules", help="Only the stream rules, with SymbiYosys.")
    ] = False,
    timeout: Annotated[
        float | None,
        typer.Option(help="Seconds for one question: 60; for a group of --rules: 900."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of planted fault and run.")] = 1,
    as_json: Json = False,
) -> Outcome:
    """Prove that the Verilog of a design is the reference, for every state, input and pause."""
    if timeout is not None:
        check_timeout(timeout)
    if seed < 0:
        raise DesignError(f"seed must be at least 0, not {seed}")
    if verilog is not None and not verilog.is_file():
        raise DesignError(f"{verilog} must be a file of Verilog, but there is no such file")
    design = load(design_file)
    folder = output or Path("build", design.name, "rules" if rules else "prove")
    check_folder(folder)
    if rules:
        from rchw.sim.rules.command import prove_rules

        with Screen(as_json).step(f"proving the stream rules of {design.name}") as say:
            record = prove_rules(
                design, folder, verilog=verilog, timeout=timeout or 900.0, seed=seed, say=say
            )
        return Outcome(record, rules_shown(record, folder), passed=record["verdict"] == "pass")
    from rchw.sim.prove.command import prove_design

    with Screen(as_json).count(f"proving {design.name}", every=500) as show:
        record = prove_design(
            design, folder, verilog=verilog, timeout=timeout or 60.0, seed=seed, progress=show
        )
    return Outcome(record, prove_shown(record, folder), passed=record["verdict"] == "pass")


def prove_shown(record: dict[str, Any], folder: Path) -> list[RenderableType]:
    """What was proved, and that it could have failed."""
    facts = {"proof": record["proof"]}
    if record["sentence"]:
        facts["because"] = record["sentence"]
    if record["proof"] == "proved":
        planted = record["planted"]
        facts["holds for"] = "every state, input, last flag, pause and reset, for ever"
        facts["latency"] = f"at most {record['latency']} clocks"
        facts["period"] = f"{record['clocks']} clocks"
        witness = record["witness"]
        facts["met in a run"] = (
            f"{witness['met']:,} of {witness['moments']:,} states of the control, "
            f"{witness['held']:,} bits as proved"
        )
        for each in record["sums"]:
            facts[f"{each['kind']} sums"] = (
                f"{each['low']:,} to {each['high']:,}: {each['needs']} bits, "
                f"{each['held']} in the circuit"
            )
        facts["planted fault"] = f"{planted['fault']}: {planted['proof']}"
    if record.get("run"):
        facts["shown by"] = f"{record['run']['sentence']} ({folder / record['run']['file']})"
    facts["states of the control"] = f"{record['moments']:,}"
    facts["questions"] = f"{record['asked']} asked, {record['repeated']} known already"
    if record["tried"]:
        facts["questions"] += f", {record['tried']} answered by trying all values"
    if record["remembered"]:
        facts["questions"] += f", {record['remembered']} answered before a stop"
    facts["seconds"] = f"{record['seconds']:g}"
    facts["digest"] = record["digest"]
    facts["written"] = str(folder / "prove.json")
    return [pairs(facts)]


def rules_shown(record: dict[str, Any], folder: Path) -> list[RenderableType]:
    """What became of each rule, and that it could have failed."""
    rows = []
    for rule, entry in record["rules"].items():
        told = entry["sentence"] or entry["says"]
        trace = f" ({folder / entry['trace']})" if entry["trace"] else ""
        rows.append([rule, entry["proof"], told.removeprefix(f"{rule}: ") + trace])
    planted = record["planted"]
    facts = {
        "planted fault": f"{planted['fault']}: {planted['proof']} ({planted['sentence']})",
        "seconds": f"{record['seconds']:g}",
        "digest": record["digest"],
        "written": str(folder / "rules.json"),
    }
    return [table(["rule", "proof", "what"], rows), pairs(facts)]
