"""A store -> its catalog: from the index object where one was published, else by looking through the folders."""

import json
from collections.abc import Callable
from pathlib import PurePosixPath

from raxe.errors import InvalidMetadata, ModelError, ModelNotFound
from raxe.protocols import BundleStore, StoredObject
from raxe.registry.catalog import Catalog
from raxe.registry.documents import parse_metadata
from raxe.registry.files import ModelFiles
from raxe.registry.generation import generate_metadata
from raxe.registry.index import INDEX, Index, parse_index
from raxe.registry.metadata import Metadata


def read_catalog(store: BundleStore, files: ModelFiles, last: Catalog | None = None) -> Catalog:
    """The catalog of a store; what still has the ETag that it had in ``last`` is not read again.

    One call to the store where there is an index. A damaged index stands in ``errors`` and the folders are looked
    through. One broken model never hides the others. Raises StoreError when the store as a whole does not answer.
    """
    last = last or Catalog()
    broken: dict[str, ModelError] = {}
    try:
        found = store.read(INDEX, last.etags.get(INDEX))
        if found is None:
            return last
        return _indexed(parse_index(found[0]), found[1])
    except ModelNotFound:
        pass
    except InvalidMetadata as error:
        broken[INDEX] = error
    return _Listing(store, files, last, broken).read()


def _indexed(index: Index, etag: str) -> Catalog:
    models: dict[str, Metadata] = {}
    errors: dict[str, ModelError] = {}
    for model_id, document in index.models.items():
        try:
            model = parse_metadata(json.dumps(document).encode(), f"{INDEX}: {model_id}")
        except InvalidMetadata as error:
            errors[model_id] = error
            continue
        if model.model_id != model_id:  # it would take the place of the model whose id it has
            errors[model_id] = InvalidMetadata(f"{INDEX}: {model_id}: model_id: is another than its key")
            continue
        models[model_id] = model
    aliases = {name: alias.model_id for name, alias in index.aliases.items()}
    return Catalog(models, errors, {INDEX: etag}, aliases=aliases)


class _Listing:
    """One look through the folders of a store."""

    def __init__(self, store: BundleStore, files: ModelFiles, last: Catalog, broken: dict[str, ModelError]) -> None:
        self._store, self._files, self._last = store, files, last
        self._models: dict[str, Metadata] = {}
        self._errors = broken
        self._etags: dict[str, str] = {}
        self._documents: dict[str, Metadata] = {}

    def read(self) -> Catalog:
        """The catalog: metadata first, then bundles that no metadata names."""
        for entry in self._store.entries("metadata"):
            if entry.key.endswith(".json"):
                self._take(entry, self._metadata)
        named = {model.file_info.bundle for model in self._documents.values()}
        wrong = {PurePosixPath(name).stem for name in self._errors}  # their bundles are not without metadata
        for entry in self._store.entries("bundles"):
            if entry.key.endswith(".raxe") and entry.key not in named and PurePosixPath(entry.key).stem not in wrong:
                self._take(entry, self._generated)
        return Catalog(self._models, self._errors, self._etags, self._documents)

    def _take(self, entry: StoredObject, make: Callable[[StoredObject], Metadata]) -> None:
        name = PurePosixPath(entry.key).name
        try:
            known = self._last.documents.get(entry.key) if self._last.etags.get(entry.key) == entry.etag else None
            model = known or make(entry)
        except ModelError as error:
            self._errors[name] = error
            return
        if model.model_id in self._models:
            self._errors[name] = InvalidMetadata(f"{name}: model_id: is that of another file too")
            return
        self._models[model.model_id] = self._documents[entry.key] = model
        self._etags[entry.key] = entry.etag

    def _metadata(self, entry: StoredObject) -> Metadata:
        found = self._store.read(entry.key)
        return parse_metadata(found[0] if found else b"", PurePosixPath(entry.key).name)

    def _generated(self, entry: StoredObject) -> Metadata:
        return generate_metadata(entry.key, self._files.locate)
