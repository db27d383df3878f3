"""The page of the limits of FORCE, from its record alone."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["page"]

Record = Mapping[str, Any]
_RUNS = ("float", "16 bits", "12 bits", "16 bits, no cue")


def page(record: Record) -> str:
    """Markdown of the record."""
    rows = record["rows"]
    tools = ", ".join(f"{name} {version}" for name, version in record["tools"].items())
    return "\n".join(
        [
            "# What FORCE can hold, and why",
            "",
            f"Networks of {record['units']} units ([what the rules do](../docs/force.md)). The "
            "options were looked for with",
            "seed 10, which is in no row; nothing was chosen by these rows.",
            "",
            *_chirp({key: row for key, row in rows.items() if key.startswith("chirp/")}),
            *_sines(record, {key: row for key, row in rows.items() if key.startswith("sines/")}),
            f"Made by `{record['command']}` with {tools}.",
            "",
        ]
    )


def _wrapped(text: str, width: int = 96) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)


def _number(value: float) -> str:
    return f"{value:.2g}"


def _chirp(rows: Record) -> Iterator[str]:
    first = next(iter(rows.values()))
    options = first["options"]
    command = (
        f"`rchw train chirp --feedback --teaching RULE --leak-shift {options['leak_shift']} "
        f"--feedback-scaling {options['feedback_scaling']:g}`"
    )
    yield "## A chirp that a cue starts"
    yield ""
    yield from _wrapped(
        f"""{command} (of FORCE with `--integer-samples 0`): the oscillation of DePasquale and
        others (2018), in sweeps of 800 samples. With this leak a time constant is about 8 samples,
        a sweep 100 of them; in the paper it is 200. {first["samples"]:,} samples of training.
        Errors in training are those before updates, in full scales of the output, in the first
        and the last tenth of the updates."""
    )
    yield ""
    yield from _wrapped(
        """Behind the training the network runs on its own output, under cues that it has not seen:
        root mean square error over the standard deviation of the target, of the whole run and of
        the worst sweep. No phase is taken out; a sweep is held below 0.1. The last run is that of
        the same design without any cue."""
    )
    yield ""
    columns = "error, first | last | after / before, first | last | change, first | last"
    yield f"| rule | seed | {columns} |"
    yield "|---|---|---|---|---|---|---|---|"
    for key, row in rows.items():
        _, rule, seed = key.split("/")
        history = row["history"]
        cells = [
            _number(history[f"{when}_{what}"])
            for what in ("before", "ratio", "move")
            for when in ("first", "last")
        ]
        yield f"| {rule} | {seed} | {' | '.join(cells)} |"
    yield from (
        "",
        "| rule | seed | run | error | worst sweep | sweeps held |",
        "|---|---|---|---|---|---|",
    )
    for key, row in rows.items():
        _, rule, seed = key.split("/")
        for name in _RUNS:
            run = row["runs"][name]
            errors = run["repetitions"]
            within = sum(error < 0.1 for error in errors)
            yield (
                f"| {rule} | {seed} | {name} | {_number(run['whole'])} | {_number(max(errors))} "
                f"| {within} of {len(errors)} |"
            )
    yield ""


def _sines(record: Record, rows: Record) -> Iterator[str]:
    yield "## Four sines, in step or not"
    yield ""
    yield from _wrapped(
        """`multi-sine` is the mean of four sines whose periods never come back in step. Here are
        sines of nearly the same periods that do so after 300, 1,000 and 3,000 samples, and
        `multi-sine` itself, with the feedback within 2, the default, and within 4. Then
        `four-sines` under partial-FORCE, with the seed that loses them in
        [force.md](force.md) and one that does not, and a network that is driven so weakly that it
        is nearly linear. Each network is looked at in three ways."""
    )
    yield ""
    for text in (
        f"""*apart*: two copies, begun in different states, are both driven by the target for
        {record["twins"]:,} samples. What is left between them, root mean square over units: where
        it is not 0, the target does not suppress the chaos, the same target finds another state
        each time, and no readout can know it.""",
        """*unread*: the network is driven by the target, the best linear readout is fitted to 4,000
        samples and judged on the next 4,000; its error over the standard deviation of the target.
        A readout of these states cannot do much better.""",
        f"""*trained*: the rule in {record["learnt"]:,} samples; then {record["alone"]:,} samples
        alone, measured as in [force.md](force.md).""",
    ):
        first, *others = _wrapped(text, 94)
        yield f"* {first}"
        yield from (f"  {line}" for line in others)
    yield ""
    columns = "apart | unread | error in training, last | valid for | error of shape | held"
    yield f"| in step after | rule | g | feedback | seed | {columns} |"
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for key, row in rows.items():
        _, target, rule, feedback, seed = key.split("/")
        alone = row["alone"]
        step = {"four-sines": "120, `four-sines`", "never": "never, `multi-sine`"}
        yield (
            f"| {step.get(target, f'{target} samples')} | {rule} "
            f"| {row['options']['gain']:g} | {feedback} | {seed} "
            f"| {_number(row['apart'])} | {_number(row['unread'])} "
            f"| {_number(row['history']['last_before'])} | {alone['valid']:,} "
            f"| {_number(alone['shape'])} | {'yes' if alone['held'] else 'no'} |"
        )
    yield from ("", *_verdict(rows), "")


def _verdict(rows: Record) -> Iterator[str]:
    """What the numbers say, and nothing that they do not."""
    for feedback in ("2", "4"):
        told = []
        for target in dict.fromkeys(key.split("/")[1] for key in rows):
            mine = [
                row
                for key, row in rows.items()
                if key.split("/")[1] == target and key.split("/")[3] == feedback
            ]
            held = sum(row["alone"]["held"] for row in mine)
            told.append(f"{target} {held} of {len(mine)}")
        yield f"* Held with feedback within {feedback}: {', '.join(told)}."
