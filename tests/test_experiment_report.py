"""Totals of answers, quantiles of their histogram, and what a report says of the arms."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raxe.adapters.counters import counters_of, totals_of
from raxe.experiments.comparison import Finding, compare_shares
from raxe.experiments.report import ALPHA, FLAG_RATE, quantile_ms, report
from raxe.experiments.statistics import Share
from raxe.values.experiments import LATENCY_BUCKETS, ArmTotals, Seen, latency_bucket, lower_edge_ms

LATENCIES = st.floats(0, 1e6)
ANSWERS = st.lists(
    st.builds(
        Seen,
        st.just("champion"),
        st.sampled_from(["m1", "m2", ""]),
        st.booleans(),
        st.booleans(),
        LATENCIES | st.none(),
    )
)


@given(LATENCIES)
def test_every_latency_has_its_bucket(latency_ms: float) -> None:
    """Its edges are around it, and they are 9 % apart."""
    bucket = latency_bucket(latency_ms)
    assert 0 <= bucket < LATENCY_BUCKETS
    assert lower_edge_ms(bucket) * (1 - 1e-12) <= latency_ms
    assert bucket == LATENCY_BUCKETS - 1 or latency_ms <= lower_edge_ms(bucket + 1)
    assert lower_edge_ms(LATENCY_BUCKETS - 1) > 30_000
    assert bucket in (0, LATENCY_BUCKETS - 1) or lower_edge_ms(bucket + 1) / lower_edge_ms(bucket) == pytest.approx(
        2 ** (1 / 8)
    )


@given(ANSWERS)
def test_totals_survive_a_store(answers: list[Seen]) -> None:
    """As named numbers they come back; nothing that is 0 is written."""
    totals = ArmTotals.of(answers)
    named = counters_of(totals)
    back = totals_of(named, totals.models)
    assert 0 not in named.values()
    assert replace(back, latency_sum_ms=0, latency_squares_ms2=0) == replace(
        totals, latency_sum_ms=0, latency_squares_ms2=0
    )
    assert back.latency_sum_ms == pytest.approx(totals.latency_sum_ms, abs=1e-6)
    assert back.timed == sum(each.latency_ms is not None for each in answers)
    assert "" not in back.models


@pytest.mark.parametrize("q", [0.01, 0.5, 0.95, 0.99, 1.0])
def test_quantiles_are_within_nine_per_cent(q: float) -> None:
    """Of a skewed distribution, against numpy over the values themselves."""
    values = np.random.default_rng(4).lognormal(2, 1, 5000)
    totals = ArmTotals.of(Seen("champion", "m", False, latency_ms=float(value)) for value in values)
    assert quantile_ms(totals.histogram, q) == pytest.approx(float(np.quantile(values, q)), rel=0.0906)


def test_quantiles_at_the_ends() -> None:
    """Below 0.1 ms they are interpolated from 0, above the last edge it is said."""
    low, high = (ArmTotals.of([Seen("x", "m", False, latency_ms=ms)] * 4) for ms in (0.01, 1e9))
    assert quantile_ms(low.histogram, 0.5) == pytest.approx(0.05)
    assert quantile_ms(high.histogram, 0.5) == lower_edge_ms(LATENCY_BUCKETS - 1)


def answers(n: int, latency_ms: float, *, flags: int = 0, errors: int = 0, model: str = "m") -> list[Seen]:
    """Answers with a spread of latencies around one."""
    return [Seen("arm", model, at < flags, at < errors, latency_ms * (0.8 + 0.4 * (at % 100) / 99)) for at in range(n)]


def test_the_report_says_it_metric_by_metric() -> None:
    """A slower challenger that fails more and flags more, with labels that say it is right more often."""
    one = replace(ArmTotals.of(answers(4000, 8, flags=200)), tp=60, fp=20, tn=60, fn=60)
    two = replace(ArmTotals.of(answers(4000, 12, flags=400, errors=100)), tp=110, fp=5, tn=75, fn=10)
    made = report("e", {"challenger": two, "champion": one})
    assert [arm.arm for arm in made.arms] == ["champion", "challenger"]
    assert {each.metric: each.finding for each in made.metrics} == {
        "flag_rate": Finding.MORE,
        "error_rate": Finding.WORSE,
        "latency_ms": Finding.WORSE,
        "accuracy": Finding.BETTER,
    }
    arm = made.arms[1]
    assert (arm.n, arm.models) == (4000, ("m",))
    assert arm.recall
    assert arm.fpr
    assert arm.accuracy
    assert (arm.recall.value, arm.fpr.value, arm.accuracy.n) == (110 / 120, 5 / 80, 200)
    assert arm.recall.interval.low < arm.recall.value < arm.recall.interval.high
    assert arm.latency
    assert arm.latency.mean_ms == pytest.approx(12)
    assert arm.latency.p50_ms == pytest.approx(12, rel=0.09)
    assert math.isclose(made.metrics[0].difference or 0, 0.05)


def test_without_answers_every_metric_waits() -> None:
    """One arm alone, or none, is not enough data and no error; other arms are listed too."""
    made = report("e", {"champion": ArmTotals.of(answers(500, 8)), "off": ArmTotals(n=3)})
    assert {each.finding for each in made.metrics} == {Finding.NOT_ENOUGH}
    assert [arm.arm for arm in made.arms] == ["champion", "off"]
    assert made.arms[1].latency is None
    assert {each.finding for each in report("e", {}).metrics} == {Finding.NOT_ENOUGH}


def test_a_mixed_arm_is_said() -> None:
    """Answers of two models under one arm cannot be told apart afterwards."""
    totals = ArmTotals.of(answers(5, 8) + answers(5, 8, model="m2"))
    (warning,) = report("e", {"champion": totals}).warnings
    assert warning.startswith("champion mixes the answers of 2 models")


@pytest.mark.parametrize(("subjects", "least", "most"), [(20_000, 0.0, 0.1), (200, 0.5, 1.0)])
def test_answers_of_few_subjects_are_not_independent(subjects: int, least: float, most: float) -> None:
    """No difference, ten looks at 20,000 answers: subjects of their own kind who send many are taken for one.

    docs/ab-testing.md says so with the shares of 300 runs. When this fails, the tests have learned of subjects.
    """
    draw, runs, looks = np.random.default_rng(5), 60, 10
    differ = 0
    for _ in range(runs):
        traffic = draw.lognormal(0, 1, subjects)
        rates = draw.beta(0.1, 1.9, subjects)
        second = draw.random(subjects) < 0.5
        sent = draw.multinomial(20_000 // looks, traffic / traffic.sum(), looks)
        hit = draw.binomial(sent, rates)
        arms = [[np.cumsum(each[:, own].sum(axis=1)) for each in (hit, sent)] for own in (~second, second)]
        shares = [[Share(int(k), int(n)) for k, n in zip(*arm, strict=True)] for arm in arms]
        found = {compare_shares(FLAG_RATE, one, two, ALPHA).finding for one, two in zip(*shares, strict=True)}
        differ += bool(found & {Finding.MORE, Finding.FEWER})
    assert least <= differ / runs <= most
