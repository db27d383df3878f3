"""The picture and the table on the README's first screen, from the records of the demo.

``make demo`` and then ``python -m benchmarks.readme`` writes ``benchmarks/results/demo.json``,
``docs/images/laser.svg`` and the table in ``README.md`` between its two marks. With ``--floors`` it
only measures the floors again, which need no circuit, and keeps the rest of the record.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from rchw.demo import OPTIONS, SOURCE
from rchw.errors import DesignError
from rchw.files import write_atomic
from rchw.plot import prediction_figure, svg
from rchw.tasks import load_task
from rchw.tasks.floors import floors

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "demo.json"
BEGIN, END = "<!-- demo table -->\n", "<!-- end of demo table -->"
_NAMES = {
    "persistence": "last value",
    "linear": "linear filter, 60 taps",
    "quadratic_ring": "linear ring with squares",
    "volterra": "Volterra filter, order 2",
    "nvar": "nonlinear vector autoregression",
    "float": "floating-point model",
    "reference": "integer reference",
}


def collect(folder: Path) -> dict[str, Any]:
    """Gather what the table needs of a demo folder.

    Raises
    ------
    DesignError
        If a record is missing or belongs to another design.
    """
    try:
        train = json.loads((folder / "laser.train.json").read_text())
        rtl = json.loads((folder / "rtl.json").read_text())
        verify = json.loads((folder / "verify" / "verify.json").read_text())
        boards = [
            json.loads((folder / name / "report.json").read_text())
            for name in ("icebreaker", "ulx3s")
        ]
    except OSError as error:
        raise DesignError(f"{error.filename} must be there: run `make demo` first") from None
    for record in (rtl, verify, *boards):
        if record["digest"] != train["digest"]:
            raise DesignError(f"records in {folder} must be of one design: run `make demo` again")
    return {
        "command": "make demo; python -m benchmarks.readme",
        "digest": train["digest"],
        "errors": train["test"]["errors"] | {"rtl": rtl["error"]},
        "identical": rtl["identical"],
        "split_sha256": train["task"]["split_sha256"],
        "verify": {key: verify[key] for key in ("verdict", "checked", "verilog_sha256")},
        "boards": [
            {
                "title": board["board"],
                "device": board["device"],
                "used": board["used"],
                "core": board["core"],
                "mhz": board["clock"]["median_mhz"],
                "clocks_per_sample": board["clocks_per_sample"],
                "samples_per_second": board["samples_per_second"]["at_median_clock"],
            }
            for board in boards
        ],
        "tools": rtl["tools"] | boards[0]["tools"] | boards[1]["tools"],
    }


def measure_floors(record: dict[str, Any]) -> dict[str, Any]:
    """Put floors into the record of a demo, measured now on the same samples.

    Raises
    ------
    DesignError
        If the record is of other samples than today's task.
    """
    task = load_task(SOURCE)
    if record["split_sha256"] != task.hashes():
        raise DesignError(f"samples of {SOURCE} must be those of the demo: run `make demo` again")
    return record | {"errors": record["errors"] | floors(task, OPTIONS.units)}


def table(record: dict[str, Any]) -> str:
    """Markdown of both tables."""
    errors = record["errors"]
    lines = ["| one-step prediction, Santa Fe laser | test NMSE |", "|---|---:|"]
    lines += [f"| {name} | {errors[key]:.4g} |" for key, name in _NAMES.items()]
    same = "the same codes" if record["identical"] else "OTHER CODES"
    lines += [
        f"| **Verilog, simulated** ({same}) | **{errors['rtl']:.4g}** |",
        "",
        "| placed and routed | logic cells | FF | block RAM | DSP | MHz | samples/s |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for board in record["boards"]:
        used, core = board["used"], board["core"]
        lines.append(
            f"| {board['title']} ({board['device']}) | {used['cells']:,} | "
            f"{used.get('ff', core['ff']):,} | {used['block_ram']} | {used['dsp']} | "
            f"{board['mhz']:.1f} | {board['samples_per_second']:,} |"
        )
    tools = ", ".join(f"{name} {version}" for name, version in sorted(record["tools"].items()))
    lines += ["", f"100 units, 8-bit states, 12-bit readout, `{record['command']}`; {tools}."]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write record, picture and table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "build" / "demo")
    parser.add_argument("--floors", action="store_true", help="measure the floors alone")
    options = parser.parse_args()
    if options.floors:
        _write(measure_floors(json.loads(RESULTS.read_text(encoding="utf-8"))))
        return
    folder = options.folder
    record = collect(folder)
    series = np.loadtxt(folder / "laser.test.csv", delimiter=",", skiprows=1)
    drawn = prediction_figure(
        series[:, 1], series[:, 2], label="8-bit integers, in Python and in Verilog", ylabel="value"
    )
    write_atomic(ROOT / "docs" / "images" / "laser.svg", svg(drawn, "laser"))
    _write(record)


def _write(record: dict[str, Any]) -> None:
    """Write the record, and the table of the README from it."""
    write_atomic(RESULTS, json.dumps(record, indent=1) + "\n")
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    head, rest = page.split(BEGIN)
    tail = rest.split(END)[1]
    write_atomic(ROOT / "README.md", head + BEGIN + table(record) + END + tail)
    print(table(record))


if __name__ == "__main__":
    main()
