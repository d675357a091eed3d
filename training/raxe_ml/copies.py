"""Near-duplicates across the split and within training, by MinHash over word trigrams."""

from collections.abc import Iterable

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


def without_near_copies(rows: Iterable[Row], held_out: Iterable[Row]) -> list[Row]:
    """The rows that are no near-duplicate of a held-out row, nor of a row of the same label before them.

    A copy across the split would flatter every figure; a copy within it gives one wording the weight of many. With the
    other label it is a contrast: a document with and without the order, which both must stay.
    """
    seen = {label: MinHashLSH(threshold=NEAR_DUPLICATE_JACCARD, num_perm=PERMUTATIONS) for label in (False, True)}
    for i, row in enumerate(held_out):
        sketch = _minhash(row.text)
        for index in seen.values():
            index.insert(f"held out {i}", sketch)
    kept = []
    for i, row in enumerate(rows):
        sketch, index = _minhash(row.text), seen[row.is_attack]
        if not index.query(sketch):
            index.insert(f"kept {i}", sketch)
            kept.append(row)
    return kept
