"""The rows of the corpus and how they are read. ``docs/corpus.md`` says what each field means."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from raxe_ml.errors import first_fault
from raxe_ml.rows import BENIGN
from raxe_ml.taxonomy import load_benign_kinds, load_taxonomy

CORPUS = Path(__file__).parent.parent.parent / "corpus"
TEST = "test"  # the folder of the frozen part, below the corpus

Style = Literal[
    "terse", "plain", "chatty", "formal", "rambling", "slang", "typos", "emotional", "technical", "narrative", "record",
    "markup", "code", "transcript", "persuasive",
]  # fmt: skip
PairKind = Literal["injection", "trigger", "persona", "command", "encoding", "entitlement"]
PAIR = r"^[a-z0-9-]+-(injection|trigger|persona|command|encoding|entitlement)-[A-Za-z0-9_]+$"


class CorpusRow(BaseModel):
    """One written text with its label; validation errors name the field, never the text."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    id: str = Field(pattern=r"^[a-z0-9-]+-\d{4}$")
    text: str = Field(min_length=2, max_length=20_000)
    label: Literal[0, 1]
    family: str
    subfamily: str
    role: Literal["user", "document", "tool"]
    lang: str = Field(pattern=r"^[a-z]{2}$")
    style: Style
    pair: str | None = Field(default=None, pattern=PAIR)
    note: str = Field(default="", max_length=120)

    @model_validator(mode="after")
    def _labels_agree(self) -> Self:
        if self.label != (self.family != BENIGN):
            raise ValueError("label and family contradict each other")
        if self.subfamily not in _names().get(self.family, ()):
            raise ValueError("subfamily is none of the family's in taxonomy.yaml")
        return self

    @property
    def topic(self) -> str:
        """The topic file that holds the row; its name is the first part of the id."""
        return self.id.rpartition("-")[0]

    @property
    def pair_kind(self) -> str | None:
        """The kind of the row's contrast pair, None when it has no counterpart."""
        return self.pair.rsplit("-", 2)[1] if self.pair else None


@cache
def _names() -> dict[str, frozenset[str]]:
    """Subfamilies by family; BENIGN has the benign kinds."""
    entries = [(entry.family, entry.id) for entry in load_taxonomy()]
    entries += [(BENIGN, kind.id) for kind in load_benign_kinds()]
    return {family: frozenset(name for f, name in entries if f == family) for family, _ in entries}


@dataclass(frozen=True, slots=True)
class Corpus:
    """Every row, in the order of files and lines.

    Attributes:
        rows: of both parts.
        test_topics: topics whose file lies in the frozen test part.
        faults: ``file:line: what is wrong`` for lines that are no valid row; they are in no part.
    """

    rows: tuple[CorpusRow, ...]
    test_topics: frozenset[str]
    faults: tuple[str, ...] = ()

    @property
    def train(self) -> tuple[CorpusRow, ...]:
        """The rows that a model may learn from."""
        return tuple(row for row in self.rows if row.topic not in self.test_topics)

    @property
    def test(self) -> tuple[CorpusRow, ...]:
        """The rows of the frozen test part."""
        return tuple(row for row in self.rows if row.topic in self.test_topics)


def load_corpus(folder: Path = CORPUS) -> Corpus:
    """The corpus in ``folder``; raises FileNotFoundError without topic files. Invalid lines become ``faults``."""
    files = [*sorted(folder.glob("*.jsonl")), *sorted((folder / TEST).glob("*.jsonl"))]
    if not files:
        raise FileNotFoundError(f"no topic file *.jsonl in {folder}")
    rows: list[CorpusRow] = []
    faults: list[str] = []
    for path in files:
        for row in _read(path, folder):
            (faults if isinstance(row, str) else rows).append(row)  # type: ignore[arg-type]  # split by type above
    return Corpus(tuple(rows), frozenset(path.stem for path in files if path.parent.name == TEST), tuple(faults))


def rows_of(path: Path) -> list[CorpusRow]:
    """The rows of one topic file; raises ValueError, which names line and field, for a line that is no valid row."""
    rows: list[CorpusRow] = []
    for row in _read(path, path.parent):
        if isinstance(row, str):
            raise ValueError(row)
        rows.append(row)
    return rows


def _read(path: Path, folder: Path) -> Iterator[CorpusRow | str]:
    """Each line as a row, or as the sentence that says what is wrong with it."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        place = f"{path.relative_to(folder)}:{number}"
        try:
            row = CorpusRow.model_validate_json(line)
        except ValidationError as error:
            yield f"{place}: {first_fault(error)}"
            continue
        yield row if row.topic == path.stem else f"{place}: id: does not begin with the name of its file"
