"""Pieces of a window that can be taken out one at a time: sentences, clauses and lines, as whole tokens."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

_END = re.compile(
    "\n+|[.!?;:,\u2026\u2013\u2014]+[\"'\u201d\u2019)\\]]*(?=\\s)|[\u3002\uff01\uff1f\uff1b\uff1a\uff0c\u3001]+"
)
_LONG = 12  # tokens; a piece of more that has no end inside it is halved, or text without marks would be one piece


def clauses(text: str, offsets: Sequence[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Half-open token ranges ``[start, end)`` in rising order that cover all tokens, at most ``most`` of them.

    They end at sentence, clause and line ends; where there are too many, short neighbours are joined, and where there
    is room, long ones are halved between words.

    Args:
        text: the text that the tokens are of.
        offsets: characters ``[start, end)`` of each token, rising; none gives no piece.
        most: 1 or more.
    """
    if not offsets:
        return []
    starts = [start for start, _ in offsets]
    ends = (match.end() for match in _END.finditer(text, starts[0], offsets[-1][1]))
    cuts = sorted({0, *(bisect_left(starts, end) for end in ends)} - {len(offsets)})
    bounds = [*cuts, len(offsets)]
    while len(bounds) - 1 > most:
        sizes = [bounds[i + 1] - bounds[i - 1] for i in range(1, len(bounds) - 1)]
        del bounds[sizes.index(min(sizes)) + 1]
    while len(bounds) - 1 < most and (cut := _halving(bounds, offsets)):
        bounds = sorted([*bounds, cut])
    return list(pairwise(bounds))


def _halving(bounds: Sequence[int], offsets: Sequence[tuple[int, int]]) -> int | None:
    """The token nearest the middle of the longest piece that starts a word, None when no piece is to be halved."""
    for start, end in sorted(pairwise(bounds), key=lambda piece: piece[0] - piece[1]):
        if end - start <= _LONG:
            return None
        words = [i for i in range(start + 1, end) if offsets[i][0] > offsets[i - 1][1]]
        if words:
            return min(words, key=lambda i: abs(2 * i - start - end))
    return None
