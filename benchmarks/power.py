"""What switching takes in an iCE40 UltraPlus: currents that others measured, divided by our counts.

``python -m benchmarks.power`` synthesises circuits of the same function as those measured, counts
what changes in them, and writes ``benchmarks/results/power.json`` and ``benchmarks/power.md``, from
which the figures of `rchw.codesign.power` are.

The currents are those of the core of an iCE40UP5K-SG48 at 1.219 V, by a Joulescope JS110:
github.com/tinyvision-ai-inc/ice40_power, README. There: an external clock of 12 MHz with 1 to 8
counters of 28 bits, an oscillator at 6 and 48 MHz with one of 24 bits, and at 12 MHz beside it the
product of two counters of 8 bits, that go by 3 and by 5, in LUTs or in a multiplier.

For other devices there is github.com/targeted/fpga-reg-power, README and docs/power_data.ods: all
registers of a device in one chain, every one of which changes with every clock, at 10 and 100 MHz;
power at the USB plug of a whole board, less that of the same circuit in reset.
"""

import argparse
import json
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from rchw import tools
from rchw.boards.activity import Activity
from rchw.boards.check import load_netlist
from rchw.boards.switching import activity_of, count_netlist
from rchw.devices import DEVICES
from rchw.files import write_atomic

__all__ = ["CHAINS", "CURRENTS", "ecp5_factor", "figures", "page", "register"]

FOLDER = Path(__file__).parent
CLOCKS = 1 << 16  # of a counter of 16 bits all there are
VOLTS, HERTZ = 1.219, 12e6
CURRENTS = {  # uA
    "clock at rest": 92.1,
    "1 counter of 28 bits, 12 MHz": 613.5,
    "8 counters of 28 bits, 12 MHz": 641.3,
    "oscillator 6 MHz, counter of 24 bits": 388.4,
    "oscillator 12 MHz, counter of 24 bits": 645.0,
    "oscillator 48 MHz, counter of 24 bits": 2184.0,
    "the same at 12 MHz, product in LUTs": 996.0,
    "the same at 12 MHz, product in a multiplier": 882.0,
}
CHAINS = {  # registers, mW at 10 and at 100 MHz beyond reset, and mW of the board in reset
    "LFE5U-25F": (24288, 61.5, 557.9, 147.0),
    "LFE5U-85F": (83640, 176.9, 2102.1, 202.0),
    "GW2A-18": (15550, 195.2, 1775.8, 855.0),
}
REACHES = 0.85  # part of the power at the plug that reaches the core of the ECP5 boards; assumed
_PORTS = """\
module {name} (input aclk, input aresetn, input s_axis_tvalid, output s_axis_tready,
  input [7:0] s_axis_tdata, input s_axis_tlast, output m_axis_tvalid, input m_axis_tready,
  output [7:0] m_axis_tdata, output m_axis_tlast);
assign s_axis_tready = 1; assign m_axis_tvalid = 0; assign m_axis_tlast = 0;
reg [23:0] count;
always @(posedge aclk) if (!aresetn) count <= 0; else count <= count + 1;
"""
_PRODUCT = """\
reg [7:0] a, b;
always @(posedge aclk)
  if (!aresetn) begin a <= 0; b <= 0; end else begin a <= a + 3; b <= b + 5; end
wire [15:0] product = a * b;
assign m_axis_tdata = {{7'b0, count[23] ^ (^product)}};
"""
_ALONE = "assign m_axis_tdata = {{7'b0, count[23]}};\n"
CIRCUITS = {"counter": (_ALONE, ""), "luts": (_PRODUCT, ""), "multiplier": (_PRODUCT, " -dsp")}


def counted(name: str) -> Activity:
    """Synthesise a circuit for the device and count what changes in it."""
    body, flags = CIRCUITS[name]
    device = DEVICES["iCE40UP5K"]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        text = (_PORTS + body).format(name=name) + "endmodule\n"
        (folder / f"{name}.v").write_text(text)
        (folder / "synth.ys").write_text(
            f"read_verilog {name}.v\nsynth_ice40 -device u{flags} -top {name}\n"
            f"write_json {name}.json\n"
        )
        yosys = tools.find("yosys")
        tools.run(yosys, ["-q", "-s", "synth.ys"], cwd=folder, log=folder / "synth.log")
        module = load_netlist(folder / f"{name}.json", name)
        skip, still = 16, np.zeros(CLOCKS + 16, dtype=bool)
        toggles = count_netlist(
            module, name, device, [0] * (CLOCKS + skip), still, folder, skip=skip
        )
        return activity_of(module, device, toggles, "", f"{name}, {CLOCKS} clocks")


def figures(counts: dict[str, Any]) -> dict[str, tuple[float, float, float]]:
    """Low, typical and high figures in J, from the facts of the circuits.

    A counter of 28 bits changes as often as one of 24, but for a millionth.
    """

    def pico(first: str, second: str, hertz: float = HERTZ) -> float:
        return (CURRENTS[first] - CURRENTS[second]) * 1e-6 * VOLTS / hertz

    def nets(name: str) -> float:
        return float(sum(counts[name]["changes"][kind] for kind in ("lut", "carry", "ff")))

    counter = pico("8 counters of 28 bits, 12 MHz", "1 counter of 28 bits, 12 MHz") / 7
    product = pico("the same at 12 MHz, product in LUTs", "oscillator 12 MHz, counter of 24 bits")
    multiplied = pico(
        "the same at 12 MHz, product in a multiplier", "oscillator 12 MHz, counter of 24 bits"
    )
    low = counter / nets("counter")
    high = product / (nets("luts") - nets("counter"))
    net = (low, math.sqrt(low * high), high)
    rest = nets("multiplier") - nets("counter")
    bits = counts["multiplier"]["dsp_operand_changes"]
    operand = [(multiplied - rest * each) / bits for each in reversed(net)]
    tree = (
        pico("oscillator 48 MHz, counter of 24 bits", "oscillator 6 MHz, counter of 24 bits", 42e6)
        - counter,
        pico("1 counter of 28 bits, 12 MHz", "clock at rest") - counter,
    )
    return {
        "clock_tree": (tree[0], sum(tree) / 2, tree[1]),
        "net": net,
        "operand": (operand[0], operand[1], operand[2]),
        "flip_flop": (0.0, counter / 28 / 2, 240e-15),
    }


def register(device: str) -> float:
    """Joules at the plug for each change of a register in a chain, from what 90 MHz more take."""
    registers, slow, fast, _ = CHAINS[device]
    return (fast - slow) * 1e-3 / 90e6 / registers


def ecp5_factor() -> float:
    """How much more a net takes in an ECP5 than in an iCE40 UltraPlus: mean of two devices.

    Of the latter half of what a counter adds counts, as two of its flip-flops change in a clock.
    """
    counter = CURRENTS["8 counters of 28 bits, 12 MHz"] - CURRENTS["1 counter of 28 bits, 12 MHz"]
    known = counter * 1e-6 * VOLTS / HERTZ / 7 / 2
    chains = [register(device) for device in ("LFE5U-25F", "LFE5U-85F")]
    return REACHES * sum(chains) / len(chains) / known


def page(record: dict[str, Any]) -> str:
    """Markdown of a record."""
    titles = {
        "clock_tree": "network of the clock, per clock",
        "net": "change of a net behind a LUT, a carry or a flip-flop",
        "operand": "change of an operand bit of a multiplier",
        "flip_flop": "flip-flop, per clock",
    }
    lines = [
        "# What switching takes in an iCE40 UltraPlus",
        "",
        f"Made by `{record['command']}` from currents of the core at {VOLTS} V, as",
        "others measured ([ice40_power](https://github.com/tinyvision-ai-inc/ice40_power)), and",
        "counts of what changes in circuits of the same function, as synthesised here, over",
        f"{CLOCKS:,} clocks. In pJ; the whole energy of what was added to a circuit is laid on the",
        "nets that change in it, with glitches and wires. Counters, with short wires and without",
        "glitches, give the lower end of a net, a product in LUTs the upper, and their geometric",
        "mean the figure between.",
        "",
        "| per | low | typical | high |",
        "|---|---:|---:|---:|",
        *(
            f"| {titles[name]} | {' | '.join(f'{value * 1e12:.3g}' for value in values)} |"
            for name, values in figures(record["circuits"]).items()
        ),
        "",
        "The upper end of a flip-flop is from 1536 of them at 10 kHz, which added 3 uA there.",
        "Cells, and changes per clock:",
        "",
        "| circuit | LUT | carry | flip-flop | changes: LUT | carry | flip-flop | operand bits |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, facts in record["circuits"].items():
        cells = " | ".join(str(facts["resources"][kind]) for kind in ("lut", "carry", "ff"))
        changes = " | ".join(f"{facts['changes'][kind]:.3f}" for kind in ("lut", "carry", "ff"))
        lines.append(f"| {name} | {cells} | {changes} | {facts['dsp_operand_changes']:.3f} |")
    lines += ["", "| measured current | uA |", "|---|---:|"]
    lines += [f"| {name} | {value:g} |" for name, value in CURRENTS.items()]
    lines += [
        "",
        "## Other devices",
        "",
        "All registers of a device in a chain, where each changes with every clock, as measured at",
        "USB plugs of whole boards",
        "([fpga-reg-power](https://github.com/targeted/fpga-reg-power)): power beyond that in",
        f"reset, and pJ from the difference of 100 and 10 MHz. {REACHES:.0%} are assumed to reach",
        f"the core. So a net of an ECP5 takes {ecp5_factor():.2f} times what one of the iCE40",
        "UltraPlus takes, where a counter adds twice what one of the two takes that change in",
        f"a clock; by V^2 alone it would be {(1.1 / 1.2) ** 2:.2f}. A board in reset takes",
        "more than the static power of its device. Of the GW2A-18 this is all that was found: its",
        "static power was not, and `rchw` gives no energy for it.",
        "",
        "| device | registers | mW, 10 MHz | mW, 100 MHz | pJ per change | board in reset, mW |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {name} | {count:,} | {slow:g} | {fast:g} | {register(name) * 1e12:.3f} | {rest:g} |"
            for name, (count, slow, fast, rest) in CHAINS.items()
        ),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Count, and write record and page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--page", action="store_true", help="only make the page")
    place = FOLDER / "results" / "power.json"
    if parser.parse_args().page:
        record = json.loads(place.read_text(encoding="utf-8"))
    else:
        record = {
            "command": "python -m benchmarks.power",
            "circuits": {name: counted(name).facts() for name in CIRCUITS},
        }
        write_atomic(place, json.dumps(record, indent=1) + "\n")
    write_atomic(FOLDER / "power.md", page(record))


if __name__ == "__main__":
    main()
