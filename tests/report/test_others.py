"""Sections of classifiers, generators, imports and layers in series: their numbers, not a gap."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from rchw.classification import CLASSIFIERS, classify
from rchw.cli import main
from rchw.errors import DesignError
from rchw.experiment import experiment, generator
from rchw.importing import ImportOptions, import_network
from rchw.report import write_report
from rchw.report.commands import train_command_line
from rchw.tasks import load_task
from rchw.taught import taught
from rchw.train import TrainOptions
from rchw.train.force import ForceOptions
from rchw.train.force_design import Widths
from rchw.train.sequences import Pooling
from tests.importing.networks import network_of, small_task
from tests.report.test_report import text_of
from tests.test_experiment import Silent
from tests.train.test_sequences import OPTIONS as LABELLED
from tests.train.test_sequences import TASK as LEVELS

MISSING = "No training record here"


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_a_classifier(tmp_path: Path) -> None:
    pooling, columns = Pooling.of(LEVELS, "segments", count=2), {"label_column": "what"}
    made = classify(LEVELS, LABELLED, pooling, Silent(), source="levels.csv", columns=columns)
    made.write(tmp_path / "levels.json")
    record, text = read(tmp_path / "levels.sequences.json"), text_of(tmp_path)
    test = record["test"]
    assert MISSING not in text
    told = f"names the class of levels with {test['errors']['reference']} errors on 30 test"
    assert told in text
    for key, count in test["errors"].items():
        low, high = (100 * end for end in test["intervals"][key])
        row = f"{CLASSIFIERS[key]} {count} {100 * count / 30:.2f} % {low:.2f} to {high:.2f} %"
        assert row in text
    assert f"{record['chosen']['held_out_errors']} errors on 30 training sequences in 5" in text
    assert "one answer per sequence (segments), the index of the greatest output" in text
    assert "rchw train levels.csv -o levels.json" in text
    length = record["pooling"]["segments"]["length"]
    words = f"--accumulate segments --segments 2 --segment-length {length} --label-column what"
    assert words in text
    assert f"train sequences 30, sha256 {record['task']['split_sha256']['train']}" in text


def test_a_generator(tmp_path: Path) -> None:
    task = load_task("multi-sine", split=(400, 150, 150))
    options = TrainOptions(name="wave", units=8, squares=True, search="none")
    made = generator(task, options, 60, Silent(), source="multi-sine")
    made.write(tmp_path / "wave.json")
    record, text = read(tmp_path / "wave.train.json"), text_of(tmp_path)
    assert MISSING not in text
    assert f"stays with it for {record['test']['mean_time']:g} of 60 samples" in text
    for split in ("validation", "test"):
        runs = record[split]
        for start, time, error in zip(runs["starts"], runs["times"], runs["errors"], strict=True):
            assert f"{split} {start} {time} {error:.6g}" in text
    assert "feedback y0 to ring, weights" in text
    assert "--feedback --steps 60" in text and "--split 400,150,150" in text
    assert 'aria-label="free run against truth"' in (tmp_path / "report.html").read_text()
    (tmp_path / "wave.test.csv").unlink()
    assert "The series of the first free run is not beside its record." in text_of(tmp_path)


def test_a_network_that_was_taught_as_it_ran(tmp_path: Path) -> None:
    """Both free runs, how training went, and a command that makes the same design again."""
    task = load_task("sine", split=(1500, 100, 400))
    options = ForceOptions(units=60, density=0.2, seed=3)
    made = taught(
        task, options, Widths(name="wave"), Silent(), source="sine", integer_samples=300,
        run_steps=450, series_seed=3,
    )  # fmt: skip
    made.write(tmp_path / "wave.json")
    record, text = read(tmp_path / "wave.train.json"), text_of(tmp_path)
    assert MISSING not in text
    assert "was taught sine by force, and keeps its shape over 450 samples alone" in text
    for name, key in (("float network", "float"), ("integer design", "test")):
        run = record[key]
        numbers = " ".join(f"{run[what]:.4g}" for what in ("early", "whole", "shape"))
        assert f"{name} {run['valid']} {numbers} {run['shift']:+d}" in text
    assert f"{record['history']['last_ratio']:.4g} at last" in text
    again = shlex.split(train_command_line(record, str(tmp_path / "again.json")))
    assert main([*again[1:], "--json"]) == 0
    assert read(tmp_path / "again.train.json")["digest"] == record["digest"]


def test_an_import(tmp_path: Path) -> None:
    source = {"file": "esn.npz", "sha256": "0" * 64}
    options = ImportOptions(name="esn", state_bits=14)
    data = ("drive.csv", 0, ("u", None))
    made = import_network(
        network_of("dense"), small_task(), options, Silent(), source=source, data=data
    )
    made.write(tmp_path)
    record, text = read(tmp_path / "esn.import.json"), text_of(tmp_path)
    assert MISSING not in text
    states = f"{record['errors']['test']['states']:.4g}"
    assert f"was made of esn.npz, whose states it follows with NMSE {states} on" in text
    assert f"A leaky reservoir of {made.design.n_units} units" in text
    for row in record["mapped"]:
        assert f"{row['name']} {row['became']} {row['largest']:.4g}" in text
    for words in record["approximated"]:
        assert f"approximated {words}" in text
    for who in ("network", "integers"):
        value = f"{record['errors']['test'][who]:.4g}"
        assert f"{who} against targets ({record['errors']['test']['metric']}) {value}" in text
    assert "rchw import esn.npz -o . --data drive.csv" in text
    assert "--input-columns u --state-bits 14 --name esn" in text


def test_layers_in_series(tmp_path: Path) -> None:
    task = load_task("henon", split=(300, 100, 150))
    options = TrainOptions(
        reservoir="deep", name="deep", units=8, layers=2, search="none", lanes=(2, 4)
    )  # fmt: skip
    made = experiment(task, options, Silent(), source="henon")
    made.write(tmp_path / "deep.json")
    text = text_of(tmp_path)
    assert "A deep reservoir of 2 layers and 8 units with 12-bit states predicts henon" in text
    assert "dead band of layer2 a state may rest 0 below to 1 codes" in text
    assert "reads of layer2 layer1 through a matrix, weights sfix8" in text
    assert "2 and 4 lanes" in text
    assert "--reservoir deep --units 8 --lanes 2,4 --layers 2 --search none" in text


def test_a_damaged_record_is_one_sentence(tmp_path: Path) -> None:
    record = {"kind": "generate", "digest": "0", "design": "wave", "test": {"mean_time": "long"}}
    (tmp_path / "wave.train.json").write_text(json.dumps(record))
    with pytest.raises(DesignError, match="must be as rchw wrote them, but one of them is not"):
        write_report(tmp_path)
