"""Texts to measure with: a file of them, or a small set of our own that ships with the package."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from raxe.errors import InvalidInput
from raxe.values import Source

_SMOKE = Path(__file__).parent / "data" / "smoke.jsonl"
_DIGITS = 12
_MOST_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Sample:
    """A text, and what it is known to be.

    Attributes:
        label: 1 for an attack, 0 for an honest text, None when nobody said.
        line: its line in the file, from 1.
    """

    text: str
    label: int | None
    source: Source
    line: int

    @property
    def digest(self) -> str:
        """The first 12 hex digits of the SHA-256 of the text: what is printed in its place."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


@dataclass(frozen=True, slots=True)
class SampleSet:
    """The texts of one file.

    Attributes:
        sha256: ``sha256:`` and the digest of the file.
        smoke: whether it is the set that ships with the package, whose figures say only that nothing is broken.
    """

    samples: tuple[Sample, ...]
    sha256: str
    smoke: bool = False

    @property
    def attacks(self) -> int:
        """How many are labelled 1."""
        return sum(sample.label == 1 for sample in self.samples)

    @property
    def benign(self) -> int:
        """How many are labelled 0."""
        return sum(sample.label == 0 for sample in self.samples)


class _Line(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    text: str
    label: int | None = Field(default=None, ge=0, le=1)
    role: Literal["user", "document", "tool"] = "user"


def smoke_samples() -> SampleSet:
    """The set that ships with the package: 24 plain attacks and 24 plain benign texts, written for this."""
    return read_samples(_SMOKE, smoke=True)


def read_samples(path: Path, *, smoke: bool = False) -> SampleSet:
    """The texts of a file: of ``*.jsonl`` rows ``{text, label?: 0|1, role?}``, of any other file a text a line.

    Role is user, document or tool, user when it is missing; other keys and blank lines are passed over.

    Raises:
        InvalidInput: the file cannot be read, is too large or has no text, or a row is wrong; names line and key, never
            the text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", field=str(path)) from None
    if len(data) > _MOST_BYTES:
        raise InvalidInput(f"is larger than {_MOST_BYTES} bytes", field=str(path))
    samples = tuple(_samples(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), rows=path.suffix == ".jsonl"))
    if not samples:
        raise InvalidInput("holds no text", field=str(path))
    return SampleSet(samples, f"sha256:{hashlib.sha256(data).hexdigest()}", smoke)


def _samples(lines: Iterable[bytes], *, rows: bool) -> Iterator[Sample]:
    for number, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        try:
            line = raw.decode("utf-8").removesuffix("\r")
        except UnicodeDecodeError:
            raise InvalidInput("is not UTF-8", field=f"line {number}") from None
        yield _row(line, number) if rows else Sample(line, None, Source.USER, number)


def _row(line: str, number: int) -> Sample:
    try:
        row = _Line.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ": ".join([f"line {number}", *map(str, first["loc"][:1])])
        raise InvalidInput(_WORDS.get(first["type"], first["msg"]), field=where) from None
    return Sample(row.text, row.label, Source(row.role), number)


# What pydantic says of JSON that is none repeats a part of it.
_LABEL = "must be 0 or 1"
_WORDS = {
    "json_invalid": "is not valid JSON", "model_type": "must be a JSON object", "missing": "is required",
    "int_type": _LABEL, "greater_than_equal": _LABEL, "less_than_equal": _LABEL,
}  # fmt: skip
