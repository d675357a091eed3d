"""The published forms of the metadata schema: JSON Schema for editors, a commented template for people.

``make schema`` writes both into ``docs/``; a test fails when they are not what the code says.
"""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from raxe.registry.metadata import Accuracy, FileInfo, Metadata, MlConfig, Performance, TrainingInfo

SCHEMA_ID = "https://json-schema.org/draft/2020-12/schema"

_SECTIONS: dict[str, type[BaseModel]] = {
    "file_info": FileInfo, "performance": Performance, "accuracy": Accuracy, "ml_config": MlConfig,
    "training_info": TrainingInfo,
}  # fmt: skip
_SUM = "sha256:" + "0" * 64
_LATENCY = {"latency_p50_ms": 1.0, "latency_p95_ms": 2.0, "latency_p99_ms": 3.0, "memory_mb": 150.0}
# What the template says where a field has no default.
_EXAMPLES: dict[str, Any] = {
    "model_id": "my-model-v1", "name": "My model", "version": "1.0.0", "variant": "int8",
    "description": "What it is, in one sentence.", "status": "experimental",
    "bundle": "bundles/my-model-v1.raxe", "embeddings": "embeddings/my-encoder/encoder.onnx",
    "tokenizer": "embeddings/my-encoder/tokenizer.json", "size_mb": 24.0, "bundle_sha256": _SUM,
    "embeddings_sha256": _SUM, "tokenizer_sha256": _SUM, "golden": "golden/my-model-v1.json", "golden_sha256": _SUM,
    "bundle_model_id": "my-model-v1", "rows": 1000, "recall": 0.95, "fpr": 0.01, "precision": 0.95, "f1": 0.95,
    "balanced_accuracy": 0.97, "auroc": 0.99, "machine": "arm64, 2 CPUs, 2 threads", **_LATENCY,
    "base_model": "sentence-transformers/all-MiniLM-L6-v2", "max_length": 128, "stride": 96,
    "embedding_dimension": 384, "quantization": "int8", "date": "2025-11-20", "config": "my-model.yaml", "seed": 1,
    "expected_flag_rate": [0.0, 0.1], "requirements": {"onnxruntime": ">=1.26"},
}  # fmt: skip


def json_schema() -> str:
    """The JSON Schema of metadata v2.0, as the text of a file."""
    schema = {"$schema": SCHEMA_ID, **Metadata.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def template() -> str:
    """Metadata with a comment above each field: JSON once the lines that begin with ``//`` are gone."""
    head = "// Metadata of a model, schema 2.0. Take the lines that begin with // out, save it in models/metadata/.\n"
    return head + "\n".join(_object(Metadata, "")) + "\n"


def _object(model: type[BaseModel], indent: str) -> Iterator[str]:
    yield "{"
    inner = indent + "  "
    last = list(model.model_fields)[-1]
    for name, field in model.model_fields.items():
        yield f"{inner}// {_comment(name, field)}"
        comma = "" if name == last else ","
        section = _section(name, field)
        if section is None:
            yield f'{inner}"{name}": {json.dumps(_value(name, field))}{comma}'
        else:
            opening, *rest, closing = _object(section, inner)
            yield f'{inner}"{name}": {opening}'
            yield from rest
            yield closing + comma
    yield indent + "}"


def _section(name: str, field: FieldInfo) -> type[BaseModel] | None:
    default = field.default
    return type(default) if isinstance(default, BaseModel) else _SECTIONS.get(name)


def _comment(name: str, field: FieldInfo) -> str:
    section = _section(name, field)
    words = (section.__doc__ or "").splitlines()[0] if section else field.description or ""
    return words if field.is_required() else f"Optional: {words}"


def _value(name: str, field: FieldInfo) -> Any:  # noqa: ANN401  (any JSON value)
    return _EXAMPLES.get(name, field.default)
