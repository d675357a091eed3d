"""What no row may carry: addresses that could be somebody's, numbers that could be valid, keys that could work."""

import re
from collections.abc import Iterator

_HOST = re.compile(r"(?:https?|ftp|wss?)://([^\s/:\"'<>)\]]+)|[\w.+-]+@([\w-]+(?:\.[\w-]+)+)", re.IGNORECASE)
# RFC 2606, RFC 6761 and RFC 9476 names, which nobody can register.
_RESERVED = re.compile(r"(^|\.)(example(\.(com|org|net))?|test|invalid|local|internal|localhost)$", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"[{$<*\[%]")
_IPV4 = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d{1,3}){3})(?![\d.]*\d)")
# RFC 5737 documentation ranges, private ranges, and the address of the cloud metadata service.
_NOBODYS = re.compile(
    r"^(192\.0\.2\.|198\.51\.100\.|203\.0\.113\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|127\.|0\.0\.0\.0$"
    r"|169\.254\.169\.254$|255\.)"
)
_CARD = re.compile(r"(?<!\d)(?:\d[ -]?){12,18}\d(?!\d)")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2} ?(?:[A-Z0-9]{4} ?){2,7}[A-Z0-9]{1,4}\b")
_SECRET = re.compile(
    r"\b(ghp_[A-Za-z0-9]{36}|(AKIA|ASIA)(?!\w*EXAMPLE)[0-9A-Z]{16}|xox[abp]-\d{6,}-\w{10,}"
    r"|sk-(?!EXAMPLE)[A-Za-z0-9]{32,}|AIza[\w-]{35})\b"
)
_SSN = re.compile(r"\b(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}\b")
_CARD_FIRST_DIGITS = "3456"
_OCTET = 255


def unsafe(text: str) -> Iterator[str]:
    """Yields the kind of each thing in the text that must not be there; the thing itself is not repeated."""
    hosts = ((match[1] or match[2]).rstrip(".,;!?").rpartition("@")[2] for match in _HOST.finditer(text))
    if not all(_allowed_host(host) for host in hosts):
        yield "a domain outside the reserved example names"
    if not all(_allowed_address(match[1]) for match in _IPV4.finditer(text)):
        yield "an address outside the documentation and private ranges"
    if any(_valid_card(re.sub(r"\D", "", match[0])) for match in _CARD.finditer(text)):
        yield "a card number with a valid check digit"
    if any(_valid_iban(match[0].replace(" ", "")) for match in _IBAN.finditer(text)):
        yield "an IBAN with valid check digits"
    if _SECRET.search(text):
        yield "a string in the form of a working key"
    if _SSN.search(text):
        yield "a social security number that could be issued"


def _allowed_address(text: str) -> bool:
    """Whether the four numbers are no address at all, or one that is nobody's."""
    return any(int(part) > _OCTET for part in text.split(".")) or _NOBODYS.match(text) is not None


def _allowed_host(host: str) -> bool:
    if _PLACEHOLDER.search(host) or _IPV4.fullmatch(host) or "." not in host:
        return True
    return _RESERVED.search(host) is not None


def _valid_card(digits: str) -> bool:
    """Whether the digits begin like a payment card's and pass the Luhn check."""
    doubled = [int(digit) * (1 + i % 2) for i, digit in enumerate(reversed(digits))]
    return digits[0] in _CARD_FIRST_DIGITS and sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def _valid_iban(text: str) -> bool:
    """Whether the check digits of ISO 13616 hold."""
    moved = text[4:] + text[:4]
    return int("".join(str(int(char, 36)) for char in moved)) % 97 == 1
