"""`emulate`, `compare`, `reproduce` and `metrics` as they are called."""

import json
from pathlib import Path

import numpy as np
import pytest

from rchw.cli.compare import parse_range
from rchw.document import save
from rchw.errors import DesignError
from rchw.lab.figures import Band, Measured, PublishedFigure
from rchw.nodes.presets import NODES
from tests.cli.command_line import call, contents, refused, small_series
from tests.examples import EXAMPLE

Capture = pytest.CaptureFixture[str]
BRIEF = ("--units", "8", "--no-tune")


@pytest.fixture
def data(tmp_path: Path) -> tuple[str | Path, ...]:
    """Words for a small task."""
    return ("--task", small_series(tmp_path / "small.csv"), "--input-columns", "x")


def test_every_node_is_listed(capsys: Capture) -> None:
    entries = call(capsys, "nodes", "--json").record["nodes"]
    assert {entry["name"] for entry in entries} == set(NODES)
    assert all(entry["source"] for entry in entries)
    assert "photonic-mackey-glass" in call(capsys, "nodes").out


def test_emulate_says_what_it_found(
    tmp_path: Path, data: tuple[str | Path, ...], capsys: Capture
) -> None:
    out = tmp_path / "out"
    done = call(capsys, "emulate", "memristive", *data, *BRIEF, "-o", out)
    assert done.code == 0, done
    for words in ("without noise", "as observed", "integer readout", "40 dB, 8 bits", "joule"):
        assert words in done.out
    record = json.loads((out / "emulate.json").read_text())
    assert f"{record['test']['errors']['observed']:.6g}" in done.out
    again = call(capsys, "run", out / "readout.json", out / "states.csv", "--codes", "--json")
    rows = (out / "states.csv").read_text().splitlines()
    assert again.code == 0 and again.record["samples"] == len(rows) - 1
    before = contents(out)
    assert call(capsys, "emulate", "memristive", *data, *BRIEF, "-o", out).code == 0
    after = contents(out)
    assert {k: v for k, v in before.items() if k != "emulate.json"} == {
        k: v for k, v in after.items() if k != "emulate.json"
    }


def test_what_is_set_is_used(data: tuple[str | Path, ...], capsys: Capture) -> None:
    words = (
        "--set",
        "swing=0.001",
        "--set",
        "relaxation=1e-7",
        "--snr-db",
        "25",
        "--adc-bits",
        "5",
    )
    record = call(capsys, "emulate", "spintronic", *data, *BRIEF, *words, "--json").record
    assert record["preset"]["point"] == {"swing": 0.001, "relaxation": 1e-7}
    assert record["condition"] == {"snr_decibels": 25.0, "adc_bits": 5}
    assert record["units"] == 8


def test_recorded_states(tmp_path: Path, data: tuple[str | Path, ...], capsys: Capture) -> None:
    states = np.random.default_rng(0).normal(size=(399, 5))
    np.save(tmp_path / "day1.npy", states)
    done = call(capsys, "emulate", "--measured", tmp_path / "day1.npy", *data, "--json")
    assert done.code == 0, done
    assert done.record["measured"] == "day1.npy" and done.record["units"] == 5
    assert done.record["test"]["errors"]["integer"] > 0.5  # noise remembers nothing
    refused(capsys, ("emulate", "--measured", tmp_path / "day1.npy", *data, "--snr-db", "3"),
            "--snr-db must be left out for --measured, not be 3")  # fmt: skip
    np.save(tmp_path / "short.npy", states[:100])
    refused(capsys, ("emulate", "--measured", tmp_path / "short.npy", *data),
            "states must be one row per sample of the task small, 399 to 400, not 100")  # fmt: skip


def test_compare_prints_one_table(
    tmp_path: Path, data: tuple[str | Path, ...], capsys: Capture
) -> None:
    words = ("compare", *data, *BRIEF, "--reservoirs", "integer-cycle, spintronic")
    done = call(capsys, *words, "--adc-bits", "4..8:4", "--snr-db", "20,60", "-o", tmp_path / "o")
    assert done.code == 0, done
    assert "60 dB 4 bit" in " ".join(done.out.split()) and "floors" in done.out
    record = json.loads((tmp_path / "o/compare.json").read_text())
    entry = record["reservoirs"][1]["conditions"][-1]
    assert (entry["snr_decibels"], entry["adc_bits"]) == (60.0, 8)
    assert f"{entry['test'][0]:.4g}" in done.out
    assert "no reading by an ADC" in done.out and "no input by a drive" in done.out


def test_what_lies_beyond_the_training_samples_is_told(tmp_path: Path, capsys: Capture) -> None:
    """Inputs that rise at the end: the drive limits them; noise of the readings is clipped."""
    u = np.random.default_rng(1).uniform(0, 0.5, 500)
    u[450:] *= 2
    rows = "\n".join(
        f"{a!r},{b!r}" for a, b in zip(u.tolist(), [0.0, *u.tolist()[:-1]], strict=True)
    )
    (tmp_path / "up.csv").write_text(f"u,y\n{rows}\n")
    done = call(
        capsys, "compare", "--task", tmp_path / "up.csv", "--input-columns", "u",
        "--target-columns", "y", "--split", "300,100,100", *BRIEF, "--reservoirs", "spintronic",
        "--adc-bits", "8", "--snr-db", "0,60", "-o", tmp_path / "o",
    )  # fmt: skip
    assert done.code == 0, done
    (found,) = json.loads((tmp_path / "o/compare.json").read_text())["reservoirs"]
    assert found["limited"] == np.mean((u > u[:300].max()) | (u < u[:300].min())) > 0.05
    worst = max(found["conditions"], key=lambda each: each["clipped"][0])
    out = " ".join(done.out.split())
    assert f"at most {100 * found['limited']:.3g} % of the inputs, by the drive of spintr" in out
    told = f"{100 * worst['clipped'][0]:.3g} % of the readings, of spintronic at"
    assert worst["clipped"][0] > 0 and f"{told} {worst['snr_decibels']:g} dB, 8 bits" in out


def test_reproduce_tells_a_miss(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def figure(name: str, score: float, holds: bool = True) -> PublishedFigure:
        measured = Measured(score, 0.3, "40 dB", {"linear": 0.9}, {"it holds": holds})
        return PublishedFigure(
            name, "a figure", "NMSE", "0.1", Band(0.05, 0.15), "without noise", "somebody", "made",
            lambda told: measured,
        )  # fmt: skip

    blocked = PublishedFigure(
        "digits", "t", "errors", "1 %", Band(high=0.02), "", "somebody", "data not free", None
    )
    figures = {f.name: f for f in (figure("good", 0.15), figure("bad", 0.16), blocked)}
    figures["unheld"] = figure("unheld", 0.1, holds=False)
    monkeypatch.setattr("rchw.lab.reproduce.FIGURES", figures)
    done = call(capsys, "reproduce", "good", "digits", "--json")
    assert done.code == 0
    assert [each["verdict"] for each in done.record["figures"]] == ["within", "not run"]
    done = call(capsys, "reproduce")
    assert done.code == 1 and "missed" in done.out and "not run" in done.out
    assert "0.3 (40 dB)" in " ".join(done.out.split()) and "linear 0.9" in done.out
    assert call(capsys, "reproduce", "unheld").code == 1
    refused(capsys, ("reproduce", "x"), "figure must be one of good, bad, digits, unheld, not 'x'")
    assert [f["name"] for f in call(capsys, "reproduce", "--list", "--json").record["figures"]] == [
        "good", "bad", "digits", "unheld",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "node must be named, or states given by --measured"),
        (("tube",), "node must be one of cycle, "),
        (("cycle", "--preset", "x"), "preset of cycle must be one of rodan-tino, not 'x'"),
        (("cycle", "--set", "gain=1"), "must be feedback, scaling, bias, not 'gain'"),
        (("cycle", "--set", "gain"), "set must be NAME=NUMBER, not 'gain'"),
        (("cycle", "--adc-bits", "25"), "ADC bits must be from 2 to 24, not 25"),
        (("cycle", "--snr-db", "nan"), "signal-to-noise ratio must be from -100 to 300 dB, not na"),
        (("cycle", "--dac-bits", "0"), "DAC bits must be from 1 to 24, not 0"),
        (("cycle", "--units", "0"), "units must be from 1 to 4096, not 0"),
        (("memristive", "--units", "7"), "multiple of the 4 virtual nodes of a device, not 7"),
        (("memristive", "--set", "high=9"), "drive must be from -4 to 4 V, where the model is"),
        (("photonic-ikeda", "--set", "strength=inf"), "strength must be a finite number, not inf"),
        (("cycle", "--measured", "x.csv"), "node must be left out for --measured, not be 'cycle'"),
        (("cycle", "--set", "bias=0", "--set", "bias=1"), "set must name bias once, not twice"),
        (("biological", "--set", "steps=20.7"), "steps must be a whole number from 1, not 20.7"),
        (("spintronic", "--set", "relaxation=0"), "relaxation must be above 0 s, not 0"),
        (("integer-cycle", "--set", "state_bits=4"), "state_bits must be left to the bits of the"),
        (("cycle", "--lanes", "0"), "lanes must be from 1 to 100, not 0"),
    ],
)
def test_what_is_wrong_is_refused(words: tuple[str, ...], text: str, capsys: Capture) -> None:
    refused(capsys, ("emulate", *words, "--no-tune"), text)


def test_ranges() -> None:
    assert parse_range("4..12:4", "bits", 1.0) == (4.0, 8.0, 12.0)
    assert parse_range("0.1..0.3:0.1", "x", 1.0) == pytest.approx((0.1, 0.2, 0.3))
    for wrong in ("", "4..", "4..3", "4..9:0", "a", "1,,2", "0..1e9", "0..1000000"):
        with pytest.raises(DesignError, match=r"^bits must be numbers such as 4,6,8 or a rising"):
            parse_range(wrong, "bits", 1.0)


def test_metrics_of_a_node_and_of_a_design(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out"
    brief = ("--samples", "700")
    asked = ("--units", "9", "--set", "leak_rate=0.75")
    done = call(capsys, "metrics", "deep", *asked, *brief, "-o", out)
    assert done.code == 0, done
    for words in ("deep: 9 units, 700 samples", "effective rank", "echo index", "sufficient"):
        assert words in done.out
    record = json.loads((out / "metrics.json").read_text())
    assert f"{record['effective_rank']:.2f}" in done.out
    assert f"{record['lyapunov']['maximum']:.4f}" in done.out
    assert record["source"]["point"]["leak_rate"] == 0.75
    assert len(record["layers"]["units"]) == 3 == len(record["conditions"])
    assert (out / "metrics.svg").read_text().startswith("<svg")
    save(EXAMPLE, tmp_path / "example.json")
    design = call(capsys, "metrics", tmp_path / "example.json", *brief, "--json").record
    assert design["source"]["kind"] == "design" and design["units"] == 5
    noisy = call(capsys, "metrics", "memristive", "--units", "8", "--adc-bits", "6", *brief)
    assert "echo conditions" in noisy.out and "a device has no weights" in noisy.out


def test_metrics_refuse(tmp_path: Path, capsys: Capture) -> None:
    save(EXAMPLE, tmp_path / "example.json")
    refused(capsys, ("metrics", "amoeba"), "source must be a design file or one of cycle, ")
    refused(capsys, ("metrics", tmp_path / "none.json"), "none.json")
    refused(capsys, ("metrics", tmp_path / "example.json", "--units", "7"),
            "--units must be left out for a design, not be 7")  # fmt: skip
    refused(capsys, ("metrics", "cycle", "--samples", "10"), "samples must be at least the 600")
    refused(
        capsys, ("metrics", tmp_path / "example.json", "--seed", "-1"), "seed must be at least 0"
    )
