"""The points of the plots: error rates, intervals of shares, reliability of scores."""

import numpy as np
import pytest

from raxe_ml.calibrate import PREVALENCE
from raxe_ml.curves import curve, reliability
from raxe_ml.figures import wilson


def test_a_curve_counts_what_reaches_each_threshold() -> None:
    """Recall and false-positive rate are shares of the rows that score at least as high, equal scores together."""
    found = curve([0.9, 0.5, 0.5], [0.7, 0.5, 0.1, 0.1])
    assert list(found.recall) == pytest.approx([1 / 3, 1 / 3, 1])
    assert list(found.fpr) == [0, 0.25, 0.5]


def test_a_long_curve_keeps_its_ends_and_few_points() -> None:
    """However many rows there are, it rises from the first attack to all of them with a bounded number of points."""
    draw = np.random.default_rng(1)
    found = curve(draw.beta(4, 1, 20_000), draw.beta(1, 4, 20_000))
    assert len(found.fpr) <= 160
    assert (np.diff(found.recall) >= 0).all()
    assert (np.diff(found.fpr) >= 0).all()
    assert found.recall[0] < 0.001 < found.recall[-1] == 1


def test_precision_speaks_of_traffic_with_few_attacks() -> None:
    """A detector that flags everything is right as often as there are attacks, however many the rows hold."""
    assert curve([0.5] * 90, [0.5] * 10).precision[-1] == pytest.approx(PREVALENCE)
    assert curve([0.9], [0.1]).precision[0] == 1


def test_an_interval_has_width_where_nothing_was_found() -> None:
    """No hit of ten rows leaves a rate of up to 28 % open, no hit of a thousand up to 0.4 %."""
    assert wilson(0, 10) == pytest.approx((0, 0.278), abs=0.001)
    assert wilson(0, 1000)[1] == pytest.approx(0.0038, abs=0.0001)
    assert wilson(5, 10) == pytest.approx((0.237, 0.763), abs=0.001)


def test_scores_that_tell_the_truth_lie_on_the_diagonal() -> None:
    """Where one text in twenty is an attack and scores are its probability, share and score agree in every bin."""
    draw = np.random.default_rng(2)
    scores = draw.beta(0.05, 0.95, 200_000)
    labels = draw.random(200_000) < scores
    bins = reliability(labels, scores)
    assert len(bins) == 15
    for each in bins:
        assert each.share == pytest.approx(each.score, abs=0.06)
        assert each.interval[0] <= each.share <= each.interval[1]


def test_reliability_does_not_hang_on_how_many_attacks_were_measured() -> None:
    """Ten times the attacks with the same scores leave every bin where it is."""
    attacks, benign = [0.3] * 20 + [0.9] * 20, [0.3] * 50 + [0.02] * 500
    few = reliability([1] * 40 + [0] * 550, attacks + benign)
    many = reliability([1] * 400 + [0] * 550, attacks * 10 + benign)
    assert [each.share for each in few] == pytest.approx([each.share for each in many])
    assert [each.score for each in few] == pytest.approx([each.score for each in many])


def test_bins_with_hardly_a_row_are_left_out() -> None:
    """Nine rows make no bin, and without both labels there is none."""
    assert [each.n for each in reliability([1] * 9 + [0] * 10, [0.9] * 9 + [0.1] * 10)] == [10]
    assert reliability([1] * 20, [0.9] * 20) == []
