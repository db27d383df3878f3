"""The few figures used everywhere; the only importer of matplotlib.

Every function returns a `matplotlib.figure.Figure` made without pyplot: no global state, no
backend, and a notebook shows it as SVG. `svg` turns one into text that is the same byte for byte
on every run; with ``themed=True`` its colours are CSS variables of `THEMES`, so that one drawing
reads well on light and on dark paper.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from rchw.errors import DesignError

__all__ = [
    "THEMES",
    "error_bars",
    "prediction_figure",
    "search_trace",
    "svg",
    "timing_diagram",
]

# Role to colour on light and on dark paper. Light values are what a Figure holds; each is used for
# one role only, so that `svg` can give them names.
THEMES: dict[str, tuple[str, str]] = {
    "ink": ("#1c2733", "#e6edf3"),
    "muted": ("#66727f", "#93a1b0"),
    "rule": ("#d5dbe1", "#333d48"),
    "paper": ("#fefefe", "#12181f"),
    "truth": ("#8a97a5", "#7d8b9a"),
    "model": ("#1f6feb", "#58a6ff"),
    "floor": ("#a9b4bf", "#6b7a89"),
    "ideal": ("#7fb0f5", "#2f6fc4"),
    "good": ("#1a7f4b", "#3fb97a"),
    "bus": ("#e4eefb", "#1b2d45"),
    "span": ("#fdf3d8", "#292719"),
    "mark": ("#c4760a", "#e3a13c"),
}
_INK, _MUTED, _RULE, _PAPER = (THEMES[name][0] for name in ("ink", "muted", "rule", "paper"))
_FONTS = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"


class _SvgFigure(Figure):
    """A figure that a notebook shows as SVG without pyplot."""

    def _repr_svg_(self) -> str:
        return svg(self, "figure")


@contextmanager
def _style() -> Iterator[None]:
    """Our look, without touching the user's settings."""
    settings: Any = {  # newer stubs want literal keys, older ones know none
        "font.size": 9.0,
        "font.family": "DejaVu Sans",
        "axes.edgecolor": _RULE,
        "axes.labelcolor": _MUTED,
        "axes.titlecolor": _INK,
        "axes.titlelocation": "left",
        "axes.titlesize": 10.0,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "text.color": _INK,
        "xtick.color": _MUTED,
        "ytick.color": _MUTED,
        "grid.color": _RULE,
        "grid.linewidth": 0.6,
        "lines.linewidth": 1.3,
        "legend.frameon": False,
        "figure.facecolor": _PAPER,
        "axes.facecolor": "none",
        "svg.fonttype": "none",
        "svg.hashsalt": "rchw",
    }
    with matplotlib.rc_context(settings):
        yield


def _figure(width: float, height: float) -> Figure:
    return _SvgFigure(figsize=(width, height), layout="constrained")


def svg(figure: Figure, name: str, *, themed: bool = False) -> str:
    """SVG text of a figure, the same bytes on every run.

    Parameters
    ----------
    figure : Figure
    name : str
        Starts every id, so that several drawings can share one page.
    themed : bool
        Colours as ``var(--ROLE, LIGHT)``, and no background.

    Returns
    -------
    str
        One ``<svg>`` element without declaration, doctype, date or metadata.
    """
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with _style():
        paper = "none" if themed else figure.get_facecolor()
        figure.savefig(buffer, format="svg", metadata=nothing, facecolor=paper)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # matplotlib's style sheet would reach the whole page: its two rules go to the element.
    text = re.sub(r"\s*<style.*?</style>", "", text, count=1, flags=re.DOTALL)
    text = text.replace("<svg ", '<svg style="stroke-linejoin: round; stroke-linecap: butt" ', 1)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(href="|url\()#', rf"\1#{name}-", text)
    text = re.sub(r"'DejaVu Sans'(?:, sans-serif)?", _FONTS, text)
    # The page decides the size; the view box keeps the proportions.
    for size in ("width", "height"):
        text = re.sub(rf'(<svg[^>]*?)\s{size}="[^"]*"', r"\1", text, count=1)
    if themed:
        for role, (light, _) in THEMES.items():
            text = text.replace(light, f"var(--{role}, {light})")
    return text


def prediction_figure(
    target: ArrayLike,
    prediction: ArrayLike,
    *,
    output: int = 0,
    start: int = 0,
    samples: int = 300,
    ylabel: str = "",
    label: str = "prediction",
) -> Figure:
    """Prediction over truth, and the residual below at the same scale.

    Parameters
    ----------
    target, prediction : array (T,) or (T, L)
    output : int
        Which of the L is drawn.
    start, samples : int
        The window.
    ylabel, label : str

    Raises
    ------
    DesignError
        If the shapes differ, or the window is empty.
    """
    wanted, found = (
        np.asarray(series, dtype=np.float64).reshape(len(np.asarray(series)), -1)[:, output]
        for series in (target, prediction)
    )
    if wanted.shape != found.shape:
        raise DesignError(
            f"prediction must have the length of the target, {len(wanted)}, not {len(found)}"
        )
    window = slice(max(start, 0), max(start, 0) + samples)
    times = np.arange(len(wanted))[window]
    if len(times) < 2:
        raise DesignError(f"window must hold at least 2 of {len(wanted)} samples, not {len(times)}")
    with _style():
        figure = _figure(9.0, 3.9)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        upper.plot(times, wanted[window], color=THEMES["truth"][0], lw=3.2, label="truth")
        upper.plot(times, found[window], color=THEMES["model"][0], lw=1.2, label=label)
        upper.set_ylabel(ylabel)
        upper.legend(loc="lower right", ncols=2, bbox_to_anchor=(1.0, 0.98), borderaxespad=0.1)
        residual = found[window] - wanted[window]
        lower.axhline(0, color=_RULE, lw=0.8)
        lower.fill_between(times, residual, color=THEMES["mark"][0], lw=0, step="mid")
        half = max(float(np.ptp(wanted[window])) / 6, float(np.abs(residual).max()) * 1.05, 1e-12)
        lower.set_ylim(-half, half)
        lower.set_ylabel("residual")
        lower.set_xlabel("test sample")
        lower.set_xlim(times[0], times[-1])
        for axes in (upper, lower):
            axes.grid(axis="y")
        figure.align_ylabels([upper, lower])
    return figure


def error_bars(
    errors: Mapping[str, float], *, metric: str = "NMSE", roles: Mapping[str, str] | None = None
) -> Figure:
    """One dot per predictor, on a logarithmic axis where they span more than a decade.

    Parameters
    ----------
    errors : mapping
        Label to error, drawn from top to bottom.
    metric : str
        Of the axis.
    roles : mapping, optional
        Label to a key of `THEMES`; ``floor`` where absent.

    Raises
    ------
    DesignError
        If there is nothing to draw or an error is negative or not finite.
    """
    values = np.array([float(value) for value in errors.values()])
    if not values.size or not np.isfinite(values).all() or (values < 0).any():
        raise DesignError(f"errors must be finite, from 0, and at least one, not {dict(errors)}")
    roles = roles or {}
    colours = [THEMES[roles.get(label, "floor")][0] for label in errors]
    places = np.arange(len(values))[::-1]
    with _style():
        figure = _figure(9.0, 0.6 + 0.3 * len(values))
        axes = figure.subplots()
        positive = values[values > 0]
        log = positive.size > 0 and values.max() > 10 * positive.min()
        left = 10 ** np.floor(np.log10(positive.min() * 0.7)) if log else 0.0
        if log:
            axes.set_xscale("log")
            axes.set_xlim(left, values.max() * 1.7)
        else:
            axes.set_xlim(0, max(values.max(), 1e-12) * 1.12)
        # Dots, not bars: on a logarithmic axis the length of a bar means nothing.
        axes.hlines(places, *axes.get_xlim(), color=_RULE, lw=0.6)
        axes.scatter(np.maximum(values, left), places, s=62, color=colours, zorder=3, clip_on=False)
        for place, value in zip(places, values, strict=True):
            axes.annotate(f"{value:.4g}", (max(value, left), place), (8, 0), va="center",
                          fontsize=8.5, textcoords="offset points")  # fmt: skip
        axes.set_ylim(-0.7, len(values) - 0.4)
        axes.set_yticks(places, list(errors), color=_INK)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(f"{metric} on the test samples (less is better)")
        axes.grid(axis="x")
        axes.set_axisbelow(True)
    return figure


def search_trace(best: Sequence[float | None], *, metric: str = "NMSE") -> Figure:
    """Best validation error after each candidate of the search."""
    values = np.array([np.nan if value is None else value for value in best], dtype=np.float64)
    if not np.isfinite(values).any():
        raise DesignError("trace must hold a finite error, not none")
    with _style():
        figure = _figure(9.0, 2.0)
        axes = figure.subplots()
        numbers = np.arange(1, len(values) + 1)
        axes.step(numbers, values, where="post", color=THEMES["model"][0])
        axes.plot(numbers[-1], values[-1], "o", ms=4, color=THEMES["model"][0])
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:.3g}")
        axes.yaxis.set_minor_formatter("{x:.3g}")
        axes.set_xlabel("candidate")
        axes.set_ylabel(f"best validation {metric}")
        axes.grid(axis="y", which="both")
    return figure


def timing_diagram(
    signals: Sequence[Mapping[str, Any]],
    *,
    first_clock: int = 0,
    clock_in: int | None = None,
    clock_out: int | None = None,
    most: int = 36,
) -> Figure:
    """Digital waveform, one row per signal, one column per clock.

    A column ends with the rising edge of its clock, and shows what the circuit sees at that edge.

    Parameters
    ----------
    signals : sequence of mapping
        ``name`` (str), ``values`` (one per clock), and ``kind``: ``bit`` (0, 1, or None where
        unknown) or ``bus`` (texts or numbers, drawn as such; None where it means nothing).
        ``group`` (str) starts a new block where it changes.
    first_clock : int
        Number of the first column.
    clock_in, clock_out : int, optional
        Clocks of the two transfers of the sample, which are marked.
    most : int
        Columns that are drawn; of a longer wave the middle is left out.

    Raises
    ------
    DesignError
        If there is no signal or the lengths differ.
    """
    lengths = {len(signal["values"]) for signal in signals}
    if len(lengths) != 1 or not min(lengths):
        raise DesignError(f"signals must have one length of at least 1, not {sorted(lengths)}")
    total = lengths.pop()
    shown, gap = _columns(total, most)
    rows = _rows(signals)
    with _style():
        figure = _figure(9.0, 0.7 + 0.27 * len(rows))
        axes = figure.subplots()
        axes.set_xlim(0, len(shown))
        axes.set_ylim(-rows[-1][0] - 0.35, 1.15)
        numbers = [first_clock + column for column in shown]
        _events(axes, numbers, clock_in, clock_out)
        for depth, signal in rows:
            values = [signal["values"][column] for column in shown]
            if signal["kind"] == "clock":
                _draw_clock(axes, -depth, len(shown))
            elif signal["kind"] == "bit":
                _draw_bit(axes, -depth, values)
            else:
                _draw_bus(axes, -depth, values, gap)
        if gap is not None:
            axes.axvspan(gap - 0.12, gap + 0.12, color=_PAPER, zorder=5, lw=0)
            for edge in (-0.12, 0.12):
                axes.axvline(gap + edge, color=_MUTED, lw=0.8, ls=(0, (2, 2)), zorder=6)
        names = [str(signal["name"]) for _, signal in rows]
        axes.set_yticks([0.3 - depth for depth, _ in rows], names, color=_INK, fontsize=8)
        step = max(1, -(-len(shown) // 16))
        ticks = [k for k in range(len(shown)) if (numbers[k] - numbers[0]) % step == 0]
        axes.set_xticks([k + 1 for k in ticks], [str(numbers[k]) for k in ticks], fontsize=8)
        axes.set_xlabel("clock")
        axes.tick_params(axis="both", length=0)
        for side in ("left", "bottom"):
            axes.spines[side].set_visible(False)
    return figure


def _columns(total: int, most: int) -> tuple[list[int], int | None]:
    """Choose the columns to draw, and say before which of them some are left out."""
    if total <= most:
        return list(range(total)), None
    head = most - most // 2
    return [*range(head), *range(total - most // 2, total)], head


def _rows(signals: Sequence[Mapping[str, Any]]) -> list[tuple[float, Mapping[str, Any]]]:
    """Clock first, then the signals, with a little more space where the group changes."""
    clock = {"name": "aclk", "kind": "clock", "values": signals[0]["values"], "group": None}
    rows: list[tuple[float, Mapping[str, Any]]] = [(0.0, clock)]
    group: Any = None
    for signal in signals:
        depth = rows[-1][0] + (1.0 if signal.get("group") == group else 1.45)
        group = signal.get("group")
        rows.append((depth, signal))
    return rows


def _events(axes: Axes, numbers: list[int], clock_in: int | None, clock_out: int | None) -> None:
    """Shade the sample's time, from the edge that takes it to the edge that gives it."""
    ends = [number for number in (clock_in, clock_out) if number in numbers]
    places = [numbers.index(number) + 1 for number in ends if number is not None]
    if len(places) == 2:
        axes.axvspan(*places, color=THEMES["span"][0], lw=0, zorder=0)
    for place, text in zip(places, ("in", "out"), strict=False):
        axes.axvline(place, color=THEMES["mark"][0], lw=1.1, zorder=1)
        axes.annotate(text, (place, 1.05), (0, 3), ha="center", va="bottom", fontsize=8.5,
                      color=THEMES["mark"][0], textcoords="offset points",
                      annotation_clip=False)  # fmt: skip


def _draw_clock(axes: Axes, base: float, columns: int) -> None:
    xs = np.repeat(np.arange(0, 2 * columns + 1) / 2, 2)[1:-1]
    levels = np.repeat(np.arange(2 * columns) % 2 == 0, 2)
    axes.plot(xs, base + 0.6 * levels, color=_MUTED, lw=0.9, solid_joinstyle="miter", zorder=3)


def _draw_bit(axes: Axes, base: float, values: Sequence[int | None]) -> None:
    xs = np.repeat(np.arange(len(values) + 1), 2)[1:-1]
    levels = np.repeat([0.3 if value is None else 0.6 * value for value in values], 2)
    axes.plot(xs, base + levels, color=_INK, lw=1.2, solid_joinstyle="miter", zorder=3)
    high = np.repeat([value == 1 for value in values], 2)
    axes.fill_between(xs, base, base + levels, where=high, color=THEMES["bus"][0], lw=0, zorder=2)


def _draw_bus(axes: Axes, base: float, values: Sequence[Any], gap: int | None) -> None:
    """One hexagon per run of equal values, labelled where the text has room."""
    start = 0
    em = 0.64 * len(values) / (7.7 * 72)  # clocks per point of type: the axes are 7.7 inches wide
    for stop in range(1, len(values) + 1):
        if stop < len(values) and values[stop] == values[start] and stop != gap:
            continue
        value, low, high = values[start], base, base + 0.6
        middle, slope = base + 0.3, 0.12
        if value is None:
            axes.plot([start, stop], [middle, middle], color=_MUTED, lw=1.0, zorder=3)
        else:
            left, right = start + slope, stop - slope
            axes.fill([start, left, right, stop, right, left],
                      [middle, high, high, middle, low, low],
                      facecolor=THEMES["bus"][0], edgecolor=_INK, lw=0.9, zorder=3)  # fmt: skip
            text = str(value)
            size = next((size for size in (7.0, 5.5) if len(text) * size * em < stop - start), 0)
            beside = stop < len(values) and values[stop] is None
            if size:
                axes.text((start + stop) / 2, middle - 0.03, text, ha="center", va="center",
                          fontsize=size, zorder=4)  # fmt: skip
            elif beside:
                axes.text(stop + 0.1, middle + 0.05, text, va="bottom", fontsize=7.0, zorder=4)
        start = stop
