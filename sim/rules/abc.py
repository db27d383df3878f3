"""ABC for SymbiYosys where only pip's Yosys is: ``python -m rchw.sim.rules.abc -c COMMANDS``.

The WebAssembly Yosys contains ABC, but does not let its output through and has no program of its
own for it. So its pass ``abc`` runs the commands, and what came out is read from the files that
they write. Beside the trace this leaves the problem as ABC saw it (``problem.aig``) and the
invariant that it found (``invariant.pla``), so that `rchw.sim.rules.invariant` can check it.
"""

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from rchw.errors import RchwError
from rchw.tools import find, run

__all__ = ["main", "rewritten"]

_HOST = "module host(input a, b, output y); assign y = a & b; endmodule\n"


def rewritten(commands: str) -> tuple[str, Path]:
    """Commands of SymbiYosys that also write what this program reads, and where they write to.

    >>> rewritten("read_aiger m.aig; pdr -T 9; write_cex -a e/trace.aiw")[0].split("; ")[1:4]
    ['write_aiger e/problem.aig', 'pdr -T 9 -d -I e/invariant.pla', 'write_status e/status.txt']

    Raises
    ------
    RchwError
        If they are no proof by ``pdr``, and no search by ``bmc3``.
    """
    found = re.fullmatch(r"(.*; )((?:pdr|bmc3)\b[^;]*)(; write_cex -a (\S+)/\S+)", commands.strip())
    if found is None:
        raise RchwError(f"ABC's commands must be of pdr or bmc3, not {commands!r}")
    before, proof, after, place = found.groups()
    if proof.startswith("pdr"):
        proof += f" -d -I {place}/invariant.pla"
    text = f"{before}write_aiger {place}/problem.aig; {proof}; "
    return f"{text}write_status {place}/status.txt{after}", Path(place)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ABC's commands in the folder where this is called; say what came out as ABC does."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if len(words) != 2 or words[0] != "-c":
            raise RchwError(f"arguments must be -c and ABC's commands, not {' '.join(words)!r}")
        commands, place = rewritten(words[1])
        (place / "host.v").write_text(_HOST)
        (place / "commands.abc").write_text(commands + "\n")
        script = f"read_verilog {place}/host.v; proc; techmap; abc -script {place}/commands.abc"
        try:
            run(find("yosys"), ["-q", "-p", script], cwd=Path(), log=place / "abc.log", timeout=1e6)
        except RchwError:
            pass  # the pass finds no netlist in place of the one it gave; the files tell
        status = place / "status.txt"
        if not status.is_file():
            raise RchwError(f"ABC did not write {status}: see {place / 'abc.log'}")
    except RchwError as error:
        print(error, file=sys.stderr)
        return 1
    told = status.read_text().split("\n")[0].split()
    if told[:1] == ["snl_UNSAT"]:
        print("Property proved.")
    elif told[:1] == ["snl_SAT"]:
        print(f'Output {told[3]} of miter "problem" was asserted in frame {told[1]}.')
    return 0


def _end_with_parent() -> None:
    """Let Yosys end when SymbiYosys ends this process, or is no more."""
    parent = os.getppid()

    def end(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # SymbiYosys strikes twice
        sys.exit(1)

    signal.signal(signal.SIGTERM, end)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    _end_with_parent()
    sys.exit(main())
