"""The ``.raxe`` bundle: an immutable zip of classifier heads and their data, checked before anything is parsed."""

from raxe.bundle.format import Bundle, BundleContents, EmbeddingConfig, Labels, Manifest, Subfamily, TrainingStats
from raxe.bundle.reader import parse_bundle, read_bundle
from raxe.bundle.writer import build_bundle, write_bundle

__all__ = [
    "Bundle",
    "BundleContents",
    "EmbeddingConfig",
    "Labels",
    "Manifest",
    "Subfamily",
    "TrainingStats",
    "build_bundle",
    "parse_bundle",
    "read_bundle",
    "write_bundle",
]
