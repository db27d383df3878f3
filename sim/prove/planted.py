"""A fault that the prover must find, looked for in a process of its own beside the proof.

``python -m rchw.sim.prove.planted DESIGN.json FILE.v FOLDER TIMEOUT SEED`` writes
``FOLDER/planted.json``.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rchw.design import Design
from rchw.document import load
from rchw.errors import ToolError
from rchw.files import write_atomic
from rchw.process import stop
from rchw.sim.prove.cone import data_inputs
from rchw.sim.prove.faults import stuck_bits
from rchw.sim.prove.proof import prove_words
from rchw.sim.prove.words import Words, elaborate

__all__ = ["FAULTS", "planted", "searched"]

FAULTS = 8  # tried until one is found
_RECORD = "planted.json"


def planted(design: Design, words: Words, timeout: float, seed: int) -> dict[str, Any]:
    """Plant faults until one is refuted: not every stuck bit makes a difference.

    Parameters
    ----------
    design : Design
    words : Words
        The circuit without a fault.
    timeout : float
        Seconds for one question to the solver.
    seed : int
        Of the faults.

    Returns
    -------
    dict
        ``fault``, ``proof`` and ``sentence`` of the last, how many before it were ``harmless``,
        ``seconds``.
    """
    start, harmless = time.monotonic(), 0
    record: dict[str, Any] = {"fault": None, "proof": "proved", "sentence": None}
    for fault, wrong in stuck_bits(words, data_inputs(design), seed):
        proof = prove_words(design, wrong, timeout)
        record = {"fault": fault, "proof": proof.verdict, "sentence": proof.sentence}
        if proof.verdict == "refuted" or harmless + 1 == FAULTS:
            break
        harmless += 1
    return record | {"harmless": harmless, "seconds": round(time.monotonic() - start, 2)}


@contextmanager
def searched(
    design: Path, verilog: Path, folder: Path, timeout: float, seed: int
) -> Iterator["Search"]:
    """Start the search; it is stopped at the end, whether it has found something or not."""
    folder.mkdir(parents=True, exist_ok=True)
    args = [str(path.absolute()) for path in (design, verilog, folder)]
    command = [sys.executable, "-P", "-m", "rchw.sim.prove.planted", *args, str(timeout), str(seed)]
    with (folder / "planted.log").open("wb") as log:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,  # its end is the sign that nobody waits any more
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise ToolError(f"{sys.executable} could not be run: {error.strerror}") from error
    try:
        yield Search(process, folder)
    finally:
        stop(process)
        assert process.stdin is not None
        process.stdin.close()


class Search:
    """A search that runs.

    Parameters
    ----------
    process : subprocess.Popen
    folder : Path
        Where it leaves its record and its log.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", folder: Path) -> None:
        self.process, self._folder = process, folder

    def result(self) -> dict[str, Any]:
        """Wait for its record.

        Raises
        ------
        ToolError
            If it fails.
        """
        code = self.process.wait()
        try:
            record: dict[str, Any] = json.loads((self._folder / _RECORD).read_text("utf-8"))
        except (OSError, ValueError):
            text = (self._folder / "planted.log").read_text(encoding="utf-8", errors="replace")
            why = (text.strip().splitlines() or ["it printed nothing"])[-1]
            sentence = f"the search for a planted fault failed with exit code {code}: {why}"
            raise ToolError(sentence) from None
        return record


def _end_with_parent() -> None:
    os.read(0, 1)
    os._exit(2)


def main() -> None:
    """Search for what `searched` has asked."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    design_file, verilog, folder = map(Path, sys.argv[1:4])
    design = load(design_file)
    words = elaborate(verilog, design.name, folder)
    record = planted(design, words, float(sys.argv[4]), int(sys.argv[5]))
    write_atomic(folder / _RECORD, json.dumps(record))


if __name__ == "__main__":
    main()
