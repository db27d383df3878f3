"""The program of the two units by hand, built once; it shows what it makes of any design file."""

import pytest

from rchw.sim.soak.program import Program
from tests.sim.pair import pair
from tests.sim.soak.faulty import faulty


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """Build it without optimisation, which takes the least time altogether."""
    folder = tmp_path_factory.mktemp("soak")
    source = folder / "pair.v"
    source.write_text(faulty())
    return Program.build(pair(), source, folder / "soak", optimize="-O0")
