"""Everything that somebody without rchw needs to use a design: sources, vectors, metadata."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import rchw
from rchw.boards.place import constraints
from rchw.boards.wrapper import StreamPorts, wrapper_verilog
from rchw.design import Design, ExternalLayer
from rchw.devices import BOARDS
from rchw.document import digest, save
from rchw.files import sha256_of, together, write_atomic
from rchw.hdl.emit import write_verilog
from rchw.hdl.top import lane_map
from rchw.process import Progress
from rchw.schedule import schedule
from rchw.sim.testbench import bench_verilog, check_vectors, write_vectors

__all__ = ["port_metadata", "write_package"]


def _lanes(
    names: list[str], formats: list[Any], extras: list[dict[str, float]]
) -> list[dict[str, Any]]:
    return [
        {"name": name, "format": str(fmt), "low_bit": start, "bits": width, **extra}
        for name, fmt, extra, (start, width) in zip(
            names, formats, extras, lane_map(formats), strict=True
        )
    ]


def port_metadata(design: Design) -> dict[str, Any]:
    """Ports, lanes, formats, encoders and clocks of the emitted top, JSON-ready."""
    inputs, outputs = design.beat, design.readout.answers
    return {
        "kind": "ports",
        "version": 1,
        "name": design.name,
        "digest": digest(design),
        "rchw": rchw.__version__,
        "clock": {"port": "aclk", "edge": "rising"},
        "reset": {"port": "aresetn", "active": "low", "synchronous": True},
        "clocks_per_sample": schedule(design).clocks,
        "input_stream": {
            "prefix": "s_axis_",
            "tlast": "ends a sequence",
            "lanes": _lanes(
                [channel.name for channel in inputs],
                [channel.format for channel in inputs],
                [asdict(c.encoder) for c in inputs],
            ),
        },
        "output_stream": {
            "prefix": "m_axis_",
            "tlast": "high: one beat per sequence"
            if design.readout.pooled
            else "copied from the input beat",
            "lanes": _lanes(
                [output.name for output in outputs],
                [output.format for output in outputs],
                [{"offset": output.offset, "scale": output.scale} for output in outputs],
            ),
        },
        "state_after_tlast": _after_last(design),
    }


def _after_last(design: Design) -> str:
    if isinstance(design.layers[0], ExternalLayer):
        return "none"
    return "initial" if design.reset_on_last else "kept"


def _core(name: str) -> str:
    """FuseSoC core file, CAPI2."""
    return f"""\
CAPI=2:
name: rchw:generated:{name}:{rchw.__version__}
description: Reservoir computer {name} with AXI4-Stream ports

filesets:
  rtl:
    files: [{name}.v]
    file_type: verilogSource-2005
  constraints:
    files: [{name}.sdc : {{file_type: SDC}}]
  tb:
    files:
      - {name}_tb.v
      - {name}_in.hex : {{file_type: user, copyto: {name}_in.hex}}
      - {name}_out.hex : {{file_type: user, copyto: {name}_out.hex}}
    file_type: verilogSource-2005

targets:
  default:
    filesets: [rtl]
    toplevel: {name}
  lint:
    filesets: [rtl]
    default_tool: verilator
    tools:
      verilator:
        mode: lint-only
        verilator_options: [-Wno-WIDTHEXPAND, -Wno-WIDTHTRUNC]
    toplevel: {name}
  sim:
    filesets: [rtl, tb]
    default_tool: icarus
    tools:
      icarus:
        iverilog_options: [-g2005]
    toplevel: {name}_tb
"""


def _sdc(name: str) -> str:
    return (
        f"# Timing of {name}: one clock. The period is a wish; set it to that of your clock.\n"
        "create_clock -name aclk -period 20.0 [get_ports aclk]\n"
    )


def write_package(
    design: Design,
    out: Path,
    samples: int = 256,
    seed: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write a folder that builds and tests itself without Python.

    ``NAME.v``, the self-checking ``NAME_tb.v`` with golden vectors, the FuseSoC ``NAME.core``,
    timing in ``NAME.sdc``, ports in ``NAME.ports.json``, the design as ``NAME.json``, and for each
    board of `rchw.devices.BOARDS` the wrapper ``NAME_board.v`` with pin constraints. They are put
    in place together at the end.

    Parameters
    ----------
    design : Design
    out : Path
        Created when missing.
    samples, seed : int
        Of the golden vectors; drives toward both rails follow them.
    progress : callable, optional
        Receives a line per step.

    Returns
    -------
    dict
        Record: ``digest``, ``clocks_per_sample``, ``beats``, and ``files`` with their SHA-256.

    Raises
    ------
    RchwError
        If a file cannot be written or the Verilog cannot be made.
    """
    check_vectors(samples, seed)
    with together(out, keep_logs=True) as folder:
        return _write(design, folder, samples, seed, progress or (lambda line: None))


def _write(design: Design, out: Path, samples: int, seed: int, say: Progress) -> dict[str, Any]:
    """Write every file, and return the record of `write_package`."""
    name = design.name
    say(f"{name}: Verilog")
    files = [write_verilog(design, out)]
    say(f"{name}: golden vectors")
    vectors = write_vectors(design, out, samples, seed)
    beats, answers = (len(path.read_text(encoding="utf-8").splitlines()) for path in vectors[:2])
    ports = port_metadata(design)
    widths = StreamPorts(
        *(
            sum(lane["bits"] for lane in ports[f"{side}_stream"]["lanes"])
            for side in ("input", "output")
        )
    )
    files += [
        write_atomic(out / f"{name}_tb.v", bench_verilog(design, beats, answers)),
        *vectors,
        write_atomic(out / f"{name}.core", _core(name)),
        write_atomic(out / f"{name}.sdc", _sdc(name)),
        write_atomic(out / f"{name}.ports.json", json.dumps(ports, indent=2) + "\n"),
        save(design, out / f"{name}.json"),
        write_atomic(out / f"{name}_board.v", wrapper_verilog(name, widths)),
    ]
    for board in BOARDS.values():
        suffix = "pcf" if board.device.family == "ice40" else "lpf"
        files.append(
            write_atomic(out / "constraints" / f"{board.name}.{suffix}", constraints(board))
        )
    return {
        "kind": "verilog",
        "version": 1,
        "design": name,
        "digest": digest(design),
        "clocks_per_sample": schedule(design).clocks,
        "beats": beats,
        "seed": seed,
        "files": {str(path.relative_to(out)): sha256_of(path) for path in files},
    }
