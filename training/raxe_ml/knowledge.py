"""What a bundle carries beside its heads: centres of the known attacks, and words that tell families apart."""

import math
import re
from collections import Counter, defaultdict

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans

from raxe_ml.model import FAMILIES
from raxe_ml.rows import Row

CLUSTERS = 64
_WORDS_PER_FAMILY = 40
_LEAST_ROWS, _LEAST_SHARDS = 15, 2  # a word of one source only is a habit of that source, not a sign of attack


def cluster(embeddings: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """``(K, D) float32`` unit vectors, centres of the attack embeddings ``(N, D)``; K is 64 or N when that is less."""
    count = min(CLUSTERS, len(embeddings))
    centres = MiniBatchKMeans(count, random_state=seed, n_init=3, batch_size=1024).fit(embeddings).cluster_centers_
    unit: NDArray[np.float32] = (centres / np.linalg.norm(centres, axis=1, keepdims=True)).astype(np.float32)
    return unit


def trigger_words(rows: list[Row]) -> dict[str, tuple[str, ...]]:
    """For each family the words with the highest log-odds against benign rows, best first."""
    counts: dict[str, Counter[str]] = {family: Counter() for family in (*FAMILIES, "BENIGN")}
    shards: dict[tuple[str, str], set[str]] = defaultdict(set)
    totals: Counter[str] = Counter()
    for row in rows:
        totals[row.family] += 1
        for word in set(re.findall(r"[a-z]{3,20}", row.text[:2000].lower())):
            counts[row.family][word] += 1
            shards[row.family, word].add(row.shard)

    def odds(family: str, word: str) -> float:
        share = (counts[family][word] + 0.5) / (totals[family] + 1)
        return math.log(share / ((counts["BENIGN"][word] + 0.5) / (totals["BENIGN"] + 1)))

    found = {}
    for family in FAMILIES:
        words = [w for w, n in counts[family].items() if n >= _LEAST_ROWS and len(shards[family, w]) >= _LEAST_SHARDS]
        found[family] = tuple(sorted(words, key=lambda w: (-odds(family, w), w))[:_WORDS_PER_FAMILY])
    return found
