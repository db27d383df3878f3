"""Published figures of physical reservoirs: what they are, and what came out here.

``python -m benchmarks.figures`` runs all of them, as ``rchw reproduce`` does, and writes
``benchmarks/results/figures.json`` and ``benchmarks/figures.md``. With names it runs those alone
and keeps the others as they are; ``--page`` only writes the page.
"""

import argparse
import json
import textwrap
from pathlib import Path
from typing import Any

from rchw.cli.console import Screen
from rchw.files import write_atomic
from rchw.lab.figures import FIGURES
from rchw.lab.reproduce import chosen_figures, reproduce

FOLDER = Path(__file__).parent
RECORD = FOLDER / "results" / "figures.json"
_RATIOS = ("ratio", " over the ", "relative")  # in quantities that are no error of one prediction


def run(names: list[str]) -> dict[str, Any]:
    """Run figures of these names, or all, and put them into the record."""
    found = reproduce(chosen_figures(names), Screen()).record
    if names:
        kept = {each["name"]: each for each in json.loads(RECORD.read_text())["figures"]}
        kept |= {each["name"]: each for each in found["figures"]}
        found["figures"] = [kept[name] for name in FIGURES if name in kept]
    return found


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _without_reservoir(each: dict[str, Any]) -> bool:
    """Whether the autoregression is at least as good as what was measured with the reservoir.

    A ratio of errors is not compared with an error.
    """
    ours, other = each.get("ours"), each.get("baselines", {}).get("NVAR")
    if ours is None or other is None or any(word in each["quantity"] for word in _RATIOS):
        return False
    return bool(other >= ours if each["quantity"].startswith("accuracy") else other <= ours)


def markdown(record: dict[str, Any]) -> str:
    """Page of a record."""
    lines = [
        "# Published figures of physical reservoirs",
        "",
        "Made by `python -m benchmarks.figures`; `rchw reproduce` prints the same. Bands were set",
        "before anything was run and not widened. Within a run all choices are made on validation",
        "samples, and test samples are read once; what of the set-up was fixed after first runs is",
        "said in [docs/lab.md](../docs/lab.md). A figure outside its band is *missed*.",
        "",
        "| figure | published | accepted | ours | with noise | without reservoir | verdict |",
        "|---|---|---|---:|---|---|---|",
    ]
    for each in record["figures"]:
        if each["verdict"] == "not run":
            cells = ["-", "-", "-"]
        else:
            noisy = each["noisy"]
            cells = [
                _number(each["ours"]),
                "-" if noisy is None else f"{_number(noisy)} ({each['noise']})",
                ", ".join(f"{k} {_number(v)}" for k, v in each["baselines"].items()) or "-",
            ]
        row = [
            f"`{each['name']}`",
            f"{each['quantity']}: {each['target']}",
            each["band"],
            *cells,
            f"**{each['verdict']}**" if each["verdict"] == "missed" else each["verdict"],
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    lines += ["", "What each is, where it is from, and what of it is confirmed:", ""]
    for each in record["figures"]:
        lines.append(f"- `{each['name']}`: {each['title']}. {each['source']}. {each['status']}")
        lines[-1] = lines[-1].rstrip(".") + "."
        if each["verdict"] != "not run":
            held = [f"{words}: {'yes' if ok else 'no'}" for words, ok in each["checks"].items()]
            lines.append(f"  The band is for {each['condition']}; {each['seconds']:.0f} s here.")
            if held:
                lines.append(f"  {'; '.join(held)}.")
    needless = [f"`{each['name']}`" for each in record["figures"] if _without_reservoir(each)]
    if needless:
        words = (
            "Without a reservoir, nonlinear vector autoregression (NVAR) is at least as good on the"
        )
        words += f" task of {', '.join(needless)}."
        lines += ["", textwrap.fill(words, 90, break_on_hyphens=False)]
    tools = ", ".join(f"{name} {version}" for name, version in record["tools"].items())
    lines += ["", tools]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run, and write both files."""
    parser = argparse.ArgumentParser(description="Published figures of physical reservoirs.")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--page", action="store_true")
    arguments = parser.parse_args()
    record = json.loads(RECORD.read_text()) if arguments.page else run(arguments.names)
    write_atomic(RECORD, json.dumps(record, indent=1) + "\n")
    write_atomic(FOLDER / "figures.md", markdown(record))


if __name__ == "__main__":
    main()
