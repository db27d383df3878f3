"""The few figures used everywhere; the only importer of matplotlib.

Every function returns a `matplotlib.figure.Figure` made without pyplot, and `svg` turns one into
text; see `rchw.plot.style`.
"""

from rchw.plot.adaptation import history_figure
from rchw.plot.front import front_figure
from rchw.plot.learning import learning_figure
from rchw.plot.metrics import metrics_figure
from rchw.plot.physical import comparison_figure, emulation_figure
from rchw.plot.residuals import Residuals, residuals_figure
from rchw.plot.rules import histories_figure, homeostasis_figure
from rchw.plot.series import error_bars, prediction_figure, search_trace
from rchw.plot.style import THEMES, svg
from rchw.plot.timing import timing_diagram
from rchw.plot.tradeoff import tradeoff_figure

__all__ = [
    "THEMES",
    "Residuals",
    "comparison_figure",
    "emulation_figure",
    "error_bars",
    "front_figure",
    "histories_figure",
    "history_figure",
    "homeostasis_figure",
    "learning_figure",
    "metrics_figure",
    "prediction_figure",
    "residuals_figure",
    "search_trace",
    "svg",
    "timing_diagram",
    "tradeoff_figure",
]
