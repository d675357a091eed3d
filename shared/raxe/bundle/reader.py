"""Reads a ``.raxe`` bundle; the registry calls it for every model it loads.

Names, sizes, ratios, CRCs and checksums are checked before anything is parsed. Every failure is InvalidBundle.
"""

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from raxe.bundle.archive import unpack
from raxe.bundle.arrays import parse_clusters
from raxe.bundle.format import (
    CLUSTERS,
    EMBEDDING,
    HEADS,
    LABELS,
    MANIFEST,
    MAX_BUNDLE_BYTES,
    MEMBER_LIMITS,
    STATS,
    TRIGGERS,
    Bundle,
    Manifest,
)
from raxe.bundle.members import (
    parse_embedding,
    parse_labels,
    parse_manifest,
    parse_stats,
    parse_triggers,
)
from raxe.errors import InvalidBundle, ModelNotFound


def read_bundle(path: str | os.PathLike[str]) -> Bundle:
    """The bundle in a file, every check passed.

    Raises:
        ModelNotFound: when there is no such file.
        InvalidBundle: when it is no regular file, too large, unreadable, damaged, hostile or of another schema.
    """
    return parse_bundle(_read_file(path))


def parse_bundle(data: bytes) -> Bundle:
    """The bundle in the bytes of a file; raises InvalidBundle like ``read_bundle``."""
    if len(data) > MAX_BUNDLE_BYTES:
        raise InvalidBundle(f"bundle: is larger than {MAX_BUNDLE_BYTES} bytes")
    members = unpack(data, MEMBER_LIMITS, "bundle")
    manifest = parse_manifest(members[MANIFEST])
    _check_digests(manifest, members)
    embedding = parse_embedding(members[EMBEDDING])
    labels = parse_labels(members[LABELS])
    clusters, cluster_names = parse_clusters(members[CLUSTERS], embedding.dimension)
    return Bundle(
        model_id=manifest.model_id,
        version=manifest.version,
        created=manifest.created,
        heads_onnx=members[HEADS],
        embedding=embedding,
        stats=parse_stats(members[STATS]),
        triggers=parse_triggers(members[TRIGGERS], labels),
        clusters=clusters,
        cluster_names=cluster_names,
        labels=labels,
        manifest=manifest,
        digest=f"sha256:{hashlib.sha256(data).hexdigest()}",
    )


def _check_digests(manifest: Manifest, members: Mapping[str, bytes]) -> None:
    """Raises InvalidBundle when a member is not the one that the manifest lists."""
    for name, listed in manifest.members.items():
        if listed.size != len(members[name]):
            raise InvalidBundle(f"{name}: has another size than the manifest says")
        if listed.sha256 != hashlib.sha256(members[name]).hexdigest():
            raise InvalidBundle(f"{name}: has another checksum than the manifest says")


def _read_file(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a regular file of allowed size; a pipe or device is refused before it is opened."""
    try:
        file = Path(path)
        found = file.stat()
        if not stat.S_ISREG(found.st_mode):
            raise InvalidBundle("bundle: is not a regular file")
        if found.st_size > MAX_BUNDLE_BYTES:
            raise InvalidBundle(f"bundle: is larger than {MAX_BUNDLE_BYTES} bytes")
        with file.open("rb") as opened:
            return opened.read(MAX_BUNDLE_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise ModelNotFound(f"no bundle at {os.fspath(path)!r}") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise InvalidBundle(f"bundle: cannot be read ({type(error).__name__})") from None
