"""What is counted of the two arms of an experiment. No text: figures, ids and digests only."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

SMALLEST_MS = 0.1
PER_DOUBLING = 8
# Bucket 0 is below 0.1 ms, bucket i of 1 to 146 holds [0.1 * 2**((i - 1) / 8), 0.1 * 2**(i / 8)), the last is the rest,
# from 31 s on: longer than the function may run.
LATENCY_BUCKETS = 148


def latency_bucket(latency_ms: float) -> int:
    """The bucket of a latency, 0 to 147."""
    if latency_ms < SMALLEST_MS:
        return 0
    return min(1 + math.floor(PER_DOUBLING * math.log2(latency_ms / SMALLEST_MS)), LATENCY_BUCKETS - 1)


def lower_edge_ms(bucket: int) -> float:
    """Least latency of a bucket; neighbours differ by 9 %."""
    return 0.0 if bucket == 0 else SMALLEST_MS * 2.0 ** ((bucket - 1) / PER_DOUBLING)


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer of an arm.

    Attributes:
        model_id: empty for the rules alone.
        flagged: whether it found an attack.
        failed: whether a layer did not answer.
        latency_ms: None for an item of a batch, whose time is that of the whole batch.
        request_id: empty when it is not to be found again by feedback.
        text_sha256: hex digest of the text; empty when it is not known.
    """

    arm: str
    model_id: str
    flagged: bool
    failed: bool = False
    latency_ms: float | None = None
    request_id: str = ""
    text_sha256: str = ""


@dataclass(frozen=True, slots=True)
class ArmTotals:
    """Sums over the answers of one arm; sums of two parts of the answers add up to that of all.

    Attributes:
        n: answers.
        flagged: answers that found an attack.
        errors: answers of which a layer failed.
        latency_sum_ms: of the answers in ``histogram``.
        latency_squares_ms2: sum of their squares, in square milliseconds.
        histogram: answers with a latency by ``latency_bucket``.
        tp: labelled attacks that were flagged; fp, tn and fn alike.
        models: ids of the models that answered; more than one is a mixed arm.
    """

    n: int = 0
    flagged: int = 0
    errors: int = 0
    latency_sum_ms: float = 0.0
    latency_squares_ms2: float = 0.0
    histogram: tuple[int, ...] = field(default=(0,) * LATENCY_BUCKETS)
    tp: int = 0
    fp: int = 0
    tn: int = 0
    fn: int = 0
    models: frozenset[str] = frozenset()

    @property
    def timed(self) -> int:
        """Answers with a latency."""
        return sum(self.histogram)

    @property
    def labelled(self) -> int:
        """Answers with a label."""
        return self.tp + self.fp + self.tn + self.fn

    @classmethod
    def of(cls, answers: Iterable[Seen]) -> Self:
        """The sums over some answers."""
        answers = list(answers)
        times = [each.latency_ms for each in answers if each.latency_ms is not None]
        histogram = [0] * LATENCY_BUCKETS
        for latency_ms in times:
            histogram[latency_bucket(latency_ms)] += 1
        return cls(
            n=len(answers),
            flagged=sum(each.flagged for each in answers),
            errors=sum(each.failed for each in answers),
            latency_sum_ms=math.fsum(times),
            latency_squares_ms2=math.fsum(latency_ms * latency_ms for latency_ms in times),
            histogram=tuple(histogram),
            models=frozenset(each.model_id for each in answers if each.model_id),
        )


class Label(StrEnum):
    """What somebody says a text really is."""

    ATTACK = "attack"
    BENIGN = "benign"


@dataclass(frozen=True, slots=True)
class Feedback:
    """A label for an answer, found by its request, its text or both; at least one is given."""

    label: Label
    request_id: str | None = None
    text_sha256: str | None = None


class Outcome(StrEnum):
    """What a label did: it was counted, moved the count of another label, or was there already."""

    COUNTED = "counted"
    MOVED = "moved"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Labelled:
    """The arm of an experiment that a label went to."""

    name: str
    arm: str
    outcome: Outcome


def cell(*, flagged: bool, label: Label) -> str:
    """The count of ``ArmTotals`` that an answer with a label belongs to."""
    if label is Label.ATTACK:
        return "tp" if flagged else "fn"
    return "fp" if flagged else "tn"
