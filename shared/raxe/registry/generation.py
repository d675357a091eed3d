"""Metadata for what has none, or only a v1 file: read from the bundle and its neighbours, never invented."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from raxe.errors import InvalidBundle, InvalidMetadata, ModelNotFound
from raxe.files import file_digest
from raxe.registry.documents import MAX_DOCUMENT_BYTES, invalid
from raxe.registry.metadata import Accuracy, Metadata, Performance, Status

if TYPE_CHECKING:
    from raxe.bundle import Bundle

# The local file of a model file named relative to the models folder; raises ModelNotFound.
Fetch = Callable[[str], Path]

_QUANTIZATIONS = ("int8", "fp16", "fp32")
_CAPABILITIES = ("binary", "family", "subfamily", "anomaly")
_KEPT = ("model_id", "name", "version", "variant", "description", "status", "capabilities", "tags", "recommended_for")
# How v1 files named each file, and the checksum of it.
_NAMES = {
    "bundle": ("bundle", "filename", "bundle_filename"),
    "embeddings": ("embeddings", "onnx_filename", "embeddings_filename"),
    "tokenizer": ("tokenizer", "tokenizer_filename"),
    "golden": ("golden",),
}
_SUMS = {"bundle": ("bundle_sha256", "checksum", "sha256"), "embeddings": ("embeddings_sha256", "onnx_checksum")}
_FOLDERS = {"bundle": "bundles", "embeddings": "embeddings", "tokenizer": "embeddings", "golden": "golden"}


@dataclass(frozen=True, slots=True)
class Migration:
    """Metadata made from a v1 file.

    Attributes:
        dropped: paths of the v1 fields that v2.0 has no place for, or whose values were not measured as it asks.
    """

    metadata: Metadata
    dropped: tuple[str, ...]


def generate_metadata(bundle: str, fetch: Fetch) -> Metadata:
    """The metadata of a bundle that has none, status experimental.

    Encoder and tokenizer are looked for in ``embeddings/<name of the bundle's encoder>``, golden texts in ``golden``.

    Raises:
        ModelNotFound: the encoder or the tokenizer is not there.
        InvalidBundle: the bundle is damaged.
        InvalidMetadata: the bundle's id is none that a model may have.
    """
    contents = _read(fetch(bundle))
    document = _from_bundle(contents) | {"file_info": _file_info({"bundle": bundle}, contents, fetch)}
    return _valid(PurePosixPath(bundle).name, document)


def migrate_metadata(data: bytes, name: str, fetch: Fetch) -> Migration:
    """The v2.0 metadata of a v1 file called ``name``; what v1 lacks comes from the bundle and the files themselves.

    Raises:
        InvalidMetadata: it is no JSON object, or one of its fields has a wrong value.
        ModelNotFound: a file is not there.
        InvalidBundle: the bundle is damaged, or not the one whose checksum the file has.
    """
    old = _object(data, name)
    info = old.get("file_info")
    if not isinstance(info, dict):
        raise InvalidMetadata(f"{name}: file_info: is required")
    keys = {kind: key for kind in _NAMES if (key := _find(_first(info, _NAMES[kind]), kind, fetch))}
    if "bundle" not in keys:
        raise ModelNotFound(f"{name}: file_info.bundle: no such file")
    contents = _read(fetch(keys["bundle"]))
    files = _file_info(keys, contents, fetch)
    _check_sums(name, info, files)
    document = _from_bundle(contents) | {"tags": []}
    document |= {field: old[field] for field in (*_KEPT, "not_recommended_for") if old.get(field) is not None}
    if document["model_id"] != contents.model_id:
        files["bundle_model_id"] = contents.model_id
    measured: dict[str, type[BaseModel]] = {"performance": Performance, "accuracy": Accuracy}
    kept = {field: old[field] for field, kind in measured.items() if _fits(old.get(field), kind)}
    metadata = _valid(name, document | kept | {"file_info": files})
    return Migration(metadata, _dropped(old, info, kept))


def _read(path: Path) -> "Bundle":
    from raxe.bundle import read_bundle  # noqa: PLC0415  (NumPy, 100 ms that no list of models with metadata pays)

    return read_bundle(path)


def _from_bundle(contents: "Bundle") -> dict[str, Any]:
    config = contents.embedding
    words = f"{contents.model_id} {config.name}".lower()
    quantization = next((each for each in _QUANTIZATIONS if each in words), None)
    return {
        "model_id": contents.model_id,
        "name": contents.model_id,
        "version": contents.version,
        "variant": quantization or "default",
        "description": "Generated from the bundle; nothing was measured.",
        "status": Status.EXPERIMENTAL.value,
        "capabilities": _CAPABILITIES if len(contents.clusters) else _CAPABILITIES[:-1],
        "ml_config": {
            "base_model": config.name,
            "max_length": config.max_length,
            "stride": config.stride,
            "embedding_dimension": config.dimension,
            "quantization": quantization,
        },
        "training_info": {"date": contents.created, "rows": contents.stats.rows},
        "tags": ["generated"],
    }


def _file_info(keys: Mapping[str, str], contents: "Bundle", fetch: Fetch) -> dict[str, Any]:
    """The section of that name, checksums and sizes of the files as they are."""
    folder = f"embeddings/{contents.embedding.name}"
    places = {
        "embeddings": f"{folder}/encoder.onnx",
        "tokenizer": f"{folder}/tokenizer.json",
        **keys,
    }
    golden = f"golden/{contents.model_id}.json"
    if "golden" not in places and _exists(golden, fetch):
        places["golden"] = golden
    info: dict[str, Any] = dict(places)
    size = 0
    for kind, key in places.items():
        path = fetch(key)
        info[f"{kind}_sha256"] = file_digest(path)
        size += path.stat().st_size if kind != "golden" else 0
    return info | {"size_mb": max(round(size / 1e6, 3), 0.001)}


def _object(data: bytes, name: str) -> dict[str, Any]:
    try:
        document = json.loads(data) if len(data) <= MAX_DOCUMENT_BYTES else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise InvalidMetadata(f"{name}: file: is no JSON object of at most {MAX_DOCUMENT_BYTES} bytes")
    return document


def _first(info: Mapping[str, object], names: tuple[str, ...]) -> str | None:
    return next((value for name in names if isinstance(value := info.get(name), str) and value), None)


def _find(key: str | None, kind: str, fetch: Fetch) -> str | None:
    """The key as written, or in the folder of its kind; v1 files often had the bare name. None when it is nowhere."""
    if key is None:
        return None
    return next((place for place in (key, f"{_FOLDERS[kind]}/{key}") if _exists(place, fetch)), None)


def _exists(key: str, fetch: Fetch) -> bool:
    try:
        fetch(key)
    except ModelNotFound:
        return False
    return True


def _check_sums(name: str, info: Mapping[str, object], files: Mapping[str, str]) -> None:
    for kind, names in _SUMS.items():
        told = _first(info, names)
        if told and told.lower().removeprefix("sha256:") != files[f"{kind}_sha256"].removeprefix("sha256:"):
            raise InvalidBundle(f"{name}: file_info.{kind}: its checksum is not the one in the metadata")


def _fits(value: object, kind: type[BaseModel]) -> bool:
    try:
        kind.model_validate(value)
    except ValidationError:
        return False
    return True


def _dropped(old: Mapping[str, object], info: Mapping[str, object], kept: Mapping[str, object]) -> tuple[str, ...]:
    known = {"schema_version", "file_info", "not_recommended_for", *_KEPT, *kept}
    used = {name for names in (*_NAMES.values(), *_SUMS.values()) for name in names} | {"size_mb"}
    return tuple(sorted([*(set(old) - known), *(f"file_info.{field}" for field in set(info) - used)]))


def _valid(name: str, document: Mapping[str, object]) -> Metadata:
    try:
        return Metadata.model_validate_json(json.dumps(document))
    except ValidationError as error:
        raise invalid(name, error) from None
