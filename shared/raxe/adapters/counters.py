"""``ArmTotals`` as named numbers that a store can add up one by one."""

from collections.abc import Collection, Mapping

from raxe.values.experiments import LATENCY_BUCKETS, ArmTotals

WHOLE = ("n", "flagged", "errors", "tp", "fp", "tn", "fn")
SUMS = ("latency_sum_ms", "latency_squares_ms2")
_DIGITS = 6  # of a sum: DynamoDB keeps 38, so no sum is ever rounded


def counters_of(totals: ArmTotals) -> dict[str, int | float]:
    """The numbers that are not 0, by name; buckets are called ``h0`` to ``h147``."""
    named: dict[str, int | float] = {name: getattr(totals, name) for name in WHOLE}
    named |= {name: round(getattr(totals, name), _DIGITS) for name in SUMS}
    named |= {f"h{bucket}": count for bucket, count in enumerate(totals.histogram)}
    return {name: number for name, number in named.items() if number}


def totals_of(named: Mapping[str, int | float], models: Collection[str]) -> ArmTotals:
    """The totals of numbers by name; a name that is not there is 0."""
    whole = {name: int(named.get(name, 0)) for name in WHOLE}
    return ArmTotals(
        **whole,
        latency_sum_ms=float(named.get(SUMS[0], 0)),
        latency_squares_ms2=float(named.get(SUMS[1], 0)),
        histogram=tuple(int(named.get(f"h{bucket}", 0)) for bucket in range(LATENCY_BUCKETS)),
        models=frozenset(models),
    )
