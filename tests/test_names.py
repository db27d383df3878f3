"""A design named after a keyword would give Verilog that no tool reads; headings become names."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from amaranth.lib.data import Const, View
from hypothesis import given
from hypothesis import strategies as st

from rchw.errors import DesignError
from rchw.layers import check_name
from rchw.names import KEYWORDS, identifier, unique
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


@given(st.text(max_size=60), st.integers(1, 9))
def test_any_heading_becomes_a_name_or_nothing(heading: str, times: int) -> None:
    name = identifier(heading)
    if name:
        taken: list[str] = []
        for _ in range(times):
            taken.append(unique(f"{name}_ahead", taken))
            check_name("channel", taken[-1])
        check_name("channel", name)
        assert len(set(taken)) == times
    else:
        assert not any(c.isascii() and c.isalnum() for c in heading.lower())


def test_reserved_words_get_an_underscore() -> None:
    attributes = [name for kind in (View, Const) for name in dir(kind) if name[0] != "_"]
    for word in ("reg", "class", "last", "x0", "x12", *attributes):
        assert identifier(word) == f"{word}_"
    for word in ("load", "x", "xa1", "u0"):
        assert identifier(word) == word
    assert identifier("Wind speed [m/s]") == "wind_speed_m_s"
