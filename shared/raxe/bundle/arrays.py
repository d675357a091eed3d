"""Between the arrays of ``attack_clusters.npz`` and bytes.

They are read without NumPy's own loader, so that neither a pickle nor an announced size is believed: a header must be
the one that NumPy writes for such an array, byte for byte, and nothing in it is evaluated.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from raxe.bundle.archive import pack, unpack
from raxe.bundle.format import CLUSTERS, MAX_CLUSTER_NAME, MEMBER_LIMITS
from raxe.errors import InvalidBundle

_ARRAY, _NAMES = "clusters.npy", "names.npy"
_LIMITS = {_ARRAY: MEMBER_LIMITS[CLUSTERS], _NAMES: 1024 * 1024}
_MAGIC = b"\x93NUMPY\x01\x00"
_PREFIX = len(_MAGIC) + 2  # bytes before the header: the magic number and the header's length
_COUNT = rb"(0|[1-9][0-9]{0,7})"
_FLOATS = re.compile(
    rb"\{'descr': '<f4', 'fortran_order': False, 'shape': \(" + _COUNT + rb", ([1-9][0-9]{0,7})\), \} *\n"
)
_WORDS = re.compile(
    rb"\{'descr': '<U([1-9][0-9]{0,3})', 'fortran_order': False, 'shape': \(" + _COUNT + rb",\), \} *\n"
)
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_ .-]*[A-Za-z0-9])?")


def parse_clusters(data: bytes, dimension: int) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """The centres, (K, dimension) float32, read-only and finite, K = 0 included, and their K names or none at all."""
    members = unpack(data, _LIMITS, CLUSTERS, optional={_NAMES})
    centres = _parse_centres(members[_ARRAY], dimension)
    return centres, _parse_names(members[_NAMES], len(centres)) if _NAMES in members else ()


def dump_clusters(centres: NDArray[np.float32], names: Sequence[str]) -> bytes:
    """The bytes of the .npz; without names it has no array of them."""
    members = {_ARRAY: _npy(np.ascontiguousarray(centres, dtype="<f4"), "<f4")}
    if names:
        words = np.array(names, dtype=np.str_).astype(f"<U{max(1, *map(len, names))}")
        members[_NAMES] = _npy(words, words.dtype.str)
    return pack(members)


def _parse_centres(data: bytes, dimension: int) -> NDArray[np.float32]:
    header, body = _split(data, _FLOATS)
    if header is None:
        raise InvalidBundle(f"{CLUSTERS}: {_ARRAY} is not a two-dimensional float32 array")
    shape = (int(header[1]), int(header[2]))
    if shape[1] != dimension or shape[0] * shape[1] * 4 != len(data) - body:
        raise InvalidBundle(f"{CLUSTERS}: {_ARRAY} has another shape than its data or the embedding")
    centres = np.frombuffer(data, dtype="<f4", offset=body).astype(np.float32, copy=False).reshape(shape)
    if not np.isfinite(centres).all():
        raise InvalidBundle(f"{CLUSTERS}: {_ARRAY} holds a value that is not finite")
    return centres


def _parse_names(data: bytes, count: int) -> tuple[str, ...]:
    """``count`` different names in a few ASCII characters: they are answered to callers and printed to terminals."""
    header, body = _split(data, _WORDS)
    if header is None:
        raise InvalidBundle(f"{CLUSTERS}: {_NAMES} is not a one-dimensional array of words")
    width, found = int(header[1]), int(header[2])
    if found != count or width > MAX_CLUSTER_NAME or width * found * 4 != len(data) - body:
        raise InvalidBundle(f"{CLUSTERS}: {_NAMES} has another shape than its data or the clusters, or long names")
    codes = np.frombuffer(data, dtype="<u4", offset=body).reshape(found, width)
    if (codes > 0x7F).any():
        raise InvalidBundle(f"{CLUSTERS}: {_NAMES} holds a character that a name may not have")
    names = tuple(row.tobytes().decode("ascii").rstrip("\0") for row in codes.astype(np.uint8))
    if len(set(names)) < count or not all(map(_NAME.fullmatch, names)):
        raise InvalidBundle(f"{CLUSTERS}: {_NAMES} repeats a name or holds what is no name")
    return names


def _split(data: bytes, pattern: re.Pattern[bytes]) -> tuple[re.Match[bytes] | None, int]:
    """The header of a .npy file of version 1.0, None when it is another, and where its data begins."""
    body = _PREFIX + int.from_bytes(data[len(_MAGIC) : _PREFIX], "little")
    return (pattern.fullmatch(data[_PREFIX:body]) if data.startswith(_MAGIC) else None), body


def _npy(array: NDArray[np.generic], kind: str) -> bytes:
    """The bytes of a .npy file, version 1.0, of a little-endian array."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {array.shape}, }}"
    header += " " * (-(_PREFIX + len(header) + 1) % 64) + "\n"
    return _MAGIC + len(header).to_bytes(2, "little") + header.encode() + array.tobytes()
