"""What a computation takes on a processor: its time, measured, and the energy of it.

Where Linux lets the counters of Intel's Running Average Power Limit (RAPL) be read, the energy of
the package is measured; it includes whatever else runs there. Elsewhere the time counts as that of
one busy core, at its share of the thermal design power: a model, and no lower bound, since memory
and supplies come on top.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rchw.errors import DesignError

__all__ = [
    "CORE_SOURCE",
    "CORE_WATTS",
    "POWERCAP",
    "ProcessorEnergy",
    "on_processor",
    "rapl_joules",
]

CORE_WATTS = 6.25
CORE_SOURCE = "350 W of 56 cores, thermal design power of an Intel Xeon Platinum 8480+; model"
POWERCAP = Path("/sys/class/powercap")


@dataclass(frozen=True)
class ProcessorEnergy:
    """Time and energy per sample on one core.

    Attributes
    ----------
    seconds : float
        Processor time per sample: of the fastest of several rounds.
    joules : float
        Per sample.
    measured : bool
        Whether the energy was read from RAPL; if not, it is time x `watts`.
    watts : float
        Mean of the reading, or the power assumed of one core.
    source : str
    """

    seconds: float
    joules: float
    measured: bool
    watts: float
    source: str

    def facts(self) -> dict[str, Any]:
        """As a record has it."""
        return asdict(self)


def rapl_joules(folder: Path = POWERCAP) -> float | None:
    """Reading of the energy counters of all packages; None if they cannot be read.

    The counters start anew now and then, so that a difference may come out below 0.
    """
    total, found = 0.0, False
    for package in sorted(folder.glob("intel-rapl:*")):
        if package.name.count(":") != 1:  # parts of a package are in its own counter
            continue
        try:
            total += int((package / "energy_uj").read_text()) / 1e6
        except (OSError, ValueError):
            return None
        found = True
    return total if found else None


def on_processor(
    call: Callable[[], object],
    samples: int,
    *,
    rounds: int = 5,
    watts: float = CORE_WATTS,
    powercap: Path = POWERCAP,
) -> ProcessorEnergy:
    """Time and energy per sample of a call that computes so many samples.

    Parameters
    ----------
    call : callable
        Compiled already: the first round counts too.
    samples : int
    rounds : int
        Times that it is called; a busy machine only ever slows a round down, so the best counts.
    watts : float
        Of one busy core, where nothing can be read.

    Raises
    ------
    DesignError
        If samples, rounds or watts are not above 0.
    """
    for name, value in (("samples", samples), ("rounds", rounds), ("watts", watts)):
        if not value > 0:
            raise DesignError(f"{name} must be above 0, not {value}")
    best: tuple[float, float | None] | None = None
    for _ in range(rounds):
        energy, start = rapl_joules(powercap), time.process_time()
        call()
        seconds, after = time.process_time() - start, rapl_joules(powercap)
        read = None if energy is None or after is None or after < energy else after - energy
        if best is None or seconds < best[0]:
            best = seconds, read
    assert best is not None
    seconds, joules = best[0] / samples, best[1]
    if joules is None:
        return ProcessorEnergy(seconds, seconds * watts, False, watts, CORE_SOURCE)
    mean = joules / best[0] if best[0] > 0 else watts
    source = "energy counters of the processor package (RAPL), with all that ran beside it"
    return ProcessorEnergy(seconds, joules / samples, True, mean, source)
