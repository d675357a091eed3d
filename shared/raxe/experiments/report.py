"""Totals of the arms -> what may be said of them. Pure: the same totals give the same report."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from raxe.errors import ExperimentNotFound
from raxe.experiments.comparison import Comparison, Finding, Metric, compare_means, compare_shares
from raxe.experiments.statistics import Interval, Mean, Share, mean_of, wilson
from raxe.protocols import ExperimentStore
from raxe.settings import EXPERIMENT_PATTERN
from raxe.values import CHALLENGER, CHAMPION
from raxe.values.experiments import LATENCY_BUCKETS, ArmTotals, lower_edge_ms

ALPHA = 0.05
FLAG_RATE = Metric("flag_rate", 0.02, Finding.MORE, Finding.FEWER)
ERROR_RATE = Metric("error_rate", 0.01, Finding.WORSE, Finding.BETTER)
LATENCY = Metric("latency_ms", 1.0, Finding.WORSE, Finding.BETTER)
ACCURACY = Metric("accuracy", 0.05, Finding.BETTER, Finding.WORSE)


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of ``n`` answers, with Wilson's interval."""

    value: float
    interval: Interval
    n: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Of the answers that have one. Quantiles are interpolated in a histogram whose buckets are 9 % wide."""

    n: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class ArmReport:
    """One arm: answers, their share of flags and of errors, latency, and against labels accuracy, recall and FPR."""

    arm: str
    models: tuple[str, ...]
    n: int
    flag_rate: Rate | None
    error_rate: Rate | None
    latency: Latency | None
    accuracy: Rate | None
    recall: Rate | None
    fpr: Rate | None


@dataclass(frozen=True, slots=True)
class Report:
    """An experiment; ``alpha`` is the false-alarm rate of each metric by itself."""

    name: str
    alpha: float
    arms: tuple[ArmReport, ...]
    metrics: tuple[Comparison, ...]
    warnings: tuple[str, ...]


def report(name: str, totals: Mapping[str, ArmTotals], alpha: float = ALPHA) -> Report:
    """The report of an experiment: every arm, the champion first, and champion and challenger side by side."""
    arms = sorted(totals, key=lambda arm: (arm != CHAMPION, arm))
    one, two = totals.get(CHAMPION, ArmTotals()), totals.get(CHALLENGER, ArmTotals())
    metrics = (
        compare_shares(FLAG_RATE, _flags(one), _flags(two), alpha),
        compare_shares(ERROR_RATE, _errors(one), _errors(two), alpha),
        compare_means(LATENCY, _mean(one), _mean(two), alpha),
        compare_shares(ACCURACY, _right(one), _right(two), alpha),
    )
    mixed = tuple(
        f"{arm} mixes the answers of {len(totals[arm].models)} models; another model is another experiment"
        for arm in arms
        if len(totals[arm].models) > 1
    )
    return Report(name, alpha, tuple(_arm(arm, totals[arm], alpha) for arm in arms), metrics, mixed)


def report_of(store: ExperimentStore, name: str) -> Report:
    """The report of what a store has; raises ExperimentNotFound when nothing was counted under that name."""
    totals = store.read(name) if re.fullmatch(EXPERIMENT_PATTERN, name) else {}
    if not totals:
        raise ExperimentNotFound("nothing was counted under that name")
    return report(name, totals)


def report_json(made: Report) -> str:
    """The report as one JSON object; figures that are not there are null."""
    return json.dumps(asdict(made), allow_nan=False)


def quantile_ms(histogram: tuple[int, ...], q: float) -> float:
    """The latency that a share ``q`` of a histogram lies below, within 9 %; of the last bucket its lower edge."""
    left = q * sum(histogram)
    for bucket, count in enumerate(histogram[:-1]):
        if count and left <= count:
            low, high = lower_edge_ms(bucket), lower_edge_ms(bucket + 1)
            return high * left / count if bucket == 0 else low * (high / low) ** (left / count)
        left -= count
    return lower_edge_ms(LATENCY_BUCKETS - 1)


def _arm(arm: str, totals: ArmTotals, alpha: float) -> ArmReport:
    def rate(share: Share) -> Rate | None:
        return Rate(share.value, wilson(share, alpha), share.n) if share.n else None

    return ArmReport(
        arm=arm,
        models=tuple(sorted(totals.models)),
        n=totals.n,
        flag_rate=rate(_flags(totals)),
        error_rate=rate(_errors(totals)),
        latency=latency_of(totals),
        accuracy=rate(_right(totals)),
        recall=rate(Share(totals.tp, totals.tp + totals.fn)),
        fpr=rate(Share(totals.fp, totals.fp + totals.tn)),
    )


def latency_of(totals: ArmTotals) -> Latency | None:
    """The latency of the answers that have one; None without any."""
    if not totals.timed:
        return None
    p50, p95, p99 = (quantile_ms(totals.histogram, q) for q in (0.5, 0.95, 0.99))
    return Latency(totals.timed, totals.latency_sum_ms / totals.timed, p50, p95, p99)


def _flags(totals: ArmTotals) -> Share:
    return Share(totals.flagged, totals.n)


def _errors(totals: ArmTotals) -> Share:
    return Share(totals.errors, totals.n)


def _right(totals: ArmTotals) -> Share:
    return Share(totals.tp + totals.tn, totals.labelled)


def _mean(totals: ArmTotals) -> Mean | None:
    return mean_of(totals.timed, totals.latency_sum_ms, totals.latency_squares_ms2)
