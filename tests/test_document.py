"""The design file: what is written is read back, and everything else is refused by name."""

import hashlib
import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

import rchw
from rchw.activation import Clip, tanh_table
from rchw.design import AffineEncoder, Design, Output
from rchw.document import digest, from_document, load, save, to_document
from rchw.errors import DesignError, RchwError
from rchw.fixed import QFormat
from tests.designs import designs
from tests.examples import ANTISYMMETRIC, EULER, EXAMPLE, MATRIX

GOLDEN = "b02e72332f21a31d9917c9852fefe5219e924af540fc8c1fb4344e195cf62a66"  # of EXAMPLE

Document = dict[str, Any]


@settings(max_examples=200, deadline=None)
@given(designs())
def test_reading_undoes_writing(design: Design) -> None:
    """Through the dictionary and through the text, provenance included."""
    design = replace(
        design, provenance={"errors": [0.1, 2], "task": {"name": "ünïcode", "x": None}}
    )
    document = to_document(design)
    for again in (from_document(document), from_document(json.loads(json.dumps(document)))):
        assert again == design
        assert again.provenance == design.provenance
        assert to_document(again) == document
        assert digest(again) == digest(design)


def test_a_file_is_read_back_and_written_the_same(tmp_path: Path) -> None:
    first = save(EXAMPLE, tmp_path / "new" / "a.json")
    design = load(first)
    assert design == EXAMPLE and design.provenance == EXAMPLE.provenance
    second = rchw.save(rchw.load(str(first)), tmp_path / "b.json")
    assert first.read_bytes() == second.read_bytes()
    assert json.loads(first.read_text()) == to_document(EXAMPLE)


def test_the_digest_is_that_of_the_written_rule() -> None:
    """SHA-256 of the document without provenance, keys sorted, no spaces; a known value."""
    document = {k: v for k, v in to_document(EXAMPLE).items() if k != "provenance"}
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(canonical.encode()).hexdigest() == GOLDEN
    assert digest(EXAMPLE) == GOLDEN
    assert digest(replace(EXAMPLE, provenance={"other": 1})) == GOLDEN


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all values in a document that hold no others."""
    if isinstance(value, dict) and value:
        return [leaf for key, item in value.items() for leaf in leaves(item, (*path, key))]
    if isinstance(value, list) and value:
        return [leaf for k, item in enumerate(value) for leaf in leaves(item, (*path, k))]
    return [path]


def at(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


def edited(path: tuple[Any, ...], value: Any, design: Design = EXAMPLE) -> Document:
    document = deepcopy(to_document(design))
    at(document, path[:-1])[path[-1]] = value
    return document


def test_every_change_of_a_value_changes_the_digest_or_is_refused() -> None:
    """No value of the file is without effect, but for the provenance."""
    refused = changed = 0
    for path in leaves(to_document(EXAMPLE)):
        old = at(to_document(EXAMPLE), path)
        others: list[Any] = [None] if old is not None else [1]
        if isinstance(old, bool):
            others = [not old]
        elif isinstance(old, int):
            others = [old + 1, old - 1]
        elif isinstance(old, float):
            others = [old + 0.5]
        elif isinstance(old, str):
            later = {"half-even": "half-up", "half-up": "truncate", "wrap": "saturate"}
            others = [later.get(old, old.replace("_en", "1_en") if "fix" in old else old + "x")]
        for other in others:
            try:
                got = digest(from_document(edited(path, other)))
            except DesignError:
                refused += 1
                continue
            assert (got == digest(EXAMPLE)) == (path[0] == "provenance"), path
            changed += 1
    assert changed > 60 and refused > 20


def test_a_broken_weight_bit_is_seen() -> None:
    """One bit of one weight gives another digest."""
    path = ("readouts", 0, "weights", "codes", 1, 5)
    weight = at(to_document(EXAMPLE), path)
    assert digest(from_document(edited(path, weight ^ 1))) != digest(EXAMPLE)


def test_equal_designs_have_equal_digests() -> None:
    """However a number was spelled in Python."""
    wind = replace(EXAMPLE.inputs[0], encoder=AffineEncoder(-0.0, 2))
    same = replace(EXAMPLE.inputs[0], encoder=AffineEncoder(0, 2.0))
    power, trend = EXAMPLE.readout.outputs
    spelled = []
    for channel, scale in ((wind, 3), (same, 3.0)):
        outputs = (Output(power.name, power.format, -0.0, scale), trend)
        readout = replace(EXAMPLE.readout, outputs=outputs)
        inputs = (channel, EXAMPLE.inputs[1])
        spelled.append(replace(EXAMPLE, inputs=inputs, readout=readout))
    assert spelled[0] == spelled[1]
    assert digest(spelled[0]) == digest(spelled[1])
    assert digest(from_document(to_document(spelled[0]))) == digest(spelled[1])


def objects(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all objects of a document, the provenance left out."""
    found = [path] if isinstance(value, dict) else []
    items: Any = value.items() if isinstance(value, dict) else ()
    for key, item in enumerate(value) if isinstance(value, list) else items:
        if key != "provenance":
            found += objects(item, (*path, key))
    return found


def every_kind() -> list[Design]:
    """Designs that together hold every kind of object the format has."""
    clip = replace(EXAMPLE.ring, activation=Clip(-9, 9))
    table = replace(EXAMPLE.ring, activation=tanh_table(EXAMPLE.ring.state, 4)[0])
    leaks = replace(EXAMPLE.ring, leak_shift=(0, 1, 15, 2, 0))
    layers = (clip, table, leaks)
    return [
        EXAMPLE,
        EULER,
        MATRIX,
        ANTISYMMETRIC,
        *(replace(EXAMPLE, layers=(layer,)) for layer in layers),
    ]


def test_unknown_and_missing_keys_are_refused_at_every_level() -> None:
    tried = 0
    for design in every_kind():
        for path in objects(to_document(design)):
            document = deepcopy(to_document(design))
            at(document, path)["surprise"] = 1
            with pytest.raises(DesignError, match=r"has the unknown key 'surprise'$"):
                from_document(document)
            for key in at(to_document(design), path):
                document = deepcopy(to_document(design))
                del at(document, path)[key]
                with pytest.raises(DesignError, match=rf"must have the key '{key}'$"):
                    from_document(document)
                tried += 1
    assert tried > 150


def test_values_of_another_type_are_refused_at_every_level() -> None:
    """No traceback, whatever is put where."""
    for design in every_kind():
        for path in leaves(to_document(design)):
            if path[0] == "provenance":
                continue
            old = at(to_document(design), path)
            for other in (None, True, 1.5, "text", [1], {"a": 1}, -(10**400), float("nan")):
                if other == old or (isinstance(old, float) and other == 1.5):
                    continue
                document = edited(path, other, design)
                try:
                    from_document(document)
                except DesignError as error:
                    assert "\n" not in str(error)
                    continue
                free = path[-1] in ("name", "start") or (path[-1], other) == ("horizon", None)
                assert free, (path, other)


LATER: dict[str, tuple[tuple[Any, ...], Any, str]] = {
    "two readouts": (("readouts",), [{}, {}], "several readouts are not built yet"),
    "memory": (("readouts", 0, "storage"), "memory", "loading of weights is not built yet"),
    "learning": (("learning",), [{}], "readouts that learn are not built yet"),
    "streams": (("streams",), 2, "interleaved streams are not built yet"),
}


@pytest.mark.parametrize("case", LATER)
def test_what_is_not_built_yet_is_refused_by_name(case: str) -> None:
    path, value, why = LATER[case]
    with pytest.raises(DesignError) as error:
        from_document(edited(path, value))
    sentence = str(error.value)
    assert sentence.endswith(why) and "in this release, not " in sentence
    assert str(next(key for key in reversed(path) if isinstance(key, str))) in sentence


WRONG: dict[str, tuple[tuple[Any, ...], Any, str]] = {
    "format": (("format",), "other", r"^design.format must be 'rchw-design', not 'other'$"),
    "version": (("version",), 2, r"^design.version must be 1, .* not 2$"),
    "weight": (
        ("readouts", 0, "weights", "codes", 0, 2),
        16,
        r"^readout weights of output power\[2\] must be from -16 to 15 \(sfix5_en3\), not 16$",
    ),
    "tap": (
        ("layers", 0, "taps", "table", 0, "weights", 3),
        -9,
        r"^weights of tap 1\[3\] must be from -8 to 7 \(sfix4_en2\), not -9$",
    ),
    "length": (("layers", 0, "bias", "codes"), [0] * 4, r"^bias must have 5 codes, not 4$"),
    "no state": (
        ("layers", 0, "initial_state"),
        [],
        r"^layers\[0\].initial_state must have one code per unit, not none$",
    ),
    "format name": (
        ("layers", 0, "state"),
        "Q1.5",
        r"^layers\[0\].state: format must look like 'sfix16_en12' .* not 'Q1.5'$",
    ),
    "state feature": (
        ("features", 0, "format"),
        "sfix6_en4",
        r"^format of the feature states must be sfix6_en5, not sfix6_en4$",
    ),
    "input feature": (
        ("features", 2, "format"),
        "sfix4_en2",
        r"^format of the feature inputs must be sfix4_en3, not sfix4_en2$",
    ),
    "layer of a feature": (
        ("features", 1, "layer"),
        "other",
        r"^features\[1\].layer must be 'ring', not 'other'$",
    ),
    "source": (
        ("layers", 0, "inputs", 1, "source"),
        "wind",
        r"^layers\[0\].inputs\[1\].source must be 'rain', .* not 'wind'$",
    ),
    "leak": (
        ("layers", 0, "leak_shift"),
        0,
        r"^layers\[0\].leak_shift must be at least 1 with update 'leaky', .* not 0$",
    ),
    "no layer": (("layers",), [], r"^design.layers must hold one entry at least, not none$"),
    "multipliers": (
        ("readouts", 0, "multipliers"),
        3,
        r"^multipliers must be one of 1, 2, 4, 8 for 2 lanes and 2 outputs, not 3$",
    ),
    "encoder": (
        ("inputs", 0, "encoder", "kind"),
        "log",
        r"^inputs\[0\].encoder.kind must be one of affine, not 'log'$",
    ),
    "provenance": (
        ("provenance", "source"),
        float("inf"),
        r"^design.provenance must be JSON with finite numbers$",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_breaks_a_rule_is_refused_with_the_place(case: str) -> None:
    path, value, sentence = WRONG[case]
    with pytest.raises(DesignError, match=sentence):
        from_document(edited(path, value))


def test_features_keep_their_order() -> None:
    features = to_document(EXAMPLE)["features"]
    for rows in (features[::-1], features[:2] + features[1:]):
        with pytest.raises(DesignError, match="features must follow the order states, squares"):
            from_document(edited(("features",), rows))


@pytest.mark.parametrize("document", [None, [], "design", 1, {}])
def test_a_document_of_another_kind_is_refused(document: Any) -> None:
    with pytest.raises(DesignError, match=r"^design must (be an object|have the key 'format')"):
        from_document(document)


def text(change: Callable[[str], str]) -> bytes:
    return change(json.dumps(to_document(EXAMPLE))).encode()


BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", r"must be JSON, but is broken at line 1: Expecting value$"),
    "truncated": (text(lambda t: t[: len(t) // 2]), r"must be JSON, but is broken at line 1: "),
    "not text": (b"\xff\xfe\x00", r"must be a readable design file: "),
    "deep": (b"[" * 100_000, r"must be JSON of a sane depth"),
    "long": (b"9" * 5000, r"must be JSON of sane numbers, not thousands of digits$"),
    "twice": (
        text(lambda t: t.replace('"streams": 1', '"streams": 1, "streams": 1')),
        r"must have every key once, not 'streams' twice",
    ),
    "nan": (text(lambda t: t.replace('"gain": 0.5', '"gain": NaN')), r"finite numbers, not NaN$"),
    "huge": (
        text(lambda t: t.replace('"gain": 0.5', '"gain": 1e999')),
        r"inputs\[1\].encoder.gain must be a finite number, not Infinity$",
    ),
    "list": (b"[1, 2]", r"design must be an object, not \[1, 2\]$"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_and_named(case: str, tmp_path: Path) -> None:
    content, sentence = BROKEN[case]
    path = tmp_path / "design.json"
    path.write_bytes(content)
    with pytest.raises(DesignError, match=sentence) as error:
        load(path)
    assert str(error.value).startswith(f"{path}") and "\n" not in str(error.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match=r"gone.json must be a design file, but there is no such"):
        load(tmp_path / "gone.json")
    with pytest.raises(DesignError, match=r"must be a readable design file: "):
        load(tmp_path)


def test_an_unwritable_place_leaves_the_old_file(tmp_path: Path) -> None:
    """A folder in the way, and a design that cannot be written as JSON."""
    (tmp_path / "a.json").mkdir()
    with pytest.raises(RchwError, match=r"a.json cannot be written: "):
        save(EXAMPLE, tmp_path / "a.json")
    old = save(EXAMPLE, tmp_path / "b.json").read_bytes()
    for value in (float("nan"), object()):
        with pytest.raises(DesignError, match=r"^provenance must be JSON with finite numbers"):
            save(replace(EXAMPLE, provenance={"x": value}), tmp_path / "b.json")
    assert (tmp_path / "b.json").read_bytes() == old
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.json", "b.json"]


def test_a_format_name_is_text() -> None:
    """Formats in the file are the printed names."""
    assert to_document(EXAMPLE)["layers"][0]["state"] == str(QFormat(6, 5)) == "sfix6_en5"
