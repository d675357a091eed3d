"""Model files -> a detector. Checksums are compared before anything is parsed."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from raxe.bootstrap.golden import Golden, load_golden
from raxe.bundle import Bundle, read_bundle
from raxe.classifier import Classifier, KnownAttacks, Labels, Session, TextTokenizer
from raxe.detectors import OnnxDetector, WindowPlan
from raxe.errors import DetectorFailed, InvalidBundle, ModelLoadFailed
from raxe.registry import Metadata, ModelFiles
from raxe.settings import Settings
from raxe.values import Family, ModelInfo, Severity, Thresholds

_SPECIAL_TOKENS = 2  # [CLS] and [SEP] of each window
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
    detector = OnnxDetector(classifier, info, plan)
    try:
        detector.analyze("warm up")  # a graph that does not fit its heads fails here, not at the first scan
    except DetectorFailed as error:
        raise ModelLoadFailed(f"the model does not score: {error}") from error
    stats = bundle.stats
    block = settings.onnx_confidence_threshold
    block = stats.block_threshold if block is None else block
    return LoadedModel(detector, Thresholds(min(stats.review_threshold, block), block))


def _encoder_name(encoder: Path, settings: Settings, model: Metadata | None) -> str:
    """What errors call the encoder: its key, since a downloaded file is called by its digest."""
    return encoder.name if model is None or settings.onnx_model_path else model.file_info.embeddings


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
