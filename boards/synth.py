"""Synthesis with Yosys, trusted only after the checks in `rchw.boards.check`.

A core is synthesised alone, so that its netlist has the stream ports of the source and can be
simulated with the same benches; then it is joined with its wrapper.

Two habits of the WebAssembly Yosys matter here. After ABC9 has run, whatever Yosys prints is lost,
error messages too, while the file given to ``-l`` gets them; so the log is written by Yosys itself.
And a script that fails its checks is tried once more with ``-noabc9``, which the record then says.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rchw import tools
from rchw.boards import absorb
from rchw.boards.carries import align_carries
from rchw.boards.check import (
    Netlist,
    check_drivers,
    check_expected,
    check_log,
    load_netlist,
    module_ports,
    resources,
)
from rchw.boards.compare import COMPARISONS
from rchw.boards.join import join, write_netlist
from rchw.boards.wrapper import stream_ports, wrapper_verilog
from rchw.devices import Device
from rchw.errors import DesignError, ToolError

__all__ = ["Synthesis", "synthesize", "synthesize_core", "synthesize_wrapper"]

_NAME = re.compile(r"[a-z][a-z0-9_]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthesis:
    """A netlist that passed all checks; paths are those of the files written."""

    name: str
    module: Netlist = field(repr=False)
    netlist: Path  # NAME.json
    verilog: Path  # NAME_netlist.v, for simulation
    resources: dict[str, int]
    command: str
    fallback: str  # why the first command was not used, or empty
    absorbed: dict[str, int]  # registers moved into block RAM and DSP
    yosys: str


def _command(device: Device, flags: str) -> str:
    if device.family == "ecp5":
        return f"synth_ecp5{flags}"
    if device.family == "gowin":  # the core has no pads; GW2A-18 is of the family gw2a
        return f"synth_gowin -family {device.name[:4].lower()} -noiopads{flags}"
    dsp = " -dsp" if device.dsps else ""
    return f"synth_ice40 -device {'u' if device.dsps else 'hx'}{dsp}{flags}"


def _yosys(
    yosys: tools.ToolStatus,
    script: str,
    stem: str,
    folder: Path,
    timeout: float,
    progress: tools.Progress | None,
) -> str:
    """Run a script and return its log, which must tell of a complete run."""
    (folder / f"{stem}.ys").write_text(script, encoding="utf-8")
    log = folder / f"{stem}.log"
    done = tools.run(
        yosys,
        ["-q", "-l", log.name, "-s", f"{stem}.ys"],
        cwd=folder,
        log=log,
        timeout=timeout,
        progress=progress,
        own_log=True,
    )
    return done.text


def synthesize_core(
    name: str,
    device: Device,
    folder: Path,
    *,
    expected: Mapping[str, int] | None = None,
    native: bool = False,
    registers: bool = True,
    timeout: float = 900.0,
    progress: tools.Progress | None = None,
) -> Synthesis:
    """Synthesise ``NAME.v`` in `folder` alone and check the netlist.

    Parameters
    ----------
    name : str
        Module and file name.
    device : Device
        Decides the command and the cells.
    folder : Path
        Holds ``NAME.v`` and receives everything.
    expected : mapping, optional
        Least counts of ``block_ram`` and ``dsp``; ``dsp`` is ignored on a device without.
    native : bool
        Use a `yosys` on ``PATH`` when it is new enough.
    registers : bool
        Let block RAM and DSP of ECP5 absorb the registers behind them (`rchw.boards.absorb`).
    timeout : float
        Seconds for one run of Yosys.
    progress : callable, optional
        Receives one line per step.

    Raises
    ------
    DesignError
        If the name or the ports are wrong.
    ToolError
        If no command gives a netlist that passes the checks.
    """
    if not _NAME.fullmatch(name):
        raise DesignError(f"module name must be letters, digits and underscores, not {name!r}")
    yosys = tools.find("yosys", native=native)
    wanted = {k: n for k, n in (expected or {}).items() if k != "dsp" or device.dsps}
    say = progress or (lambda line: None)
    (folder / f"{name}_compare.v").write_text(COMPARISONS, encoding="utf-8")
    first = ""
    for flags in ("", " -noabc9"):
        command = _command(device, flags)
        raw = folder / f"{name}_yosys.json"
        raw.unlink(missing_ok=True)
        say(f"{name}: {command}")
        script = (
            f"read_verilog {name}.v\ntechmap -map {name}_compare.v\n"
            f"{command} -top {name}\nwrite_json {raw.name}\n"
        )
        try:
            check_log(_yosys(yosys, script, f"{name}_synth", folder, timeout, None), name)
            module = load_netlist(raw, name)
            check_drivers(module, name)
            found = resources(module, device.family)
            check_expected(found, wanted, name)
            stream_ports(module_ports(module), name)
        except ToolError as error:
            if flags:
                raise ToolError(f"{first}; and with -noabc9: {error}") from None
            first = str(error)
            say(f"{name}: {first}; once more with -noabc9")
            continue
        break
    absorbed: dict[str, int] = {}
    if registers and device.family == "ecp5":
        module, absorbed = absorb.absorb_registers(module)
        check_drivers(module, name)
    if device.family == "ice40":
        module, _ = align_carries(module)
    netlist = folder / f"{name}.json"
    write_netlist(netlist, name, module)
    verilog = folder / f"{name}_netlist.v"
    back = f"read_json {netlist.name}\nwrite_verilog -noattr {verilog.name}\n"
    _yosys(yosys, back, f"{name}_netlist", folder, timeout, None)
    if not verilog.exists() or not verilog.read_text(encoding="utf-8").rstrip().endswith(
        "endmodule"
    ):
        raise ToolError(f"yosys did not write the whole netlist {verilog.name}")
    return Synthesis(
        name=name,
        module=module,
        netlist=netlist,
        verilog=verilog,
        resources=resources(module, device.family),
        command=command,
        fallback=first,
        absorbed=absorbed,
        yosys=yosys.version,
    )


def synthesize_wrapper(
    core: Synthesis,
    device: Device,
    folder: Path,
    *,
    wrapper: str | None = None,
    native: bool = False,
    timeout: float = 300.0,
) -> Path:
    """Synthesise the wrapper of a core, join both, and return the netlist ``NAME_board.json``.

    `wrapper` is Verilog to take in place of `rchw.boards.wrapper`, with the same ports.
    """
    top = f"{core.name}_board"
    ports = stream_ports(module_ports(core.module), core.name)
    text = wrapper_verilog(core.name, ports) if wrapper is None else wrapper
    (folder / f"{top}.v").write_text(text, encoding="utf-8")
    raw = folder / f"{top}_yosys.json"
    script = f"read_verilog {top}.v\n{_command(device, '')} -top {top}\nwrite_json {raw.name}\n"
    yosys = tools.find("yosys", native=native)
    check_log(_yosys(yosys, script, f"{top}_synth", folder, timeout, None), top)
    joined = join(load_netlist(raw, top), core.module, core.name)
    check_drivers(joined, top)
    path = folder / f"{top}.json"
    write_netlist(path, top, joined)
    return path


def synthesize(
    name: str,
    device: Device,
    folder: Path,
    *,
    expected: Mapping[str, int] | None = None,
    native: bool = False,
    progress: tools.Progress | None = None,
) -> tuple[Synthesis, Path]:
    """Synthesise ``NAME.v`` and its wrapper; see `synthesize_core`.

    Returns
    -------
    tuple
        The core, and the netlist to place.
    """
    core = synthesize_core(
        name, device, folder, expected=expected, native=native, progress=progress
    )
    return core, synthesize_wrapper(core, device, folder, native=native)
