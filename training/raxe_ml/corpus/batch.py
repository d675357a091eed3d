"""Batches: the plain-text form in which rows are written, and the topic files that they become.

    ### A <subfamily> <role> <lang> <style> [kind=key] [| note]        an attack
    ### B <benign kind> <role> <lang> <style> [kind=key] [| note]      a benign text
    ### P <pair kind> <subfamily>><benign kind> <role> <lang> <style> [| note]

The lines below a header are the text as it is. ``P`` makes two rows, a contrast pair: ``⟦one¦other⟧`` in its text
stands for ``one`` in the attack and for ``other`` in the benign row. An A and a B with the same ``kind=key`` are a pair
written apart. ``{{b64:...}}`` and the other names of ``encoders.py`` are encoded.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from raxe.files import replace_file
from raxe_ml.corpus.encoders import expand
from raxe_ml.corpus.rows import CorpusRow, rows_of
from raxe_ml.rows import BENIGN
from raxe_ml.taxonomy import load_taxonomy

_HEADER = re.compile(r"^### ([ABP]) ([^|\n]*)(?:\|(.*))?$", re.MULTILINE)
_CHOICE = re.compile(r"⟦([^⟦⟧¦]*)¦([^⟦⟧¦]*)⟧")
_FIELDS = 4  # name, role, language, style


class BatchError(ValueError):
    """A batch that cannot be read; names the line, never the text."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One header with the text below it."""

    line: int
    kind: str
    fields: tuple[str, ...]
    pair: tuple[str, str] | None
    note: str
    text: str


def read_batch(batch: str, topic: str, first: int = 1) -> list[CorpusRow]:
    """The rows of a batch, numbered from ``first``; both rows of a ``P`` entry one after the other.

    Raises:
        BatchError: a header is not of the form above, a mark is left over, or a row is not valid.
    """
    rows: list[CorpusRow] = []
    for entry in _entries(batch):
        for values in _sides(entry):
            number = first + len(rows)
            own = f"p{number - (not values['label'])}"  # of a P entry: the number of its attack
            pair = f"{topic}-{entry.pair[0]}-{entry.pair[1] or own}" if entry.pair else None
            try:
                rows.append(
                    CorpusRow.model_validate(
                        {"id": f"{topic}-{number:04d}", "pair": pair, "note": entry.note, **values}
                    )
                )
            except ValueError as error:
                first_line = str(error).splitlines()[1] if "\n" in str(error) else str(error)
                raise BatchError(f"line {entry.line}: {first_line.strip()}") from None
    return rows


def add_batch(batch: Path, topic_file: Path) -> int:
    """Appends the rows of a batch to a topic file, whole or not at all; returns how many.

    Pair keys count within the topic, so a second batch takes keys that the first has not used.
    """
    there = rows_of(topic_file) if topic_file.exists() else []
    last = max((int(row.id.rpartition("-")[2]) for row in there), default=0)
    rows = read_batch(batch.read_text(encoding="utf-8"), topic_file.stem, last + 1)
    replace_file(topic_file, lambda file: file.writelines(f"{_line(row)}\n".encode() for row in (*there, *rows)))
    return len(rows)


def _line(row: CorpusRow) -> str:
    return row.model_dump_json(exclude_defaults=True)


def _entries(batch: str) -> Iterator[_Entry]:
    headers = list(_HEADER.finditer(batch))
    if batch[: headers[0].start() if headers else None].strip():
        raise BatchError("line 1: text before the first header")
    for i, header in enumerate(headers):
        line = batch.count("\n", 0, header.start()) + 1
        kind, fields = header[1], header[2].split()
        pair = None
        if kind == "P" and fields:
            pair = (fields.pop(0), "")
        elif len(fields) > _FIELDS:
            name, _, key = fields.pop().partition("=")
            pair = (name, key)
        if len(fields) != _FIELDS:
            raise BatchError(f"line {line}: {len(fields)} fields where name, role, language and style are needed")
        end = headers[i + 1].start() if i + 1 < len(headers) else len(batch)
        text = "\n".join(part.rstrip() for part in batch[header.end() : end].strip("\n").split("\n")).strip()
        yield _Entry(line, kind, tuple(fields), pair, (header[3] or "").strip(), text)


def _sides(entry: _Entry) -> Iterator[dict[str, object]]:
    """The values of the entry's one row or two, without id, pair and note."""
    names, role, lang, style = entry.fields
    attack, _, benign = names.partition(">")
    chosen = [(attack, 0), (benign, 1)] if entry.kind == "P" else [(names, 0)]
    for name, side in chosen:
        text = expand(_CHOICE.sub(lambda match, side=side: match[1 + side], entry.text)).strip()  # type: ignore[misc]
        if re.search("[⟦⟧¦]", text) or (entry.kind == "P") != bool(_CHOICE.search(entry.text)):
            raise BatchError(f"line {entry.line}: the marks ⟦ ¦ ⟧ do not fit the kind of entry")
        is_attack = entry.kind == "A" or (entry.kind == "P" and side == 0)
        family = _family(name, entry.line) if is_attack else BENIGN
        yield {"text": text, "label": int(is_attack), "family": family, "subfamily": name, "role": role, "lang": lang,
               "style": style}  # fmt: skip


def _family(subfamily: str, line: int) -> str:
    for entry in load_taxonomy():
        if entry.id == subfamily:
            return entry.family
    raise BatchError(f"line {line}: no subfamily of this name in taxonomy.yaml")
