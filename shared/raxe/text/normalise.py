"""The plain view: the text as a reader sees it, with a map from each character back to the text as sent.

``views`` calls it first and again on everything that it decodes. Time is linear in the text; no input makes it raise.
"""

import re
import unicodedata
from collections.abc import Sequence

from raxe.values import Span, View

MAX_MARKS = 8  # longest run of combining marks that is kept; no script in use stacks more on one letter

_ASCII_ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
# What a reader does not see: soft hyphen, grapheme joiner, Hangul and Khmer fillers, Mongolian selectors, zero-width
# characters, bidi controls, invisible operators, variation selectors, annotation anchors, shorthand and musical format
# controls, the whole plane-14 block with the tag characters.
_UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_BLANKS = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000"
_SURROGATES = "\ud800-\udfff"
# A terminal's control sequence goes whole: what is left of one would stick to the next word and hide it from the rules.
_ODD = re.compile(
    f"\x1b\\[[0-9;?]{{0,16}}[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{_UNSEEN}{_BLANKS}{_SURROGATES}]"
)
_DROPPED = re.compile(f"[{_UNSEEN}]")
_BLANK = re.compile(f"[{_BLANKS}]")
_MARK_RUN = re.compile(rf"[^\w\s\x00-\x7f]{{{MAX_MARKS + 1},}}")  # marks are no word characters; filtered by category
# A run that NFKC may change; the ASCII character before it can take a mark. Two ligatures stay: one makes 18 letters.
_FOREIGN_RUN = re.compile("[\x00-\x7f]?[^\x00-\x7f\ufdfa\ufdfb]+")
_CONJOINING = re.compile("[\u1160-\u11ff\ud7b0-\ud7ff\uff9e-\uffdc]")  # letters that join the one before them


def normalise(text: str) -> View:
    """The plain view of a text: NFKC, one kind of space, nothing invisible, no long runs of marks.

    Lone surrogates become U+FFFD, control characters a space (``NUL`` goes; CR LF, CR and the Unicode line separators
    become LF; LF and TAB stay). ``offsets`` is a ``range`` when nothing moved: the common case, and it costs no memory.
    """
    origin = Span(0, len(text))
    offsets: Sequence[int] = range(len(text) + 1)
    if not (text.isascii() and _ASCII_ODD.search(text) is None):
        text, offsets = _clean(text, offsets)
        if not text.isascii():
            for _ in range(2):  # NFKC can lengthen a run of marks, and a dropped run can let two letters join
                text, offsets = _compose(*_cap_marks(text, offsets))
    return View("plain", text, origin, offsets if isinstance(offsets, range) else tuple(offsets))


def _clean(text: str, offsets: Sequence[int]) -> tuple[str, Sequence[int]]:
    """Drops or replaces single characters; the rest keeps its offsets."""
    if _ODD.search(text) is None:
        return text, offsets
    parts: list[str] = []
    kept: list[int] = []
    last = 0
    for match in _ODD.finditer(text):
        at = match.start()
        parts.append(text[last:at])
        kept.extend(offsets[last:at])
        last = match.end()
        new = _replacement(text, at)
        if new:
            parts.append(new)
            kept.append(offsets[at])
    parts.append(text[last:])
    kept.extend(offsets[last:])
    return "".join(parts), kept


def _replacement(text: str, at: int) -> str:
    """What stands for the odd character at ``at``: nothing or one character."""
    char = text[at]
    if char == "\0" or _DROPPED.match(char) or (char == "\r" and text[at + 1 : at + 2] == "\n"):
        return ""
    if char in "\r\x85\u2028\u2029":
        return "\n"
    return " " if char < "\xa0" or _BLANK.match(char) else "\ufffd"


def _cap_marks(text: str, offsets: Sequence[int]) -> tuple[str, Sequence[int]]:
    """Drops every run of more than MAX_MARKS combining marks: it is decoration, and sorting it would be quadratic."""
    parts: list[str] = []
    kept: list[int] = []
    last = 0
    for run in _MARK_RUN.finditer(text):
        for start, end in _mark_ranges(text, run.start(), run.end()):
            parts.append(text[last:start])
            kept.extend(offsets[last:start])
            last = end
    if not last:
        return text, offsets
    parts.append(text[last:])
    kept.extend(offsets[last:])
    return "".join(parts), kept


def _mark_ranges(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The ranges of more than MAX_MARKS marks in ``text[start:end]``, which holds marks and symbols."""
    ranges = []
    begin = start
    for at in range(start, end + 1):
        if at < end and unicodedata.category(text[at])[0] == "M":
            continue
        if at - begin > MAX_MARKS:
            ranges.append((begin, at))
        begin = at + 1
    return ranges


def _compose(text: str, offsets: Sequence[int]) -> tuple[str, Sequence[int]]:
    """NFKC of a text without long runs of marks."""
    if unicodedata.is_normalized("NFKC", text):
        return text, offsets
    parts: list[str] = []
    kept: list[int] = []
    last = 0
    for run in _FOREIGN_RUN.finditer(text):
        start, end = run.span()
        if unicodedata.is_normalized("NFKC", run[0]):
            continue
        parts.append(text[last:start])
        kept.extend(offsets[last:start])
        new, places = _compose_run(run[0])
        parts.append(new)
        kept.extend([offsets[start + place] for place in places])
        last = end
    parts.append(text[last:])
    kept.extend(offsets[last:])
    return "".join(parts), kept


def _compose_run(run: str) -> tuple[str, list[int]]:
    """NFKC of a run and, for each character of it, the place in the run of the cluster it comes from."""
    whole = unicodedata.normalize("NFKC", run)
    places: list[int] = []
    pieces: list[str] = []
    for start, cluster in _clusters(run):
        piece = unicodedata.normalize("NFKC", cluster)
        pieces.append(piece)
        places.extend([start] * len(piece))
    if "".join(pieces) == whole:
        return whole, places
    return whole, [index * len(run) // len(whole) for index in range(len(whole))]  # letters that joined across clusters


def _clusters(run: str) -> list[tuple[int, str]]:
    """A run cut before each character that starts a letter, with the place of each cut."""
    cuts = [
        at
        for at, char in enumerate(run)
        if not at or (unicodedata.category(char)[0] != "M" and _CONJOINING.match(char) is None)
    ]
    return [(start, run[start:end]) for start, end in zip(cuts, [*cuts[1:], len(run)], strict=True)]
