"""Who gets which variant: sticky, and a larger share only ever moves people one way."""

from raxe.values.buckets import BUCKETS, bucket_of


def gets_second(salt: str, subject: str, split: float) -> bool:
    """Whether a subject is in the share ``split`` in [0, 1] of the second variant."""
    return bucket_of(salt, subject) < round(split * BUCKETS)
