"""Rows of the corpus as rows to learn from, with the place of the order where a contrast pair shows it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from raxe_ml.corpus.rows import CorpusRow
from raxe_ml.rows import Row

CORPUS_SHARD = "corpus_"  # what the names of its topics begin with among the shards
_LEAST_SHARED = 0.4  # share of the text that twins have in common; below it the two were written apart

_FRAME = 120  # characters by which a differing part is widened at most, to whole sentences
_WORDS = (4, 60)  # of an order that fits into another document


@dataclass(frozen=True, slots=True)
class Graft:
    """What the two sides of a contrast pair do not share, as sentences that can stand in another document."""

    order: str
    note: str
    family: str
    subfamily: str


def grafts(rows: Sequence[CorpusRow]) -> Iterator[Graft]:
    """Yields the order and the harmless note of each pair of documents or tool results that share a frame."""
    for pair in _pairs([row for row in rows if row.role != "user"]):
        attack, benign = sorted(pair, key=lambda row: -row.label)
        spans = _differing(attack, benign)
        if spans:
            order, note = (_widened(row.text, spans[row.id]) for row in (attack, benign))
            if all(_WORDS[0] <= len(text.split()) <= _WORDS[1] for text in (order, note)):
                yield Graft(order, note, attack.family, attack.subfamily)


def _widened(text: str, span: tuple[int, int]) -> str:
    """The part of the text, widened to sentence ends where these are near."""
    start, end = span
    left = max((found.end() for found in re.finditer(r'[.!?:;>"]\s|\n|["\'>]', text[:start])), default=0)
    right = re.search(r'[.!?;<"\n]', text[end:])
    stop = end + right.start() + 1 if right else len(text)
    return text[left if start - left <= _FRAME else start : stop if stop - end <= _FRAME else end].strip()


def _pairs(rows: Sequence[CorpusRow]) -> Iterator[tuple[CorpusRow, CorpusRow]]:
    by_pair: dict[str, list[CorpusRow]] = {}
    for row in rows:
        if row.pair:
            by_pair.setdefault(row.pair, []).append(row)
    yield from ((pair[0], pair[1]) for pair in by_pair.values() if len(pair) == 2)


def learning_rows(rows: Sequence[CorpusRow], weight: float) -> list[Row]:
    """One row each, its shard ``corpus_<topic>``; the two sides of a pair that share a frame get the differing span."""
    spans: dict[str, tuple[int, int]] = {}
    for one, other in _pairs(rows):
        spans |= _differing(one, other)
    return [
        Row(
            row.text,
            row.family,
            row.subfamily,
            row.role,
            f"{CORPUS_SHARD}{row.topic}",
            weight,
            spans.get(row.id),
            row.lang,
        )
        for row in rows
    ]


def _differing(one: CorpusRow, other: CorpusRow) -> dict[str, tuple[int, int]]:
    """From the first to the last character by which two texts differ, by id; empty when they share too little."""
    before = _shared(one.text, other.text)
    shorter = min(len(one.text), len(other.text))
    after = min(_shared(one.text[::-1], other.text[::-1]), shorter - before)
    if before + after < _LEAST_SHARED * shorter:
        return {}
    return {row.id: (before, max(before + 1, len(row.text) - after)) for row in (one, other)}


def _shared(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
