"""How far a second annotator, who saw only text and role, agrees with the first labels of the frozen part."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from sklearn.metrics import cohen_kappa_score

from raxe_ml.corpus.rows import CorpusRow
from raxe_ml.rows import BENIGN

JUDGEMENTS = "judgements"  # folder below the test part, with a file of Judgement lines a topic


class Judgement(BaseModel):
    """What both annotators said of one row; ``outcome`` and ``why`` where one says attack and the other does not."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    id: str
    first: str
    second: str
    outcome: Literal["first", "second", "dropped"] | None = None
    why: str = Field(default="", max_length=400)

    @property
    def differs(self) -> bool:
        """Whether one annotator calls the row an attack and the other does not."""
        return (self.first == BENIGN) != (self.second == BENIGN)

    @property
    def is_attack(self) -> bool:
        """The label that stands after the resolution."""
        return (self.second if self.outcome == "second" else self.first) != BENIGN


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of the two annotators.

    Attributes:
        rows: that both have judged.
        kappa: Cohen's, of attack or benign, in [-1, 1].
        family_kappa: likewise of the seven labels, the six families and BENIGN.
        outcomes: rows whose attack-or-benign label differed, by outcome.
        faults: ids with what is wrong: not judged, not resolved, or labelled against the resolution.
    """

    rows: int
    kappa: float
    family_kappa: float
    outcomes: Counter[str]
    faults: tuple[str, ...]


def load_judgements(folder: Path) -> list[Judgement]:
    """The lines of every file in ``folder``; raises pydantic's ValidationError, without the text, for a wrong one."""
    lines = (line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines())
    return [Judgement.model_validate_json(line) for line in lines]


def agreement(rows: Sequence[CorpusRow], judgements: Sequence[Judgement]) -> Agreement:
    """Compares the judgements of both annotators with each other and with the rows as they stand now."""
    by_id = {judgement.id: judgement for judgement in judgements}
    faults = [f"{row.id}: {wrong}" for row in rows if (wrong := _fault(row, by_id.get(row.id)))]
    present = {row.id for row in rows}
    faults += [
        f"{each.id}: judged, but not in the test part"
        for each in judgements
        if each.id not in present and each.outcome != "dropped"
    ]
    first, second = [each.first for each in judgements], [each.second for each in judgements]
    return Agreement(
        len(judgements),
        float(cohen_kappa_score([name == BENIGN for name in first], [name == BENIGN for name in second])),
        float(cohen_kappa_score(first, second)),
        Counter(each.outcome or "unresolved" for each in judgements if each.differs),
        tuple(faults),
    )


def _fault(row: CorpusRow, judgement: Judgement | None) -> str | None:
    if judgement is None:
        return "not judged by a second annotator"
    if judgement.differs and not (judgement.outcome and judgement.why):
        return "disagreement without outcome and reason"
    if judgement.outcome == "dropped" or bool(row.label) != judgement.is_attack:
        return "its label is not the resolved one"
    return None
