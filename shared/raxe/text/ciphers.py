"""Decoders of whole sentences: shifted alphabets and text written backwards.

Neither has a mark of its own, so the evidence is words: few that are English as written, several that are once decoded.
"""

import re
import string
from collections.abc import Iterator

from raxe.text.pieces import Piece
from raxe.text.words import COMMON

MIN_WORDS = 2  # different decoded words from which on a cipher is believed

_WORD = re.compile("[A-Za-z]+")
_LOWER = re.compile("[a-z]+")
_HINT = re.compile(r"\b(?:rot-?[0-9]{1,2}|rot (?=13)|caesar|cipher|atbash)", re.IGNORECASE)
_LETTERS = string.ascii_lowercase
# Characters around the name of a cipher that are read as its text: a long document that only mentions one would
# otherwise be scanned twice, the second time as gibberish, which has three times the tokens.
_BEFORE_HINT, _AFTER_HINT = 1000, 3000
_SAMPLE = 300  # words that are tried with every shift


def _table(image: str) -> dict[int, str]:
    """Translation of the alphabet to ``image``, capitals alike."""
    return dict(zip(map(ord, _LETTERS + _LETTERS.upper()), image + image.upper(), strict=True))


_SHIFTS = tuple(_table(_LETTERS[shift:] + _LETTERS[:shift]) for shift in range(1, 26))
_ROT13 = _SHIFTS[12]
_ALPHABETS = (_ROT13, *_SHIFTS, _table(_LETTERS[::-1]))
_CODED = frozenset(word.translate(_ROT13) for word in COMMON if len(word) > 2) - COMMON
# Reversed words that are words themselves, in English or elsewhere, prove nothing.
_REAL = "evil trap emit peek pots pets loot lave edom neve edam dnes moor toor eras laer ekat erom"
_BACKWARDS = frozenset(word[::-1] for word in COMMON if len(word) > 3) - COMMON.union(_REAL.split())


def find_rot13(text: str) -> Iterator[Piece]:
    """Stretches in ROT13; where the text names a cipher, what stands around in the alphabet that fits best."""
    hint = _HINT.search(text)
    covered = (0, 0)
    if hint:
        covered = max(0, hint.start() - _BEFORE_HINT), min(len(text), hint.end() + _AFTER_HINT)
        around = text[slice(*covered)]
        table = _best_alphabet(around) or (_ROT13 if hint[0].lower().startswith("rot") else None)
        if table:
            yield Piece(*covered, around.translate(table))
        else:
            covered = (0, 0)
    for start, end in _coded_ranges(text, _CODED):
        if end <= covered[0] or start >= covered[1]:
            yield Piece(start, end, text[start:end].translate(_ROT13))


def _best_alphabet(text: str) -> dict[int, str] | None:
    """The alphabet in which most words that are not English become English, None when no two do."""
    words = list(dict.fromkeys(word for word in _LOWER.findall(text.lower()) if len(word) > 2 and word not in COMMON))
    sample = " ".join(words[:_SAMPLE])
    scores = [len(COMMON.intersection(sample.translate(table).split())) for table in _ALPHABETS]
    best = max(scores)
    return _ALPHABETS[scores.index(best)] if best >= MIN_WORDS else None


def find_reversed(text: str) -> Iterator[Piece]:
    """Stretches written backwards, read from their end and, in a second line, word by word."""
    for start, end in _coded_ranges(text, _BACKWARDS):
        mirrored = text[start:end][::-1]
        yield Piece(start, end, f"{mirrored}\n{' '.join(reversed(mirrored.split()))}", backwards=True)


def _coded_ranges(text: str, coded: frozenset[str]) -> list[tuple[int, int]]:
    """Ranges between English words of which a tenth of the words are coded, when MIN_WORDS different words are."""
    if len(coded.intersection(_LOWER.findall(text.lower()))) < MIN_WORDS:
        return []
    ranges: list[tuple[int, int]] = []
    stretch: list[re.Match[str]] = []
    hits = 0
    for word in _WORD.finditer(text):
        lower = word[0].lower()
        if len(lower) > 2 and lower in COMMON:
            ranges += _coded_range(stretch, hits)
            stretch, hits = [], 0
        else:
            stretch.append(word)
            hits += lower in coded
    return ranges + _coded_range(stretch, hits)


def _coded_range(stretch: list[re.Match[str]], hits: int) -> list[tuple[int, int]]:
    """The range of a stretch of words when enough of them are hits, none otherwise."""
    return [(stretch[0].start(), stretch[-1].end())] if hits and 10 * hits >= len(stretch) else []
