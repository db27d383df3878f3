"""The commands that would make a result again, from its records."""

import shlex
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from rchw.importing import ImportOptions
from rchw.report.evidence import Evidence
from rchw.tasks import TASKS
from rchw.train.options import TrainOptions

__all__ = ["commands", "import_command_line", "train_command_line"]

_SWITCHES = ("squares", "input_features")
_CHOICES = ("levels", "bias")


def train_command_line(record: Mapping[str, Any], output: str) -> str:
    """``rchw train`` with every option that is not at its default, of all that it makes."""
    options, task = record["options"], record["task"]
    words = ["rchw", "train", task["source"], "-o", output]
    for field in fields(TrainOptions):
        value = options.get(field.name, field.default)
        flag = field.name.replace("_", "-")
        if value == field.default or field.name == "name":
            continue
        if field.name in _SWITCHES:
            words.append(f"--{flag}")
        elif field.name in _CHOICES:
            words.append(f"--{flag}" if value else f"--no-{flag}")
        elif isinstance(value, list):
            words += [f"--{flag}", ",".join(map(str, value))]
        else:
            words += [f"--{flag}", str(value)]
    stem = output.rpartition("/")[2].removesuffix(".json")
    if options["name"] != stem:
        words += ["--name", options["name"]]
    if record.get("kind") == "train-recurrent":
        words = _recurrent_words(record, output)
    if record.get("kind") == "train-sequences":
        return shlex.join([*words, *_sequence_words(record)])
    if record.get("kind") == "generate":
        words += ["--feedback", "--steps", str(record["steps"])]
    usual = TASKS.get(task["source"])
    for key in ("horizon", "washout"):
        if usual is None or task[key] != getattr(usual, key):
            words += [f"--{key}", str(task[key])]
    if usual is None or tuple(task["split"]) != usual.split:
        words += ["--split", ",".join(str(length) for length in task["split"])]
    for key in ("input_columns", "target_columns"):
        if task.get(key) is not None:
            words += [f"--{key.replace('_', '-')}", str(task[key])]
    return shlex.join(words)


def _recurrent_words(record: Mapping[str, Any], output: str) -> list[str]:
    """Every option of a network that was taught as it ran, for their defaults are its own."""
    words = ["rchw", "train", record["task"]["source"], "-o", output, "--feedback"]
    words += ["--steps", str(record["steps"])]
    for key, value in record["options"].items():
        if value is not None and key != "name":
            words += [f"--{key.replace('_', '-')}", str(value)]
    if record["options"]["teaching"] == "force":
        words += ["--integer-samples", str(record["integer_samples"])]
    stem = output.rpartition("/")[2].removesuffix(".json")
    name = record["options"]["name"]
    return words if name == stem else [*words, "--name", name]


def _sequence_words(record: Mapping[str, Any]) -> list[str]:
    """Pooling and columns of labelled sequences."""
    pooling = record["pooling"]
    words, segments = ["--accumulate", pooling["accumulate"]], pooling["segments"]
    if pooling["accumulate"] == "segments":
        words += ["--segments", str(segments["count"])]
    if segments is not None:
        words += ["--segment-length", str(segments["length"])]
    for key, name in record["task"].get("columns", {}).items():
        words += [f"--{key.replace('_', '-')}", str(name)]
    return words


def import_command_line(record: Mapping[str, Any], folder: str) -> str:
    """``rchw import`` with every option that is not at its default."""
    task = record["task"]
    words = ["rchw", "import", record["source"]["file"], "-o", folder]
    if not record["drawn"]:
        words += ["--data", task["source"], "--seed", str(task["seed"])]
        words += ["--horizon", str(task["horizon"]), "--washout", str(task["washout"])]
        words += ["--split", ",".join(map(str, task["split"]))]
        for key in ("input_columns", "target_columns"):
            if task[key] is not None:
                words += [f"--{key.replace('_', '-')}", str(task[key])]
    for field in fields(ImportOptions):
        value = record["options"].get(field.name, field.default)
        if value != field.default:
            words += [f"--{field.name.replace('_', '-')}", str(value)]
    return shlex.join(words)


def commands(evidence: Evidence) -> list[str]:
    """Shell lines, run in the folder of the records, that lead to what is there."""
    lines = []
    check, file = evidence.records.get("verify"), f"{evidence.name}.json"
    for kind in ("train", "train-sequences", "train-recurrent", "generate"):
        if kind in evidence.records:
            stem = evidence.places[kind].removesuffix(".json").rpartition(".")[0]
            file = f"{stem}.json"
            lines.append(train_command_line(evidence.records[kind], file))
    if "import" in evidence.records:
        record, place = evidence.records["import"], evidence.places["import"]
        file = place.replace(".import.json", ".json")
        lines.append(import_command_line(record, place.rpartition("/")[0] or "."))
    if check:
        place = evidence.places["verify"].rpartition("/")[0] or "."
        longest = check["phases"][0]["samples"]
        seed = check["seed"]
        words = ["rchw", "verify", file, "--samples", str(longest), "--seed", str(seed)]
        lines.append(shlex.join([*words, "-o", place]))
    for folder, build in evidence.builds:
        seeds = ",".join(build["clock"]["mhz_per_seed"])
        words = ["rchw", "build", file, "--board", build["board"], "-o", folder]
        lines.append(shlex.join(words if seeds == "1" else [*words, "--seeds", seeds]))
    return [*lines, "rchw report ."]
