"""``rchw evidence``: what was checked of a design, what is stale, what is missing, on one page."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rchw import plot
from rchw.files import sha256_of, together, write_atomic
from rchw.report.checks import Difference, Found, Today, gather
from rchw.report.circuit import local
from rchw.report.kinds import KINDS, Number, Record, again, numbers
from rchw.report.page import PANEL, Text, code, escape, facts, grid, note, page, section, tiles

__all__ = ["complaint", "count", "evidence_page", "write_evidence"]

_SHORT = 12  # digits of a hash that are enough to see that two differ
_WRAPPED = 24  # characters of a cell from which it may take several lines
_WORDS = {"pass": "pass", "fail": "FAIL", "stale": "STALE"}  # to be read without colour


def write_evidence(folder: Path) -> dict[str, Any]:
    """Write ``evidence.json`` and ``evidence.html`` into a folder from the records found in it.

    Parameters
    ----------
    folder : Path
        With its subfolders; it must hold the design file too.

    Returns
    -------
    dict
        The record: the usual heading as of now, ``verdict`` (``"pass"`` if no check that is there
        has failed or is stale), ``sentence`` on the first that does not, ``checks``, ``missing``,
        ``packages``, ``others``, ``left_out``, ``seconds``.

    Raises
    ------
    DesignError
        See `rchw.report.checks.gather`.
    ToolError
        If the Verilog cannot be emitted.
    RchwError
        If the files cannot be written.
    """
    start = time.monotonic()
    found = gather(folder)
    today = Today(found.design)
    record = _record(folder, found, today)
    record["seconds"] = round(time.monotonic() - start, 2)
    with together(folder) as work:
        write_atomic(work / "evidence.json", json.dumps(record, indent=1) + "\n")
        write_atomic(work / "evidence.html", evidence_page(record))
    return record


def _record(folder: Path, found: Found, today: Today) -> dict[str, Any]:
    file = _place(folder, found.file)
    order = [*KINDS, *sorted({str(r["kind"]) for _, r in found.checks} - set(KINDS))]
    checks = [
        _check(folder, path, record, today, file)
        for kind in order
        for path, record in found.checks
        if record["kind"] == kind
    ]
    packages = [_package(folder, path, today) for path in found.packages]
    made = {check["kind"] for check in checks}
    missing = [
        {"kind": kind, "command": again(kind, file, kind)} for kind in KINDS if kind not in made
    ]
    wrong = [f"{entry['file']} {complaint(entry)}" for entry in (*checks, *packages)
             if entry["status"] != "pass"]  # fmt: skip
    names = sorted({name for _, record in found.checks for name in record.get("tools") or {}})
    now = {name: (today.version(name) or ["none"])[0] for name in names}
    return today.heading | {
        "tools": today.heading["tools"] | now,
        "file": file,
        "verdict": "fail" if wrong else "pass",
        "sentence": wrong[0] if wrong else None,
        "checks": checks,
        "missing": missing,
        "packages": packages,
        "others": [
            {"kind": value["kind"], "file": _place(folder, path),
             "of_this_design": value.get("digest") == today.heading["digest"]}
            for path, value in found.others
        ],
        "left_out": [_place(folder, path) for path in found.left_out],
    }  # fmt: skip


def _place(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _check(folder: Path, path: Path, record: Record, today: Today, file: str) -> dict[str, Any]:
    stale = today.differences(path, record)
    kind, place = str(record["kind"]), _place(folder, path)
    sentence = record.get("sentence")
    return {
        "kind": kind,
        "file": place,
        "status": "stale" if stale else record["verdict"],
        "verdict": record["verdict"],
        "sentence": local(folder, sentence) if sentence else None,
        "stale": stale,
        "numbers": numbers(record),
        "tools": {str(name): str(value) for name, value in (record.get("tools") or {}).items()},
        "again": again(kind, file, place.rpartition("/")[0] or ".", record),
    }


def _package(folder: Path, path: Path, today: Today) -> dict[str, Any]:
    then, now = sha256_of(path), today.heading["verilog_sha256"]
    stale = [{"what": "the Verilog as it is emitted", "then": then, "now": now}]
    same = then == now
    return {
        "file": _place(folder, path),
        "sha256": then,
        "status": "pass" if same else "stale",
        "verdict": "pass",
        "sentence": None,
        "stale": [] if same else stale,
    }


def complaint(entry: Mapping[str, Any]) -> str:
    """Why an entry does not count as passed."""
    failed = f"has failed: {entry['sentence'] or 'it does not say why'}"
    if not entry["stale"]:
        return failed
    told = "; ".join(_difference(difference) for difference in entry["stale"])
    return f"is stale: {told}" + (f"; and it {failed}" if entry["verdict"] == "fail" else "")


def _difference(difference: Difference) -> str:
    then, now = (_brief(difference[key]) for key in ("then", "now"))
    return f"{difference['what']} was {then} and is {now}"


def _brief(text: str) -> str:
    """First digits of a hash; anything else as it is."""
    return text[:_SHORT] if len(text) == 64 and " " not in text else text


def count(value: Number) -> str:
    """Number as the page shows it."""
    if value is None:
        return "not told"
    return f"{value:,}" if isinstance(value, int) else str(value)


def evidence_page(record: Mapping[str, Any]) -> str:
    """Page of a record of `write_evidence`; the same record gives the same bytes.

    Parameters
    ----------
    record : mapping

    Returns
    -------
    str
        HTML that needs nothing else.
    """
    body = [_header(record), *_overview(record)]
    for kind in dict.fromkeys(check["kind"] for check in record["checks"]):
        body += _section(kind, [check for check in record["checks"] if check["kind"] == kind])
    body += [*_missing(record), *_packages(record), *_versions(record), *_rest(record)]
    body.append(Text(f'<footer class="digest">design {code(record["digest"])}</footer>'))
    title = f"{record['design']}: rchw evidence"
    text = page(title, body, plot.THEMES, PANEL)
    return text.encode("utf-8", "replace").decode()  # JSON can hold halves of characters


def _mark(entry: Mapping[str, Any]) -> Text:
    status = entry["status"]
    also = ", FAIL" if status == "stale" and entry["verdict"] == "fail" else ""
    return Text(f'<span class="{status}">{_WORDS[status]}{also}</span>')


def _header(record: Mapping[str, Any]) -> Text:
    entries = [*record["checks"], *record["packages"]]
    found = Counter(check["status"] for check in record["checks"])
    failed = sum(check["verdict"] == "fail" for check in record["checks"])
    rows = [
        (str(found["pass"]), "checks that hold today"),
        (str(sum(entry["status"] == "stale" for entry in entries)), "stale"),
        (str(failed), "failed"),
        (str(len(record["missing"])), "kinds of checks not made"),
    ]
    if record["verdict"] == "pass":
        lead = (
            f"Every check that is here has passed, and is of the very design, Verilog, reference "
            f"and tools that are here today. Not made: {len(record['missing'])} of {len(KINDS)} "
            f"kinds."
        )
    else:
        lead = f"Not everything here holds: {record['sentence']}."
    hashes = {
        "design": record["digest"],
        f"{record['verilog']} as it is emitted": record["verilog_sha256"],
        "law of the reference": record["reference_sha256"],
    }
    told = facts({name: code(value) for name, value in hashes.items()})
    return Text(
        f'<header><p class="kind">rchw evidence</p><h1>{escape(record["design"])}</h1>'
        f'<p class="lead">{escape(lead)}</p>{tiles(rows)}<div class="digest">{told}</div></header>'
    )


def _title(kind: str) -> str:
    return KINDS[kind].title if kind in KINDS else f"Other: {kind}"


def _overview(record: Mapping[str, Any]) -> Iterator[Text]:
    yield section("At a glance")
    rows: list[list[str]] = [
        [
            _title(check["kind"]), code(check["file"]), _mark(check),
            count(check["numbers"]["seed"]), count(check["numbers"]["seconds"]),
        ]
        for check in record["checks"]
    ]  # fmt: skip
    rows += [[_title(entry["kind"]), "", "missing", "", ""] for entry in record["missing"]]
    yield grid(["check", "record", "", ">seed", ">seconds"], rows)


def _is_short(value: Number) -> bool:
    """Whether a value is a number, or begins with one and is soon over: then it is not wrapped."""
    return not isinstance(value, str) or (value[:1].isdigit() and len(value) < _WRAPPED)


def _section(kind: str, checks: Sequence[Mapping[str, Any]]) -> Iterator[Text]:
    yield section(_title(kind))
    if kind in KINDS:
        yield Text(f"<p>A pass says: {escape(KINDS[kind].says)} {escape(KINDS[kind].silent)}</p>")
    else:
        yield Text(f"<p>This version of rchw does not know checks of the kind {code(kind)}.</p>")
    names = [name for name in checks[0]["numbers"]]
    kinds = {
        name: ">" if all(_is_short(check["numbers"][name]) for check in checks) else ""
        for name in names
    }
    rows = [
        [code(check["file"]), _mark(check), *(count(check["numbers"][name]) for name in names)]
        for check in checks
    ]
    yield grid(["record", "", *(kinds[name] + name for name in names)], rows)
    for check in checks:
        if check["status"] != "pass":
            yield Text(f"<p>{code(check['file'])} {escape(complaint(check))}.</p>")
            if check["again"]:
                yield Text(f"<p>To make it again: {code(check['again'])}</p>")


def _missing(record: Mapping[str, Any]) -> Iterator[Text]:
    if not record["missing"]:
        return
    yield section("What is missing")
    yield Text("<p>Of these kinds there is no record here. In this folder, this makes one:</p>")
    rows = [[_title(entry["kind"]), code(entry["command"])] for entry in record["missing"]]
    yield grid(["check", "command"], rows)


def _packages(record: Mapping[str, Any]) -> Iterator[Text]:
    if not record["packages"]:
        return
    yield section("Verilog to be used")
    rows = [
        [code(entry["file"]), _mark(entry), code(_brief(entry["sha256"]))]
        for entry in record["packages"]
    ]
    yield grid(["file", "", "sha256"], rows)
    yield note("A pass means that the file is what is emitted for the design today.")


def _versions(record: Mapping[str, Any]) -> Iterator[Text]:
    yield section("Versions")
    checks = record["checks"]
    rows: list[list[str]] = []
    for name, now in sorted(record["tools"].items(), key=lambda item: item[0].lower()):
        then = sorted({check["tools"][name] for check in checks if name in check["tools"]})
        rows.append([name, ", ".join(then) or "not told", now, "" if then in ([], [now]) else "*"])
    yield grid(["tool", "of the records", "here today", ""], rows)
    yield note("An asterisk marks what differs.")


def _rest(record: Mapping[str, Any]) -> Iterator[Text]:
    if record["others"]:
        yield section("Records that are no checks")
        rows = [
            [entry["kind"], code(entry["file"]), "" if entry["of_this_design"] else "other numbers"]
            for entry in record["others"]
        ]
        yield grid(["kind", "record", ""], rows)
    if record["left_out"]:
        listed = ", ".join(record["left_out"])
        yield note(f"Left out, for they belong to another design: {listed}.")
