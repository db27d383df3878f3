"""The page of the evidence of all designs, from what is stored of their records alone."""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["CHECKS", "markdown"]

CHECKS = ("prove", "rules", "verify", "soak", "coverage", "netlist", "mutants")
"""Kinds of checks, in the order in which they are made."""

Entry = Mapping[str, Any]
_HEAD = """\
# Evidence of every design

Made by `python -m benchmarks.evidence`, which makes each design by the code that makes it where it
is shown and holds it under every check; see [docs/evidence.md](../docs/evidence.md) for what each
check says and does not say. **stale**: a result of another design, Verilog, reference or tool than
were there when this page was made; *missing*: not made yet; *no result*: it did not come to an end;
`-`: not asked for, since the netlist of so large a circuit takes hours to make or to simulate, and
since planted faults judge the checks: they are planted in designs of every kind, not in all.
"""

_REMARKS = "What does not count as passed, and cases that were not reached:"


def _told(entry: Entry | None, kind: str, text: str) -> str:
    """Cell of a check: what a pass says, or why it does not count as one."""
    check = None if entry is None else entry["checks"].get(kind)
    if check is None:
        return "-" if entry is not None and kind in entry["not_asked"] else "*missing*"
    if check["stale"]:
        return "**stale**"
    if check["verdict"] == "none":
        return "*no result*"
    shown = text.format_map(_Shown(check["numbers"] | {"method": check.get("method")}))
    return shown if check["verdict"] == "pass" else f"**fail**: {shown}"


class _Shown(dict[str, Any]):
    """Numbers as the page has them; a question mark for those that are not told."""

    def __missing__(self, key: str) -> str:
        return "?"

    def __getitem__(self, key: str) -> str:
        value = super().__getitem__(key)
        return f"{value:,}" if isinstance(value, int) else str(value)


_COLUMNS = {
    "proof": ("prove", "{proof}"),
    "method": ("prove", "{method}"),
    ">states of the control": ("prove", "{states of the control}"),
    "stream rules": ("rules", "{rules}"),
    ">simulated": ("verify", "{samples}"),
    ">soaked": ("soak", "{samples}"),
    "netlist": ("netlist", "{family}, {samples}"),
    "mutants caught": (
        "mutants",
        "{caught} of {made} ({caught by a step alone} by a step), {equivalent} equivalent",
    ),
    "lines covered": ("coverage", "{line points}"),
    "toggles": ("coverage", "{toggle points}"),
    ">cases": ("coverage", "{cases reached}"),
}
"""Column to the check that it is of, and what a pass of it shows."""


def _row(key: str, place: str, entry: Entry | None) -> str:
    size = ""
    if entry is not None:
        size = f"{entry['units']}, {entry['lanes']}, {entry['state_bits']}"
        size += ", squares" if entry["squares"] else ""
    seconds = [] if entry is None else [c["numbers"].get("seconds") for c in _checks(entry)]
    minutes = sum(value or 0.0 for value in seconds) / 60
    cells = [_told(entry, kind, text) for kind, text in _COLUMNS.values()]
    return f"| {key} | {place} | {size} | {' | '.join(cells)} | {minutes:.1f} |"


def _checks(entry: Entry) -> Iterator[Entry]:
    for kind in CHECKS:
        if kind in entry["checks"]:
            yield entry["checks"][kind]


def _counted(known: Mapping[str, Entry], kind: str, number: str) -> int:
    """Sum of a number over all designs whose check has passed and is not stale."""
    checks = [entry["checks"].get(kind) for entry in known.values()]
    right = [c for c in checks if c and c["verdict"] == "pass" and not c["stale"]]
    return sum(check["numbers"].get(number) or 0 for check in right)


def _totals(places: Mapping[str, str], known: Mapping[str, Entry]) -> Iterator[str]:
    checks = [check for entry in known.values() for check in _checks(entry)]
    counts = {
        word: sum(c["verdict"] == word and not c["stale"] for c in checks)
        for word in ("pass", "fail", "none")
    }
    asked = sum(len(CHECKS) - len(entry["not_asked"]) for entry in known.values())
    asked += len(CHECKS) * (len(places) - len(known))
    stale = sum(bool(check["stale"]) for check in checks)
    yield (
        f"{len(places)} designs, {asked} checks: {counts['pass']} passed, {counts['fail']} failed, "
        f"{counts['none']} without a result, {stale} stale, {asked - len(checks)} missing."
    )
    samples = {kind: _counted(known, kind, "samples") for kind in ("verify", "soak", "netlist")}
    yield (
        f"Samples: {samples['verify']:,} simulated, {samples['soak']:,} soaked, "
        f"{samples['netlist']:,} through netlists."
    )


def _remarks(places: Mapping[str, str], known: Mapping[str, Entry]) -> Iterator[str]:
    """What does not count as passed, and why."""
    for key in places:
        for check in _checks(known[key]) if key in known else ():
            if check["stale"]:
                yield f"* {key}, {check['kind']}: stale in {', '.join(check['stale'])}."
            elif check["verdict"] != "pass":
                yield f"* {key}, {check['kind']}: {check['sentence']}."
    for key in places:
        holes = known[key]["checks"].get("coverage") if key in known else None
        if holes and not holes["stale"] and holes["numbers"].get("cases not reached") != "none":
            yield f"* {key}, coverage, not reached: {holes['numbers'].get('cases not reached')}."


def _versions(known: Mapping[str, Entry]) -> str:
    found: dict[str, set[str]] = {}
    for entry in known.values():
        for check in _checks(entry):
            for name, version in check["tools"].items():
                found.setdefault(name, set()).add(str(version))
    return ", ".join(f"{name} {' and '.join(sorted(found[name]))}" for name in sorted(found))


def markdown(places: Mapping[str, str], known: Mapping[str, Entry]) -> str:
    """Page of all results.

    Parameters
    ----------
    places : mapping of str to str
        Every design of the list, and where it is from.
    known : mapping of str to dict
        Results of those that have any; of others than these nothing is shown.
    """
    known = {key: known[key] for key in places if key in known}
    names = ["design", "from", "units, lanes, bits", *_COLUMNS, ">minutes"]
    rules = ["---:" if name.startswith(">") else "---" for name in names]
    remarks = [*_remarks(places, known)]
    lines = [
        _HEAD,
        *_totals(places, known),
        "",
        f"| {' | '.join(name.removeprefix('>') for name in names)} |",
        f"|{'|'.join(rules)}|",
        *(_row(key, place, known.get(key)) for key, place in places.items()),
        "",
        *([_REMARKS, "", *remarks, ""] if remarks else []),
        f"{_versions(known)}.",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
