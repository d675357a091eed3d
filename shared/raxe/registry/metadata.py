"""Metadata of a model, schema v2.0, as frozen values.

Measured fields are written by ``raxe-ml`` stages, never typed in.
The descriptions of the fields are the documentation: ``schema`` publishes them as JSON Schema and as a template.
"""

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from raxe.strict import Strict

SHA256_PATTERN = r"^sha256:[0-9a-f]{64}$"
MODEL_ID_PATTERN = r"^[a-z0-9][a-z0-9.-]{2,63}$"

FILE_KINDS = ("bundle", "embeddings", "tokenizer", "golden")
Quantization = Literal["int8", "fp16", "fp32"]


class Status(StrEnum):
    """Whether a model may be chosen: only active ones are chosen automatically."""

    ACTIVE = "active"
    EXPERIMENTAL = "experimental"
    DEPRECATED = "deprecated"


class FileInfo(Strict):
    """The files of a model, relative to the models folder, and what their bytes must be."""

    bundle: str = Field(description="the .raxe bundle; several variants may name one")
    embeddings: str = Field(description="the encoder; several variants may name one")
    tokenizer: str = Field(description="tokenizer.json of the encoder")
    size_mb: float = Field(gt=0, description="all three files, in units of 1,000,000 bytes")
    bundle_sha256: str = Field(pattern=SHA256_PATTERN, description="`sha256:` and 64 hex digits")
    embeddings_sha256: str = Field(pattern=SHA256_PATTERN, description="`sha256:` and 64 hex digits")
    tokenizer_sha256: str = Field(pattern=SHA256_PATTERN, description="`sha256:` and 64 hex digits")
    golden: str | None = Field(default=None, description="texts and the scores that every host must reach again")
    golden_sha256: str | None = Field(default=None, pattern=SHA256_PATTERN, description="there when `golden` is")
    bundle_model_id: str | None = Field(
        default=None, description="the id inside the bundle, when this variant shares another model's bundle"
    )

    @model_validator(mode="after")
    def _golden_has_a_checksum(self) -> Self:
        if (self.golden is None) != (self.golden_sha256 is None):
            raise ValueError("golden and golden_sha256 come together")
        return self

    def files(self) -> tuple[tuple[str, str, str], ...]:
        """Kind, key and checksum of each file that there is."""
        found = ((kind, getattr(self, kind), getattr(self, f"{kind}_sha256")) for kind in FILE_KINDS)
        return tuple((kind, key, total) for kind, key, total in found if key and total)


class Performance(Strict):
    """Latency of L1 + L2 with 2 threads, in milliseconds, and memory; measured on the machine named."""

    latency_p50_ms: float = Field(gt=0, description="median")
    latency_p95_ms: float = Field(gt=0, description='what `get_best_model("latency")` compares')
    latency_p99_ms: float = Field(gt=0, description="one scan in a hundred takes longer")
    memory_mb: float | None = Field(default=None, gt=0, description="resident memory of a process that serves it")
    machine: str = Field(default="", description="architecture, CPUs, threads")

    @model_validator(mode="after")
    def _percentiles_rise(self) -> Self:
        if not self.latency_p50_ms <= self.latency_p95_ms <= self.latency_p99_ms:
            raise ValueError("the percentiles must rise from p50 to p99")
        return self


class Accuracy(Strict):
    """Figures of the whole serving path on sources the model has not seen, each from 0 to 1."""

    rows: int = Field(gt=0, description="texts it was measured on")
    recall: float = Field(ge=0, le=1, description="share of the attacks that are found")
    fpr: float = Field(ge=0, le=1, description="share of the benign texts that are flagged")
    precision: float = Field(ge=0, le=1, description="share of the flagged texts that are attacks")
    f1: float = Field(ge=0, le=1, description="harmonic mean of recall and precision")
    balanced_accuracy: float = Field(ge=0, le=1, description='what `get_best_model("accuracy")` compares')
    auroc: float = Field(ge=0, le=1, description="area under the ROC curve")


class MlConfig(Strict):
    """How the model reads text."""

    base_model: str = Field(description="what was fine-tuned")
    max_length: int = Field(ge=8, description="tokens of a window with the two special ones")
    stride: int = Field(ge=1, description="tokens between the starts of two windows")
    embedding_dimension: int = Field(ge=1, description="length of an embedding, which the heads must fit")
    quantization: Quantization | None = Field(default=None, description="of the encoder; absent when unknown")


class TrainingInfo(Strict):
    """What it was trained on."""

    date: str = Field(description="ISO date of the training")
    rows: int = Field(ge=0, description="texts trained on")
    config: str = Field(default="", description="name of the training configuration")
    seed: int | None = Field(default=None, description="of every random draw")


class Deployment(Strict):
    """What it needs to run."""

    runtime: Literal["onnx"] = Field(default="onnx", description="what `list_models(runtime=)` compares")
    architectures: tuple[Literal["arm64", "x86_64"], ...] = Field(
        default=("arm64", "x86_64"), description="processors it was proven on"
    )
    min_memory_mb: int = Field(default=512, ge=128, description="least memory of a function that serves it")


class Monitoring(Strict):
    """What is ordinary for it; alarms fire outside."""

    expected_flag_rate: tuple[float, float] | None = Field(
        default=None, description="least and largest share of flagged traffic, each from 0 to 1"
    )

    @model_validator(mode="after")
    def _rate_is_a_range(self) -> Self:
        rate = self.expected_flag_rate
        if rate is not None and not 0 <= rate[0] <= rate[1] <= 1:
            raise ValueError("expected_flag_rate must be two rising numbers from 0 to 1")
        return self


class Metadata(Strict):
    """One model variant."""

    schema_version: Literal["2.0"] = Field(default="2.0", description="of this document")
    model_id: str = Field(pattern=MODEL_ID_PATTERN, description="lower-case letters, digits, dots and dashes")
    name: str = Field(description="for people")
    version: str = Field(description="semantic version of the model")
    variant: str = Field(description="what sets it apart from its like, such as int8")
    description: str = Field(description="one sentence")
    status: Status = Field(description="only active models are chosen automatically")
    file_info: FileInfo
    capabilities: tuple[str, ...] = Field(default=(), description="binary, family, subfamily, anomaly")
    performance: Performance | None = None
    accuracy: Accuracy | None = None
    requirements: dict[str, str] = Field(default={}, description="least versions of packages")
    ml_config: MlConfig
    training_info: TrainingInfo | None = None
    deployment: Deployment = Deployment()
    monitoring: Monitoring = Monitoring()
    tags: tuple[str, ...] = Field(default=(), description="what `list_models(tags=)` compares")
    recommended_for: tuple[str, ...] = Field(default=(), description="uses, in words")
    not_recommended_for: tuple[str, ...] = Field(default=(), description="uses, in words")
