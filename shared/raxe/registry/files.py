"""Model files on this machine: in place where the store is a folder, else in a cache folder by digest.

A file gets its name by an atomic rename once its bytes are proven: a name is never half a file.
"""

import hashlib
from collections.abc import Collection
from pathlib import Path

from raxe.errors import InvalidBundle, ModelLoadFailed
from raxe.files import file_digest
from raxe.protocols import BundleStore
from raxe.registry.cachefolder import SPARE_BYTES, CacheFolder, Held


class ModelFiles:
    """The files of a store, downloaded once a machine; safe to use from several processes at once."""

    def __init__(self, store: BundleStore, cache: Path) -> None:
        """Takes the store and the cache folder, which is made when something is downloaded."""
        self._store, self._cache = store, CacheFolder(cache)

    def fetch(self, key: str, sha256: str) -> Path:
        """The local file of a key, whose bytes have that checksum, read and compared now.

        Raises:
            ModelNotFound: there is no such object.
            InvalidBundle: its bytes are others; nothing of them is kept.
            ModelLoadFailed: a local file cannot be read.
            StoreError: the store did not answer as it should, or the cache folder cannot be written.
        """
        local = self._store.path(key)
        if local is not None:
            if _digest(local, key) != sha256:
                raise InvalidBundle(f"{key}: its checksum is not the one in the metadata")
            return local
        path = self._cache.place(sha256)
        with self._cache.turn(path.name):
            if not (path.is_file() and _digest(path, key) == sha256):  # a damaged cached file is downloaded again
                self._download(key, sha256)
            return self._cache.use(path)

    def locate(self, key: str) -> Path:
        """The local file of a key whose checksum is not known; an object with another ETag is downloaded again.

        Raises as ``fetch``.
        """
        local = self._store.path(key)
        if local is not None:
            return local
        note = self._note(key, self._store.stat(key).etag)
        with self._cache.turn(note.name):
            known = note.read_text(encoding="ascii") if note.is_file() else ""
            path = self._cache.place(known)
            if not (known and path.is_file() and _digest(path, key) == known):
                path = self._download(key, None)
            return self._cache.use(path)

    def is_here(self, key: str, sha256: str) -> bool:
        """Whether the file of a key is on this machine; its bytes are not read."""
        local = self._store.path(key)
        return local is not None or self._cache.place(sha256).is_file()

    def held(self) -> Held:
        """What the cache folder holds, whoever put it there."""
        return self._cache.held()

    def clean(self, needed: Collection[str], spare_bytes: int = SPARE_BYTES) -> int:
        """The bytes that became free in the cache folder; raises CacheFailed. What stays: ``CacheFolder.clean``."""
        return self._cache.clean(needed, spare_bytes)

    def _download(self, key: str, sha256: str | None) -> Path:
        """Downloads an object to its place and notes the ETag it had; raises InvalidBundle for another checksum."""
        with self._cache.whole() as file:
            etag = self._store.download(key, file)
            file.flush()
            found = file_digest(Path(file.name))
            if sha256 not in (None, found):
                raise InvalidBundle(f"{key}: its checksum is not the one in the metadata")
            Path(file.name).replace(self._cache.place(found))
        if sha256 is None:
            with self._cache.whole() as file:
                file.write(found.encode())
                file.flush()
                Path(file.name).replace(self._note(key, etag))
        return self._cache.place(found)

    def _note(self, key: str, etag: str) -> Path:
        return self._cache.note(hashlib.sha256(f"{key}\n{etag}".encode()).hexdigest())


def _digest(path: Path, key: str) -> str:
    try:
        return file_digest(path)
    except OSError as error:
        raise ModelLoadFailed(f"{key} cannot be read: {type(error).__name__}") from None
