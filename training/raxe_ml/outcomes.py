"""What the serving path said of each measured row, without its text: what plots and tables are drawn from."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from raxe.evaluation import Outcome
from raxe.files import replace_file
from raxe_ml.corpus.words import BUCKETS, word_count
from raxe_ml.rows import Row

OUTCOMES = "outcomes.jsonl"  # below the work folder


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """One measured row.

    Attributes:
        split: dev or test.
        source: the shard or the topic of the corpus that it comes from.
        label: 1 for an attack, 0 for a benign row.
        subfamily: empty when no label reaches that far.
        lang: ISO 639-1, empty when the source does not say.
        words: length of the text.
        score: of the verdict, in [0, 1].
        duration_ms: of the scan, None for a row that was refused.
    """

    split: str
    source: str
    label: int
    family: str
    subfamily: str
    role: str
    lang: str
    words: int
    score: float
    flagged: bool
    duration_ms: float | None

    @property
    def length(self) -> str:
        """The name of the row's length bucket, in words."""
        return next(name for limit, name in BUCKETS if self.words <= limit)


def row_outcome(split: str, row: Row, outcome: Outcome) -> RowOutcome:
    """What is kept of a row and its outcome; the text is only counted."""
    return RowOutcome(
        split, row.shard, int(row.is_attack), row.family, row.subfamily, row.role, row.lang, word_count(row.text),
        outcome.score, outcome.flagged, outcome.duration_ms,
    )  # fmt: skip


def write_outcomes(path: Path, outcomes: Iterable[RowOutcome]) -> None:
    """Writes one JSON object a line, whole or not at all."""
    replace_file(path, lambda file: file.writelines(json.dumps(asdict(each)).encode() + b"\n" for each in outcomes))


def read_outcomes(path: Path) -> list[RowOutcome]:
    """The outcomes that ``write_outcomes`` wrote; raises FileNotFoundError before the model was measured."""
    with path.open(encoding="utf-8") as lines:
        return [RowOutcome(**json.loads(line)) for line in lines]


def by_length(outcomes: Iterable[RowOutcome]) -> dict[str, list[RowOutcome]]:
    """The outcomes of each length bucket that has any, short ones first."""
    groups: dict[str, list[RowOutcome]] = {name: [] for _, name in BUCKETS}
    for each in outcomes:
        groups[each.length].append(each)
    return {name: group for name, group in groups.items() if group}


def scores_of(outcomes: Sequence[RowOutcome], label: int) -> list[float]:
    """The scores of the attacks (1) or of the benign rows (0)."""
    return [each.score for each in outcomes if each.label == label]
