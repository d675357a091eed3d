"""The drawings of report and model card: a function a plot, which gives None where the outcomes have no rows for it."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from raxe_ml.corpus.learning import CORPUS_SHARD
from raxe_ml.curves import curve, reliability
from raxe_ml.figures import FIXED_FPR, wilson
from raxe_ml.outcomes import RowOutcome, by_length, scores_of

Outcomes = Sequence[RowOutcome]

# Okabe and Ito's colours, which readers with any kind of colour blindness tell apart; the dashes help in grey print.
FAMILIES = {
    "PI": ("#0072b2", "-"),
    "JB": ("#d55e00", "-"),
    "CMD": ("#009e73", "--"),
    "PII": ("#cc79a7", "--"),
    "ENC": ("#e69f00", "-."),
    "RAG": ("#56b4e9", "-."),
}
_GROUPS = {"frozen topics of the corpus": ("#0072b2", "o"), "held-out public sources": ("#d55e00", "s")}
_BENIGN, _BOUND, _BOX = "#333333", "#444444", "#9ecae1"
_WIDE = (8.6, 4.3)
_LEFT_EDGE = 1e-4  # of the axis of false-positive rates: nothing below can be measured on some thousand rows
_FLOOR = 1e-4  # of the axis of shares in the histograms
_HISTOGRAM_BINS = 20
_PERCENTILES = (5, 25, 50, 75, 95)


def _groups(outcomes: Outcomes) -> dict[str, list[RowOutcome]]:
    """Outcomes of our own writing and of other people's, each if there are any: the two differ much."""
    own = [each.source.startswith(CORPUS_SHARD) for each in outcomes]
    halves = [
        [each for each, is_own in zip(outcomes, own, strict=True) if is_own is wanted] for wanted in (True, False)
    ]
    return {name: half for name, half in zip(_GROUPS, halves, strict=True) if half}


def families(outcomes: Outcomes) -> dict[str, list[RowOutcome]]:
    """The attacks of each family that has any."""
    found = {name: [each for each in outcomes if each.family == name] for name in FAMILIES}
    return {name: group for name, group in found.items() if group}


def _panels(count: int, size: tuple[float, float] = _WIDE, across: int = 2) -> tuple[Figure, list[Axes]]:
    """As many panels as asked for, ``across`` in a row."""
    figure = Figure(figsize=size, layout="constrained")
    rows = -(-count // across)
    grid = figure.subplots(rows, min(across, count), squeeze=False, sharex=True, sharey=True).ravel()
    for unused in grid[count:]:
        unused.remove()
    return figure, list(grid[:count])


def roc(outcomes: Outcomes) -> Figure | None:
    """Recall against the false-positive rate, a line a family."""
    return _curves(outcomes, _roc)


def precision_recall(outcomes: Outcomes) -> Figure | None:
    """Precision against recall, a line a family."""
    return _curves(outcomes, _precision_recall)


def _curves(outcomes: Outcomes, draw: Callable[[Axes, Outcomes, list[float]], None]) -> Figure | None:
    """A panel a group, a line a family against all benign rows of the group."""
    groups = {name: rows for name, rows in _groups(outcomes).items() if {each.label for each in rows} == {0, 1}}
    if not groups:
        return None
    figure, panels = _panels(len(groups))
    for axes, (name, rows) in zip(panels, groups.items(), strict=True):
        benign = scores_of(rows, 0)
        draw(axes, rows, benign)
        axes.set_title(name)
        axes.set_ylim(0, 1.02)
        _legend_below(axes, 3, f"attacks, against {len(benign):,} benign rows")
        axes.tick_params(labelleft=True)
    return figure


def _roc(axes: Axes, rows: Outcomes, benign: list[float]) -> None:
    false_alarms = float(np.mean([each.flagged for each in rows if not each.label]))
    for family, group in families(rows).items():
        colour, dash = FAMILIES[family]
        points = curve([each.score for each in group], benign)
        x = np.clip(np.append(points.fpr, 1.0), _LEFT_EDGE, 1)
        y = np.append(points.recall, 1.0)
        (line,) = axes.step(x, y, dash, where="post", color=colour, label=f"{family} ({len(group):,})")
        line.set_gid(f"roc-{family}")
        recall = float(np.mean([each.flagged for each in group]))
        axes.plot([max(false_alarms, _LEFT_EDGE)], [recall], "o", color=colour, markersize=4.5, clip_on=False)
    axes.axvline(FIXED_FPR, color=_BOUND, linewidth=0.9, linestyle=":")
    axes.set(xscale="log", xlim=(_LEFT_EDGE, 1), xlabel="share of benign rows flagged", ylabel="recall")
    axes.set_xticks([1e-4, 1e-3, 1e-2, 1e-1, 1], ["0", "0.1 %", "1 %", "10 %", "100 %"])
    axes.minorticks_off()


def _precision_recall(axes: Axes, rows: Outcomes, benign: list[float]) -> None:
    for family, group in families(rows).items():
        colour, dash = FAMILIES[family]
        points = curve([each.score for each in group], benign)
        (line,) = axes.plot(points.recall, points.precision, dash, color=colour, label=f"{family} ({len(group):,})")
        line.set_gid(f"precision-recall-{family}")
    axes.set(xlim=(0, 1.01), xlabel="recall", ylabel="precision at one attack in twenty")


def histograms(outcomes: Outcomes) -> Figure | None:
    """Shares of the scores, a panel a family beside all benign rows."""
    found = families(outcomes)
    benign = scores_of(outcomes, 0)
    if not found:
        return None
    figure, panels = _panels(len(found), (8.6, 2.3 * -(-len(found) // 3) + 0.3), across=3)
    edges = np.linspace(0, 1, _HISTOGRAM_BINS + 1)
    for axes, (family, group) in zip(panels, found.items(), strict=True):
        colour = FAMILIES[family][0]
        for name, scores, shade in ((family, [each.score for each in group], colour), ("benign", benign, _BENIGN)):
            if scores:
                share = np.maximum(np.histogram(scores, edges)[0] / len(scores), _FLOOR)
                bars = axes.stairs(
                    share, edges, baseline=_FLOOR, fill=shade is colour, label=f"{name} ({len(scores):,})"
                )
                bars.set(color=shade, linewidth=1.3, alpha=0.75, gid=f"scores-{family}-{name}")
        axes.set(yscale="log", ylim=(_FLOOR, 1), xlim=(0, 1), title=family)
        axes.set_yticks([1e-4, 1e-3, 1e-2, 1e-1, 1], ["", "0.1 %", "1 %", "10 %", "100 %"])
        axes.minorticks_off()
        axes.legend(loc="upper center")
    figure.supxlabel("score", fontsize=9)
    figure.supylabel("share of the rows", fontsize=9)
    return figure


def calibration(outcomes: Outcomes) -> Figure | None:
    """Share of attacks against score, a series a group."""
    groups = {
        name: bins
        for name, rows in _groups(outcomes).items()
        if (bins := reliability([each.label for each in rows], [each.score for each in rows]))
    }
    if not groups:
        return None
    figure, (axes,) = _panels(1, (5.2, 4.8))
    axes.plot([0, 1], [0, 1], color=_BOUND, linewidth=0.9, linestyle=":", label="as it should be")
    for name, bins in groups.items():
        colour, mark = _GROUPS[name]
        x, y = [each.score for each in bins], [each.share for each in bins]
        low, high = zip(*(each.interval for each in bins), strict=True)
        axes.vlines(x, low, high, color=colour, linewidth=1).set_gid(f"calibration-{name.split()[0]}-intervals")
        (line,) = axes.plot(x, y, mark, color=colour, markersize=4.5, label=name)
        line.set_gid(f"calibration-{name.split()[0]}")
    axes.set(xlim=(0, 1.01), ylim=(0, 1.02), xlabel="score", ylabel="share of attacks at one attack in twenty")
    _legend_below(axes, 2)
    return figure


def fpr_by_length(outcomes: Outcomes, target: float) -> Figure | None:
    """False-positive rate of each length bucket, a series a group."""
    benign = [each for each in outcomes if not each.label]
    if not benign:
        return None
    figure, (axes,) = _panels(1)
    lengths = list(by_length(benign))
    for shift, (name, rows) in zip((-0.12, 0.12), _groups(benign).items(), strict=False):
        colour, mark = _GROUPS[name]
        buckets = by_length(rows)
        x = [lengths.index(length) + shift for length in buckets]
        hits = [sum(each.flagged for each in bucket) for bucket in buckets.values()]
        sizes = [len(bucket) for bucket in buckets.values()]
        low, high = zip(*(wilson(hit, n) for hit, n in zip(hits, sizes, strict=True)), strict=True)
        axes.vlines(x, low, high, color=colour, linewidth=1.2)
        shares = [hit / n for hit, n in zip(hits, sizes, strict=True)]
        (line,) = axes.plot(x, shares, mark, color=colour, clip_on=False, label=f"{name} ({sum(sizes):,})")
        line.set_gid(f"fpr-{name.split()[0]}")
    axes.axhline(target, color=_BOUND, linewidth=0.9, linestyle=":", label=f"target: at most {100 * target:g} %")
    axes.set(xlabel="words of the text (benign rows)", ylabel="share of benign rows flagged")
    _count_ticks(axes, {name: len(group) for name, group in by_length(benign).items()})
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.set_ylim(bottom=0)
    _legend_below(axes, 3)
    return figure


def latency_by_length(outcomes: Outcomes) -> Figure | None:
    """Percentiles of the time of a scan, a box a length bucket."""
    scanned = by_length([each for each in outcomes if each.duration_ms is not None])
    if not scanned:
        return None
    figure, (axes,) = _panels(1)
    found = [np.percentile([each.duration_ms or 0.0 for each in group], _PERCENTILES) for group in scanned.values()]
    keys = ("whislo", "q1", "med", "q3", "whishi")
    boxes = axes.bxp(
        [dict(zip(keys, map(float, values), strict=True)) for values in found],
        positions=range(len(found)), widths=0.5, showfliers=False, patch_artist=True,
        boxprops={"facecolor": _BOX, "edgecolor": _BOUND}, medianprops={"color": "black"}, manage_ticks=False,
    )  # fmt: skip
    for length, box in zip(scanned, boxes["boxes"], strict=True):
        box.set_gid(f"latency-{length}")
    for place, values in enumerate(found):
        axes.annotate(f"{values[-1]:.1f}", (place, values[-1]), (0, 3), textcoords="offset points", ha="center")
    axes.set(yscale="log", xlabel="words of the text", ylabel="milliseconds of one scan")
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.margins(y=0.12)
    _count_ticks(axes, {name: len(group) for name, group in scanned.items()})
    return figure


def _legend_below(axes: Axes, columns: int, title: str | None = None) -> None:
    """Below, because inside there is no place that is free for every model."""
    place = (0.5, -0.16)
    axes.legend(
        loc="upper center", bbox_to_anchor=place, ncols=columns, title=title, title_fontsize=8, columnspacing=1.2
    )


def _count_ticks(axes: Axes, counts: dict[str, int]) -> None:
    axes.set_xticks(range(len(counts)), [f"{name}\n{count:,} rows" for name, count in counts.items()])
