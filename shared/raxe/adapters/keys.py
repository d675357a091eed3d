"""Keys of objects: what every store refuses."""

from pathlib import PurePosixPath

from raxe.errors import ModelNotFound

MAX_KEY_BYTES = 800  # S3 takes 1,024 with the prefix


def checked(key: str) -> str:
    """The key; raises ModelNotFound when it is empty, absolute, climbs, or is none that a store may have."""
    name = PurePosixPath(key)
    plain = key.isprintable() and name.as_posix() == key and key != "."
    if not plain or name.is_absolute() or ".." in name.parts or len(key.encode(errors="replace")) > MAX_KEY_BYTES:
        raise ModelNotFound(f"no model file {key[:100]!r}")
    return key
