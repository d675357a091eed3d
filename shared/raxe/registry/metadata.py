"""Metadata of a model, schema v2.0. Measured fields are written by ``raxe-ml`` stages, never typed in."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from raxe.errors import InvalidMetadata

_SHA256 = r"^sha256:[0-9a-f]{64}$"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class Status(StrEnum):
    """Whether a model may be chosen: only active ones are chosen automatically."""

    ACTIVE = "active"
    EXPERIMENTAL = "experimental"
    DEPRECATED = "deprecated"


class FileInfo(_Strict):
    """The files of a model, relative to the models folder, and what their bytes must be."""

    bundle: str
    embeddings: str
    tokenizer: str
    size_mb: float = Field(gt=0, description="all three files, in units of 1,000,000 bytes")
    bundle_sha256: str = Field(pattern=_SHA256)
    embeddings_sha256: str = Field(pattern=_SHA256)
    tokenizer_sha256: str = Field(pattern=_SHA256)
    golden: str | None = Field(default=None, description="texts and the scores that every host must reach again")
    golden_sha256: str | None = Field(default=None, pattern=_SHA256)


class Performance(_Strict):
    """Latency of L1 + L2 with 2 threads, in milliseconds, and memory; measured on the machine named."""

    latency_p50_ms: float = Field(gt=0)
    latency_p95_ms: float = Field(gt=0)
    latency_p99_ms: float = Field(gt=0)
    memory_mb: float | None = Field(default=None, gt=0)
    machine: str = ""


class Accuracy(_Strict):
    """Figures of the whole serving path on sources the model has not seen."""

    rows: int = Field(gt=0)
    recall: float = Field(ge=0, le=1)
    fpr: float = Field(ge=0, le=1)
    precision: float = Field(ge=0, le=1)
    f1: float = Field(ge=0, le=1)
    balanced_accuracy: float = Field(ge=0, le=1)
    auroc: float = Field(ge=0, le=1)


class MlConfig(_Strict):
    """How the model reads text."""

    base_model: str
    max_length: int = Field(ge=8, description="tokens of a window with the two special ones")
    stride: int = Field(ge=1, description="tokens between the starts of two windows")
    embedding_dimension: int = Field(ge=1)
    quantization: Literal["int8", "fp16", "fp32"]


class TrainingInfo(_Strict):
    """What it was trained on."""

    date: str
    rows: int = Field(ge=0)
    config: str = ""
    seed: int | None = None


class Deployment(_Strict):
    """What it needs to run."""

    runtime: Literal["onnx"] = "onnx"
    architectures: tuple[Literal["arm64", "x86_64"], ...] = ("arm64", "x86_64")
    min_memory_mb: int = Field(default=512, ge=128)


class Monitoring(_Strict):
    """What is ordinary for it; alarms fire outside."""

    expected_flag_rate: tuple[float, float] | None = None


class Metadata(_Strict):
    """One model variant."""

    schema_version: Literal["2.0"] = "2.0"
    model_id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{2,63}$")
    name: str
    version: str
    variant: str
    description: str
    status: Status
    file_info: FileInfo
    capabilities: tuple[str, ...] = ()
    performance: Performance | None = None
    accuracy: Accuracy | None = None
    requirements: dict[str, str] = {}
    ml_config: MlConfig
    training_info: TrainingInfo | None = None
    deployment: Deployment = Deployment()
    monitoring: Monitoring = Monitoring()
    tags: tuple[str, ...] = ()
    recommended_for: tuple[str, ...] = ()
    not_recommended_for: tuple[str, ...] = ()


def load_metadata(path: Path) -> Metadata:
    """The metadata in a JSON file; raises InvalidMetadata with the path of the first wrong field."""
    try:
        return Metadata.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "file"
        raise InvalidMetadata(f"{path.name}: {place}: {first['msg']}") from None
    except OSError as error:
        raise InvalidMetadata(f"{path.name}: {type(error).__name__}") from None


def save_metadata(path: Path, metadata: Metadata) -> None:
    """Writes the file whole or not at all."""
    partial = path.with_suffix(".partial")
    text = json.dumps(metadata.model_dump(mode="json", exclude_none=True), indent=2, ensure_ascii=False)
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(path)
