"""Conclusions that may be drawn at any time: looking after every answer raises no false alarms.

The mixture sequential probability ratio test (Robbins, Ann. Math. Stat. 41, 1970; Johari, Koomen, Pekelis and Walsh,
"Peeking at A/B tests", KDD 2017): under no difference the likelihood ratio of differences drawn from N(0, scale ** 2)
against none is a martingale that starts at 1, so it reaches 1 / alpha with probability alpha at most (Ville), whenever
one looks. Inverting it gives a confidence sequence: intervals that hold at all times at once. The normal law and the
variance are plugged in from the data, so this is asymptotic (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas,
Ann. Statist. 52, 2024): the report draws no conclusion before there is enough of both arms. It also asks that the split
stays the same: arms that are tuned while the experiment runs are a new experiment.
"""

import math

from raxe.experiments.statistics import Interval, Share


def confidence_sequence(difference: float, error: float, scale: float, alpha: float) -> Interval:
    """The interval of a difference at 1 - alpha, at all times at once.

    ``scale`` is the size of differences that matter, fixed before the experiment: there the interval is narrowest.
    """
    variance, mixed = error * error, error * error + scale * scale
    if variance == 0:
        return Interval(difference, difference)
    squared = variance * mixed / (scale * scale) * (2 * math.log(1 / alpha) + math.log(mixed / variance))
    return Interval(difference - math.sqrt(squared), difference + math.sqrt(squared))


def pooled_error(first: Share, second: Share) -> float:
    """Standard error of the difference of two shares that are the same; above 0 also when nothing was counted yet."""
    pooled = (first.k + second.k + 1) / (first.n + second.n + 2)
    return math.sqrt(pooled * (1 - pooled) * (1 / first.n + 1 / second.n))
