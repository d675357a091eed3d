"""Rows of public sources and of a team's own: files of JSON lines, one file a source, ``*.jsonl`` or ``*.jsonl.gz``.

    {"text": "Ignore all of that", "label": "PI", "subfamily": "instruction_override", "role": "user"}

``label`` is a family or ``BENIGN``, or 0 or 1; a 1 needs the subfamily. ``subfamily`` and ``role`` may be left out.
"""

import gzip
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from raxe.values import Family
from raxe_ml.errors import InvalidShard, first_fault
from raxe_ml.rows import BENIGN, Row, subfamily_of
from raxe_ml.taxonomy import load_taxonomy

SUFFIXES = (".jsonl", ".jsonl.gz")
_FAULTS = 10  # that a refusal names


class _ShardRow(BaseModel):
    """One line; keys that are not ours (where a text comes from, its licence) are let be."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    text: str = Field(min_length=1)
    label: Literal["BENIGN", 0, 1] | Family
    subfamily: str = ""
    role: Literal["user", "document", "tool", "part"] = "user"

    @model_validator(mode="after")
    def _subfamily_is_of_the_label(self) -> Self:
        if not self.subfamily:
            if self.label == 1:
                raise ValueError("label 1 does not say which family: name it as the label, or give a subfamily")
        elif self.family != _families().get(self.subfamily):
            raise ValueError("subfamily is none of the label's in taxonomy.yaml")
        return self

    @property
    def family(self) -> str:
        """The family, or BENIGN."""
        if self.label == 1:
            return _families().get(self.subfamily, "")
        return BENIGN if self.label in (0, BENIGN) else str(self.label)


@cache
def _families() -> Mapping[str, str]:
    """The family of each subfamily."""
    return {entry.id: entry.family for entry in load_taxonomy()}


def shard_files(folder: Path) -> list[tuple[str, Path]]:
    """Shard and file of each file below ``folder``, in the order of paths; files of one name are one shard."""
    found = sorted(path for path in folder.rglob("*.jsonl*") if path.name.endswith(SUFFIXES))
    return [(path.name.removesuffix(".gz").removesuffix(".jsonl"), path) for path in found]


def load_shards(folder: Path, drop: Iterable[str], weights: Mapping[str, float]) -> Iterator[Row]:
    """Yields the rows of every shard below ``folder`` but the dropped ones.

    An attack without a written subfamily gets the one that its words or its source tell, a weak label.

    Raises:
        InvalidShard: lines are no rows. Said at the end of the file that holds them, before the next one is read.
    """
    skipped = set(drop)
    for shard, path in shard_files(folder):
        if shard not in skipped:
            yield from _rows(path, path.relative_to(folder), shard, weights.get(shard, 1.0))


def _rows(path: Path, name: Path, shard: str, weight: float) -> Iterator[Row]:
    faults: list[str] = []
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                read = _ShardRow.model_validate_json(line)
            except ValidationError as error:
                faults.append(f"{name}:{number}: {first_fault(error)}")
                continue
            attack = read.family != BENIGN
            kind = (read.subfamily or subfamily_of(read.text, read.family, shard)) if attack else ""
            yield Row(read.text, read.family, kind, read.role, shard, weight)
    if faults:
        shown = "\n".join(faults[:_FAULTS])
        raise InvalidShard(f"{len(faults)} lines are no rows, the first of them:\n{shown}")
