"""Encodings that a writer asks for by name, ``{{b64:plain text}}``, so that nobody encodes by hand."""

import base64
import codecs
import re
from collections.abc import Callable

# A to Z, then 0 to 9.
_CODES = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
    "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----."
)
_MORSE = dict(zip("abcdefghijklmnopqrstuvwxyz0123456789", _CODES.split(" "), strict=True))
_LOOK_ALIKES = str.maketrans("aceopxyiABEKMHOPCTXjs", "асеорхуіАВЕКМНОРСТХјѕ")
_LEET = str.maketrans("aeiostAEIOST", "431057431057")
_FULL_WIDTH = {code: code + 0xFEE0 for code in range(ord("!"), ord("~") + 1)}
_TAGS = 0xE0000  # code point of the first tag character
_RIGHT_TO_LEFT, _POP = "\u202e", "\u202c"


def _caesar(text: str, shift: int) -> str:
    def moved(match: re.Match[str]) -> str:
        base = ord("a") if match[0].islower() else ord("A")
        return chr((ord(match[0]) - base + shift) % 26 + base)

    return re.sub("[A-Za-z]", moved, text)


def _atbash(text: str) -> str:
    low, high = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return text.translate(str.maketrans(low + high, low[::-1] + high[::-1]))


def _morse(text: str) -> str:
    return " / ".join(" ".join(_MORSE[c] for c in word if c in _MORSE) for word in text.lower().split())


ENCODERS: dict[str, Callable[[str], str]] = {
    "b64": lambda text: base64.b64encode(text.encode()).decode(),
    "b32": lambda text: base64.b32encode(text.encode()).decode(),
    "a85": lambda text: base64.a85encode(text.encode()).decode(),
    "hex": lambda text: text.encode().hex(),
    "bin": lambda text: " ".join(f"{byte:08b}" for byte in text.encode()),
    "url": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "html": lambda text: "".join(f"&#{ord(c)};" for c in text),
    "uni": lambda text: "".join(f"\\u{ord(c):04x}" for c in text),
    "esc": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "atbash": _atbash,
    "morse": _morse,
    "rev": lambda text: text[::-1],
    "leet": lambda text: text.translate(_LEET),
    "homo": lambda text: text.translate(_LOOK_ALIKES),
    "full": lambda text: text.translate(_FULL_WIDTH),
    "zw": "\u200b".join,
    "tag": lambda text: "".join(chr(_TAGS + ord(c)) for c in text if c.isascii()),
    "bidi": lambda text: f"{_RIGHT_TO_LEFT}{text[::-1]}{_POP}",
    "space": lambda text: "  ".join(" ".join(word) for word in text.split()),
    "dot": lambda text: " ".join(".".join(word) for word in text.split()),
}
_MARK = re.compile(
    r"\{\{(caesar\d{1,2}|" + "|".join(ENCODERS) + r"):((?:(?!\}\}|\{\{).)*)\}\}", re.DOTALL
)  # innermost first: a payload holds no mark of its own


def expand(text: str) -> str:
    """The text with every mark replaced by its encoded payload, inner marks first; other braces stay."""
    while (found := _MARK.sub(_encoded, text)) != text:
        text = found
    return text


def _encoded(match: re.Match[str]) -> str:
    name, payload = match.groups()
    if name.startswith("caesar"):
        return _caesar(payload, int(name.removeprefix("caesar")))
    return ENCODERS[name](payload)
