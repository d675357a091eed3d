"""How long a text is, and the pieces by which two texts are compared, alike for every script."""

import re
import unicodedata

# Scripts without spaces: characters that make up one word of their languages, on average.
_CJK, _CJK_PER_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]"), 1.6
_THAI, _THAI_PER_WORD = re.compile(r"[\u0e00-\u0e7f]"), 4.5

# Marks and format characters belong to the word that they stand in: vowel signs, joiners, zero-width spaces.
_INSIDE_WORDS = frozenset({"Mn", "Mc", "Cf"})

BUCKETS = ((10, "3-10"), (30, "11-30"), (80, "31-80"), (200, "81-200"), (500, "201-500"), (10**9, "501+"))
SHINGLE = 5  # characters


def word_count(text: str) -> int:
    """Words of the text; of scripts without spaces an estimate from the number of their characters."""
    dense = len(_CJK.findall(text)) / _CJK_PER_WORD + len(_THAI.findall(text)) / _THAI_PER_WORD
    letters = "".join(c for c in _THAI.sub(" ", _CJK.sub(" ", text)) if unicodedata.category(c) not in _INSIDE_WORDS)
    return round(dense + len(re.findall(r"\w+", letters)))


def length_bucket(text: str) -> str:
    """The name of the text's length bucket, in words."""
    words = word_count(text)
    return next(name for limit, name in BUCKETS if words <= limit)


def shingles(text: str) -> frozenset[str]:
    """Runs of five characters of the lower-cased text with one space between words; a shorter text is its own run."""
    folded = " ".join(text.lower().split())
    return frozenset(folded[i : i + SHINGLE] for i in range(max(1, len(folded) - SHINGLE + 1)))


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Shared pieces over all pieces, in [0, 1]."""
    return len(one & other) / len(one | other)
