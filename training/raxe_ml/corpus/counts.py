"""The counts of the corpus, as the tables of the data card."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from raxe_ml.corpus.gates import pairs
from raxe_ml.corpus.rows import Corpus, CorpusRow
from raxe_ml.corpus.words import BUCKETS, length_bucket

Key = Callable[[CorpusRow], str]


def tables(corpus: Corpus) -> Iterator[str]:
    """Yields the lines of the card's tables, in Markdown: each group with its attack, benign and test rows."""
    test = {row.id for row in corpus.test}
    for title, key, order in _GROUPS:
        yield from _table(title, corpus.rows, key, (test, order))
    complete = pairs(corpus.rows)
    kinds = Counter(name.rsplit("-", 2)[1] for name in complete)
    yield from ("| pair kind | pairs |", "|---|---:|")
    yield from (f"| {kind} | {count:,} |" for kind, count in sorted(kinds.items()))
    yield f"| all | {len(complete):,} |"


def _table(title: str, rows: Sequence[CorpusRow], key: Key, more: tuple[set[str], Sequence[str]]) -> Iterator[str]:
    test, order = more
    attacks, benign, frozen = Counter[str](), Counter[str](), Counter[str]()
    for row in rows:
        (attacks if row.label else benign)[key(row)] += 1
        frozen[key(row)] += row.id in test
    yield from (f"| {title} | attack | benign | of them test |", "|---|---:|---:|---:|")
    for name in order or sorted(attacks.keys() | benign.keys()):
        yield f"| {name} | {attacks[name]:,} | {benign[name]:,} | {frozen[name]:,} |"
    yield from (f"| all | {attacks.total():,} | {benign.total():,} | {frozen.total():,} |", "")


_GROUPS: tuple[tuple[str, Key, tuple[str, ...]], ...] = (
    ("family", lambda row: row.family, ()),
    ("subfamily or benign kind", lambda row: f"{row.family} {row.subfamily}", ()),
    ("role", lambda row: row.role, ()),
    ("language", lambda row: row.lang, ()),
    ("words", lambda row: length_bucket(row.text), tuple(name for _, name in BUCKETS)),
    ("style", lambda row: row.style, ()),
    ("topic", lambda row: row.topic, ()),
)
