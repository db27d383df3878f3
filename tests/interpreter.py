"""An interpreter of design files, written from `docs/design-format.md` and nothing else.

It knows neither numpy nor rchw. It computes with exact rationals where the reference computes with
aligned integer codes, so that a wrong alignment cannot be wrong in both in the same way. Where the
two disagree, the page is wrong, or one of them has not done what it says.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

__all__ = ["Interpretation", "decode", "encode", "interpret"]


@dataclass(frozen=True)
class Format:
    """Section 1: ``sfixW_enF`` or ``ufixW_enF``."""

    signed: bool
    width: int
    frac: int

    @classmethod
    def of(cls, name: str) -> "Format":
        width, frac = name[4:].split("_en")
        return cls(name[0] == "s", int(width), int(frac))

    @property
    def least(self) -> int:
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def greatest(self) -> int:
        return (1 << (self.width - self.signed)) - 1

    def value(self, code: int) -> Fraction:
        return Fraction(code, 2**self.frac)


def rounded(r: Fraction, rounding: str) -> int:
    if rounding == "truncate":
        return math.floor(r)
    if rounding == "half-up":
        return math.floor(r + Fraction(1, 2))
    return round(r)  # Python rounds a fraction to the nearest integer, ties to even


def quantised(value: Fraction, to: Format, rounding: str, overflow: str) -> int:
    code = rounded(value * 2**to.frac, rounding)
    if overflow == "saturate":
        return min(max(code, to.least), to.greatest)
    code %= 1 << to.width
    return code - (1 << to.width) if code > to.greatest else code


def encode(document: dict[str, Any], values: Sequence[Sequence[float]]) -> list[list[int]]:
    """Section 3: input codes of rows of real inputs."""
    channels = list(document["inputs"])
    layer = document.get("layers", [{}])[0]
    if layer.get("family") == "external":
        channels += [{"format": layer["state"], "encoder": layer["encoder"]}] * layer["units"]
    plain = {"offset": 0.0, "gain": 1.0}
    taught = [e for e in document.get("feedback", []) if e["teacher"] == "stream"]
    for entry in taught:
        output = _output(document, entry["output"])
        channels.append({"format": output["format"], "encoder": output["decoder"]})
    if taught:
        channels.append({"format": f"ufix{len(taught)}_en0", "encoder": plain})
    channels = channels or [{"format": "ufix8_en0", "encoder": plain}]
    return [
        [_encoded(value, channel) for value, channel in zip(row, channels, strict=True)]
        for row in values
    ]


def _encoded(value: float, channel: dict[str, Any]) -> int:
    to, encoder = Format.of(channel["format"]), channel["encoder"]
    a = value - float(encoder["offset"])
    b = a / float(encoder["scale"]) if "scale" in encoder else a * float(encoder["gain"])
    scaled = b * 2.0**to.frac + 0.5
    if math.isinf(scaled):
        return to.greatest if scaled > 0 else to.least
    return min(max(math.floor(scaled), to.least), to.greatest)


def _output(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(o for o in document["readouts"][0]["outputs"] if o["name"] == name)
    return found


def decode(document: dict[str, Any], codes: Sequence[Sequence[int]]) -> list[list[float]]:
    """Section 6: real outputs of rows of output codes; an index is its own value."""
    if document["readouts"][0]["output"] == "argmax":
        return [[float(code) for code in row] for row in codes]
    return [
        [
            float(output["decoder"]["offset"])
            + float(output["decoder"]["scale"]) * (code * 2.0 ** -Format.of(output["format"]).frac)
            for code, output in zip(row, document["readouts"][0]["outputs"], strict=True)
        ]
        for row in codes
    ]


@dataclass
class Interpretation:
    """Codes of one run; `steps` holds the sums and targets of every unit on the way."""

    states: list[list[int]] = field(default_factory=list)
    outputs: list[list[int]] = field(default_factory=list)
    final_state: list[int] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)


class _External:
    """The end of section 4: states are the codes of the beat behind those of the channels."""

    def __init__(self, document: dict[str, Any], layer: dict[str, Any]) -> None:
        self.units: int = layer["units"]
        self.channels = len(document["inputs"])

    def step(
        self,
        before: Sequence[int],
        codes: Sequence[int],
        fed: Sequence[int],
        after: dict[str, list[Fraction]],
    ) -> dict[str, Any]:
        return {"before": before, "x": list(codes[self.channels :])}


class _Layer:
    """Section 4, with every code of the file turned into its value once."""

    def __init__(self, document: dict[str, Any], layer: dict[str, Any]) -> None:
        self.units: int = layer["units"]
        self.state = Format.of(layer["state"])
        self.rounding: str = layer["rounding"]
        leak = layer["leak_shift"]
        self.shifts: list[int] = leak if isinstance(leak, list) else [leak] * self.units
        self.gain, self.steps = (_values(layer[key]) for key in ("gain", "step"))
        self.activation: dict[str, Any] = layer["activation"]
        self.taps = [] if layer["taps"] is None else _taps(layer["taps"])
        self.matrix = [] if layer["matrix"] is None else _matrix(layer["matrix"])
        self.bias = [Format.of(layer["bias"]["format"]).value(b) for b in layer["bias"]["codes"]]
        channels = {c["name"]: Format.of(c["format"]) for c in document["inputs"]}
        places = [c["name"] for c in document["inputs"]]
        self.linear: list[tuple[int, Format, list[Fraction]]] = []
        self.level: list[tuple[int, list[int], list[Fraction], list[Fraction]]] = []
        self.matrices: list[tuple[str, list[dict[int, Fraction]]]] = []
        self.rings: list[tuple[str, list[tuple[int, list[Fraction]]]]] = []
        for entry in layer["inputs"]:
            if entry["kind"] == "matrix":
                self.matrices.append((entry["source"], _matrix(entry["matrix"])))
                continue
            if entry["kind"] == "taps":
                self.rings.append((entry["source"], _taps(entry["taps"])))
                continue
            place, of = places.index(entry["source"]), Format.of(entry["format"])
            if entry["kind"] == "linear":
                weights = [of.value(w) for w in entry["weights"]]
                self.linear.append((place, channels[entry["source"]], weights))
            else:
                low, high = ([of.value(w) for w in entry[key]] for key in ("low", "high"))
                self.level.append((place, entry["thresholds"], low, high))
        self.feedback: list[tuple[Format, list[Fraction]]] = []
        for entry in document["feedback"]:
            weight = Format.of(entry["format"])
            of = Format.of(_output(document, entry["output"])["format"])
            self.feedback.append((of, [weight.value(w) for w in entry["weights"]]))

    def sums(
        self,
        x: Sequence[int],
        u: Sequence[int],
        fed: Sequence[int],
        after: dict[str, list[Fraction]],
    ) -> list[Fraction]:
        values = [self.state.value(code) for code in x]
        sums = []
        for i in range(self.units):
            s = Fraction(0)
            for offset, weights in self.taps:
                s += weights[i] * values[(i - offset) % self.units]
            if self.matrix:
                s += sum(w * values[j] for j, w in self.matrix[i].items())
            for source, rows in self.matrices:
                s += sum(w * after[source][j] for j, w in rows[i].items())
            for source, taps in self.rings:
                for offset, weights in taps:
                    s += weights[i] * after[source][(i - offset) % len(after[source])]
            for place, of, weights in self.linear:
                s += weights[i] * of.value(u[place])
            for place, thresholds, low, high in self.level:
                s += high[i] if u[place] >= thresholds[i] else low[i]
            for (of, weights), code in zip(self.feedback, fed, strict=True):
                s += weights[i] * of.value(code)
            sums.append((self.gain[i] * s if self.gain else s) + self.bias[i])
        return sums

    def target(self, s: Fraction) -> int:
        law = self.activation
        if law["kind"] == "table":
            index = Format.of(law["index"])
            place = quantised(s, index, self.rounding, "saturate") + 2 ** (index.width - 1)
            entry: int = law["entries"][place]
            return entry
        z = rounded(s * 2**self.state.frac, self.rounding)
        if law["kind"] == "pwl":
            segment = [g for g in law["segments"] if g["start"] is None or g["start"] <= z][-1]
            z = rounded(Fraction(z, 2 ** segment["shift"]), self.rounding) + segment["offset"]
        return int(min(max(z, law["low"]), law["high"]))

    def step(
        self,
        before: Sequence[int],
        u: Sequence[int],
        fed: Sequence[int],
        after: dict[str, list[Fraction]],
    ) -> dict[str, Any]:
        sums = self.sums(before, u, fed, after)
        targets = [self.target(s) for s in sums]
        x = [self.updated(i, before[i], targets[i]) for i in range(self.units)]
        return {"before": before, "sums": sums, "targets": targets, "x": x}

    def updated(self, i: int, x: int, f: int) -> int:
        if self.steps:
            moved = x + rounded(self.steps[i] * f, self.rounding)
            return min(max(moved, self.state.least), self.state.greatest)
        shift = self.shifts[i]
        return x + rounded(Fraction(f - x, 2**shift), self.rounding) if shift else f


def _taps(taps: dict[str, Any]) -> list[tuple[int, list[Fraction]]]:
    """Offset and the weights of all units, of every tap."""
    of = Format.of(taps["format"])
    return [(tap["offset"], [of.value(w) for w in tap["weights"]]) for tap in taps["table"]]


def _matrix(matrix: dict[str, Any]) -> list[dict[int, Fraction]]:
    """Entries of every row by their columns."""
    of, codes = Format.of(matrix["format"]), matrix["codes"]
    rows: list[dict[int, Fraction]] = [{} for _ in codes]
    for i, row in enumerate(codes):
        places = matrix["columns"][i] if matrix["kind"] == "sparse" else range(len(row))
        for j, code in zip(places, row, strict=True):
            rows[i][j] = of.value(code)
            if matrix["kind"] == "antisymmetric":
                rows[j][i] = -of.value(code)
        if matrix["kind"] == "antisymmetric":
            rows[i][i] = of.value(matrix["diagonal"][i])
    return rows


def _values(table: dict[str, Any] | None) -> list[Fraction]:
    """Values of one code per unit, or of none."""
    if table is None:
        return []
    of = Format.of(table["format"])
    return [of.value(code) for code in table["codes"]]


def _features(
    document: dict[str, Any], after: dict[str, list[Fraction]], u: Sequence[int]
) -> list[Fraction]:
    """Section 5: values of all features; `after` holds those of the new states of every layer."""
    values: list[Fraction] = []
    for block in document["features"]:
        of = Format.of(block["format"])
        if block["kind"] == "states":
            values += after[block["layer"]]
        elif block["kind"] == "squares":
            rounding, states = block["rounding"], after[block["layer"]]
            squares = (quantised(state**2, of, rounding, "saturate") for state in states)
            values += [of.value(code) for code in squares]
        elif block["kind"] == "inputs":
            values += [of.value(code) for code in u]
        else:
            values.append(of.value(1))
    return values


class _Readout:
    """Section 6: weights as values, and what was added since a sequence began."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.readout = document["readouts"][0]
        weight = Format.of(self.readout["weights"]["format"])
        self.rows = [[weight.value(w) for w in row] for row in self.readout["weights"]["codes"]]
        self.formats = [Format.of(output["format"]) for output in self.readout["outputs"]]
        self.begin()

    def begin(self) -> None:
        self.sums, self.seen = [Fraction(0)] * len(self.rows), 0

    def take(self, features: Sequence[Fraction]) -> list[Fraction]:
        """Sums of the outputs after one more sample of the sequence."""
        start, segments = 0, self.readout["segments"]
        if self.readout["accumulate"] in ("each", "last"):
            self.sums = [Fraction(0)] * len(self.rows)
        else:
            segment = self.seen // segments["length"]
            self.seen += 1
            if segment >= segments["count"]:
                return self.sums
            start = segment * len(features)
        rows = [row[start : start + len(features)] for row in self.rows]
        self.sums = [
            total + sum(a * b for a, b in zip(row, features, strict=True))
            for total, row in zip(self.sums, rows, strict=True)
        ]
        return self.sums

    def answer(self) -> list[int]:
        law = self.readout["rounding"], self.readout["overflow"]
        codes = [
            quantised(total, to, *law) for total, to in zip(self.sums, self.formats, strict=True)
        ]
        return [codes.index(max(codes))] if self.readout["output"] == "argmax" else codes


def interpret(
    document: dict[str, Any],
    codes: Sequence[Sequence[int]],
    last: Sequence[bool] | None = None,
) -> Interpretation:
    """Run a design file on rows of input codes; `last` marks the ends of sequences.

    There are as many rows of outputs as samples, or as marks where a sequence has one answer.
    """
    channels = len(document["inputs"])
    external = document["layers"][0]["family"] == "external"
    kind = _External if external else _Layer
    layers = [(layer["name"], kind(document, layer)) for layer in document["layers"]]
    formats = {layer["name"]: Format.of(layer["state"]) for layer in document["layers"]}
    initial: list[int] = [0] * document["layers"][0]["units"] if external else []
    for entry in document["layers"] if not external else []:
        initial += entry["initial_state"]
    readout = _Readout(document)
    feedback = document["feedback"]
    names = [output["name"] for output in document["readouts"][0]["outputs"]]
    state, fed = list(initial), [entry["initial"] for entry in feedback]
    result = Interpretation()
    for t, u in enumerate(codes):
        step: dict[str, Any] = {}
        after: dict[str, list[Fraction]] = {}
        first = 0
        for name, layer in layers:
            own = layer.step(state[first : first + layer.units], u, fed, after)
            after[name] = [formats[name].value(code) for code in own["x"]]
            step = {key: step.get(key, []) + list(value) for key, value in own.items()}
            first += layer.units
        x = step["x"]
        features = _features(document, after, u[:channels])
        totals = readout.take(features)
        marked = last is not None and bool(last[t])
        if marked or readout.readout["accumulate"] == "each":
            result.outputs.append(readout.answer())
        if marked:
            readout.begin()
        result.states.append(x)
        result.steps.append(step | {"features": features, "totals": totals})
        ends = marked and document["reset"]["on_last"] and not external
        state = list(initial) if ends else x
        taught = 0
        for k, entry in enumerate(feedback):
            fed[k] = result.outputs[-1][names.index(entry["output"])]
            if entry["teacher"] == "stream":
                if (u[-1] >> taught) & 1:
                    fed[k] = u[channels + taught]
                taught += 1
            if ends:
                fed[k] = entry["initial"]
    result.final_state = state + fed
    return result
