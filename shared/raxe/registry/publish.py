"""Publishes a model into a store: files by digest, then its metadata, then the index.

Whatever fails in between, readers see the store as it was: only the last write, of the index, makes the model appear.
Each write is conditional, so that of two publishers at once neither undoes what the other did.
"""

import json
import random
import time
from collections.abc import Callable
from contextlib import suppress

from raxe.errors import ModelConflict, ModelNotFound, StoreConflict
from raxe.protocols import BundleStore
from raxe.registry.discovery import INDEX, INDEX_SCHEMA, parse_index, read_catalog
from raxe.registry.documents import dump_metadata, parse_metadata
from raxe.registry.files import ModelFiles
from raxe.registry.metadata import Metadata

_KINDS = ("bundle", "embeddings", "tokenizer", "golden")
_ATTEMPTS = 30
_PAUSE_S = 0.05


def publish(model: Metadata, source: ModelFiles, target: BundleStore, target_files: ModelFiles) -> Metadata:
    """The metadata as published: its files lie at ``objects/sha256/<hex>``, each stored once.

    Publishing a model again changes nothing; other metadata for the same files replaces it. The first publication into
    a store without an index takes the models that lie there into it.

    Raises:
        ModelConflict: a model of that id with other files is published; ids are never used again.
        StoreConflict: others wrote all the time; nothing is lost, try again.
        ModelError: a file is missing or not the one of the metadata, or the store does not answer.
    """
    published = _published(model)
    with suppress(ModelNotFound):
        _refuse_other(published, read_catalog(target, target_files).get_model(model.model_id))
    for kind in _KINDS:
        key = getattr(model.file_info, kind)
        if key is not None:
            _upload(target, getattr(published.file_info, kind), source, key, getattr(model.file_info, f"{kind}_sha256"))
    key = f"metadata/{model.model_id}.json"
    _update(target, key, lambda data: _replaced(published, data, key))
    _update(target, INDEX, lambda data: _with(published, data, target, target_files))
    return published


def _published(model: Metadata) -> Metadata:
    info = model.file_info
    sums = {kind: getattr(info, f"{kind}_sha256") for kind in _KINDS}
    keys = {kind: f"objects/sha256/{total.removeprefix('sha256:')}" for kind, total in sums.items() if total}
    return model.model_copy(update={"file_info": info.model_copy(update=keys)})


def _upload(target: BundleStore, place: str, source: ModelFiles, key: str, sha256: str) -> None:
    try:
        target.stat(place)
    except ModelNotFound:
        with suppress(StoreConflict):  # another publisher was faster with the same bytes
            target.write(place, source.fetch(key, sha256), None)


def _update(target: BundleStore, key: str, change: Callable[[bytes | None], bytes]) -> None:
    """Reads an object, changes it and writes it if nobody else did meanwhile, else begins again."""
    for attempt in range(_ATTEMPTS):
        try:
            found = target.read(key)
        except ModelNotFound:
            found = None
        old, etag = found or (None, None)
        new = change(old)
        if new == old:
            return
        try:
            target.write(key, new, etag)
        except StoreConflict:
            time.sleep(random.uniform(0, _PAUSE_S * (attempt + 1)))  # noqa: S311  (publishers that met must part)
        else:
            return
    raise StoreConflict(f"{key}: others wrote it {_ATTEMPTS} times meanwhile")


def _replaced(model: Metadata, data: bytes | None, key: str) -> bytes:
    if data is not None:
        _refuse_other(model, parse_metadata(data, key))
    return dump_metadata(model).encode()


def _with(model: Metadata, data: bytes | None, target: BundleStore, files: ModelFiles) -> bytes:
    """The index with the model in it."""
    if data is None:
        lying = read_catalog(target, files).models
        documents: dict[str, object] = {name: json.loads(dump_metadata(each)) for name, each in lying.items()}
    else:
        documents = parse_index(data)
    known = documents.get(model.model_id)
    if known is not None:
        _refuse_other(model, parse_metadata(json.dumps(known).encode(), INDEX))
    documents[model.model_id] = json.loads(dump_metadata(model))
    index = {"schema": INDEX_SCHEMA, "models": dict(sorted(documents.items()))}
    return (json.dumps(index, indent=1, ensure_ascii=False) + "\n").encode()


def _refuse_other(model: Metadata, other: Metadata) -> None:
    mine, theirs = (
        [getattr(each.file_info, f"{kind}_sha256") for kind in _KINDS] + [each.version] for each in (model, other)
    )
    if mine != theirs:
        raise ModelConflict(f"{model.model_id}: is published with other files or another version; take a new id")
