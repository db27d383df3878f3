"""The look of our figures, and the SVG text of one.

Figures are made without pyplot: no global state, no backend, and a notebook shows them as SVG.
`svg` turns one into text that is the same byte for byte on every run; with ``themed=True`` its
colours are CSS variables of `THEMES`, so that one drawing reads well on light and on dark paper.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib.figure import Figure

__all__ = ["INK", "MUTED", "PAPER", "RULE", "THEMES", "figure", "settle", "style", "svg"]

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
INK, MUTED, RULE, PAPER = (THEMES[name][0] for name in ("ink", "muted", "rule", "paper"))
_FONTS = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"


class _SvgFigure(Figure):
    """A figure that a notebook shows as SVG without pyplot."""

    def _repr_svg_(self) -> str:
        return svg(self, "figure")


@contextmanager
def style() -> Iterator[None]:
    """Our look, without touching the user's settings."""
    settings: Any = {  # newer stubs want literal keys, older ones know none
        "font.size": 9.0,
        "font.family": "DejaVu Sans",
        "axes.edgecolor": RULE,
        "axes.labelcolor": MUTED,
        "axes.titlecolor": INK,
        "axes.titlelocation": "left",
        "axes.titlesize": 10.0,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "text.color": INK,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "grid.color": RULE,
        "grid.linewidth": 0.6,
        "lines.linewidth": 1.3,
        "legend.frameon": False,
        "figure.facecolor": PAPER,
        "axes.facecolor": "none",
        "svg.fonttype": "none",
        "svg.hashsalt": "rchw",
    }
    with matplotlib.rc_context(settings):
        yield


def figure(width: float, height: float) -> Figure:
    """Make an empty figure of so many inches, to be drawn on within `style`."""
    return _SvgFigure(figsize=(width, height), layout="constrained")


def settle(figure: Figure) -> None:
    """Lay the figure out, and round the places of its axes: the solver's last digits wander."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        left, bottom, width, height = (round(float(x), 4) for x in axes.get_position().bounds)
        axes.set_position((left, bottom, width, height))


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
    with style():
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
