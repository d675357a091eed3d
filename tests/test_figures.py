"""The figures of the training pipeline: intervals, recall at a fixed false-positive rate, calibration."""

import numpy as np
import pytest

from raxe_ml.figures import expected_calibration_error, recall_at, set_figures


def test_recall_at_a_fixed_rate_allows_that_share_of_benign_rows() -> None:
    """Of 200 benign scores the highest one may be passed at 0.5 %, the second may not."""
    benign = np.linspace(0, 0.5, 200)
    attacks = np.array([0.1, benign[-2], benign[-1], 0.9])
    assert recall_at(attacks, benign) == 0.5


def test_a_threshold_that_equals_a_benign_score_does_not_flag_it() -> None:
    """With fewer than 200 benign rows none may be flagged: an attack must score above them all."""
    assert recall_at(np.array([0.4, 0.5]), np.array([0.1, 0.4])) == 0.5


def test_calibration_error_is_the_mean_distance_of_score_and_share() -> None:
    """Scores of 0.9 of which half are attacks are off by 0.4; scores that tell the truth are off by nothing."""
    labels = np.array([True, False] * 50)
    assert expected_calibration_error(labels, np.full(100, 0.9)) == pytest.approx(0.4)
    assert expected_calibration_error(labels, np.full(100, 0.5)) == pytest.approx(0)


def test_an_interval_holds_the_figure_and_shrinks_with_more_rows() -> None:
    """The 95 % interval of recall contains it, and a hundred times the rows give a tenth of its width."""
    few = set_figures([1] * 20, [True, False] * 10, [0.5] * 20).recall
    many = set_figures([1] * 2000, [True, False] * 1000, [0.5] * 2000).recall
    assert few
    assert many
    assert few.interval[0] < few.value == 0.5 < few.interval[1]
    ratio = (few.interval[1] - few.interval[0]) / (many.interval[1] - many.interval[0])
    assert 5 < ratio < 20


def test_a_share_of_nothing_has_an_interval_that_shrinks_with_more_rows() -> None:
    """No false positive among 10 benign rows says less than none among 1,000: resampling would say 0 to 0 of both."""
    few, many = (set_figures([0] * n, [False] * n, [0.1] * n).fpr for n in (10, 1000))
    assert few
    assert many
    assert few.value == many.value == 0
    assert few.interval == pytest.approx((0, 0.278), abs=0.001)
    assert many.interval == pytest.approx((0, 0.0038), abs=0.0001)


def test_figures_that_need_both_kinds_are_none_without() -> None:
    """A benign source has a false-positive rate and nothing else; an attack source a recall and an F1."""
    benign, attacks = set_figures([0, 0], [True, False], [0.9, 0.1]), set_figures([1], [True], [0.9])
    assert benign.fpr
    assert benign.fpr.value == 0.5
    assert (benign.recall, benign.auroc, benign.recall_at_fixed_fpr, benign.ece) == (None, None, None, None)
    assert attacks.recall
    assert (attacks.fpr, attacks.auroc) == (None, None)


def test_the_same_rows_give_the_same_intervals() -> None:
    """The draws are seeded."""
    labels, flags, scores = [1, 0] * 30, [True, False, False] * 20, list(np.linspace(0, 1, 60))
    assert set_figures(labels, flags, scores) == set_figures(labels, flags, scores)
