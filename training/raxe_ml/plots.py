"""The plots of the report and of the model card, as SVG; the same outcomes give the same bytes."""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.typing import RcKeyType

from raxe_ml import drawings
from raxe_ml.drawings import Outcomes

_STYLE: dict[RcKeyType, Any] = {
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#777777",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.7,
    "legend.edgecolor": "none",
    "legend.framealpha": 0.85,
    "legend.fontsize": 8,
    "lines.linewidth": 1.6,
}
# The date would make two runs differ, and the other fields are addresses.
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))

_FAMILIES = "A line is one family's attacks against all benign rows of the panel; the legend counts attacks. "
_CAPTIONS = {
    "roc": f"{_FAMILIES}The axis is logarithmic; its left edge stands for no benign row flagged. Dots: what the policy "
    "flags. Dotted: 0.5 %, at which thresholds are chosen on other sources.",
    "precision-recall": f"{_FAMILIES}Precision is weighted to traffic in which one text in twenty is an attack; at low "
    "recall it hangs on one or two benign rows.",
    "scores": "Shares are on a logarithmic axis, so that what lies in the middle can be seen; the benign rows are the "
    "same in every panel.",
    "calibration": "Bins with at least ten rows, weighted to traffic in which one text in twenty is an attack, with 95 "
    "% intervals. Above the diagonal scores are too low, below it too high.",
    "fpr-by-length": "With 95 % intervals; a mark at zero says that no row was flagged, its bar how high the rate may "
    "still be.",
    "latency-by-length": "Boxes: the middle half; whiskers and number: 5th and 95th percentile. One row at a time.",
}


@dataclass(frozen=True, slots=True)
class Plot:
    """One drawing: its file name without ending, what it shows, how to read it, and a whole SVG document."""

    name: str
    title: str
    caption: str
    svg: str


def plots(outcomes: Outcomes, target_fpr: float) -> list[Plot]:
    """Every plot that the outcomes have rows for; what has no rows is left out, never drawn as zero."""
    drawn = [
        _plot("roc", "Recall against false-positive rate (ROC)", partial(drawings.roc, outcomes)),
        _plot("precision-recall", "Precision against recall", partial(drawings.precision_recall, outcomes)),
        _plot("scores", "Scores of attacks and of benign rows", partial(drawings.histograms, outcomes)),
        _plot("calibration", "Calibration", partial(drawings.calibration, outcomes)),
        _plot("fpr-by-length", "False-positive rate by length", partial(drawings.fpr_by_length, outcomes, target_fpr)),
        _plot("latency-by-length", "Latency by length", partial(drawings.latency_by_length, outcomes)),
    ]
    return [plot for plot in drawn if plot]


def _plot(name: str, title: str, draw: Callable[[], Figure | None]) -> Plot | None:
    with mpl.rc_context({**_STYLE, "svg.hashsalt": name}):
        figure = draw()
        if figure is None:
            return None
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata=_NO_METADATA)
    label = f'<svg role="img" aria-label="{escape(title)}" '
    short = re.sub(r"(\d\.\d\d)\d+", r"\1", out.getvalue())  # hundredths of a point: a third of the bytes goes
    lines = "".join(f"{line.rstrip()}\n" for line in short.replace("<svg ", label, 1).splitlines())
    return Plot(name, title, _CAPTIONS[name], lines)
