"""Publishes a model into a store: files by digest, then its metadata, then the index.

Whatever fails in between, readers see the store as it was: only the last write, of the index, makes the model appear.
Each write is conditional, so that of two publishers at once neither undoes what the other did.
"""

import json
from contextlib import suppress

from raxe.errors import ModelConflict, ModelNotFound, StoreConflict
from raxe.protocols import BundleStore
from raxe.registry.discovery import read_catalog
from raxe.registry.documents import dump_metadata, parse_metadata
from raxe.registry.files import ModelFiles
from raxe.registry.index import INDEX, Index, dump_index, parse_index, update
from raxe.registry.metadata import FILE_KINDS, Metadata


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
    _store(model, published, source, target)
    update(target, INDEX, lambda data: _with(published, data, target, target_files))
    return published


def pull(model: Metadata, source: ModelFiles, target: BundleStore, target_files: ModelFiles) -> Metadata:
    """The metadata as it now stands in ``target``, whose files were all read again and compared with their checksums.

    The other way round: a published model comes into a folder, where it appears like one that was dropped. The index
    is touched only where there is one. A model that is there already keeps its files, and takes the new metadata.

    Raises:
        ModelConflict: the folder has a model of that id with other files or another version.
        ModelError: as ``publish``; a damaged file of the folder is InvalidBundle.
    """
    placed = _published(model)
    with suppress(ModelNotFound):
        there = read_catalog(target, target_files).get_model(model.model_id)
        _refuse_other(placed, there)
        placed = model.model_copy(update={"file_info": there.file_info})
    for kind, sha256 in _sums(model).items():
        source.fetch(getattr(model.file_info, kind), sha256)  # all of it is proven before anything is written
    _store(model, placed, source, target)
    for kind, sha256 in _sums(placed).items():
        target_files.fetch(getattr(placed.file_info, kind), sha256)
    with suppress(ModelNotFound):
        target.stat(INDEX)
        update(target, INDEX, lambda data: _with(placed, data, target, target_files))
    return placed


def _store(model: Metadata, placed: Metadata, source: ModelFiles, target: BundleStore) -> None:
    """Writes the files of a model where ``placed`` has them, then the metadata."""
    for kind, sha256 in _sums(model).items():
        _upload(target, getattr(placed.file_info, kind), source, getattr(model.file_info, kind), sha256)
    key = f"metadata/{model.model_id}.json"
    update(target, key, lambda data: _replaced(placed, data, key))


def _sums(model: Metadata) -> dict[str, str]:
    """The checksum of each file that the model has, by kind."""
    return {kind: total for kind, _, total in model.file_info.files()}


def _published(model: Metadata) -> Metadata:
    keys = {kind: f"objects/sha256/{total.removeprefix('sha256:')}" for kind, total in _sums(model).items()}
    return model.model_copy(update={"file_info": model.file_info.model_copy(update=keys)})


def _upload(target: BundleStore, place: str, source: ModelFiles, key: str, sha256: str) -> None:
    try:
        target.stat(place)
    except ModelNotFound:
        with suppress(StoreConflict):  # another publisher was faster with the same bytes
            target.write(place, source.fetch(key, sha256), None)


def _replaced(model: Metadata, data: bytes | None, key: str) -> bytes:
    if data is not None:
        _refuse_other(model, parse_metadata(data, key))
    return dump_metadata(model).encode()


def _with(model: Metadata, data: bytes | None, target: BundleStore, files: ModelFiles) -> bytes:
    """The index with the model in it."""
    if data is None:
        lying = read_catalog(target, files).models
        index = Index({name: json.loads(dump_metadata(each)) for name, each in lying.items()})
    else:
        index = parse_index(data)
    if model.model_id in index.aliases:
        raise ModelConflict(f"{model.model_id}: is an alias")
    known = index.models.get(model.model_id)
    if known is not None:
        _refuse_other(model, parse_metadata(json.dumps(known).encode(), INDEX))
    index.models[model.model_id] = json.loads(dump_metadata(model))
    return dump_index(index)


def _refuse_other(model: Metadata, other: Metadata) -> None:
    mine, theirs = (
        [getattr(each.file_info, f"{kind}_sha256") for kind in FILE_KINDS] + [each.version] for each in (model, other)
    )
    if mine != theirs:
        raise ModelConflict(f"{model.model_id}: is published with other files or another version; take a new id")
