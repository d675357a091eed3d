"""Tests and intervals for two arms from their sums alone. Standard library only: this runs inside Lambda too.

Shares: Wilson's interval of one share, Newcombe's of a difference (Stat. Med. 17, 1998, method 10), the pooled z test.
Means: Welch's t test with Satterthwaite's degrees of freedom. The tests compare all of them with scipy.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

_NORMAL = NormalDist()
_POWER = 0.8
_STEPS = 100
_TERMS = 300
_SMALL = 1e-300


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval; of shares it lies in [0, 1], of their differences in [-1, 1]."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Share:
    """``k`` of ``n`` answers, n above 0."""

    k: int
    n: int

    @property
    def value(self) -> float:
        """The share, in [0, 1]."""
        return self.k / self.n


@dataclass(frozen=True, slots=True)
class Mean:
    """Mean and variance (divided by n - 1) of ``n`` values, n above 1."""

    value: float
    variance: float
    n: int


@dataclass(frozen=True, slots=True)
class Test:
    """Second arm less first: the difference, its interval at 1 - alpha, the two-sided p, and the standard error."""

    __test__ = False  # not one of pytest's

    difference: float
    interval: Interval
    p_value: float
    error: float


def mean_of(n: int, total: float, squares: float) -> Mean | None:
    """The mean of values with this sum and sum of squares; None for less than two."""
    if n < 2:
        return None
    return Mean(total / n, max(0.0, (squares - total * total / n) / (n - 1)), n)


def wilson(share: Share, alpha: float) -> Interval:
    """Wilson's score interval of a share."""
    z2 = _NORMAL.inv_cdf(1 - alpha / 2) ** 2
    p, n = share.value, share.n
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    # None and all are in their interval exactly; rounding must not put them outside.
    return Interval(0.0 if share.k == 0 else middle - half, 1.0 if share.k == n else middle + half)


def z_test(first: Share, second: Share, alpha: float) -> Test:
    """Two-proportion z test of no difference with the pooled variance; the interval is Newcombe's."""
    pooled = Share(first.k + second.k, first.n + second.n).value
    error = math.sqrt(pooled * (1 - pooled) * (1 / first.n + 1 / second.n))
    p, q, difference = first.value, second.value, second.value - first.value
    one, two = wilson(first, alpha), wilson(second, alpha)
    low = difference - math.hypot(q - two.low, one.high - p)
    high = difference + math.hypot(two.high - q, p - one.low)
    p_value = 2 * _NORMAL.cdf(-abs(difference) / error) if error else 1.0
    return Test(difference, Interval(low, high), p_value, error)


def welch_test(first: Mean, second: Mean, alpha: float) -> Test:
    """Welch's t test of equal means, variances unknown and unequal."""
    parts = (first.variance / first.n, second.variance / second.n)
    difference, error = second.value - first.value, math.sqrt(sum(parts))
    if error == 0:
        return Test(difference, Interval(difference, difference), float(difference == 0), error)
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (first.n - 1) + parts[1] ** 2 / (second.n - 1))
    half = t_quantile(1 - alpha / 2, freedom) * error
    p_value = 2 * t_tail(abs(difference) / error, freedom)
    return Test(difference, Interval(difference - half, difference + half), p_value, error)


def detectable(error: float, alpha: float) -> float:
    """Least difference that a two-sided test with this standard error finds at 80 % power."""
    return (_NORMAL.inv_cdf(1 - alpha / 2) + _NORMAL.inv_cdf(_POWER)) * error


def t_tail(t: float, freedom: float) -> float:
    """Probability that Student's t with these degrees of freedom is above ``t``."""
    whole = freedom + t * t
    half = _beta(freedom / whole, t * t / whole, freedom / 2, 0.5) / 2
    return half if t >= 0 else 1 - half


def t_quantile(p: float, freedom: float) -> float:
    """Where Student's t lies below with probability ``p`` in [0.5, 1)."""
    t = _NORMAL.inv_cdf(p)
    for _ in range(
        _STEPS
    ):  # Newton's; from the normal quantile, which lies below, the convex tail leads up to the root
        step = (t_tail(t, freedom) - (1 - p)) / _t_density(t, freedom)
        t += step
        if abs(step) <= 1e-12 * t:
            break
    return t


def _t_density(t: float, freedom: float) -> float:
    scale = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(freedom * math.pi) / 2
    return math.exp(scale - (freedom + 1) / 2 * math.log1p(t * t / freedom))


def _beta(x: float, y: float, a: float, b: float) -> float:
    """The regularised incomplete beta function of x, y being 1 - x, by its continued fraction (DLMF 8.17.22)."""
    if x <= 0 or y <= 0:
        return float(y <= 0)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(y, x, b, a)  # there it converges fast
    front = math.exp(a * math.log(x) + b * math.log(y) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b))
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))  # Lentz's method
    fraction = d
    for m in range(1, _TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d, c = 1 / _away(1 + term * d), _away(1 + term / c)
            fraction *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return front * fraction / a


def _away(value: float) -> float:
    """The value, moved away from 0."""
    return value if abs(value) > _SMALL else _SMALL
