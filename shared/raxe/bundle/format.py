"""The layout of a ``.raxe`` bundle as frozen values: which members there are, how large, and what each holds.

``members`` turns them into bytes and back, ``reader`` and ``writer`` see to the archive around them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SCHEMA = "raxe.bundle/1"
MANIFEST = "manifest.json"
HEADS = "heads.onnx"
EMBEDDING = "embedding_config.json"
STATS = "training_stats.json"
TRIGGERS = "keyword_triggers.json"
CLUSTERS = "attack_clusters.npz"
LABELS = "schema.json"

MEGABYTE = 1024 * 1024
MAX_BUNDLE_BYTES = 64 * MEGABYTE
MEMBER_LIMITS: Mapping[str, int] = {  # bytes of each member once unpacked; these names and no others
    MANIFEST: MEGABYTE,
    HEADS: 16 * MEGABYTE,
    EMBEDDING: MEGABYTE,
    STATS: MEGABYTE,
    TRIGGERS: MEGABYTE,
    CLUSTERS: 8 * MEGABYTE,
    LABELS: MEGABYTE,
}

MAX_CLUSTER_NAME = 64  # characters

POOLINGS = ("mean", "cls")
SEVERITIES = ("none", "low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True)
class Member:
    """What the manifest says of one member: hex SHA-256 and size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """manifest.json: whose bundle it is and what each other member must be.

    Attributes:
        created: ISO date, such as ``2025-11-20``; passed in by the caller so that a bundle can be built again.
    """

    model_id: str
    version: str
    created: str
    members: Mapping[str, Member]


@dataclass(frozen=True, slots=True)
class EmbeddingConfig:
    """embedding_config.json: the encoder that the heads were trained on.

    Attributes:
        name: folder under ``models/embeddings``.
        dimension: length of an embedding.
        max_length: tokens of a window, the two special tokens included.
        stride: tokens between the starts of two windows, 1 to ``max_length - 2``.
        pooling: ``mean`` over tokens or ``cls``, the first token.
        normalize: whether embeddings are scaled to length 1 before the heads.
    """

    name: str
    dimension: int
    max_length: int
    stride: int
    pooling: str
    normalize: bool


@dataclass(frozen=True, slots=True)
class TrainingStats:
    """training_stats.json: what calibration needs and what training measured.

    Attributes:
        rows: examples trained on.
        temperature: above 0, divides the logits before softmax.
        review_threshold: [0, 1], calibrated score from which on a text is for review; at most ``block_threshold``.
        block_threshold: [0, 1], calibrated score from which on it is blocked.
        metrics: measured figures by name, such as ``recall_at_fpr_0.005``.
        anomaly_threshold: [0, 2], distance to the nearest cluster that 0.5 % of held-out benign texts fall below; None
            in a bundle made before there was one.
    """

    rows: int
    temperature: float
    review_threshold: float
    block_threshold: float
    metrics: Mapping[str, float]
    anomaly_threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Subfamily:
    """One label of the subfamily head with the severity of a confirmed detection."""

    id: str
    family: str
    severity: str


@dataclass(frozen=True, slots=True)
class Labels:
    """schema.json: the labels of the three heads in the order of their outputs."""

    binary: tuple[str, ...]
    families: tuple[str, ...]
    subfamilies: tuple[Subfamily, ...]


@dataclass(frozen=True, slots=True)
class BundleContents:
    """All that a bundle carries.

    Attributes:
        heads_onnx: ONNX graph of the binary, family and subfamily heads.
        triggers: words by label (a family or a subfamily) whose presence is evidence.
        clusters: (K, D) float32, centres of the known attacks, K >= 0; D is the dimension of the embedding.
        cluster_names: K different names of the clusters, at most 64 characters each; none in a bundle that names none.
    """

    model_id: str
    version: str
    created: str
    heads_onnx: bytes
    embedding: EmbeddingConfig
    stats: TrainingStats
    triggers: Mapping[str, tuple[str, ...]]
    clusters: NDArray[np.float32]
    cluster_names: tuple[str, ...]
    labels: Labels


@dataclass(frozen=True, slots=True)
class Bundle(BundleContents):
    """The contents of a bundle that passed every check.

    Attributes:
        manifest: what the bundle says of itself.
        digest: ``sha256:`` and the hex digest of the file, the identity of the bundle.
    """

    manifest: Manifest
    digest: str
