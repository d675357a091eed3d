"""Tests and intervals against scipy, and the promise of the verdict: looking often raises no false alarms."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from raxe.experiments.assignment import gets_second
from raxe.experiments.comparison import Finding, compare_means, compare_shares
from raxe.experiments.report import ACCURACY, ERROR_RATE, FLAG_RATE, LATENCY
from raxe.experiments.sequential import confidence_sequence, pooled_error
from raxe.experiments.statistics import (
    Share,
    detectable,
    mean_of,
    t_quantile,
    t_tail,
    welch_test,
    wilson,
    z_test,
)
from raxe.values.buckets import bucket_of

ALPHA = 0.05
counts = st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts)
def test_wilson_is_that_of_scipy(kn: tuple[int, int]) -> None:
    """For every count, none and all included."""
    wanted = stats.binomtest(*kn).proportion_ci(0.95, method="wilson")
    found = wilson(Share(*kn), ALPHA)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=1e-12)


@given(counts, counts)
def test_the_z_test_is_the_chi_square_test(one: tuple[int, int], two: tuple[int, int]) -> None:
    """Its p-value is that of the table, and the interval has the difference in it and stays in [-1, 1]."""
    test = z_test(Share(*one), Share(*two), ALPHA)
    table = [[one[0], one[1] - one[0]], [two[0], two[1] - two[0]]]
    if min(one[0] + two[0], sum(one[1:] + two[1:]) - one[0] - two[0]) > 0:
        assert test.p_value == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue, abs=1e-9)
    else:
        assert test.p_value == 1
    assert -1 - 1e-9 <= test.interval.low <= test.difference <= test.interval.high <= 1 + 1e-9


def test_the_interval_of_a_difference_is_newcombes() -> None:
    """The published example: 56 of 70 against 48 of 80 gives 0.0524 to 0.3339 (Newcombe 1998, table II, method 10)."""
    found = z_test(Share(48, 80), Share(56, 70), ALPHA).interval
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


@pytest.mark.parametrize(("n", "m", "scale"), [(2, 2, 1.0), (3, 40, 9.0), (500, 2000, 0.1), (100_000, 7, 3.0)])
def test_welch_is_that_of_scipy(n: int, m: int, scale: float) -> None:
    """From sums alone, for few and for many values."""
    draw = np.random.default_rng(n)
    one, two = draw.gamma(2, 4, n), draw.gamma(2, 4 * scale, m)
    means = [mean_of(len(each), float(each.sum()), float((each**2).sum())) for each in (one, two)]
    assert means[0]
    assert means[1]
    found, wanted = welch_test(means[0], means[1], ALPHA), stats.ttest_ind(two, one, equal_var=False)
    interval = wanted.confidence_interval(0.95)
    assert found.p_value == pytest.approx(wanted.pvalue, rel=1e-6)
    assert (found.interval.low, found.interval.high) == pytest.approx((interval.low, interval.high), rel=1e-6)


@given(st.floats(-40, 40), st.floats(1, 1e6))
def test_students_t_is_that_of_scipy(t: float, freedom: float) -> None:
    """The tail to ten digits, and the quantile is its inverse."""
    assert t_tail(t, freedom) == pytest.approx(stats.t.sf(t, freedom), rel=1e-8, abs=1e-14)
    assert t_quantile(0.975, freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-9)


def test_values_that_are_all_the_same_are_told_apart() -> None:
    """Without any variance equal means have p 1 and others p 0; one value has no variance."""
    one, two = mean_of(5, 10, 20), mean_of(4, 12, 36)
    assert one
    assert two
    assert (welch_test(one, one, ALPHA).p_value, welch_test(one, two, ALPHA).p_value) == (1, 0)
    assert mean_of(1, 2, 4) is None


def test_the_detectable_difference_is_found_at_its_power() -> None:
    """Of 4,000 experiments with that difference 80 % reject, within three standard errors."""
    draw, n, p = np.random.default_rng(3), 2000, 0.4
    least = detectable(math.sqrt(2 * p * (1 - p) / n), ALPHA)
    pairs = zip(draw.binomial(n, p, 4000), draw.binomial(n, p + least, 4000), strict=True)
    found = sum(z_test(Share(int(k), n), Share(int(j), n), ALPHA).p_value < ALPHA for k, j in pairs)
    assert found / 4000 == pytest.approx(0.8, abs=0.025)


LOOKS, STEP, RUNS = 50, 200, 300


def running(values: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> list[list[float]]:
    """Sums of each run at each look."""
    sums: list[list[float]] = values.reshape(RUNS, LOOKS, STEP).sum(axis=2).cumsum(axis=1).tolist()
    return sums


@pytest.mark.parametrize(("p", "split"), [(0.005, 0.5), (0.05, 0.5), (0.05, 0.1), (0.4, 0.5), (0.97, 0.5)])
def test_peeking_raises_no_false_alarms_of_shares(p: float, split: float) -> None:
    """Under no difference, with a look after every two hundred answers, at most alpha of runs ever see one.

    Looking at the naive p-value in the same runs sees one in more than twice as many.
    """
    draw, size = np.random.default_rng(11), (RUNS, LOOKS * STEP)
    second, hit = draw.random(size) < split, draw.random(size) < p
    n = running(second.astype(float))
    k = [running((hit & arm).astype(float)) for arm in (~second, second)]
    alarms = naive = 0
    for run in range(RUNS):
        looks = [
            (Share(int(k[0][run][at]), (at + 1) * STEP - int(n[run][at])), Share(int(k[1][run][at]), int(n[run][at])))
            for at in range(LOOKS)
        ]
        findings = {compare_shares(ERROR_RATE, one, two, ALPHA).finding for one, two in looks if one.n and two.n}
        alarms += bool(findings & {Finding.WORSE, Finding.BETTER})
        naive += any(z_test(one, two, ALPHA).p_value < ALPHA for one, two in looks if min(one.n, two.n) >= 100)
    assert alarms / RUNS <= ALPHA
    assert naive / RUNS > 2 * ALPHA


def test_peeking_raises_no_false_alarms_of_latencies() -> None:
    """The same for means of skewed times with a long tail, at ten looks."""
    draw, size = np.random.default_rng(12), (RUNS, LOOKS * STEP)
    sums = [[running(values**power) for power in (1, 2)] for values in (draw.lognormal(2, 0.6, size) for _ in range(2))]
    alarms = naive = 0
    for run in range(RUNS):
        made = []
        for at in range(0, LOOKS, 5):
            one, two = (mean_of((at + 1) * STEP, arm[0][run][at], arm[1][run][at]) for arm in sums)
            made.append(compare_means(LATENCY, one, two, ALPHA))
        alarms += any(each.finding in {Finding.WORSE, Finding.BETTER} for each in made)
        naive += any((each.p_value or 0) < ALPHA for each in made)
    assert alarms / RUNS <= ALPHA
    assert naive / RUNS > 2 * ALPHA


def test_a_real_difference_is_seen_and_its_interval_holds_at_all_looks() -> None:
    """Of a challenger with three points more, nine of ten runs say so, and the sequence has the truth in 95 %."""
    draw, truth = np.random.default_rng(13), 0.03
    seen = held = 0
    for _ in range(RUNS):
        k, j = (np.cumsum(draw.binomial(STEP, p, LOOKS)) for p in (0.05, 0.05 + truth))
        looks = [
            (Share(int(a), (at + 1) * STEP), Share(int(b), (at + 1) * STEP))
            for at, (a, b) in enumerate(zip(k, j, strict=True))
        ]
        seen += any(compare_shares(ERROR_RATE, *look, ALPHA).finding is Finding.WORSE for look in looks)
        spans = [confidence_sequence(two.value - one.value, pooled_error(one, two), 0.01, ALPHA) for one, two in looks]
        held += all(span.low <= truth <= span.high for span in spans)
    assert seen / RUNS > 0.9
    assert held / RUNS >= 1 - ALPHA


def test_the_sequence_is_wider_than_one_look() -> None:
    """Looking at any time has its price, and it falls to zero width as answers come."""
    one_look = NormalDist().inv_cdf(0.975)
    widths = [confidence_sequence(0, error, 0.02, ALPHA).high / error for error in (0.1, 0.01, 0.001, 0.0001)]
    assert all(width > one_look for width in widths)
    assert confidence_sequence(0.5, 0, 0.02, ALPHA).low == 0.5


@pytest.mark.parametrize(
    ("one", "two", "finding"),
    [
        (Share(0, 0), Share(5, 10), Finding.NOT_ENOUGH),
        (Share(0, 99), Share(99, 99), Finding.NOT_ENOUGH),
        (Share(0, 100), Share(100, 100), Finding.BETTER),
        (Share(100, 100), Share(0, 100), Finding.WORSE),
        (Share(0, 100), Share(4, 100), Finding.NOT_ENOUGH),
        (Share(950, 1000), Share(951, 1000), Finding.NO_DIFFERENCE),
        (Share(0, 100_000), Share(0, 100_000), Finding.NO_DIFFERENCE),
        (Share(95, 100), Share(93, 100), Finding.NOT_ENOUGH),
    ],
)
def test_each_finding_has_its_case(one: Share, two: Share, finding: Finding) -> None:
    """Few answers and few events say nothing; no difference is said only where one that matters would be seen."""
    assert compare_shares(ACCURACY, one, two, ALPHA).finding is finding


def test_more_flags_are_neither_better_nor_worse() -> None:
    """Without labels nobody knows which of them are right."""
    assert compare_shares(FLAG_RATE, Share(10, 1000), Share(90, 1000), ALPHA).finding is Finding.MORE
    assert compare_shares(FLAG_RATE, Share(90, 1000), Share(10, 1000), ALPHA).finding is Finding.FEWER


@given(st.text(), st.text(), st.floats(0, 1), st.floats(0, 1))
def test_assignment_is_sticky_and_moves_one_way(salt: str, subject: str, low: float, high: float) -> None:
    """The same answer always; whoever has the second variant at a share has it at every larger one."""
    assert 0 <= bucket_of(salt, subject) == bucket_of(salt, subject) < 10_000
    low, high = sorted((low, high))
    assert gets_second(salt, subject, low) <= gets_second(salt, subject, high)
    assert (gets_second(salt, subject, 0), gets_second(salt, subject, 1)) == (False, True)


def test_assignment_is_even_and_differs_between_salts() -> None:
    """Of 20,000 subjects the share that was asked for, within four standard errors; two salts agree by chance alone."""
    subjects = [f"user-{at}" for at in range(20_000)]
    drawn = [[gets_second(salt, subject, 0.1) for subject in subjects] for salt in ("a", "b")]
    assert sum(drawn[0]) / 20_000 == pytest.approx(0.1, abs=0.0085)
    both = sum(one and two for one, two in zip(*drawn, strict=True))
    assert both / 20_000 == pytest.approx(0.01, abs=0.003)
