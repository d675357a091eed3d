"""Shares of the traffic that are sticky: a key always falls into the same one of 10,000 buckets."""

import hashlib

BUCKETS = 10_000


def bucket_of(salt: str, key: str) -> int:
    """The bucket of a key, 0 to 9,999, even over the keys and independent between salts."""
    # Lone surrogates are possible in JSON; they need bytes too, and distinct ones.
    digest = hashlib.sha256(f"{len(salt)}:{salt}:{key}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % BUCKETS
