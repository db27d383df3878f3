"""What `verify` says of the two units by hand, right and wrong; built once for several tests."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from rchw.sim.verify import verify
from tests.sim.pair import VERILOG, pair


@dataclass(frozen=True)
class Verified:
    """A run of `verify`: its source, its folder, its record, the lines of progress."""

    source: Path
    out: Path
    record: dict[str, Any]
    steps: list[str]


@pytest.fixture(scope="session")
def verified(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Verified]:
    """Return what `verify` found with a weight of the readout, of which 2 is right."""

    @cache
    def run(weight: int) -> Verified:
        folder = tmp_path_factory.mktemp("pair")
        source, out, steps = folder / "pair.v", folder / "out", list[str]()
        source.write_text(VERILOG.replace("WEIGHT", str(weight)))
        options: dict[str, Any] = {"samples": 300, "seed": 4, "progress": steps.append}
        return Verified(source, out, verify(pair(), out, verilog=source, **options), steps)

    return run
