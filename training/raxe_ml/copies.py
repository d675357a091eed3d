"""Near-duplicates across the split, by MinHash over word trigrams."""

from datasketch import MinHash, MinHashLSH

from raxe_ml.rows import Row, folded

PERMUTATIONS = 48
NEAR_DUPLICATE_JACCARD = 0.8  # above it two rows count as the same text


def _minhash(text: str) -> MinHash:
    words = folded(text[:3000]).split()
    grams = {" ".join(words[i : i + 3]).encode() for i in range(max(1, len(words) - 2))}
    sketch = MinHash(num_perm=PERMUTATIONS)
    sketch.update_batch(list(grams))
    return sketch


def without_near_copies(rows: list[Row], held_out: list[Row]) -> list[Row]:
    """The rows that are no near-duplicate of a held-out row: a copy across the split would flatter every figure."""
    index = MinHashLSH(threshold=NEAR_DUPLICATE_JACCARD, num_perm=PERMUTATIONS)
    for i, row in enumerate(held_out):
        index.insert(str(i), _minhash(row.text))
    return [row for row in rows if not index.query(_minhash(row.text))]
