"""What the circuit's signals do, clock by clock."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rchw.errors import DesignError
from rchw.plot.style import INK, MUTED, PAPER, THEMES, style
from rchw.plot.style import figure as blank

__all__ = ["timing_diagram"]


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
    with style():
        figure = blank(9.0, 0.7 + 0.27 * len(rows))
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
            axes.axvspan(gap - 0.12, gap + 0.12, color=PAPER, zorder=5, lw=0)
            for edge in (-0.12, 0.12):
                axes.axvline(gap + edge, color=MUTED, lw=0.8, ls=(0, (2, 2)), zorder=6)
        names = [str(signal["name"]) for _, signal in rows]
        axes.set_yticks([0.3 - depth for depth, _ in rows], names, color=INK, fontsize=8)
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
    axes.plot(xs, base + 0.6 * levels, color=MUTED, lw=0.9, solid_joinstyle="miter", zorder=3)


def _draw_bit(axes: Axes, base: float, values: Sequence[int | None]) -> None:
    xs = np.repeat(np.arange(len(values) + 1), 2)[1:-1]
    levels = np.repeat([0.3 if value is None else 0.6 * value for value in values], 2)
    axes.plot(xs, base + levels, color=INK, lw=1.2, solid_joinstyle="miter", zorder=3)
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
            axes.plot([start, stop], [middle, middle], color=MUTED, lw=1.0, zorder=3)
        else:
            left, right = start + slope, stop - slope
            axes.fill([start, left, right, stop, right, left],
                      [middle, high, high, middle, low, low],
                      facecolor=THEMES["bus"][0], edgecolor=INK, lw=0.9, zorder=3)  # fmt: skip
            text = str(value)
            size = next((size for size in (7.0, 5.5) if len(text) * size * em < stop - start), 0)
            beside = stop < len(values) and values[stop] is None
            if size:
                axes.text((start + stop) / 2, middle - 0.03, text, ha="center", va="center",
                          fontsize=size, zorder=4)  # fmt: skip
            elif beside:
                axes.text(stop + 0.1, middle + 0.05, text, va="bottom", fontsize=7.0, zorder=4)
        start = stop
