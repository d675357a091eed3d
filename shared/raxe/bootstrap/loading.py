"""Model files -> a detector. Checksums are compared before anything is parsed."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from raxe.bootstrap.golden import Golden, load_golden
from raxe.bundle import Bundle, read_bundle
from raxe.classifier import Classifier, KnownAttacks, Labels, PlainClassifier, Session, TextTokenizer
from raxe.detectors import OnnxDetector, WindowPlan
from raxe.errors import DetectorFailed, InvalidBundle, ModelLoadFailed, ModelNotFound
from raxe.registry import Metadata, ModelFiles
from raxe.settings import Settings
from raxe.values import Family, ModelInfo, Severity, Thresholds

_SPECIAL_TOKENS = 2  # [CLS] and [SEP] of each window
_EVEN = 0.5  # score of a plain graph at which attack and no attack are as likely
_NO_ATTACKS = KnownAttacks(np.zeros((0, 1), dtype=np.float32))


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A detector, what policy needs to read its scores, and the golden texts that prove it on this host."""

    detector: OnnxDetector
    thresholds: Thresholds
    golden: Golden | None = None


def load_detector(model: Metadata, files: ModelFiles, settings: Settings) -> LoadedModel:
    """The detector of a registered model.

    Raises:
        ModelNotFound: a file is missing.
        InvalidBundle: a file is damaged or not the one its metadata names.
        ModelLoadFailed: the runtime refuses a file.
    """
    info = model.file_info
    bundle_path = files.fetch(info.bundle, info.bundle_sha256)
    encoder = settings.onnx_model_path or files.fetch(info.embeddings, info.embeddings_sha256)
    tokenizer = settings.onnx_tokenizer or files.fetch(info.tokenizer, info.tokenizer_sha256)
    loaded = load_from_files(bundle_path, encoder, tokenizer, settings, model)
    if info.golden is None or info.golden_sha256 is None:
        return loaded
    return replace(loaded, golden=load_golden(files.fetch(info.golden, info.golden_sha256), loaded.detector))


def load_from_files(
    bundle_path: Path, encoder: Path, tokenizer: Path, settings: Settings, model: Metadata | None = None
) -> LoadedModel:
    """The detector of three files, which must be those of ``model`` where one is named; raises as ``load_detector``."""
    bundle = read_bundle(bundle_path)
    if model and bundle.model_id != (model.file_info.bundle_model_id or model.model_id):
        raise InvalidBundle(f"{bundle_path.name}: it is the bundle of another model")
    config = bundle.embedding
    threads, providers = settings.onnx_num_threads, settings.onnx_providers
    classifier = Classifier(
        TextTokenizer(tokenizer),
        Session(encoder, threads=threads, providers=providers, name=_encoder_name(encoder, settings, model)),
        Session(bundle.heads_onnx, threads=1, providers=providers, name=f"heads.onnx of {bundle.model_id}"),
        _labels(bundle),
        _attacks(bundle) if settings.enable_anomaly_detection else _NO_ATTACKS,
    )
    severities = {entry.id: Severity(entry.severity) for entry in bundle.labels.subfamilies}
    info = ModelInfo(model.model_id if model else bundle.model_id, bundle.digest, severities=severities)
    plan = WindowPlan(config.max_length - _SPECIAL_TOKENS, config.stride, settings.onnx_max_batch_size)
    stats = bundle.stats
    block = settings.onnx_confidence_threshold
    block = stats.block_threshold if block is None else block
    detector = OnnxDetector(classifier, info, plan, block)
    _try(detector, "warm up")
    return LoadedModel(detector, Thresholds(min(stats.review_threshold, block), block))


def _encoder_name(encoder: Path, settings: Settings, model: Metadata | None) -> str:
    """What errors call the encoder: its key, since a downloaded file is called by its digest."""
    return encoder.name if model is None or settings.onnx_model_path else model.file_info.embeddings


def load_plain(graph: Path, tokenizer: Path, settings: Settings, max_length: int) -> OnnxDetector:
    """The detector of a plain ONNX graph, which gives logits by itself; raises as ``load_detector``.

    It blocks from ``settings.onnx_confidence_threshold``, 0.5 without one. It has no families and no clusters.
    """
    if not graph.is_file():
        raise ModelNotFound(f"no graph at {graph.name}")
    classifier = PlainClassifier(
        TextTokenizer(tokenizer),
        Session(graph, threads=settings.onnx_num_threads, providers=settings.onnx_providers, name=graph.name),
    )
    with graph.open("rb") as file:
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    size = max_length - _SPECIAL_TOKENS
    plan = WindowPlan(size, max(1, size * 3 // 4), settings.onnx_max_batch_size)
    block = settings.onnx_confidence_threshold
    # No id of a registered model has a colon.
    info = ModelInfo(f"onnx:{graph.name}", digest)
    detector = OnnxDetector(classifier, info, plan, _EVEN if block is None else block)
    _try(detector, "warm " * size)  # a graph with fewer places than a window has fails here too
    return detector


def _try(detector: OnnxDetector, text: str) -> None:
    """Scores a text: a graph that does not fit its heads or windows fails here, not at the first scan."""
    try:
        detector.analyze(text)
    except DetectorFailed as error:
        raise ModelLoadFailed(f"the model does not score: {error}") from error


def _attacks(bundle: Bundle) -> KnownAttacks:
    return KnownAttacks(bundle.clusters, bundle.cluster_names, bundle.stats.anomaly_threshold)


def _labels(bundle: Bundle) -> Labels:
    try:
        labels = Labels(
            tuple(Family(name) for name in bundle.labels.families),
            tuple((s.id, Family(s.family), Severity(s.severity)) for s in bundle.labels.subfamilies),
        )
    except ValueError as error:
        raise ModelLoadFailed(f"schema.json names an unknown label: {error}") from None
    if {family for _, family, _ in labels.subfamilies} != set(labels.families):
        raise ModelLoadFailed("schema.json has a family without subfamilies")
    return labels
