"""Writes a ``.raxe`` bundle; training calls it once a model, tests for small ones.

Equal contents give equal bytes, and a file is either the whole new bundle or what was there before.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from raxe.bundle.archive import pack
from raxe.bundle.arrays import dump_clusters
from raxe.bundle.format import (
    CLUSTERS,
    EMBEDDING,
    HEADS,
    LABELS,
    MANIFEST,
    STATS,
    TRIGGERS,
    BundleContents,
    Manifest,
    Member,
)
from raxe.bundle.members import dump_json, dump_manifest, dump_stats
from raxe.bundle.reader import parse_bundle
from raxe.errors import InvalidBundle
from raxe.files import replace_file


def write_bundle(path: str | os.PathLike[str], contents: BundleContents) -> str:
    """The digest (``sha256:<hex>``) of the bundle that is now at ``path``.

    Raises:
        InvalidBundle: when the contents would not pass the reader; nothing is written.
        OSError: when the folder cannot be written; what was at ``path`` stays.
    """
    data = build_bundle(contents)

    def write(file: BinaryIO) -> None:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())

    replace_file(Path(path), write)
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def build_bundle(contents: BundleContents) -> bytes:
    """The bytes of a bundle, checked by reading them back; raises InvalidBundle when they do not pass."""
    try:
        members = _members(contents)
    except (TypeError, ValueError) as error:
        raise InvalidBundle(f"bundle: contents cannot be written ({type(error).__name__})") from None
    data = pack(members)
    parse_bundle(data)
    return data


def _members(contents: BundleContents) -> Mapping[str, bytes]:
    """The bytes of every member, the manifest included."""
    members = {
        HEADS: contents.heads_onnx,
        EMBEDDING: dump_json(asdict(contents.embedding)),
        STATS: dump_stats(contents.stats),
        TRIGGERS: dump_json(dict(contents.triggers)),
        CLUSTERS: dump_clusters(contents.clusters, contents.cluster_names),
        LABELS: dump_json(asdict(contents.labels)),
    }
    listed = {name: Member(hashlib.sha256(data).hexdigest(), len(data)) for name, data in members.items()}
    manifest = Manifest(contents.model_id, contents.version, contents.created, listed)
    return {MANIFEST: dump_manifest(manifest), **members}
