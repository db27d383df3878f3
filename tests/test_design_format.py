"""The page `docs/design-format.md`: its interpreter, its example, its tables of keys."""

import hashlib
import json
import math
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from rchw.activation import Clip
from rchw.design import (
    AffineEncoder,
    Design,
    InputChannel,
    LinearInput,
    Output,
)
from rchw.document import digest, from_document, load, save, to_document
from rchw.errors import DesignError
from rchw.fixed import QFormat, Rounding
from rchw.ranges import dead_band
from rchw.reference import run
from tests.designs import designs, external_designs, stimulus
from tests.documents import PAGE, every_law, example, objects
from tests.interpreter import decode, encode, interpret, rounded
from tests.loops import feedback_designs

VALUES = [[0.9, 2.0], [1.4, 5.0], [-0.3, 0.4]]
LAST = [False, True, False]


def rows(header: list[str], body: list[list[Any]]) -> list[str]:
    """Markdown lines of a table."""
    cells = [" | ".join(str(cell) for cell in row) for row in [header, *body]]
    return [f"| {cells[0]} |", "|" + "---|" * len(header), *(f"| {row} |" for row in cells[1:])]


def worked_tables(document: Any) -> tuple[list[str], list[str], list[str]]:
    """Markdown tables of the example: inputs, states, outputs; from the interpreter alone."""
    codes = encode(document, VALUES)
    trace = interpret(document, codes, LAST)
    inputs = [
        [t, VALUES[t][0], codes[t][0], VALUES[t][1], codes[t][1], "yes" if LAST[t] else "no"]
        for t in range(3)
    ]
    states = []
    for t, step in enumerate(trace.steps):
        for i in range(3):
            s = step["sums"][i]
            z = rounded(s * 16, "half-up")
            square = int(32 * step["features"][3 + i])
            laws = [step["before"][i], int(64 * s), z, step["targets"][i], trace.states[t][i]]
            states.append([t, i, *laws, square])
    outputs = []
    decoded = decode(document, trace.outputs)
    for t, step in enumerate(trace.steps):
        cells: list[Any] = [t]
        for k in range(2):
            cells += [int(256 * step["totals"][k]), trace.outputs[t][k], decoded[t][k]]
        outputs.append(cells)
    return (
        rows(["t", "light", "code", "grade", "code", "last"], inputs),
        rows(["t", "i", "x before", "64 s", "z", "f", "x", "square"], states),
        rows(["t", "256 dose", "code", "value", "256 risk", "code", "value"], outputs),
    )


@seed(20261125)
@settings(max_examples=150, deadline=None, database=None)
@given(designs(), st.integers(0, 2**32 - 1))
def test_interpreter_and_reference_give_the_same_codes(design: Design, number: int) -> None:
    check_interpreter(design, number)


@seed(20261125)
@settings(max_examples=60, deadline=None, database=None)
@given(external_designs(), st.integers(0, 2**32 - 1))
def test_they_do_so_of_states_from_outside(design: Design, number: int) -> None:
    check_interpreter(design, number)


@seed(20261125)
@settings(max_examples=60, deadline=None, database=None)
@given(feedback_designs(), st.integers(0, 2**32 - 1))
def test_they_do_so_where_outputs_are_fed_back(design: Design, number: int) -> None:
    check_interpreter(design, number)


def check_interpreter(design: Design, number: int, last: Any = None) -> None:
    document = json.loads(json.dumps(to_document(design)))
    assert from_document(document) == design
    samples = 16 if last is None else len(last)
    codes, drawn = stimulus(design, np.random.default_rng(number), samples)
    last = drawn if last is None else last
    want = interpret(document, codes.tolist(), last.tolist())
    for compiled in (False, True):
        trace = run(design, codes, last, compiled=compiled)
        assert trace.states.tolist() == want.states
        assert trace.outputs.tolist() == want.outputs
        assert trace.final_state.tolist() == want.final_state
    assert decode(document, want.outputs) == design.decode(trace.outputs).tolist()


@seed(20261125)
@settings(max_examples=200, deadline=None, database=None)
@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-1e3, 1e3),
    st.floats(-1e3, 1e3).filter(bool),
    st.builds(QFormat, st.integers(1, 24), st.integers(0, 48), st.booleans()),
)
def test_encoders_agree_to_the_last_double(
    value: float, offset: float, gain: float, to: QFormat
) -> None:
    encoder = AffineEncoder(offset, gain)
    document = {
        "inputs": [{"format": str(to), "encoder": {"offset": offset, "gain": gain}}],
    }
    with np.errstate(over="ignore"):
        assert encode(document, [[value]]) == [[int(encoder.encode(value, to))]]


def test_the_example_of_the_page(tmp_path: Path) -> None:
    document = example()
    design = from_document(document)
    assert f"```json\n{save(design, tmp_path / 'example.json').read_text()}```" in PAGE
    assert load(tmp_path / "example.json") == design
    for table in worked_tables(document):
        assert "\n".join(table) + "\n" in PAGE
    codes = encode(document, VALUES)
    assert design.encode(VALUES).tolist() == codes
    trace, want = run(design, codes, LAST), interpret(document, codes, LAST)
    assert (trace.states.tolist(), trace.outputs.tolist()) == (want.states, want.outputs)
    low, high = dead_band(design.ring)
    assert f"The dead band of this layer, half-up with S = 1, is {low} to {high}." in PAGE


def test_the_digest_of_the_page() -> None:
    document = example()
    assert f"`{digest(from_document(document))}`" in PAGE
    document["provenance"] = {"seed": 1}
    shuffled = dict(reversed(document.items()))
    assert digest(from_document(shuffled)) == digest(from_document(example()))
    del document["provenance"]
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    assert f"`{hashlib.sha256(text.encode('ascii')).hexdigest()}`" in PAGE
    document = example()
    decoder = document["readouts"][0]["outputs"][1]["decoder"]
    decoder.update(offset=-0.0, scale=1)
    assert digest(from_document(document)) == digest(from_document(example()))
    decoder["scale"] = 1.0 + 2**-52
    assert digest(from_document(document)) != digest(from_document(example()))


@pytest.mark.parametrize(
    "path, value",
    [
        (["layers", 0, "rounding"], "truncate"),
        (["layers", 0, "rounding"], "half-even"),
        (["layers", 0, "leak_shift"], 2),
        (["layers", 0, "initial_state", 2], -3),
        (["layers", 0, "taps", "table", 1, "offset"], 0),
        (["layers", 0, "taps", "table", 1, "weights", 2], 0),
        (["layers", 0, "inputs", 0, "weights", 1], 1),
        (["layers", 0, "inputs", 1, "thresholds", 1], 2),
        (["layers", 0, "inputs", 1, "low", 2], 1),
        (["layers", 0, "bias", "codes", 0], -8),
        (["layers", 0, "bias", "format"], "sfix4_en3"),
        (["layers", 0, "activation", "high"], 14),
        (["layers", 0, "activation", "segments", 2, "shift"], 2),
        (["layers", 0, "activation", "segments", 0, "offset"], 20),
        (["features", 1, "rounding"], "half-up"),
        (["features", 1, "format"], "ufix4_en6"),
        (["features", 2, "format"], "ufix1_en1"),
        (["readouts", 0, "weights", "codes", 0, 6], 15),
        (["readouts", 0, "overflow"], "wrap"),
        (["reset", "on_last"], False),
    ],
)
def test_the_example_shows_a_fault(path: list[Any], value: Any) -> None:
    """A law read wrongly in one place shows in the example's codes."""
    document = example()
    codes = encode(document, VALUES)
    right = interpret(document, codes, LAST)
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    assert holder[path[-1]] != value
    holder[path[-1]] = value
    wrong = interpret(document, codes, LAST)
    assert (wrong.states, wrong.outputs) != (right.states, right.outputs)


def test_the_page_lists_exactly_the_keys_of_the_file() -> None:
    listed: dict[tuple[str, str], set[str]] = {}
    for heading, body in re.findall(r"^#### Keys of (.*)\n\n((?:\|.*\n)+)", PAGE, re.MULTILINE):
        path, *kinds = re.findall(r"`([^`]+)`", heading)
        for kind in kinds or [""]:
            listed[path, kind] = set(re.findall(r"^\| `([^`]+)` \|", body, re.MULTILINE))
    written: dict[tuple[str, str], set[str]] = {}
    for document in every_law():
        for path, kind, value in objects(document):
            where = (path, kind if (path, kind) in listed else "")
            assert written.setdefault(where, set(value)) == set(value)
    assert written == listed


def test_no_key_is_optional_and_none_is_unknown() -> None:
    count = 0
    for law in every_law():
        pristine = json.dumps(law)
        for index, (_, _, value) in enumerate(objects(law)):
            for key in [*value, "surplus"]:
                changed = json.loads(pristine)
                holder = list(objects(changed))[index][2]
                if key == "surplus":
                    holder[key] = 0
                else:
                    del holder[key]
                expected = "unknown key 'surplus'" if key == "surplus" else f"key {key!r}"
                with pytest.raises(DesignError, match=expected):
                    from_document(changed)
                count += 1
    assert count > 300


def refusals() -> list[tuple[str, Any]]:
    """Path and value of every entry in the table of section 10."""
    table = PAGE[PAGE.index("| path | refused") :].split("\n\n")[0]
    return [
        (path, json.loads(value))
        for path, values in re.findall(r"^\| `([^`]+)` \| (.*) \|$", table, re.MULTILINE)
        for value in re.findall(r"`([^`]+)`", values)
    ]


@pytest.mark.parametrize("path, value", refusals())
def test_what_is_not_built_is_refused_by_name(path: str, value: Any) -> None:
    document = example()
    holder = document
    keys: list[Any] = [int(k) if k.isdigit() else k for k in re.findall(r"\w+", path)]
    keys = keys[1:] if keys[0] == "design" else keys
    for key in keys[:-1]:
        holder = holder[key]
    holder[keys[-1]] = value
    sentence = re.escape(path) + " must .* in this release, not .*: .* not built yet$"
    with pytest.raises(DesignError, match=sentence):
        from_document(document)


def test_the_table_of_refusals_is_read() -> None:
    assert len(refusals()) == 4
    document = example()
    document["readouts"] *= 2
    with pytest.raises(DesignError, match="readouts must hold one entry in this release, not 2"):
        from_document(document)
    document = example()
    document["layers"][0]["family"] = "reservoir"
    with pytest.raises(DesignError, match="one of ring, euler-ring, leaky, euler, external"):
        from_document(document)


@pytest.mark.parametrize(
    "path, value, sentence",
    [
        (["version"], 2, "design.version must be 1, the only one this release reads, not 2"),
        (["format"], "other", "design.format must be 'rchw-design', not 'other'"),
        (["streams"], 1.0, "design.streams must be 1 in this release"),
        (["layers", 0, "units"], 3.0, r"layers\[0\].units must be an integer, not 3.0"),
        (["layers", 0, "units"], True, "units must be an integer, not true"),
        (["layers", 0, "leak_shift"], 0, "must be at least 1 with update 'leaky', in one unit"),
        (["layers", 0, "leak_shift"], [0, 0, 0], r"with update 'leaky', .*, not \[0, 0, 0\]"),
        (["layers", 0, "leak_shift"], [1, 2], "leak shifts must be one or 3, one per unit, not 2"),
        (["layers", 0, "update"], "replace", "leak_shift must be 0 with update 'replace', not 1"),
        (["layers", 0, "update"], "increment", "update must be one of replace, leaky, not 'incr"),
        (
            ["layers", 0, "step"],
            {"format": "sfix4_en3", "codes": [1, 1, 1]},
            r"layers\[0\].step must be null with update 'leaky'",
        ),
        (["layers", 0, "matrix"], {"kind": "dense"}, r"matrix must be null with family 'ring'"),
        (["layers", 0, "family"], "leaky", r"taps must be null with family 'leaky'"),
        (["layers", 0, "horizon"], 5, r"layers\[0\].horizon must be null with update 'leaky'"),
        (["layers", 0, "gain"], {"format": "sfix4_en3"}, r"layers\[0\].gain must have the key 'co"),
        (["layers", 0, "initial_state"], [], "must have one code per unit, not none"),
        (["layers", 0, "state"], "sfix06_en4", r"state: format must .*, not 'sfix06_en4'"),
        (["layers", 0, "inputs", 1, "source"], "light", "source must be 'grade'"),
        (["layers", 0, "inputs", 0, "weights", 0], 4, r"must be from -4 to 3 \(sfix3_en1\), not 4"),
        (["features", 1, "layer"], "other", r"features\[1\].layer must be 'ring', not 'other'"),
        (["inputs", 0, "name"], "last", "input name must be other than 'last'"),
        (["inputs", 0, "encoder", "gain"], 10**400, "gain must be a finite number, not 1000"),
        (["inputs", 0, "encoder", "offset"], float("nan"), "offset must be a finite number"),
        (["readouts", 0, "multipliers"], 3, "multipliers must be one of 1, 2, 4 for 1 lanes"),
        (
            ["readouts", 0, "segments"],
            {"length": 2, "count": 1},
            "^segments must be left out where a readout accumulates 'each'$",
        ),
        (
            ["readouts", 0, "accumulate"],
            "sum",
            "^segments must be given where a readout accumulates 'sum'$",
        ),
        (
            ["readouts", 0, "accumulate"],
            "mean",
            r"accumulate must be one of each, last, sum, segments, not 'mean'$",
        ),
        (
            ["readouts", 0, "output"],
            "argmax",
            "^outputs must share one format for argmax, not have sfix6_en4 and ufix4_en2$",
        ),
    ],
)
def test_a_broken_rule_is_named(path: list[Any], value: Any, sentence: str) -> None:
    document = example()
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    with pytest.raises(DesignError, match=sentence):
        from_document(document)


@pytest.mark.parametrize(
    "text, sentence",
    [
        ('{"format": "rchw-design", "format": "rchw-design"}', "every key once, not 'format'"),
        ('{"version": NaN}', "JSON with finite numbers, not NaN"),
        ('{"version": -Infinity}', "JSON with finite numbers, not -Infinity"),
        ('{"version": ' + "1" * 5000 + "}", "JSON of sane numbers"),
        ("[" * 100000, "JSON of a sane depth"),
        ('{"format": ', "must be JSON, but is broken at line 1"),
        ("[]", "design must be an object, not"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(text)
    with pytest.raises(DesignError, match=sentence) as caught:
        load(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("shift", [0, 1, 2, 5, 10])
def test_the_dead_band_is_where_the_step_rounds_to_zero(rounding: Rounding, shift: int) -> None:
    layer = replace(from_document(example()).ring, rounding=rounding, leak_shift=shift)
    low, high = dead_band(layer)
    reach = 2 << shift
    still = [
        d for d in range(-reach, reach + 1) if rounded(Fraction(d, 2**shift), rounding.value) == 0
    ]
    assert still == list(range(low, high + 1))
    for d in range(-reach, reach + 1):  # never past the target
        assert min(0, d) <= rounded(Fraction(d, 2**shift), rounding.value) <= max(0, d)


@pytest.mark.parametrize("rounding", list(Rounding))
def test_a_leaking_state_comes_to_rest_in_the_dead_band(rounding: Rounding) -> None:
    """A constant target of 40, from both sides, in the reference."""
    state, target, shift = QFormat(8), 40, 3
    design = from_document(example())
    layer = replace(
        design.ring, n_units=2, state=state, taps=(), rounding=rounding, leak_shift=shift,
        inputs=(LinearInput(QFormat(2), (0, 0)),), bias_format=state, bias=(target, target),
        activation=Clip(-128, 127), initial_state=(-128, 127),
    )  # fmt: skip
    readout = replace(
        design.readout, outputs=(Output("y", state),), weights=((1, 1),), multipliers=1
    )
    features = replace(design.features, squares=None, one=None)
    held = Design("held", (InputChannel("u", state),), (layer,), features, readout)
    rest = run(held, np.zeros((200, 1), dtype=np.int64)).states[-2:]
    low, high = dead_band(layer)
    # Each state stops at the edge that it meets first.
    assert (target - rest).tolist() == [[high, low], [high, low]]


def test_the_interpreter_knows_only_the_standard_library() -> None:
    source = (Path(__file__).parent / "interpreter.py").read_text()
    found = re.findall(r"^(?:from|import) (\w+)", source, re.MULTILINE)
    assert set(found) == {"math", "collections", "dataclasses", "fractions", "typing"}


def test_quantising_of_the_page_in_numbers() -> None:
    """The figures of section 1."""
    assert [rounded(Fraction(-3, 2), mode.value) for mode in Rounding] == [-2, -1, -2]
    assert (QFormat.parse("sfix8_en7").min, QFormat.parse("sfix8_en7").max) == (-128, 127)
    assert math.isclose(127 / 128, 0.9921875, rel_tol=0, abs_tol=0)
