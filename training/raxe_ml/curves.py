"""Points of the plots: trade-offs of two error rates, shares with their intervals, reliability of scores."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from raxe_ml.calibrate import PREVALENCE
from raxe_ml.figures import BINS, Floats, wilson

_MOST_POINTS = 160  # of one curve; more cannot be told apart at the size of the plots
_LEAST_ROWS = 10  # of a bin that is shown


@dataclass(frozen=True, slots=True)
class Curve:
    """Error rates at falling thresholds: at each, the share of benign rows and of attacks that score as high."""

    fpr: Floats
    recall: Floats

    @property
    def precision(self) -> Floats:
        """Share of attacks among what is flagged, in traffic where one text in twenty is one."""
        hits, alarms = PREVALENCE * self.recall, (1 - PREVALENCE) * self.fpr
        return hits / (hits + alarms)


@dataclass(frozen=True, slots=True)
class Bin:
    """Rows of about one score: its mean, and the share of attacks among them, in traffic with one attack in twenty."""

    score: float
    share: float
    interval: tuple[float, float]
    n: int


def curve(attacks: ArrayLike, benign: ArrayLike) -> Curve:
    """The curve of two sets of scores, neither empty; of many thresholds a fixed number that keeps the low rates."""
    high, low = (np.sort(np.asarray(scores, np.float64)) for scores in (attacks, benign))
    half = _MOST_POINTS // 2
    ranks = np.unique(np.geomspace(1, len(low), half).round().astype(int))
    evenly = np.unique(np.linspace(0, len(high) - 1, half).round().astype(int))
    cuts = np.unique(np.concatenate([low[len(low) - ranks], high[evenly]]))[::-1]
    # No threshold below the lowest attack: every attack is flagged there, and precision only falls.
    cuts = cuts[cuts >= high[0]]
    recall, fpr = (1 - np.searchsorted(scores, cuts, "left") / len(scores) for scores in (high, low))
    found = recall > 0  # above the highest attack there is no precision
    return Curve(fpr[found], recall[found])


def reliability(labels: ArrayLike, scores: ArrayLike) -> list[Bin]:
    """The bins of equal width with at least ten rows; empty unless there are attacks and benign rows.

    Rows are weighted to the prevalence that scores are calibrated to.
    """
    y, s = np.asarray(labels, bool), np.asarray(scores, np.float64)
    if not y.any() or y.all():
        return []
    weight = np.where(y, PREVALENCE / y.sum(), (1 - PREVALENCE) / (~y).sum())
    place = np.minimum((s * BINS).astype(int), BINS - 1)
    inside = [place == number for number in range(BINS)]
    return [_bin(y[rows], s[rows], weight[rows], y) for rows in inside if rows.sum() >= _LEAST_ROWS]


def _bin(labels: NDArray[np.bool_], scores: Floats, weight: Floats, every: NDArray[np.bool_]) -> Bin:
    attack = PREVALENCE / every.sum() / ((1 - PREVALENCE) / (~every).sum())  # weight of an attack, of a benign row 1
    low, high = (end * attack / (end * attack + 1 - end) for end in wilson(int(labels.sum()), len(labels)))
    return Bin(
        float(np.average(scores, weights=weight)),
        float(np.average(labels, weights=weight)),
        (float(low), float(high)),
        len(labels),
    )
