"""Decoders of words that only people read: look-alike letters, digits for letters, gaps between letters or none."""

import re
import unicodedata
from collections.abc import Iterator

from raxe.text.pieces import Piece
from raxe.text.words import COMMON, TELLING, segment

_TOKEN = re.compile(r"[^\s!-/:-@\[-`{-~]+")
# Letters of other scripts, each with the Latin letter it passes for. Left out: what honest text mixes with Latin, such
# as Greek letters of units, and Latin letters of other languages, such as the Turkish dotless i.
_SCRIPTS = (
    "аaсcеeёeіiїiјjоoрpѕsуyхxһhԁdԛqԝwӏlкkмmтtгrпnвbнhАAВBЕEЅSІIЈJКKМMНHОOРPСCТTУYХXҮYԌG"
    "αaοoρpνvιiυuκkχxτtηnεeΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXաwհhոnօoսuցgզqԼLՕOՏS"
    "ᎪAᏴBᏟCᎠDᎬEᏀGᎻHᎥiᎫJᏦKᏞLᎷMᏢPᎡRᏚSᎢTᏙVᎳWᏃZ"
)
_ENCLOSED = (0x1F150, 0x1F170, 0x1F1E6)  # where circled, squared and flag letters start
_FANCY = (  # the same for phonetic and enclosed letters
    "ᴀaʙbᴄcᴅdᴇeꜰfɢgʜhɪiᴊjᴋkʟlᴍmɴnᴏoᴘpʀrꜱsᴛtᴜuᴠvᴡwʏyᴢzɡgɑaɩiȷjᴦrƨsɾrʋuɯw"
    + "".join(chr(base + at) + chr(97 + at) for base in _ENCLOSED for at in range(26))
)
_LOOKALIKES = str.maketrans(dict(zip((_SCRIPTS + _FANCY)[::2], (_SCRIPTS + _FANCY)[1::2], strict=True)))
_OTHER_SCRIPT = frozenset(_SCRIPTS[::2])

_LEET_MIX = re.compile(r"[0-9@$!|+][A-Za-z]|[A-Za-z][0-9@$]")
_LEET_TOKEN = re.compile(r"[A-Za-z0-9@$!|+]{3,}")
_LEET = str.maketrans("013456789@$!|+", "oieasgtbgasilt")
_LEET_L = str.maketrans("013456789@$!|+", "oleasgtbgaslit")

_LETTER = r"[A-Za-z\u00c0-\u024f\u0370-\u052f]"
_SPACED = re.compile(rf"(?<![^\W_]){_LETTER}(?:[\W_]{{1,3}}+{_LETTER}(?![^\W_])){{3,}}+")
_GAP = re.compile(r"[\W_]+")
_GLUED = re.compile(r"[A-Za-z]{24,}+")
MIN_GLUED = 4  # known words from which on a run of letters is a sentence; they must make up three quarters of it
MIN_UNKNOWN = 8  # letters from which on a spaced run counts though no English word is in it


def find_homoglyphs(text: str) -> list[Piece]:
    """Words in which look-alikes stand for Latin letters, marks or accents disguise them; none in one honest script.

    Words that consist of look-alikes alone are read as Latin only beside a word that mixes scripts.
    """
    if text.isascii():
        return []
    sure, maybe = False, []
    for token in _TOKEN.finditer(text):
        if token[0].isascii():
            continue
        latin, certain = _unmask(token[0])
        if latin:
            sure = sure or certain
            maybe.append(Piece(token.start(), token.end(), latin))
    return maybe if sure else []


def _unmask(word: str) -> tuple[str, bool]:
    """The word in ASCII letters, empty when it is none, and whether that proves a disguise."""
    bare = "".join(char for char in word if unicodedata.category(char)[0] != "M")
    latin = bare.translate(_LOOKALIKES)
    if latin.isascii():
        marks = len(word) - len(bare)
        mixed = any("a" <= char <= "z" for char in bare.lower()) or not _OTHER_SCRIPT.intersection(bare)
        return latin, len(latin) > 2 and mixed and (latin != bare or marks >= max(3, len(bare) // 2))
    letters = "".join(char for char in unicodedata.normalize("NFD", latin) if char.isascii())
    known = len(letters) == len(latin) and letters.lower() in COMMON
    accents = sum(not char.isascii() for char in latin)
    return (letters, accents > 1 and len(letters) > 5 and letters.lower() in TELLING) if known else ("", False)


def find_leet(text: str) -> list[Piece]:
    """Words with digits or signs for letters, when one of five letters or two in all are words once decoded."""
    if _LEET_MIX.search(text) is None:
        return []
    pieces, known = [], set()
    for token in _LEET_TOKEN.finditer(text):
        written = token[0].rstrip("!|+")
        if written.isalpha() or written.isdigit():
            continue
        decoded = _unleet(written)
        if decoded.isalpha():
            pieces.append(Piece(token.start(), token.start() + len(written), decoded))
            known.update({decoded} & COMMON)
    return pieces if len(known) > 1 or any(len(word) > 4 for word in known & TELLING) else []


def _unleet(token: str) -> str:
    """The token in lower-case letters; a 1 is an i unless only an l makes a known word."""
    first, second = token.lower().translate(_LEET), token.lower().translate(_LEET_L)
    return second if second in COMMON and first not in COMMON else first


def find_spaced(text: str) -> Iterator[Piece]:
    """Runs of four or more single letters with one to three signs between them that make a word."""
    for run in _SPACED.finditer(text):
        joined = _close_gaps(run[0])
        if _is_word(joined):
            yield Piece(run.start(), run.end(), " ".join(map(_split, joined.split(" "))))


def find_glued(text: str) -> Iterator[Piece]:
    """Sentences without gaps, such as with zero-width spaces for spaces: past 100 letters a tokenizer reads nothing."""
    for run in _GLUED.finditer(text):
        words = segment(run[0].lower())
        known = [word for word in words if word in COMMON]
        if len(known) >= MIN_GLUED and 4 * sum(map(len, known)) >= 3 * len(run[0]):
            yield Piece(run.start(), run.end(), " ".join(words))


def _close_gaps(run: str) -> str:
    """The letters of a run; gaps wider than its narrowest are a space."""
    narrow = min(map(len, _GAP.findall(run)))
    return _GAP.sub(lambda gap: " " if len(gap[0]) > narrow else "", run)


def _is_word(joined: str) -> bool:
    """Whether joined letters are more than a list of initials or of options."""
    letters = joined.lower().translate(_LOOKALIKES).replace(" ", "")
    if any(len(word) > 3 and word in COMMON for word in segment(letters)):
        return True
    vowels = sum(char in "aeiouyäöüéèàáíóúаеиоуы" for char in letters)
    return len(letters) >= MIN_UNKNOWN and [*letters] != sorted(letters) and 2 <= 10 * vowels // len(letters) < 6


def _split(word: str) -> str:
    """A word cut into known words when they make up three quarters of it, else as it is."""
    words = segment(word.lower())
    known = sum(len(part) for part in words if part in COMMON)
    return " ".join(words) if 4 * known >= 3 * len(word) else word
