"""The sections of the report on the circuit: a sample's life, place-and-route, verification."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rchw import plot
from rchw.devices import BOARDS
from rchw.report.evidence import Evidence
from rchw.report.page import Text, bar, code, escape, figure, grid, missing, note, section
from rchw.schedule import schedule

__all__ = ["life", "local", "rate", "silicon", "verification"]


def life(evidence: Evidence) -> Iterator[Text]:
    """Draw the timing diagram of one sample, if it was recorded."""
    record = evidence.records.get("life")
    if record is None:
        return
    yield section("The life of one sample")
    drawn = plot.timing_diagram(
        record["signals"],
        first_clock=record["first_clock"],
        clock_in=record["clock_in"],
        clock_out=record["clock_out"],
    )
    latency = record["clock_out"] - record["clock_in"]
    caption = (
        f"Measured in the simulated Verilog: the sample goes in at clock {record['clock_in']}, its "
        f"output comes out {latency} clocks later"
    )
    if evidence.design is not None:
        plan = schedule(evidence.design)
        caption += f"; the next sample is taken {plan.clocks} clocks after it"
    yield figure(plot.svg(drawn, "life", themed=True), caption + ".", "waveform of one sample")


_RESOURCES = (
    ("cells", "logic cells"),
    ("ff", "flip-flops"),
    ("block_ram", "block RAM"),
    ("dsp", "multipliers (DSP)"),
)


def silicon(evidence: Evidence) -> Iterator[Text]:
    """Table of all boards."""
    if not evidence.builds:
        what = "No place-and-route report here."
        yield from missing("On silicon", what, "rchw build DESIGN.json --board NAME -o DIR")
        return
    yield section("On silicon")
    builds = [build for _, build in evidence.builds]
    columns = ["placed and routed", *(f">{BOARDS[b['board']].title}" for b in builds)]
    rows: list[list[str]] = [["device", *(build["device"] for build in builds)]]
    for key, word in _RESOURCES:
        if any(key in build["used"] for build in builds):
            rows.append([word, *(_used(build, key) for build in builds)])
    rows += [
        ["highest clock", *(f"{b['clock']['median_mhz']:.1f} MHz" for b in builds)],
        ["clocks per sample", *(str(b["clocks_per_sample"]) for b in builds)],
        ["samples per second", *(rate(build) for build in builds)],
        ["slowest path", *(_path(build) for build in builds)],
        ["bitstream", *(build["bitstream"]["file"] for build in builds)],
    ]
    yield grid(columns, rows)
    yield note(
        "Counts include the wrapper that connects the design to the pins. The clock is the median "
        "over the placer's seeds, as nextpnr reports it after routing."
    )


def _used(build: Mapping[str, Any], key: str) -> Text:
    if key not in build["used"]:
        return Text(f"{build['core'][key]:,}")  # of the design alone: they are part of the cells
    used, capacity = build["used"][key], build["capacity"].get(key, 0)
    share = 100 * used / capacity if capacity else 0.0
    return Text(f"{used:,} of {capacity:,}{bar(share)}")


def _path(build: Mapping[str, Any]) -> str:
    path = build.get("critical_path") or {}
    if not path:
        return ""
    return f"{path['delay_ns']:.1f} ns ({path['routing_ns']:.1f} in wires)"


def verification(evidence: Evidence) -> Iterator[Text]:
    """Verdict and phases."""
    check = evidence.records.get("verify")
    if check is None:
        what = "The Verilog was not verified here."
        yield from missing("Verification", what, "rchw verify DESIGN.json -o DIR")
        return
    yield section("Verification")
    if check["verdict"] == "pass":
        text = Text(
            f'<p><span class="pass">Pass.</span> cocotb and Verilator drove '
            f"{code(check['verilog'])} with {check['samples']:,} samples; all "
            f"{check['checked']:,} output beats equal the reference, code for code.</p>"
        )
    else:
        sentence = escape(local(evidence.folder, check["sentence"]))
        text = Text(f'<p><span class="fail">Fail.</span> {sentence}</p>')
    yield text
    columns = ["phase", ">samples", ">checked", ">resets", ">clocks per sample", ">latency", ""]
    rows = [
        [
            phase["name"],
            f"{phase['samples']:,}",
            f"{phase['checked']:,}",
            str(phase["resets"]),
            _span(phase["clocks_per_sample"]),
            _span(phase["latency"]),
            Text(f'<span class="{phase["verdict"]}">{phase["verdict"]}</span>'),
        ]
        for phase in check["phases"]
    ]
    yield grid(columns, rows)
    rails = check.get("rails", [])  # records of 0.1.0 have none
    rows = [[r["what"], r["side"], str(r["code"]), r["status"], r["reason"] or ""] for r in rails]
    if rows:
        yield grid(["rail of", "", ">code", "", ""], rows)
    formula = f"{check['clocks_formula']} clocks per sample by the formula"
    yield note(f"{formula}; seed {check['seed']}.")


def _span(found: Mapping[str, float] | None) -> str:
    if not found:
        return ""
    low, high = found["min"], found["max"]
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def rate(build: Mapping[str, Any]) -> str:
    """Say samples per second in words."""
    found = build["samples_per_second"]["at_median_clock"]
    return f"{found / 1e6:.3g} million" if found >= 1e6 else f"{found:,.0f}"


def local(folder: Path, text: str) -> str:
    """Strip a sentence on the records of a folder of the folders of this machine."""
    for place in (folder.resolve(), folder.absolute()):
        text = text.replace(f"{place}/", "")
    return text.replace(f"{Path.cwd()}/", "").replace(f"{Path.home()}/", "")
