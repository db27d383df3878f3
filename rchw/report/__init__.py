"""The page that explains a result, drawn from the records and never typed.

Everything in it stands in a record of the folder; what was not measured is said to be missing. The
page holds no path of the machine, no date, and nothing to load: it can be kept with the result.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rchw import plot
from rchw.adapt.history import summary_words
from rchw.design import ExternalLayer
from rchw.devices import BOARDS
from rchw.errors import DesignError, RchwError
from rchw.experiment import FLOORS, verdicts
from rchw.files import write_atomic
from rchw.report.built import built, listed
from rchw.report.circuit import life, local, rate, silicon, verification
from rchw.report.commands import commands
from rchw.report.evidence import Evidence, collect
from rchw.report.others import OTHERS, ending, figures_of, others
from rchw.report.page import (
    PANEL,
    Text,
    code,
    escape,
    facts,
    figure,
    grid,
    missing,
    note,
    page,
    section,
    tiles,
)
from rchw.tasks import TASKS

__all__ = ["NAMES", "write_report"]

NAMES = FLOORS | {
    "float": "float model",
    "reference": "integer reference",
    "rtl": "RTL",
}
_HOW = {
    "persistence": "the last known value of the target",
    "linear": "a filter of 60 taps per input",
    "quadratic_ring": "a linear ring of the same size, with squared states",
    "volterra": "products of two delayed inputs, as many features",
    "nvar": "products of two or three delayed inputs, at most 300 features",
    "float": "the same family in floating point, chosen on its own validation error",
    "reference": "this design in Python, in full integers",
    "rtl": "this design's Verilog, simulated by Verilator",
}
_METRICS = {"nmse": "NMSE", "ser": "symbol error rate"}
_FAMILIES = {
    "cycle": "cycle reservoir",
    "delay-line": "delay-line reservoir",
    "delay-line-feedback": "delay line with feedback",
    "cycle-jumps": "cycle reservoir with jumps",
    "integer": "integer cycle reservoir",
    "euler-ring": "Euler ring",
    "leaky": "leaky reservoir",
    "euler": "Euler reservoir",
    "deep": "deep reservoir",
}


def write_report(folder: Path) -> Path:
    """Write ``report.html`` into a folder from the records found in it.

    Parameters
    ----------
    folder : Path
        With its subfolders.

    Returns
    -------
    Path

    Raises
    ------
    DesignError
        If the folder holds no record, or records that cannot be read.
    RchwError
        If the page cannot be written.
    """
    try:
        evidence = collect(folder)
        body = [
            _header(evidence),
            *_prediction(evidence),
            *_errors(evidence),
            *others(evidence),
            *life(evidence),
            *silicon(evidence),
            *verification(evidence),
            *built(evidence),
            *_making(evidence),
        ]
    except RchwError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, OSError) as error:
        told = f"{type(error).__name__}: {error}"
        raise DesignError(
            f"records in {folder} must be as rchw wrote them, but one of them is not ({told})"
        ) from error
    title = f"{evidence.name}: rchw report"
    return write_atomic(folder / "report.html", page(title, body, plot.THEMES, PANEL))


def _errors_of(evidence: Evidence) -> dict[str, float]:
    train, rtl = evidence.records.get("train"), evidence.records.get("rtl")
    errors = dict(train["test"]["errors"]) if train else {}
    if rtl:
        errors["rtl"] = rtl["error"]
    return {key: errors[key] for key in NAMES if errors.get(key) is not None}


def _metric(evidence: Evidence) -> str:
    train = evidence.records.get("train")
    return _METRICS.get(train["task"]["metric"], "") if train else ""


def _what(evidence: Evidence) -> str:
    """One phrase of what was built."""
    design = evidence.design
    if design is None:
        return "A reservoir"
    first = design.layers[0]
    widths = listed([f"{width}" for width in dict.fromkeys(x.state.width for x in design.layers)])
    if len(design.layers) > 1:
        return (
            f"A deep reservoir of {len(design.layers)} layers and {design.n_units} units with "
            f"{widths}-bit states"
        )
    if isinstance(first, ExternalLayer):
        width = first.state.width
        return f"A readout of {design.n_units} states from outside with {width} bits"
    options = design.provenance.get("options")
    family = options.get("reservoir") if isinstance(options, Mapping) else None
    kind = _FAMILIES.get(str(family)) or _FAMILIES.get(first.family, "ring reservoir")
    article = "An" if kind[0] in "aeiou" else "A"
    return f"{article} {kind} of {design.n_units} units with {widths}-bit states"


def _series(task: Mapping[str, Any]) -> str:
    """Name of the series, and what it is where that is known and the horizon is the usual one."""
    usual = TASKS.get(task["source"])
    if usual is None or usual.horizon != task["horizon"]:
        return str(task["name"])
    return f"{task['name']} ({usual.description})"


def _summary(evidence: Evidence) -> str:
    """One sentence from what was measured."""
    train, rtl, check = (evidence.records.get(key) for key in ("train", "rtl", "verify"))
    errors = _errors_of(evidence)
    text = _what(evidence)
    if train and "reference" in errors:
        text += (
            f" predicts {_series(train['task'])} with {_metric(evidence)} "
            f"{errors['reference']:.4g} on {train['test']['samples']:,} test samples"
        )
    else:
        text += ending(evidence.records) or " was made"
    if rtl:
        text += (
            "; its Verilog gives the same codes, bit for bit"
            if rtl["identical"]
            else "; its Verilog gives other codes"
        )
    elif check:
        text += (
            "; its Verilog equals the reference, bit for bit"
            if check["verdict"] == "pass"
            else "; its Verilog does not equal the reference"
        )
    if evidence.builds:
        best = evidence.builds[0][1]
        text += f"; on {BOARDS[best['board']].title} it takes {rate(best)} samples per second"
    return text + "."


def _header(evidence: Evidence) -> Text:
    errors, check = _errors_of(evidence), evidence.records.get("verify")
    rows = figures_of(evidence.records)
    if "reference" in errors:
        rows.append((f"{errors['reference']:.4g}", f"{_metric(evidence)}, integers"))
        if errors["reference"] > 0 and "linear" in errors:
            times = _times(errors["linear"] / errors["reference"])
            rows.append((times, "less error than the linear floor"))
    if evidence.builds:
        build = evidence.builds[0][1]
        rows.append((rate(build), f"samples per second on {build['board']}"))
        rows.append((f"{build['used']['cells']:,}", f"logic cells on {build['board']}"))
    if check and check["verdict"] == "pass":
        rows.append((f"{check['checked']:,}", "output codes checked, none differs"))
    return Text(
        f'<header><p class="kind">rchw report</p><h1>{escape(evidence.name)}</h1>'
        f'<p class="lead">{escape(_summary(evidence))}</p>{tiles(rows)}'
        f'<p class="digest">design {code(evidence.digest)}</p></header>'
    )


def _prediction(evidence: Evidence) -> Iterator[Text]:
    train = evidence.records.get("train")
    if train is None:
        if not any(kind in evidence.records for kind in OTHERS):
            yield from missing("Prediction", "No training record here.", "rchw train")
        return
    yield section("Prediction against truth")
    if evidence.target is None or evidence.prediction is None:
        yield note("The series of the test samples is not beside its record.")
        return
    same = evidence.records.get("rtl", {}).get("identical")
    label = "integer reference and RTL" if same else "integer reference"
    shown = min(300, len(evidence.target))
    drawn = plot.prediction_figure(
        evidence.target, evidence.prediction, samples=shown, label=label, ylabel="value"
    )
    task = train["task"]
    steps = abs(task["horizon"])
    ahead = f"{steps} step{'s' * (steps != 1)} {'ahead' if task['horizon'] > 0 else 'back'}"
    caption = (
        f"The first {shown} of {train['test']['samples']:,} test samples, {ahead}, and below the "
        f"difference at the same scale. Data: {task['data']}."
    )
    yield figure(plot.svg(drawn, "prediction", themed=True), caption, "prediction against truth")


def _errors(evidence: Evidence) -> Iterator[Text]:
    train, errors = evidence.records.get("train"), _errors_of(evidence)
    if train is None or not errors:
        return
    yield section("How good that is")
    won = verdicts(train["test"]["errors"])
    beaten = [NAMES[key] for key, better in won.items() if better]
    missed = [NAMES[key] for key, better in won.items() if not better]
    text = f"The integers are below {listed(beaten)}." if beaten else "The integers beat no floor."
    if missed:
        text += f" Missed: {listed(missed)}, which needs no reservoir and does better."
    yield Text(f"<p>{escape(text)}</p>")
    roles = {"float": "ideal", "reference": "model", "rtl": "good"}
    drawn = plot.error_bars(
        {NAMES[key]: value for key, value in errors.items()},
        metric=_metric(evidence),
        roles={NAMES[key]: role for key, role in roles.items()},
    )
    named = plot.svg(drawn, "errors", themed=True)
    yield figure(named, "Every choice was made on the validation samples.", "errors")
    own = errors.get("reference", 0.0)
    rows = [
        [NAMES[key], f"{value:.6g}", _times(value / own) if own else "", _HOW[key]]
        for key, value in errors.items()
    ]
    strong = [index for index, key in enumerate(errors) if key in ("reference", "rtl")]
    yield grid(["predictor", f">{_metric(evidence)}", ">relative", "what it is"], rows, strong)
    rtl = evidence.records.get("rtl")
    if rtl and rtl["identical"]:
        yield note(
            f"All {rtl['samples']:,} samples of the series went through the simulated Verilog; the "
            f"last line is computed from the codes it gave, each of which equals the reference."
        )
    elif rtl:
        yield note(
            f"The Verilog differs from the reference: {local(evidence.folder, rtl['sentence'])}"
        )
    checked = train["validation"]
    told = {
        "validation error": f"{checked['compensated']:.6g} with compensated rounding of the "
        f"readout, {checked['nearest']:.6g} with nearest, {checked['real_readout']:.6g} unrounded",
        "clipped states": f"{100 * train['test']['clipped']:.2f} % on the test samples",
    }
    for layer in train.get("layers", ()):
        if layer["dead_band"]:
            low, high = layer["dead_band"]
            of = f" of {layer['name']}" if len(train["layers"]) > 1 else ""
            words = f"a state may rest {-low} below to {high} codes above its target"
            told[f"dead band{of}"] = words
    if train.get("adaptation"):
        told["adaptation"] = summary_words(train["adaptation"])
    yield facts(told)


def _times(ratio: float) -> str:
    return f"{ratio:.3g}\N{MULTIPLICATION SIGN}"


def _making(evidence: Evidence) -> Iterator[Text]:
    yield section("How it was made")
    yield Text("<pre>" + "\n".join(escape(line) for line in commands(evidence)) + "</pre>")
    tools: dict[str, str] = {}
    for record in [*evidence.records.values(), *(build for _, build in evidence.builds)]:
        tools |= record.get("tools", {})
    rows = {name: tools[name] for name in sorted(tools, key=str.lower)}
    for kind in ("train", *OTHERS):
        task = evidence.records.get(kind, {}).get("task", {})
        sequences = kind == "train-sequences"
        unit = "sequences" if sequences else "samples"
        names = ["train", "test"] if sequences else ["train", "validation", "test"]
        lengths = dict(zip(names, task.get("split", ()), strict=False))
        for name, value in task.get("split_sha256", {}).items():
            told = f"{lengths[name]:,}, " if name in lengths else ""
            label = f"{name} {unit}" if name in lengths else f"{name} of {unit}"
            rows[label] = Text(f"{told}sha256 {code(value)}")
    for _, build in evidence.builds:
        value = code(build["bitstream"]["sha256"])
        rows[f"bitstream, {build['board']}"] = Text(f"sha256 {value}")
    yield facts(rows)
    if evidence.left_out:
        listed = ", ".join(evidence.left_out)
        yield note(f"Left out, for they belong to another design: {listed}.")
    yield Text(f'<footer class="digest">design {code(evidence.digest)}</footer>')
