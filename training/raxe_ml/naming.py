"""Names of the clusters of known attacks, from the labels of the rows that lie in them."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from raxe_ml.rows import Row

_NOBODYS = "attack"  # the name of a cluster that no row is nearest to


def cluster_names(
    centres: NDArray[np.float32], embeddings: NDArray[np.float32], rows: Sequence[Row]
) -> tuple[str, ...]:
    """A different name for each centre ``(K, D)``: the most common subfamily of its rows, such as ``prompt_leak``.

    A row, of embedding ``(N, D)``, belongs to the centre that serving would find nearest. Rows without a subfamily
    count only where no row has one, by their family. Of centres with the same label all but the first have a number:
    ``prompt_leak 2``.
    """
    nearest = (embeddings @ centres.T).argmax(axis=1).tolist()
    members: list[list[Row]] = [[] for _ in centres]
    for row, centre in zip(rows, nearest, strict=True):
        members[centre].append(row)
    seen: Counter[str] = Counter()
    names = []
    for own in members:
        label = _commonest(row.subfamily for row in own) or _commonest(row.family for row in own) or _NOBODYS
        seen[label] += 1
        names.append(label if seen[label] == 1 else f"{label} {seen[label]}")
    return tuple(names)


def _commonest(labels: Iterable[str]) -> str | None:
    """The most common label, the first by name on a tie; None when there is none but empty ones."""
    counts = Counter(label for label in labels if label)
    return min(counts, key=lambda label: (-counts[label], label), default=None)
