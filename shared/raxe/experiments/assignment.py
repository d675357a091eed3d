"""Who gets which variant: sticky, and a larger share only ever moves people one way."""

import hashlib

_PARTS = 10_000


def part_of(salt: str, subject: str) -> int:
    """A number from 0 to 9,999 that a subject always has under a salt; subjects spread evenly."""
    # Lengths keep ("a", "bc") and ("ab", "c") apart.
    digest = hashlib.sha256(f"{len(salt)}:{salt}{subject}".encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:8]) % _PARTS


def gets_second(salt: str, subject: str, split: float) -> bool:
    """Whether a subject is in the share ``split`` in [0, 1] of the second variant."""
    return part_of(salt, subject) < round(split * _PARTS)
