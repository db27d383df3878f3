"""Sections of the report on what is no forecast: classifiers, generators and imports."""

from collections.abc import Iterator, Mapping
from typing import Any

from rchw import plot
from rchw.classification import CLASSIFIERS
from rchw.report.evidence import Evidence
from rchw.report.page import Text, escape, facts, figure, grid, note, section

__all__ = ["OTHERS", "ending", "figures_of", "others"]

Record = Mapping[str, Any]
OTHERS = ("train-sequences", "train-recurrent", "generate", "import")


def others(evidence: Evidence) -> Iterator[Text]:
    """What the records say, a section for each kind that is there."""
    makers = {
        "train-sequences": _classifier,
        "train-recurrent": _recurrent,
        "generate": _generator,
        "import": _imported,
    }
    for kind, make in makers.items():
        if kind in evidence.records:
            yield from make(evidence, evidence.records[kind])


def ending(records: Mapping[str, Record]) -> str:
    """End of the sentence that sums up a design, or nothing."""
    if "train-sequences" in records:
        record = records["train-sequences"]
        test = record["test"]
        return (
            f" names the class of {record['task']['name']} with {test['errors']['reference']} "
            f"errors on {test['sequences']:,} test sequences"
        )
    if "train-recurrent" in records:
        record = records["train-recurrent"]
        kept = "keeps" if record["test"]["held"] else "loses"
        return (
            f" was taught {record['task']['name']} by {record['options']['teaching']}, and "
            f"{kept} its shape over {record['steps']:,} samples alone"
        )
    if "generate" in records:
        record = records["generate"]
        return (
            f" makes {record['task']['name']} alone, and stays with it for "
            f"{record['test']['mean_time']:g} of {record['steps']:,} samples in the mean of its "
            f"free runs on test samples"
        )
    if "import" in records:
        record = records["import"]
        error = _number(record["errors"]["test"]["states"])
        return (
            f" was made of {record['source']['file']}, whose states it follows with NMSE {error} "
            f"on {record['errors']['test']['samples']:,} test samples"
        )
    return ""


def figures_of(records: Mapping[str, Record]) -> list[tuple[str, str]]:
    """Numbers for the head of the page, and what they are."""
    found = []
    if "train-sequences" in records:
        test = records["train-sequences"]["test"]
        found.append((f"{test['errors']['reference']:,}", f"errors on {test['sequences']:,}"))
    if "train-recurrent" in records:
        record = records["train-recurrent"]
        found.append((f"{record['test']['valid']:,}", f"of {record['steps']:,} samples alone"))
    if "generate" in records:
        record = records["generate"]
        found.append((f"{record['test']['mean_time']:g}", f"of {record['steps']:,} samples alone"))
    if "import" in records:
        error = records["import"]["errors"]["test"]["states"]
        found.append((_number(error), "NMSE, states against network"))
    return found


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _classifier(evidence: Evidence, record: Record) -> Iterator[Text]:
    yield section("Which class a sequence is of")
    test, chosen, pooling = record["test"], record["chosen"], record["pooling"]
    errors, own = test["errors"], test["errors"]["reference"]
    known = [key for key in CLASSIFIERS if key in errors]
    missed = [CLASSIFIERS[key] for key in known if key != "reference" and errors[key] <= own]
    if missed:
        yield Text(f"<p>{escape('Not below: ' + '; '.join(missed) + '.')}</p>")
    rows = []
    for key in known:
        low, high = test["intervals"][key]
        interval = f"{100 * low:.2f} to {100 * high:.2f} %"
        rate = f"{100 * errors[key] / test['sequences']:.2f} %"
        rows.append([CLASSIFIERS[key], f"{errors[key]:,}", rate, interval])
    columns = ["classifier", f">errors on {test['sequences']:,}", ">rate", ">95 %"]
    yield grid(columns, rows, [known.index("reference")])
    segments = pooling["segments"]
    answer = {"last": "of the last sample", "sum": "of the sum of all samples"}
    parts = "" if segments is None else f", {segments['count']} of {segments['length']} samples"
    yield facts(
        {
            "classes": ", ".join(record["task"]["classes"]),
            "answer": f"once per sequence, {answer.get(pooling['accumulate'], 'of segments')}"
            + parts * (pooling["accumulate"] != "last"),
            "held out": f"{chosen['held_out_errors']} errors on {record['task']['split'][0]:,} "
            f"training sequences in {chosen['folds'][0]} folds",
            "training": f"{chosen['training_errors']} errors of the integers",
        }
    )


def _run_alone(evidence: Evidence, record: Record) -> Iterator[Text]:
    yield section("Left alone")
    if evidence.target is None or evidence.prediction is None:
        yield note("The series of the first free run is not beside its record.")
        return
    drawn = plot.prediction_figure(
        evidence.target, evidence.prediction, samples=min(300, len(evidence.target)),
        label="the design, alone", ylabel="value",
    )  # fmt: skip
    caption = (
        f"The first free run on test samples, and below the difference at the same scale. "
        f"Data: {record['task']['data']}."
    )
    yield figure(plot.svg(drawn, "alone", themed=True), caption, "free run against truth")


def _recurrent(evidence: Evidence, record: Record) -> Iterator[Text]:
    yield from _run_alone(evidence, record)
    yield from _cued(record) if record["channels"]["inputs"] else _by_itself(record)
    history = record["history"]
    yield facts(
        {
            "rule": record["options"]["teaching"],
            "error before an update": f"{_number(history['first_before'])} of full scale at "
            f"first, {_number(history['last_before'])} at last",
            "after over before": f"{_number(history['first_ratio'])} at first, "
            f"{_number(history['last_ratio'])} at last",
            "change of the weights": f"{_number(history['first_move'])} at first, "
            f"{_number(history['last_move'])} at last",
        }
    )


def _cued(record: Record) -> Iterator[Text]:
    """Runs under inputs, cue by cue where they are cues."""
    rows = []
    for name, key in (("float network", "float"), ("integer design", "test")):
        run = record[key]
        errors = [error for error in run["repetitions"] if error is not None]
        ends = [_number(min(errors)), _number(max(errors))] if errors else ["-", "-"]
        rows.append([name, f"{run['valid']:,}", _number(run["whole"]), *ends])
    columns = [f">valid of {record['steps']:,}", ">NRMSE", ">least of a cue", ">largest of a cue"]
    yield grid(["", *columns], rows)
    yield note(
        "The network runs on its own output, under the inputs of the task. A run is valid until "
        "its error first exceeds 0.4 standard deviations of the series; errors of a cue are those "
        "from there to the next one."
    )


def _by_itself(record: Record) -> Iterator[Text]:
    """Runs without inputs."""
    rows = []
    for name, key in (("float network", "float"), ("integer design", "test")):
        run = record[key]
        numbers = [_number(run[what]) for what in ("early", "whole", "shape")]
        rows.append([name, f"{run['valid']:,}", *numbers, f"{run['shift']:+d}"])
    columns = [f">valid of {record['steps']:,}", ">NRMSE early", ">NRMSE", ">of shape", ">ahead"]
    yield grid(["", *columns], rows)
    yield note(
        "A run is valid until its error first exceeds 0.4 standard deviations of the series. A "
        "generator has no clock: its phase drifts, and the error of its shape is that of the end "
        "of the run with the drift taken out."
    )


def _generator(evidence: Evidence, record: Record) -> Iterator[Text]:
    yield from _run_alone(evidence, record)
    rows = []
    for split in ("validation", "test"):
        runs = record[split]
        for start, time, error in zip(runs["starts"], runs["times"], runs["errors"], strict=True):
            rows.append([split, f"{start:,}", f"{time:,}", f"{error:.6g}"])
    yield grid(["samples", ">from", f">valid of {record['steps']:,}", ">NMSE"], rows)
    yield note(
        "A run is valid until its error first exceeds 0.4 standard deviations of the series. "
        "Everything was chosen on the validation samples."
    )
    yield facts({"noise in training": f"{record['chosen']['noise']:g} of full scale"})


def _imported(evidence: Evidence, record: Record) -> Iterator[Text]:
    source, test = record["source"], record["errors"]["test"]
    yield section("What was imported")
    words = (
        f"{source['file']}: {source['units']:,} units, {source['inputs']} inputs, "
        f"{source['activation']}, density {source['density']:.3g}."
    )
    yield Text(f"<p>{escape(words)}</p>")
    rows = [
        [row["name"], row["became"], f"{row['largest']:.4g}", f"{row['largest_error']:.2g}"]
        for row in record["mapped"]
    ]
    yield grid(["array", "became", ">largest", ">error"], rows)
    changed = [["approximated", text] for text in record["approximated"]]
    changed += [["left out", text] for text in record["left_out"]]
    if changed:
        yield grid(["what is not the same", "how"], changed)
    metric = test["metric"]
    measured = [
        ["states, integers against network (nmse)", _number(test["states"])],
        ["outputs, integers against network (nmse)", _number(test.get("outputs"))],
        [f"network against targets ({metric})", _number(test["network"])],
        [f"integers against targets ({metric})", _number(test["integers"])],
    ]
    yield grid(
        [f"on {test['samples']:,} test samples of {record['task']['name']}", ">error"], measured
    )
    if record["cost"]:
        yield note(record["cost"])
