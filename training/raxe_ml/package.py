"""Stage ``bundle``: exported encoder + calibrated heads -> the model's files below ``models/``.

Calibration and thresholds come from the serving path on the ``dev`` sources, which no training row comes from.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from raxe.bootstrap import load_from_files
from raxe.bundle import BundleContents, EmbeddingConfig, Labels, Subfamily, TrainingStats, write_bundle
from raxe.detectors import OnnxDetector, RuleDetector
from raxe.errors import TextEmpty
from raxe.registry import Metadata, save_metadata
from raxe.rules import load_rule_set
from raxe.settings import Settings
from raxe.text import prepare
from raxe.values import Source
from raxe_ml.average import parts_of
from raxe_ml.calibrate import Scored, anomaly_threshold, calibrated, platt, thresholds
from raxe_ml.config import TrainConfig, export_folder, load_config
from raxe_ml.embed import embed_served
from raxe_ml.export import export_heads, load_network
from raxe_ml.forest import export_forests, grow
from raxe_ml.knowledge import cluster, trigger_words
from raxe_ml.model import FAMILIES
from raxe_ml.naming import cluster_names
from raxe_ml.rows import Row, read_rows
from raxe_ml.taxonomy import load_taxonomy

_THREADS = 2
_CLUSTER_ROWS = 6000
_FOREST_ROWS = 20_000
GOLDEN_FILE = Path(__file__).parent.parent / "golden.txt"


@dataclass(frozen=True, slots=True)
class Packager:
    """The stage's inputs: configuration and its file, work folder, models folder, and the date that the files carry."""

    config: TrainConfig
    config_file: Path
    work: Path
    models: Path
    date: str

    def run(self) -> Path:
        """Writes encoder, tokenizer, bundle, golden texts and metadata; returns the path of the metadata."""
        rows = read_rows(self.work / "train.jsonl")
        export = self._exporter(rows)
        raw = self._contents(export(1.0, 0.0), rows)
        scored = score(read_rows(self.work / "dev.jsonl"), self._detector(raw))
        temperature, bias = platt(scored)
        limits = thresholds(calibrated(scored, temperature, bias))
        calibration = replace(
            raw.stats,
            temperature=temperature,
            review_threshold=limits.review,
            block_threshold=limits.block,
            metrics={"bias": bias},
            anomaly_threshold=anomaly_threshold(scored),
        )
        return self._install(replace(raw, heads_onnx=export(temperature, bias), stats=calibration), len(rows))

    @property
    def _encoder(self) -> Path:
        return export_folder(self.config, self.work) / "encoder.onnx"

    @property
    def _tokenizer(self) -> Path:
        return export_folder(self.config, self.work) / "tokenizer.json"

    def _exporter(self, rows: list[Row]) -> Callable[[float, float], bytes]:
        """What makes the graph of the heads from Platt's temperature and bias."""
        if self.config.classifier != "multi_head_random_forest":
            heads = load_network(self.config, self.work).heads
            return partial(export_heads, heads, path=export_folder(self.config, self.work) / "heads.onnx")
        few = rows[:: max(1, len(rows) // _FOREST_ROWS)]
        names = [entry.id for entry in load_taxonomy()]
        vectors = embed_served(self._encoder, few, self.config)
        return partial(export_forests, grow(vectors, few, FAMILIES, names, self.config.seed))

    def _contents(self, heads: bytes, rows: list[Row]) -> BundleContents:
        """The bundle before calibration: scores as they come, both thresholds in the middle."""
        config, (centres, names) = self.config, self._clusters(rows)
        subfamilies = tuple(Subfamily(entry.id, entry.family, entry.severity) for entry in load_taxonomy())
        return BundleContents(
            model_id=config.model_id,
            version=config.version,
            created=self.date,
            heads_onnx=heads,
            embedding=EmbeddingConfig(
                config.model_id, centres.shape[1], config.max_length, config.stride, "mean", normalize=True
            ),
            stats=TrainingStats(len(rows), 1.0, 0.5, 0.5, {}),
            triggers=trigger_words(rows),
            clusters=centres,
            cluster_names=names,
            labels=Labels(("benign", "attack"), FAMILIES, subfamilies),
        )

    def _detector(self, contents: BundleContents) -> OnnxDetector:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "candidate.raxe"
            write_bundle(path, contents)
            return load_from_files(path, self._encoder, self._tokenizer, Settings(onnx_num_threads=_THREADS)).detector

    def _clusters(self, rows: list[Row]) -> tuple[NDArray[np.float32], tuple[str, ...]]:
        attacks = [row for row in rows if row.is_attack]
        attacks = attacks[:: max(1, len(attacks) // _CLUSTER_ROWS)]
        embeddings = embed_served(self._encoder, attacks, self.config)
        centres = cluster(embeddings, self.config.seed)
        return centres, cluster_names(centres, embeddings, attacks)

    def _install(self, contents: BundleContents, rows: int) -> Path:
        name = self.config.model_id
        encoder = Path("embeddings") / name / "encoder.onnx"
        tokenizer = encoder.with_name("tokenizer.json")
        bundle, golden = Path("bundles") / f"{name}.raxe", Path("golden") / f"{name}.json"
        metadata = self.models / "metadata" / f"{name}.json"
        for relative in (encoder, bundle, golden, Path("metadata") / name):
            (self.models / relative).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self._encoder, self.models / encoder)
        shutil.copy(self._tokenizer, self.models / tokenizer)
        write_bundle(self.models / bundle, contents)
        self._write_golden(self.models / golden, self._detector(contents))
        size = sum((self.models / path).stat().st_size for path in (encoder, tokenizer, bundle))
        document = {
            "model_id": name,
            "name": self.config.name,
            "version": self.config.version,
            "variant": self.config.quantization,
            "status": "active",
            "description": f"{_making(self.config, parts_of(self.work))}; heads for attack, family and subfamily",
            "file_info": {
                "bundle": bundle.as_posix(),
                "embeddings": encoder.as_posix(),
                "tokenizer": tokenizer.as_posix(),
                "golden": golden.as_posix(),
                "size_mb": round(size / 1e6, 3),
                "bundle_sha256": _sha256(self.models / bundle),
                "embeddings_sha256": _sha256(self.models / encoder),
                "tokenizer_sha256": _sha256(self.models / tokenizer),
                "golden_sha256": _sha256(self.models / golden),
            },
            "capabilities": ["binary", "family", "subfamily", "anomaly"],
            "ml_config": {
                "base_model": self.config.base_model,
                "max_length": self.config.max_length,
                "stride": self.config.stride,
                "embedding_dimension": contents.embedding.dimension,
                "quantization": self.config.quantization,
            },
            "training_info": {
                "date": self.date,
                "rows": rows,
                "config": self.config_file.name,
                "seed": self.config.seed,
            },
            "requirements": {"onnxruntime": ">=1.26"},
            "tags": ["minilm", self.config.quantization],
        }
        save_metadata(metadata, Metadata.model_validate(document))
        return metadata

    def _write_golden(self, path: Path, detector: OnnxDetector) -> None:
        texts = [line for line in GOLDEN_FILE.read_text(encoding="utf-8").splitlines() if line]
        entries = [{"text": text, "score": round(detector.analyze(text).score, 4)} for text in texts]
        path.write_text(json.dumps({"texts": entries}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def score(rows: list[Row], detector: OnnxDetector) -> list[Scored]:
    """What rules and model say of each row, one by one as in serving; rows without visible text are left out."""
    rules = RuleDetector(load_rule_set())
    scored = []
    for row in rows:
        try:
            prompt = prepare(row.text, Source(row.role))
        except TextEmpty:
            continue
        l1 = rules.detect([prompt])
        scored.append(Scored(row, l1[0], detector.detect([prompt], l1)[0]))
    return scored


def _making(config: TrainConfig, parts: int) -> str:
    if config.teacher is None:
        mean = f", mean of {parts} runs' weights" if parts > 1 else ""
        return f"{config.base_model} fine-tuned end to end{mean}"
    layers = "all" if config.layers is None else len(config.layers)
    return f"{config.base_model}, {layers} layers, distilled from {load_config(config.teacher.config).model_id}"


def _sha256(path: Path) -> str:
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
