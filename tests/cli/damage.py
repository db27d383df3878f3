"""Damage to documents and bytes, drawn: what people, editors, disks and programs do to files."""

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

__all__ = ["bytes_damaged", "documents_damaged", "json_text"]

Draw = Callable[[st.SearchStrategy[Any]], Any]

# Stand in a document for text that no encoder would write.
_RAW = {
    f"@raw{number}@": text
    for number, text in enumerate(
        [
            "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e-400", "9" * 5000, "01", "1.",
            ".5", "0x10", "'a'", "True", "None", "[" * 100_000, '{"a":' * 50_000, "1,", "", "-",
            '"\\ud800"', '"\\u0000"', '"\ttab"', '"\\x"', "[" + "0," * 300_000 + "0]", "1e5", "-0",
            "1E2", "/* */ 1", '"' + "a" * 300_000 + '"',
        ]
    )
}  # fmt: skip
_VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 3, 7, 47, 48, 49, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64,
    10**12, -(10**12), 10**400, 0.0, -0.0, 0.5, 1.0, 1e308, -1e308, 5e-324, "", " ", "0", "1",
    "sfix8_en7", "ufix1_en0", "sfix48_en48", "sfix49_en0", "sfix0_en0", "sfix8_en-1", "sfix08_en7",
    "sfix8_en7 ", "\N{FULLWIDTH DIGIT EIGHT}", "half-up", "linear", "level", "clip", "pwl", "table",
    "states", "last", "module", "x", "a" * 300, "\u202e", "\x00", "\ud800", [], {}, [[]], [0],
    [None], [1.5], [True], {"kind": "clip"}, [[[[[]]]]], ["a", 1],
]  # fmt: skip
_WAYS = ("value", "tweak", "tweak", "raw", "drop", "rename", "add", "copy")
_TWICE = ('"name": "x",', '"kind": "clip",', '"version": 1,', '"": 0,')
_ODD = (b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r", b'"', b"\x1a", b"9")
_CODES = ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp037", "utf-7")


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of all values in a document; of long lists the first few."""
    found = [path] if path else []
    items: list[tuple[Any, Any]] = list(value.items()) if isinstance(value, dict) else []
    if isinstance(value, list):
        items = list(enumerate(value))[:6]
    for key, item in items:
        found += _places(item, (*path, key))
    return found


def _tweaked(draw: Draw, value: Any) -> Any:
    """Value near another one."""
    near: list[Any]
    if isinstance(value, bool) or value is None:
        near = [not value, int(bool(value)), "", []]
    elif isinstance(value, int):
        near = [value + 1, value - 1, -value, 2 * value, value * 2**40, [value]]
        if value.bit_length() < 1000:  # others are no float, and too long to be written
            near += [float(value), str(value), value / 3]
    elif isinstance(value, float):
        near = [int(value), -value, value * 1e300, value * 1e-300, str(value)]
    elif isinstance(value, str):
        near = [value[:-1], value + "x", value.upper(), value + " ", value.replace("s", "u", 1)]
        near += [value.replace("8", "24"), value.replace("7", "0"), [value]]
    elif isinstance(value, list):
        more = [*value, copy.deepcopy(value[-1])] if value else [0]
        near = [value[: draw(st.integers(0, 5))], value[:-1], more, value[::-1], value * 2, [value]]
        near += [value * 40]
    else:
        near = [[value], list(value), list(value.values()), {**value, "": 0}]
    return draw(st.sampled_from(near))


def _change(draw: Draw, document: Any) -> Any:
    """Do one thing to a document."""
    places = _places(document)
    if not places:
        return draw(st.sampled_from(_VALUES))
    path = draw(st.sampled_from(places))
    place = document
    for key in path[:-1]:
        place = place[key]
    last = path[-1]
    what = draw(st.sampled_from(_WAYS))
    if what == "value":
        place[last] = copy.deepcopy(draw(st.sampled_from(_VALUES)))
    elif what == "raw":
        place[last] = draw(st.sampled_from(sorted(_RAW)))
    elif what == "drop":
        del place[last]
    elif what == "rename" and isinstance(place, dict):
        names = [f"{last}s", str(last).upper(), "", "\ud800", "kind"]
        place[draw(st.sampled_from(names))] = place.pop(last)
    elif what == "add" and isinstance(place, dict):
        place[draw(st.sampled_from(["extra", "", "\x00", "Kind", "seed"]))] = place[last]
    elif what == "copy":
        other = document
        for key in draw(st.sampled_from(places)):
            other = other[key]
        place[last] = copy.deepcopy(other)
    else:
        place[last] = _tweaked(draw, place[last])
    return document


def json_text(draw: Draw, document: Any) -> str:
    """Text of a document, in one of the ways of writing it; now and then a key stands twice."""
    indent, plain = draw(st.sampled_from([None, 1])), draw(st.booleans())
    text = json.dumps(document, indent=indent, ensure_ascii=plain)
    if not draw(st.integers(0, 9)):
        start = draw(st.sampled_from([k for k, c in enumerate(text) if c == "{"] or [-1]))
        text = text[: start + 1] + draw(st.sampled_from(_TWICE)) + text[start + 1 :]
    for mark, raw in _RAW.items():
        text = text.replace(f'"{mark}"', raw)
    return text


def documents_damaged(draw: Draw, document: Any) -> bytes:
    """Bytes of a JSON document to which up to three things were done."""
    changed = copy.deepcopy(document)
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        changed = _change(draw, changed)
    return json_text(draw, changed).encode("utf-8", "surrogatepass")


def bytes_damaged(draw: Draw, content: bytes) -> bytes:
    """Content to which one thing was done that knows nothing of its meaning."""
    at = draw(st.integers(0, len(content)))
    before, after = content[:at], content[at:]
    what = draw(st.sampled_from(["cut", "flip", "insert", "lose", "twice", "code", "replace"]))
    if what == "cut":
        return before
    if what == "flip" and after:
        bit: int = draw(st.integers(0, 7))
        return before + bytes([after[0] ^ 1 << bit]) + after[1:]
    if what == "insert":
        odd: bytes = draw(st.sampled_from(_ODD))
        return before + odd + after
    if what == "lose":
        return before + after[draw(st.integers(1, 40)) :]
    if what == "code":
        code: str = draw(st.sampled_from(_CODES))
        return content.decode("utf-8", "replace").encode(code, "replace")
    if what == "replace":
        junk: bytes = draw(st.binary(max_size=60))
        return junk
    return content * 2
