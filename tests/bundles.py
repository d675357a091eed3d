"""Makers of small bundles, good and bad, for the tests of the bundle and of whatever reads one."""

import dataclasses
import hashlib
import io
import json
import zipfile
from collections.abc import Callable

import numpy as np

from raxe.bundle import (
    BundleContents,
    EmbeddingConfig,
    Labels,
    Subfamily,
    TrainingStats,
    build_bundle,
)
from raxe.bundle.archive import pack

CONTENTS = BundleContents(
    model_id="tiny",
    version="1.0.0",
    created="2025-11-20",
    heads_onnx=bytes(range(64)),
    embedding=EmbeddingConfig("tiny-encoder", 2, 128, 96, "mean", True),
    stats=TrainingStats(100, 1.5, 0.4, 0.8, {"recall_at_fpr_0.005": 0.9}, anomaly_threshold=0.25),
    triggers={"PI": ("ignore", "vergiss")},
    clusters=np.array([[1, 0], [0, 1], [0.5, -0.5]], dtype=np.float32),
    cluster_names=("prompt_leak", "prompt_leak 2", "PI"),
    labels=Labels(("benign", "attack"), ("PI",), (Subfamily("prompt_leak", "PI", "high"),)),
)
DATA = build_bundle(CONTENTS)
Members = dict[str, bytes]


def members_of(data: bytes = DATA) -> Members:
    """The members of a good bundle."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sealed(**changed: bytes) -> bytes:
    """A bundle with changed members (a dot is written __) whose manifest fits them."""
    members = members_of() | {name.replace("__", "."): data for name, data in changed.items()}
    if "manifest__json" not in changed:
        manifest = json.loads(members["manifest.json"])
        for name in manifest["members"]:
            data = members[name]
            manifest["members"][name] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
        members["manifest.json"] = json.dumps(manifest).encode()
    return pack(members)


def edited(member: str, edit: Callable[[dict[str, object]], object]) -> bytes:
    """A bundle whose JSON member went through ``edit``, checksums made to fit."""
    value = json.loads(members_of()[member])
    edit(value)
    return sealed(**{member.replace(".", "__"): json.dumps(value).encode()})


def zipped(members: list[tuple[zipfile.ZipInfo | str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of exactly these entries."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for info, data in members:
            archive.writestr(info, data)
    return buffer.getvalue()


def same(one: BundleContents, other: BundleContents) -> bool:
    """Whether two bundles carry the same, digests aside."""
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name))
        if field.name == "clusters"
        else getattr(one, field.name) == getattr(other, field.name)
        for field in dataclasses.fields(BundleContents)
    )
