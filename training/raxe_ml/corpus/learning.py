"""Rows of the corpus as rows to learn from, with the place of the order where a contrast pair shows it."""

from collections.abc import Sequence
from itertools import takewhile

from raxe_ml.corpus.rows import CorpusRow
from raxe_ml.rows import Row

CORPUS_SHARD = "corpus_"  # what the names of its topics begin with among the shards
_LEAST_SHARED = 0.4  # share of the text that twins have in common; below it the two were written apart


def learning_rows(rows: Sequence[CorpusRow], weight: float) -> list[Row]:
    """One row each, its shard ``corpus_<topic>``; the two sides of a pair that share a frame get the differing span."""
    by_pair: dict[str, list[CorpusRow]] = {}
    for row in rows:
        if row.pair:
            by_pair.setdefault(row.pair, []).append(row)
    spans: dict[str, tuple[int, int]] = {}
    for one, other in (pair for pair in by_pair.values() if len(pair) == 2):
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
