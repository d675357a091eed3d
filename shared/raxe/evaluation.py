"""How good and how fast the serving path is on labelled rows.

``raxe evaluate`` prints a report; the training pipeline takes its figures from here too, so that both mean the same.
Positive is an attack; a row counts as flagged when its verdict is not allow.
"""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from raxe.bootstrap import Engine
from raxe.errors import InvalidInput
from raxe.values import Decision, ModelInfo, Source

_MOST_NAME = 64


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled text.

    Attributes:
        label: 1 for an attack, 0 for an honest text.
        set: name of the set it is counted in, None for no set.
        line: its line in the file, from 1; 0 when it comes from elsewhere.
    """

    text: str
    label: int
    set: str | None = None
    source: Source = Source.USER
    line: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """How well flags and scores fit the labels; a figure is None where it is not defined.

    Attributes:
        recall: share of the attacks that are flagged; None without an attack, as are precision and f1.
        fpr: share of the honest rows that are flagged; None without an honest row.
        precision: share of the flagged that are attacks; None when nothing is flagged.
        balanced_accuracy: mean of recall and 1 - fpr; None when either is.
        auroc: chance that an attack scores above an honest row, ties counted half; None when either kind is missing.
    """

    n: int
    positives: int
    recall: float | None
    fpr: float | None
    precision: float | None
    f1: float | None
    balanced_accuracy: float | None
    auroc: float | None


@dataclass(frozen=True, slots=True)
class Latency:
    """Wall time of one row, preparing and scanning it, one row at a time; percentiles interpolate."""

    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class SetReport:
    """One set, or all rows.

    Attributes:
        name: the set, None for rows without one and for all rows.
        latency: of the rows that were scanned, None when all were refused.
        refused: rows whose text is empty or too large.
        failed: rows for which a layer did not answer.
    """

    name: str | None
    figures: Figures
    latency: Latency | None
    refused: int
    failed: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not scanned: its line and the class of the error."""

    line: int
    error: str


@dataclass(frozen=True, slots=True)
class Report:
    """The whole evaluation; ``sets`` by name and empty when no row names one."""

    overall: SetReport
    sets: tuple[SetReport, ...]
    refused: tuple[Refusal, ...]
    model: ModelInfo | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the serving path said of one row; ``error`` names the class of the refusal of a row that was not scanned."""

    row: Row
    flagged: bool
    score: float
    duration_ms: float | None = None
    failed: bool = False
    error: str | None = None


def auroc(labels: Sequence[int], scores: Sequence[float]) -> float | None:
    """The area under the ROC curve from mean ranks; None without an attack or without an honest row."""
    attack = np.asarray(labels, dtype=bool)
    positives = int(attack.sum())
    negatives = len(attack) - positives
    if not positives or not negatives:
        return None
    _, place, count = np.unique(np.asarray(scores, dtype=np.float64), return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(count) - (count - 1) / 2  # of each distinct score, from 1: equal scores share their mean
    above = mean_rank[place][attack].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def figures(labels: Sequence[int], flagged: Sequence[bool], scores: Sequence[float]) -> Figures:
    """The figures of N rows: labels 0 or 1, whether each is flagged, scores where higher is more of an attack.

    Raises:
        ValueError: the three differ in length.
    """
    if not len(labels) == len(flagged) == len(scores):
        raise ValueError(f"{len(labels)} labels, {len(flagged)} flags and {len(scores)} scores")
    attack, raised = np.asarray(labels, dtype=bool), np.asarray(flagged, dtype=bool)
    positives, hits, alarms = int(attack.sum()), int((attack & raised).sum()), int((~attack & raised).sum())
    negatives = len(attack) - positives
    recall = hits / positives if positives else None
    fpr = alarms / negatives if negatives else None
    return Figures(
        n=len(attack),
        positives=positives,
        recall=recall,
        fpr=fpr,
        precision=hits / (hits + alarms) if positives and hits + alarms else None,
        f1=2 * hits / (hits + alarms + positives) if positives else None,
        balanced_accuracy=None if recall is None or fpr is None else (recall + 1 - fpr) / 2,
        auroc=auroc(labels, scores),
    )


def evaluate(rows: Iterable[Row], engine: Engine) -> Report:
    """The report on rows, each scanned alone as a request would be; overall, and by set where rows name one.

    A row whose text is refused (empty or too large) never reaches the model behind the firewall: it counts as flagged,
    with score 1, and in ``refused``.
    """
    return summarise(list(scan_rows(rows, engine)), engine.model_info)


def scan_rows(rows: Iterable[Row], engine: Engine) -> Iterator[Outcome]:
    """Yields what the serving path says of each row, in order, each scanned alone."""
    return (_outcome(row, engine) for row in rows)


def summarise(outcomes: Sequence[Outcome], model: ModelInfo | None) -> Report:
    """The report on outcomes."""
    names = sorted({outcome.row.set for outcome in outcomes}, key=lambda name: (name is None, name or ""))
    sets = [_summary(name, [o for o in outcomes if o.row.set == name]) for name in names if names != [None]]
    refused = [Refusal(outcome.row.line, outcome.error) for outcome in outcomes if outcome.error]
    return Report(_summary(None, outcomes), tuple(sets), tuple(refused), model)


def _outcome(row: Row, engine: Engine) -> Outcome:
    started = time.perf_counter()
    try:
        scan = engine.scan_text(row.text, row.source)
    except InvalidInput as error:
        return Outcome(row, flagged=True, score=1.0, error=type(error).__name__)
    duration_ms = (time.perf_counter() - started) * 1000
    flagged = scan.verdict.decision is not Decision.ALLOW
    return Outcome(row, flagged, scan.verdict.score, duration_ms, failed=bool(scan.failures))


def _summary(name: str | None, outcomes: Sequence[Outcome]) -> SetReport:
    times = [outcome.duration_ms for outcome in outcomes if outcome.duration_ms is not None]
    percentiles = np.percentile(times, (50, 95, 99)) if times else None
    return SetReport(
        name,
        figures([o.row.label for o in outcomes], [o.flagged for o in outcomes], [o.score for o in outcomes]),
        None if percentiles is None else Latency(*(float(value) for value in percentiles)),
        refused=len(outcomes) - len(times),
        failed=sum(outcome.failed for outcome in outcomes),
    )


def read_rows(path: Path, limit: int | None = None) -> list[Row]:
    """The rows ``{text, label: 0|1, set?, role?}`` of a JSON Lines file, the first ``limit`` or all.

    Role is user, document or tool, user when it is missing; other keys and blank lines are passed over.

    Raises:
        InvalidInput: the file cannot be read, has no row, or a row is wrong; names line and key, never the text.
    """
    try:
        with path.open("rb") as file:
            rows = list(islice(_rows(file), limit))
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", field=str(path)) from None
    if not rows:
        raise InvalidInput("holds no row", field=str(path))
    return rows


def _rows(lines: Iterable[bytes]) -> Iterator[Row]:
    for number, raw in enumerate(lines, 1):
        line = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
        if line.strip():
            yield _row(line, number)


def _row(line: bytes, number: int) -> Row:
    where = f"line {number}"
    try:
        raw = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise InvalidInput("is not UTF-8", field=where) from None
    except (ValueError, RecursionError):
        raise InvalidInput("is not valid JSON", field=where) from None
    if not isinstance(raw, dict):
        raise InvalidInput("must be a JSON object", field=where)
    text, label, name, role = raw.get("text"), raw.get("label"), raw.get("set"), raw.get("role")
    if not isinstance(text, str):
        raise InvalidInput("must be a string", field=f"{where}: text")
    if type(label) is not int or label not in {0, 1}:  # true is an int to Python
        raise InvalidInput("must be 0 or 1", field=f"{where}: label")
    if name is not None and not (isinstance(name, str) and name.isprintable() and 0 < len(name) <= _MOST_NAME):
        raise InvalidInput(f"must be 1 to {_MOST_NAME} printable characters", field=f"{where}: set")
    if role is not None and role not in tuple(Source):
        raise InvalidInput("must be user, document or tool", field=f"{where}: role")
    return Row(text, label, name, Source(role or Source.USER), number)
