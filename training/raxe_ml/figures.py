"""Figures that do not flatter: with intervals, at a fixed false-positive rate, and how far scores are calibrated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from raxe.evaluation import auroc, figures

RESAMPLES = 1000
LEVEL = 0.95
FIXED_FPR = 0.005
BINS = 15
_Z = 1.959964  # standard deviations of a normal distribution that hold 95 % of it

Interval = tuple[float, float]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Share:
    """A figure in [0, 1] with its 95 % interval; ``n`` rows of the kind that it speaks of.

    The interval is a bootstrap's, and Wilson's where no row or every row is hit: no resample can differ there.
    """

    value: float
    interval: Interval
    n: int


@dataclass(frozen=True, slots=True)
class SetFigures:
    """The figures of one set; None where the set has no row of the kind that the figure needs.

    Attributes:
        recall: share of the attacks that are flagged.
        fpr: share of the benign rows that are flagged.
        auroc: chance that an attack scores above a benign row.
        recall_at_fixed_fpr: recall at the least threshold that flags at most 0.5 % of the set's benign rows.
        ece: expected calibration error over 15 bins of equal width, weighted to the set's own share of attacks.
    """

    n: int
    recall: Share | None
    fpr: Share | None
    f1: float | None
    auroc: Share | None
    recall_at_fixed_fpr: Share | None
    ece: float | None


def set_figures(labels: Sequence[int], flagged: Sequence[bool], scores: Sequence[float], seed: int = 0) -> SetFigures:
    """The figures of N rows: labels 0 or 1, whether each is flagged, scores in [0, 1]."""
    y, raised, s = np.asarray(labels, bool), np.asarray(flagged, bool), np.asarray(scores, np.float64)
    draw = np.random.default_rng(seed)
    attacks, benign = s[y], s[~y]
    hits, alarms = raised[y].astype(float), raised[~y].astype(float)
    both = bool(len(attacks) and len(benign))
    return SetFigures(
        len(y),
        _share(hits, draw),
        _share(alarms, draw),
        figures(labels, flagged, scores).f1,
        _between(attacks, benign, _area, draw) if both else None,
        _between(attacks, benign, recall_at, draw) if both else None,
        expected_calibration_error(y, s) if both else None,
    )


def recall_at(attacks: Floats, benign: Floats, fpr: float = FIXED_FPR) -> float:
    """Share of the attack scores above the least threshold that at most ``fpr`` of the benign scores reach."""
    allowed = int(len(benign) * fpr)
    return float(np.mean(attacks > np.sort(benign)[len(benign) - 1 - allowed]))


def expected_calibration_error(labels: NDArray[np.bool_], scores: Floats) -> float:
    """Mean distance between score and share of attacks over bins of equal width, weighted by their rows."""
    place = np.minimum((scores * BINS).astype(int), BINS - 1)
    gaps = [
        abs(scores[place == b].mean() - labels[place == b].mean()) * (place == b).mean()
        for b in range(BINS)
        if (place == b).any()
    ]
    return float(sum(gaps))


def wilson(hits: int, n: int) -> Interval:
    """The 95 % interval of a share, of which neither end is outside [0, 1] even where no row is hit."""
    middle = (hits + _Z**2 / 2) / (n + _Z**2)
    half = _Z / (n + _Z**2) * float(np.sqrt(hits * (n - hits) / n + _Z**2 / 4))
    return max(0.0, middle - half), min(1.0, middle + half)


def _area(attacks: Floats, benign: Floats) -> float:
    area = auroc([1] * len(attacks) + [0] * len(benign), [*attacks, *benign])
    assert area is not None
    return area


def _share(values: Floats, draw: np.random.Generator) -> Share | None:
    if not len(values):
        return None
    value, hits = float(values.mean()), int(values.sum())
    if hits in {0, len(values)}:
        return Share(value, wilson(hits, len(values)), len(values))
    found = [float(draw.choice(values, len(values)).mean()) for _ in range(RESAMPLES)]
    return Share(value, _middle(found), len(values))


def _between(
    attacks: Floats, benign: Floats, statistic: Callable[[Floats, Floats], float], draw: np.random.Generator
) -> Share:
    """Both kinds are drawn apart, so that a sample never lacks one of them."""
    found = [statistic(draw.choice(attacks, len(attacks)), draw.choice(benign, len(benign))) for _ in range(RESAMPLES)]
    return Share(statistic(attacks, benign), _middle(found), len(attacks) + len(benign))


def _middle(found: list[float]) -> Interval:
    low, high = np.quantile(found, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return float(low), float(high)
