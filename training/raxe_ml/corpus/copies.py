"""Near-duplicates inside the corpus, by MinHash; candidates are confirmed by their exact Jaccard similarity.

The two sides of one contrast pair are the same text by intent and are not counted.
"""

import zlib
from collections.abc import Iterator, Sequence

from datasketch import MinHash, MinHashLSH

from raxe_ml.corpus.rows import CorpusRow
from raxe_ml.corpus.words import jaccard, shingles

WITHIN, ACROSS = 0.8, 0.7  # Jaccard from which two rows are copies: of one topic file, of two
_PERMUTATIONS = 64
_CANDIDATES = 0.55  # threshold of the index, below both limits so that the sketch's error loses no copy


def near_copies(rows: Sequence[CorpusRow]) -> Iterator[tuple[str, str, float]]:
    """Yields ids and similarity of every two rows that are copies of each other."""
    index = MinHashLSH(threshold=_CANDIDATES, num_perm=_PERMUTATIONS)
    pieces = [shingles(row.text) for row in rows]
    for i, row in enumerate(rows):
        sketch = MinHash(num_perm=_PERMUTATIONS, hashfunc=zlib.crc32)
        sketch.update_batch([piece.encode() for piece in pieces[i]])
        for j in sorted(index.query(sketch)):
            if _twins(row, rows[j]):
                continue
            found = jaccard(pieces[i], pieces[j])
            if found >= (WITHIN if row.topic == rows[j].topic else ACROSS):
                yield rows[j].id, row.id, found
        index.insert(i, sketch)


def _twins(one: CorpusRow, other: CorpusRow) -> bool:
    return one.pair is not None and one.pair == other.pair and one.label != other.label
