"""Decoders of single characters that are written another way inside a text: percent, entities, backslash escapes.

The view keeps the text around them, so that a word of which one letter was escaped reads whole.
"""

import html
import re
from collections.abc import Callable, Iterable

from raxe.text.normalise import normalise
from raxe.text.pieces import Piece

MIN_LETTERS = 3  # escaped letters or digits from which on somebody hides something; one é in JSON is no attack
MIN_GAPS = 3  # likewise for gaps between two letters: what splits or joins the words for every other reader

_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})++")
_BYTES = re.compile(r"(?:\\x[0-9A-Fa-f]{2})++")
_CODE = (
    r"\\u[0-9A-Fa-f]{4}|\\u\{[0-9A-Fa-f]{1,6}\}|\\U[0-9A-Fa-f]{8}|\\[0-3][0-7]{2}"
    r"|U\+[0-9A-Fa-f]{4,6}(?![0-9A-Za-z])[ ,]?"
)
_BREAK = r"(?<!\\)\\[nrt](?=[A-Za-z])"
_BREAKS = {"n": "\n", "r": "\n", "t": "\t"}
_CODES = re.compile(rf"(?:{_CODE}|{_BREAK})++")
_ONE_CODE = re.compile(rf"{_CODE}|\\[nrt]")
_JSON = re.compile(r'"\s*:\s*"')
_JSON_BREAK = re.compile(_BREAK)
_ENTITY = re.compile(r"&(?:#[0-9]{1,10}+|#[xX][0-9A-Fa-f]{1,8}+|[A-Za-z][A-Za-z0-9]{1,30}+);?")
_INLINE = "b|i|u|s|em|strong|span|font|wbr|mark|small"
_INSIDE_WORD = re.compile(
    rf"(?<=[A-Za-z])(?:<(?:!--[^<>]{{0,80}}+(?<=--)|/?(?:{_INLINE})(?![A-Za-z])[^<>]{{0,80}}+)>)++(?=[A-Za-z])"
)


def find_percent(text: str) -> list[Piece]:
    """Percent-encoded bytes: three or more of them, or one that hides a letter or digit, which no address needs."""
    if "%" not in text:
        return []
    pieces = _replaced(text, _PERCENT, lambda run: _from_bytes(run.replace("%", "")))
    hides = any(char.isascii() and char.isalnum() for piece in pieces for char in piece.decoded)
    return pieces if hides or sum(piece.end - piece.start for piece in pieces) > 8 else []


def find_hex_escapes(text: str) -> list[Piece]:
    r"""Bytes written as ``\x41`` that hide letters or gaps between words."""
    if "\\x" not in text:
        return []
    return _enough(text, _replaced(text, _BYTES, lambda run: _from_bytes(run.replace("\\x", ""))))


def find_escapes(text: str) -> list[Piece]:
    r"""Code points written as ``\u0041``, ``\u{41}``, ``\U00000041``, ``\101`` or ``U+0041`` that hide letters or gaps.

    In JSON also a line break written as ``\n``, which would stick to the word after it.
    """
    if "\\" not in text and "U+" not in text:
        return []
    pieces = _replaced(text, _CODES, _from_codes)
    return pieces if _JSON_BREAK.search(text) and _JSON.search(text) else _enough(text, pieces)


def find_entities(text: str) -> list[Piece]:
    """HTML entities that hide letters, angle brackets or gaps, and comments or tags put inside words (two or more)."""
    if "&" not in text and "<" not in text:
        return []
    entities = [
        piece for piece in _replaced(text, _ENTITY, html.unescape) if piece.decoded != text[piece.start : piece.end]
    ]
    tags = _replaced(text, _INSIDE_WORD, lambda _: "")
    hides = any(char in "<>" or (char.isascii() and char.isalnum()) for piece in entities for char in piece.decoded)
    hides = hides or _gaps(text, entities) >= MIN_GAPS
    return sorted([*(entities if hides else []), *(tags if len(tags) > 1 else [])], key=lambda piece: piece.start)


def _replaced(text: str, pattern: re.Pattern[str], read: Callable[[str], str]) -> list[Piece]:
    return [Piece(run.start(), run.end(), read(run[0])) for run in pattern.finditer(text)]


def _enough(text: str, pieces: list[Piece]) -> list[Piece]:
    """The pieces when together they hide MIN_LETTERS letters or digits, or MIN_GAPS gaps; none otherwise."""
    hides = _letters(piece.decoded for piece in pieces) >= MIN_LETTERS or _gaps(text, pieces) >= MIN_GAPS
    return pieces if hides else []


def _gaps(text: str, pieces: list[Piece]) -> int:
    """How many pieces stand between two letters and decode to a blank, or to what is not seen."""
    between = (
        piece.decoded
        for piece in pieces
        if text[piece.start - 1 : piece.start].isalpha() and text[piece.end : piece.end + 1].isalpha()
    )
    return sum(not normalise(decoded).text.strip() for decoded in between)


def _letters(texts: Iterable[str]) -> int:
    return sum(char.isalnum() for text in texts for char in text)


def _from_bytes(digits: str) -> str:
    data = bytes.fromhex(digits)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _from_codes(run: str) -> str:
    """The characters of a run of escapes; surrogate pairs become one character, lone ones U+FFFD."""
    text = "".join(_character(code[0]) for code in _ONE_CODE.finditer(run))
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _character(code: str) -> str:
    if code[1] in _BREAKS:
        return _BREAKS[code[1]]
    octal = code[1].isdigit()
    number = int(code[1:], 8) if octal else int(code[2:].strip("{} ,"), 16)
    return chr(number) if number < 0x110000 else "\ufffd"
