"""Totals of an experiment, read again and again -> what each arm did lately. The store is only read."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from raxe.experiments.report import Latency, latency_of
from raxe.protocols import ExperimentStore
from raxe.values.experiments import ArmTotals


@dataclass(frozen=True, slots=True)
class ArmFigures:
    """What an arm did in a span of time; without scans there is nothing to have a share of.

    Attributes:
        per_minute: scans a minute; None when it is not known how long they took to come.
        flagged: share in [0, 1] of the scans that found an attack.
        failed: share in [0, 1] of the scans of which a layer, or the arm itself, did not answer.
    """

    arm: str
    scans: int = 0
    per_minute: float | None = None
    flagged: float | None = None
    failed: float | None = None
    latency: Latency | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The arms by name, over ``span_s`` seconds; None: over all that was ever counted."""

    span_s: float | None
    arms: Mapping[str, ArmFigures]


class Watch:
    """One experiment, looked at every now and then."""

    def __init__(
        self, store: ExperimentStore, name: str, window_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Nothing is read yet; ``window_s`` is how far a look goes back, in seconds."""
        self._store, self._name, self._window_s, self._clock = store, name, window_s, clock
        self._looks = deque[tuple[float, dict[str, ArmTotals]]]()

    def look(self) -> Figures:
        """The arms since the oldest look that lies in the window, else since the last one.

        The first look has nothing to compare with and gives all that was counted; so does one at counts that went
        down, as of a file that was made anew. Raises ExperimentStoreFailed, and forgets nothing then.
        """
        totals, now = self._store.read(self._name), self._clock()
        if self._looks and _went_down(self._looks[-1][1], totals):
            self._looks.clear()
        while len(self._looks) > 1 and now - self._looks[0][0] > self._window_s:
            self._looks.popleft()
        before_s, before = self._looks[0] if self._looks else (None, {})
        self._looks.append((now, totals))
        span_s = None if before_s is None else now - before_s
        arms = {arm: _figures(arm, _since(before.get(arm, ArmTotals()), each), span_s) for arm, each in totals.items()}
        return Figures(span_s, arms)


def _figures(arm: str, totals: ArmTotals, span_s: float | None) -> ArmFigures:
    n = totals.n
    return ArmFigures(
        arm,
        n,
        per_minute=n * 60 / span_s if span_s else None,
        flagged=totals.flagged / n if n else None,
        failed=totals.errors / n if n else None,
        latency=latency_of(totals),
    )


def _since(before: ArmTotals, now: ArmTotals) -> ArmTotals:
    """What came in between; labels, which may also be taken back, are left out."""
    return ArmTotals(
        n=now.n - before.n,
        flagged=now.flagged - before.flagged,
        errors=now.errors - before.errors,
        latency_sum_ms=now.latency_sum_ms - before.latency_sum_ms,
        histogram=tuple(b - a for a, b in zip(before.histogram, now.histogram, strict=True)),
    )


def _went_down(before: Mapping[str, ArmTotals], now: Mapping[str, ArmTotals]) -> bool:
    return any(now.get(arm, ArmTotals()).n < each.n for arm, each in before.items())
