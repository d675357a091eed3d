"""One metric of both arms -> its tests and the conclusion that may be drawn at any time."""

from dataclasses import dataclass, replace
from enum import StrEnum

from raxe.experiments.sequential import confidence_sequence, pooled_error
from raxe.experiments.statistics import Interval, Mean, Share, Test, detectable, welch_test, z_test

LEAST_ANSWERS = 100  # of each arm: the tests are asymptotic
LEAST_EVENTS = 5.0  # expected in each arm, of what is rarer


class Finding(StrEnum):
    """What a metric says; more or fewer flags are neither better nor worse, without labels."""

    NOT_ENOUGH = "not enough data"
    NO_DIFFERENCE = "no difference seen"
    WORSE = "challenger is worse"
    BETTER = "challenger is better"
    MORE = "challenger flags more"
    FEWER = "challenger flags fewer"


@dataclass(frozen=True, slots=True)
class Metric:
    """What is compared.

    Attributes:
        matters: size of a difference that matters, in the unit of the metric.
        more: what it means that the challenger has more.
        fewer: what it means that it has less.
    """

    name: str
    matters: float
    more: Finding
    fewer: Finding


@dataclass(frozen=True, slots=True)
class Comparison:
    """One metric of both arms; figures are None when an arm has none.

    Attributes:
        interval: of the difference, challenger less champion, for one look that was planned.
        at_any_time: the same for any number of looks; ``finding`` follows from it.
        p_value: two-sided, for one look that was planned.
        detectable: least difference that this many answers find at 80 % power.
    """

    metric: str
    test: str
    matters: float
    finding: Finding = Finding.NOT_ENOUGH
    champion: float | None = None
    challenger: float | None = None
    difference: float | None = None
    interval: Interval | None = None
    at_any_time: Interval | None = None
    p_value: float | None = None
    detectable: float | None = None


def compare_shares(metric: Metric, champion: Share, challenger: Share, alpha: float) -> Comparison:
    """The two-proportion z test; a difference is believed where both outcomes are common enough in both arms."""
    made = Comparison(metric.name, "two-proportion z", metric.matters)
    if not (champion.n and challenger.n):
        return made
    made = replace(made, champion=champion.value, challenger=challenger.value)
    # The pooled share, and not one of 0 or 1: before anything happened the error of a share is not 0.
    test = replace(z_test(champion, challenger, alpha), error=pooled_error(champion, challenger))
    least, pooled = min(champion.n, challenger.n), (champion.k + challenger.k) / (champion.n + challenger.n)
    common = least * min(pooled, 1 - pooled) >= LEAST_EVENTS
    return _concluded(replace(made, finding=_finding(metric, test, alpha, least if common else 0, least)), test, alpha)


def compare_means(metric: Metric, champion: Mean | None, challenger: Mean | None, alpha: float) -> Comparison:
    """Welch's t test."""
    made = Comparison(metric.name, "Welch t", metric.matters)
    if champion is None or challenger is None:
        return made
    made = replace(made, champion=champion.value, challenger=challenger.value)
    test, least = welch_test(champion, challenger, alpha), min(champion.n, challenger.n)
    return _concluded(replace(made, finding=_finding(metric, test, alpha, least, least)), test, alpha)


def _finding(metric: Metric, test: Test, alpha: float, for_difference: int, for_none: int) -> Finding:
    """What follows from a test with so many answers that count for a difference, and against one."""
    always = confidence_sequence(test.difference, test.error, metric.matters, alpha)
    if for_difference >= LEAST_ANSWERS and not always.low <= 0 <= always.high:
        return metric.more if test.difference > 0 else metric.fewer
    if for_none >= LEAST_ANSWERS and detectable(test.error, alpha) <= metric.matters:
        return Finding.NO_DIFFERENCE
    return Finding.NOT_ENOUGH


def _concluded(made: Comparison, test: Test, alpha: float) -> Comparison:
    return replace(
        made,
        difference=test.difference,
        interval=test.interval,
        at_any_time=confidence_sequence(test.difference, test.error, made.matters, alpha),
        p_value=test.p_value,
        detectable=detectable(test.error, alpha),
    )
