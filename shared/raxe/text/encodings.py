"""Decoders of payloads: runs of a text that are an encoding of other text and stand for themselves.

Each function maps a text to its pieces, in one pass of a pattern that cannot backtrack, and keeps what reads as text.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator

from raxe.text.normalise import normalise
from raxe.text.pieces import Piece
from raxe.text.words import COMMON, segment

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}+(?:\n[A-Za-z0-9+/_-]++)*+={0,2}")
_BASE64_PART = re.compile(r"[A-Za-z0-9+]{16,}+|[A-Za-z0-9+/]{16,}+")
_BASE32 = re.compile(r"(?<![A-Za-z0-9])[A-Z2-7]{16,}+(?![A-Za-z0-9])")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:0x)?(?:[0-9a-fA-F]{2}){8,}+(?![0-9A-Za-z])")
_HEX_SPACED = re.compile(
    r"(?<![0-9A-Za-z])(?:0x)?[0-9a-fA-F]{2}(?:[ :,;\n-]{1,2}+(?:0x)?[0-9a-fA-F]{2}(?![0-9A-Za-z])){7,}+"
)
_BINARY = re.compile(r"(?<![0-9A-Za-z])[01]{8}(?:[ ,\n]?[01]{8}){3,}+(?![0-9A-Za-z])")
_DECIMAL = re.compile(r"(?<![0-9A-Za-z.])[0-9]{2,3}(?:[ ,;\n]{1,2}+[0-9]{2,3}(?![0-9A-Za-z])){7,}+")
_MORSE = re.compile(r"(?<![.\-])[.-]{1,5}+(?:[ /\n]{1,3}+[.-]{1,5}+(?![.\-])){7,}+")
_MORSE_SIGNS = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
    "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----."
)
_MORSE_LETTERS = dict(zip(_MORSE_SIGNS.split(), "abcdefghijklmnopqrstuvwxyz0123456789", strict=True))
_STRINGS = re.compile(rb"[\t\n\x20-\x7e]{16,}+")
_TAGS = re.compile("(\U0001f3f4?)([\U000e0020-\U000e007e]{3,})")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}")
_ZERO_WIDTH = re.compile("[\u200b-\u200d\u2060\u2062-\u2064\ufeff]{16,}")
_CONTROL = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_FLAG_LETTERS = 6  # a flag of a country's region is a black flag and up to six tag letters


def readable(text: str) -> bool:
    """Whether a decoded string is text: 5 characters or more, all printable, most of them letters, digits or spaces.

    It is judged as a reader sees it, and may have a control character for four others: one that normalising takes out
    or makes a space, such as a zero-width character, must not pass a payload off as binary.
    """
    words = normalise(text).text.translate({9: " ", 10: " "})
    plain = sum(char.isalnum() or char == " " for char in words[:2000])
    letters = sum(map(str.isalpha, words[:2000]))
    sample = min(len(words), 2000)
    clean = words.isprintable() and 5 * len(_CONTROL.findall(text[:2000])) <= min(len(text), 2000)
    return len(words) > 4 and clean and plain >= 0.6 * sample and letters >= 0.3 * sample


def has_word(text: str) -> bool:
    """Whether a known English word of four letters or more is in the text, spaced or not."""
    return any(len(word) > 3 and word in COMMON for run in re.findall("[a-z]+", text.lower()) for word in segment(run))


def find_base64(text: str) -> Iterator[Piece]:
    """Standard and URL-safe base64 of 16 characters or more, wrapped lines included."""
    for run in _BASE64.finditer(text):
        decoded = _base64(run[0])
        if decoded:
            yield Piece(run.start(), run.end(), decoded)
            continue
        for part in _BASE64_PART.finditer(run[0]):
            decoded = _base64(part[0]) or _base64_strings(part[0])
            if decoded:
                yield Piece(run.start() + part.start(), run.start() + part.end(), decoded)


def _base64(run: str) -> str:
    """The text that a run encodes, empty when it encodes none."""
    digits = run.replace("\n", "").rstrip("=").translate({45: "+", 95: "/"})
    if digits.islower() or digits.isupper() or digits.isdigit():  # a long word or number; encoded text mixes
        return ""
    return _text_of(_bytes_of(digits))


def _bytes_of(digits: str) -> bytes:
    """The bytes that base64 digits without padding stand for; a last digit that is too many is left out."""
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    return base64.b64decode(digits + "=" * (-len(digits) % 4))


def _base64_strings(run: str) -> str:
    """Readable ASCII stretches in base64 that does not start on a digit of four or that encodes more than text."""
    if len(run) < 32:
        return ""
    found = (piece.decode() for shift in range(4) for piece in _STRINGS.findall(_bytes_of(run[shift:])))
    return "\n".join(piece for piece in found if readable(piece) and has_word(piece))


def _text_of(data: bytes) -> str:
    """UTF-8 or, with a byte order mark or every other byte zero, UTF-16 text; empty when it is not readable."""
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff") or (len(data) > 8 and not any(data[1:200:2]))
    try:
        text = data.decode(("utf-16" if data[0] > 0xF0 else "utf-16-le") if wide else "utf-8")
    except UnicodeDecodeError:
        return ""
    return text if readable(text) else ""


def find_base32(text: str) -> Iterator[Piece]:
    """Base32 of 16 characters or more, in capitals."""
    for run in _BASE32.finditer(text):
        digits = run[0][: len(run[0]) - (len(run[0]) % 8 in (1, 3, 6))]
        decoded = _text_of(base64.b32decode(digits + "=" * (-len(digits) % 8)))
        if decoded:
            yield Piece(run.start(), run.end(), decoded)


def find_hex(text: str) -> Iterator[Piece]:
    """Hexadecimal runs of 8 bytes or more, together or with separators."""
    yield from _merge(text, ((_HEX, _hex), (_HEX_SPACED, _hex)))


def find_numbers(text: str) -> Iterator[Piece]:
    """Character codes in binary (4 or more) or decimal (8 or more)."""
    yield from _merge(text, ((_BINARY, _binary), (_DECIMAL, _decimal)))


def _merge(text: str, readers: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...]) -> list[Piece]:
    """What several patterns find, in order; patterns that exclude each other do not overlap."""
    pieces = (
        Piece(run.start(), run.end(), decoded)
        for pattern, read in readers
        for run in pattern.finditer(text)
        if (decoded := read(run[0]))
    )
    ordered = sorted(pieces, key=lambda piece: piece.start)
    return [piece for at, piece in enumerate(ordered) if not at or ordered[at - 1].end <= piece.start]


def _hex(run: str) -> str:
    digits = re.sub(r"0x|[ :,;\n-]", "", run)
    text = _text_of(binascii.unhexlify(digits))
    return text if not digits.isdigit() or has_word(text) else ""


def _binary(run: str) -> str:
    bits = re.sub(r"[ ,\n]", "", run)
    return _text_of(_pack(bits))


def _pack(bits: str) -> bytes:
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8))


def _decimal(run: str) -> str:
    codes = [int(code) for code in re.split(r"[ ,;\n]+", run)]
    text = "".join(map(chr, codes)) if max(codes) < 127 else ""
    return text if readable(text) and has_word(text) else ""


def find_morse(text: str) -> Iterator[Piece]:
    """Morse of 8 letters or more that holds an English word; a slash or a wide gap ends a word."""
    for run in _MORSE.finditer(text):
        words = re.split(r" ?/ ?|\n|  +", run[0])
        decoded = " ".join("".join(_MORSE_LETTERS.get(sign, "") for sign in word.split(" ")) for word in words)
        if has_word(decoded):
            yield Piece(run.start(), run.end(), decoded)


def find_hidden(text: str) -> list[Piece]:
    """Text in characters that show nothing: tags, variation selectors as bytes, zero-width characters as bits."""
    if text.isascii():
        return []
    return _merge(text, ((_TAGS, _tags), (_SELECTORS, _selectors), (_ZERO_WIDTH, _zero_width)))


def _tags(run: str) -> str:
    tags = run.lstrip("\U0001f3f4")
    flag = len(tags) < len(run) and len(tags) <= _FLAG_LETTERS
    return "" if flag else "".join(chr(ord(tag) - 0xE0000) for tag in tags)


def _selectors(run: str) -> str:
    codes = [ord(char) for char in run]
    return _text_of(bytes(code - 0xFE00 if code < 0x10000 else code - 0xE0100 + 16 for code in codes))


def _zero_width(run: str) -> str:
    kinds = sorted(set(run))
    if len(kinds) != 2:
        return ""
    bits = run.translate({ord(kinds[0]): "0", ord(kinds[1]): "1"})
    return _text_of(_pack(bits)) or _text_of(_pack(bits.translate({48: "1", 49: "0"})))
