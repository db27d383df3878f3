"""The page of the accuracy benchmark, from its record alone."""

from collections.abc import Iterator
from typing import Any

from benchmarks.accuracy_rows import FLOORS

__all__ = ["markdown", "targets"]

Measured = dict[str, Any]
_LETTERS = {"persistence": "P", "linear": "L", "quadratic_ring": "Q", "volterra": "V", "nvar": "A"}
_UNITS = (50, 100, 200)
# Means over ten other streams, measured with the same protocol before this project was written.
_LINEAR_READOUT = {50: 0.154, 100: 0.062, 200: 0.031}
_SQUARES = {50: 0.046, 100: 0.033, 200: 0.022}
_EIGHT_BITS = {100: 0.060, 200: 0.035}
_SIXTEEN_BITS = {50: 1.1, 100: 1.1, 200: 1.05}  # times the error of float
_ABOUT = 1.1  # other streams: what differs by less is the same

_INTRODUCTION = """\
All choices (hyperparameters, lambda) are made by validation error on streams of seeds 2000 and up.
Then, on each test stream, only the readout is trained on the training samples, and the test samples
are evaluated once. The sunspots and the laser are one series each: choices read its validation
samples. Integer rows are whole designs, input, states, readout weights and outputs in integers, as
the circuit computes them: 8-bit inputs and states with 12-bit readout weights, or 16-bit with
18-bit; outputs of 16 bits. Floors choose their ring, their delays and lambda from 1e-14 on the
validation samples of each test stream itself, which is a little in their favour. Letters behind a
figure name the floors that it is below: P persistence, L linear filter of 60 taps, Q *linear* ring
of N units with squares, V order-2 Volterra filter of 2 N features, A nonlinear vector
autoregression (NVAR): delayed inputs and their products of two or three, at most 300 features
whatever N is; it needs no reservoir.
`python -m benchmarks.accuracy --rows floors,nvar` measures the floors again and nothing else."""

_NARMA = """\
Ten test streams (seeds 3000 to 3009), 2000 training samples of which 200 are washout, 3000 for
validation, 3000 for the test. Mean NMSE, median in brackets: single streams have bursts.

NARMA-10 is a problem of order 2: its nonlinearity is a product of two inputs and a product of
outputs. A linear ring with squares in the readout, and a Volterra filter, have all it takes, so a
figure that is not below Q and V says nothing of the activation. What a readout of `[x, 1]` gains
over the linear filter in floating point comes from curvatures of nearly linear units, read with
lambda down to 1e-14; those are finer than 16 bits, and the 16-bit row of the same features shows
what is left of it.

Rows named *signs of pi* are the classic ring of one input magnitude with a bias. In the others the
search also chooses among 16 sign patterns and four-level input weights, as it does for integers.
The bound of 1.1 or 1.05 times the float result is therefore told twice, of the classic ring and of
the best float ring that the same search finds, which these searches do not bring into 16 bits;
[codesign.md](codesign.md) searches longer for the same target."""

_TASKS = """\
N = 100, squares in every readout, mean over five test streams (laser and sunspots: the one series
there is); SER (symbol error rate) for the channel, NMSE for the others. Searches are short here (30
candidates), and integer rows clip. An integer row below its float row has found a better point of
the same space, not more precision. Where no row is below A, the
autoregression predicts the series at least as well as any reservoir here."""

_LOOP = """\
N = 100 with squares. One step ahead an integer design cannot be better than the rounding of its
output format, which is printed beside it, as is the autoregression, which is not run in a loop. In
the closed loop the decoded output is encoded as the next input; the valid prediction time is the
number of samples until the error exceeds 0.4 standard deviations. Lambda of the closed loop is the
one of the longest valid prediction time on the validation samples of the tuning streams."""

_ACTIVATION = """\
The same short search with other activations, N = 100, squares in every readout; narma10 on all ten
test streams. Q is what a linear
ring with the same features reaches; *float, linear* is that ring once more, tuned like the rows
below it. A table is indexed by 10 bits, so that 16-bit states gain nothing from it but its steps;
the piecewise-linear form has none."""

_FAMILIES = """\
Rings beside matrices, and three layers of either in series, N = 50 in all, squares in every
readout; 30 candidates chosen on one stream, three test streams. Integer rows have 12-bit inputs and
states, 16-bit readout weights, 8-bit matrices, and clip; float rows have tanh and real leak rates.
In rows *shifts 0..4* these are spread from 1 to 1/16, in rows *10 %* a unit reads a tenth of the
others. A dense matrix takes N times as many products per sample as a cycle, so at one size of
circuit a cycle may have far more units."""


def _figure(value: float) -> str:
    return f"{value:.2e}" if value < 1e-3 else f"{value:.4f}"


def _below(rows: dict[str, Measured], prefix: str, row: Measured) -> str:
    """Letters of the floors that the mean of a row is below."""
    return "".join(
        letter
        for key, letter in _LETTERS.items()
        if f"{prefix}/{key}" in rows and row["mean"] < rows[f"{prefix}/{key}"]["mean"]
    )


def _cell(rows: dict[str, Measured], prefix: str, key: str, median: bool = True) -> str:
    row = rows.get(f"{prefix}/{key}")
    if row is None:
        return ""
    text = _figure(row["mean"]) + (f" ({_figure(row['median'])})" if median else "")
    letters = "" if key in _LETTERS else _below(rows, prefix, row)
    return f"{text} {letters}".strip()


def _keys(rows: dict[str, Measured], section: str) -> dict[str, str]:
    """Titles of the rows of a section by the last part of their keys, floors first."""
    found = dict(FLOORS)
    for key, row in rows.items():
        if key.startswith(f"{section}/"):
            found.setdefault(key.rsplit("/", 1)[1], row["title"])
    return found


def _table(
    rows: dict[str, Measured], section: str, columns: dict[str, str], median: bool
) -> Iterator[str]:
    yield "| | " + " | ".join(columns.values()) + " |"
    yield "|---|" + "---:|" * len(columns)
    for key, title in _keys(rows, section).items():
        cells = (_cell(rows, f"{section}/{column}", key, median) for column in columns)
        yield f"| {title} | " + " | ".join(cells) + " |"


def targets(rows: dict[str, Measured]) -> list[tuple[str, float, float, bool]]:
    """Find (what, bound, measured, met) of every target whose rows are there.

    A target that is said to be *about* a figure is met by at most 1.1 times that figure.
    """
    found: list[tuple[str, float, float, bool]] = []

    def add(what: str, bound: float, key: str, slack: float = 1.0) -> None:
        if key in rows:
            mean = rows[key]["mean"]
            found.append((what, bound, mean, mean <= bound * slack))

    for n in _UNITS:
        key = f"narma/{n}/float-classic"
        add(f"float, [x, 1], N = {n}: about", _LINEAR_READOUT[n], key, _ABOUT)
    for n in _UNITS:
        key = f"narma/{n}/float-classic-squares"
        add(f"float, [x, x², 1], N = {n}: about", _SQUARES[n], key, _ABOUT)
    for kind, title in (("float-classic-squares", "signs of pi"), ("float-squares", "searched")):
        for n in _UNITS:
            if f"narma/{n}/{kind}" in rows:
                times = _SIXTEEN_BITS[n]
                bound = times * rows[f"narma/{n}/{kind}"]["mean"]
                what = f"16 bits, [x, x², 1], N = {n}: at most {times:g} times float ({title})"
                add(what, bound, f"narma/{n}/int16-squares")
    for n, bound in _EIGHT_BITS.items():
        add(f"8 bits, [x, x², 1], N = {n}: at most", bound, f"narma/{n}/int8-squares")
    return found


def _target_table(rows: dict[str, Measured]) -> Iterator[str]:
    yield "| target | bound | measured | |"
    yield "|---|---:|---:|---|"
    for what, bound, measured, met in targets(rows):
        yield f"| {what} | {bound:.4f} | {measured:.4f} | {'met' if met else '**missed**'} |"


def _linear_readout(rows: dict[str, Measured]) -> Iterator[str]:
    """One sentence on states of 16 bits without squares."""
    found = {n: f"narma/{n}/int16" for n in _UNITS if f"narma/{n}/int16" in rows}
    if found:
        figures = ", ".join(f"{rows[key]['mean']:.4f} (N = {n})" for n, key in found.items())
        floor = rows[f"narma/{min(found)}/linear"]["mean"]
        yield f"A linear readout of 16-bit states: {figures}; the linear floor is {floor:.4f}."


def _chosen(rows: dict[str, Measured], section: str) -> Iterator[str]:
    titles = "row activation feedback scaling bias levels signs lambda clipped tried".split()
    yield f"| {' | '.join(titles)} |"
    yield "|---|---|---:|---:|---:|---|---:|---:|---:|---:|"
    for key, row in rows.items():
        if key.startswith(f"{section}/") and "chosen" in row:
            point = row["chosen"]
            clipped = f"{row['clipped']:.2%}" if "clipped" in row else ""
            tried = f"{row['searches']} x {row['candidates']}"
            yield (
                f"| {key.removeprefix(f'{section}/')} | {row['options']['activation']} | "
                f"{point['feedback']:g} | "
                f"{point['input_scaling']:g} | {point['bias']:g} | "
                f"{'four' if point['levels'] else 'one'} | {point['window']} | "
                f"{row['regularisation']:.1g} | {clipped} | {tried} |"
            )


def _readouts(rows: dict[str, Measured]) -> Iterator[str]:
    yield "| row | real weights | compensated | nearest rounding |"
    yield "|---|---:|---:|---:|"
    for key, row in rows.items():
        if key.startswith("narma/") and "validation_nearest" in row:
            cells = (row[f"validation_{k}"] for k in ("real_readout", "compensated", "nearest"))
            yield f"| {key.removeprefix('narma/')} | " + " | ".join(map(_figure, cells)) + " |"


def _loop(rows: dict[str, Measured]) -> Iterator[str]:
    yield "| | NMSE one step ahead | lambda | valid prediction time, mean (median) | its lambda |"
    yield "|---|---:|---:|---:|---:|"
    for key, row in rows.items():
        if not key.startswith("loop/"):
            continue
        cells = [_figure(row["mean"]), "", "", ""]
        if "times" in row:
            cells[1:] = [
                f"{row['regularisation']:.1g}",
                f"{row['mean_time']:.0f} ({row['median_time']:.0f})",
                f"{row['regularisation_loop']:.1g}",
            ]
        yield f"| {row['title']} | " + " | ".join(cells) + " |"


def _verdicts(rows: dict[str, Measured], section: str, columns: dict[str, str]) -> Iterator[str]:
    """Of every column: what is below all floors, what is not below Q, and what is not below A."""
    for column, name in columns.items():
        prefix = f"{section}/{column}"
        models = [k for k in _keys(rows, section) if k not in FLOORS and f"{prefix}/{k}" in rows]
        letters = {k: _below(rows, prefix, rows[f"{prefix}/{k}"]) for k in models}
        title = {k: rows[f"{prefix}/{k}"]["title"] for k in models}
        every = "; ".join(title[k] for k in models if len(letters[k]) == len(_LETTERS))
        above = ("; ".join(title[k] for k in models if one not in letters[k]) for one in "QA")
        ring, products = (found or "none" for found in above)
        yield (
            f"- {name}: below every floor: {every or 'none'}. "
            f"Not below the linear ring with squares: {ring}. "
            f"Not below the autoregression: {products}."
        )


def markdown(record: Measured) -> str:
    """Make the page of a record; parts not measured yet are left out."""
    rows: dict[str, Measured] = record["rows"]
    sizes = {str(n): f"N = {n}" for n in _UNITS if f"narma/{n}/linear" in rows}
    tasks = _columns(rows, "tasks")
    activation = _columns(rows, "activation")
    families = _columns(rows, "families")
    here = record["environment"]
    versions = ", ".join(f"{name} {version}" for name, version in here["versions"].items())
    seconds = sum(row.get("seconds", 0.0) for row in rows.values())
    lines = ["# Accuracy", "", f"Made by `{record['command']}`.", "", _INTRODUCTION, ""]
    if sizes:
        lines += ["## Targets", "", *_target_table(rows), ""]
        lines += ["## NARMA-10", "", _NARMA, "", *_table(rows, "narma", sizes, True), ""]
        lines += [*_linear_readout(rows), "", *_verdicts(rows, "narma", sizes), ""]
        lines += ["What the searches chose (*signs* numbers the pattern):", ""]
        lines += [*_chosen(rows, "narma"), ""]
        lines += [
            "Cost of integer readout weights, NMSE on the validation samples of the test streams:",
            "",
            *_readouts(rows),
            "",
        ]
    if tasks:
        lines += ["## Other tasks", "", _TASKS, "", *_table(rows, "tasks", tasks, False), ""]
        lines += [*_verdicts(rows, "tasks", tasks), ""]
    if any(key.startswith("loop/") for key in rows):
        lines += ["## Mackey-Glass, one step ahead and in a closed loop", "", _LOOP, ""]
        lines += [*_loop(rows), ""]
    if activation:
        lines += ["## What the activation is worth", "", _ACTIVATION, ""]
        lines += [*_table(rows, "activation", activation, False), ""]
        lines += [*_verdicts(rows, "activation", activation), ""]
    if families:
        lines += ["## Rings and matrices", "", _FAMILIES, ""]
        lines += [*_table(rows, "families", families, False), ""]
        lines += [*_verdicts(rows, "families", families), ""]
    lines += [
        f"Python {here['python']}, {versions}; BLAS {', '.join(here['blas'])}; {here['machine']}; "
        f"{seconds / 60:.0f} minutes of a shared machine. SHA-256 of the splits of every stream: "
        f"[results/accuracy.json](results/accuracy.json).",
    ]
    return "\n".join(lines) + "\n"


def _columns(rows: dict[str, Measured], section: str) -> dict[str, str]:
    """Tasks of a section by the middle part of their keys."""
    names = [key.split("/")[1] for key in rows if key.startswith(f"{section}/")]
    titles = {"mackey-glass": "mackey-glass, 84 ahead"}
    return {name: titles.get(name, name) for name in dict.fromkeys(names)}
