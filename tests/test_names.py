"""A design named after a keyword would give Verilog that no tool reads."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from rchw.errors import DesignError
from rchw.names import KEYWORDS
from rchw.tools import environment_for_verilator, find
from tests.sim.pair import pair


def test_a_keyword_is_refused() -> None:
    with pytest.raises(DesignError, match="design name must be no keyword of Verilog, not 'small'"):
        replace(pair(), name="small")


def test_the_list_is_the_parsers_own(tmp_path: Path) -> None:
    """Verilator, which reads SystemVerilog, refuses each word, and not with an underscore."""
    verilator = find("verilator")

    def refuses(name: str) -> bool:
        path = tmp_path / "name.v"
        path.write_text(f"module {name}(input a); endmodule\n")
        words = [str(verilator.path), "--lint-only", "-Wno-fatal", "--quiet", str(path)]
        return subprocess.run(
            words, capture_output=True, env=environment_for_verilator(verilator), check=False
        ).returncode != 0  # fmt: skip

    wrong = [word for word in sorted(KEYWORDS)[::12] if not refuses(word)]
    assert not wrong
    assert not refuses("small_") and refuses("small")
