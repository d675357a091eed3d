"""Proof that the corpus copies no row of other people's data: no equal text, no long run of words in common."""

from collections import Counter
from collections.abc import Iterable, Sequence

from raxe_ml.corpus.rows import CorpusRow
from raxe_ml.rows import Row, folded

RUN = 12  # words in a row that two texts share only if one took them from the other, or both quote a third


def shared_with(rows: Sequence[CorpusRow], others: Iterable[Row]) -> dict[str, Counter[str]]:
    """What is shared with the other texts, by row id: shard names with the number of shared runs or equal texts.

    Texts of under twelve words are compared as a whole, longer ones by every run of twelve words.
    """
    owners: dict[str, set[str]] = {}
    for row in rows:
        for piece in _runs(row.text):
            owners.setdefault(piece, set()).add(row.id)
    found: dict[str, Counter[str]] = {}
    for other in others:
        for piece in _runs(other.text):
            for owner in owners.get(piece, ()):
                found.setdefault(owner, Counter())[other.shard] += 1
    return found


def _runs(text: str) -> set[str]:
    words = folded(text).split()
    starts = range(max(1, len(words) - RUN + 1)) if words else ()  # Morse code has no word
    return {" ".join(words[i : i + RUN]) for i in starts}
