"""Model files on this machine: in place where the store is a folder, else in a cache folder by digest.

The cache holds ``sha256/<hex>`` and, for files whose digest nobody told, ``etags/<hex>`` with the digest that an object
had under its ETag. A file gets its name by an atomic rename once its bytes are proven: a name is never half a file.
"""

import fcntl
import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from raxe.errors import CacheFailed, InvalidBundle, ModelLoadFailed
from raxe.protocols import BundleStore
from raxe.registry.generation import file_digest


class ModelFiles:
    """The files of a store, downloaded once a machine; safe to use from several processes at once."""

    def __init__(self, store: BundleStore, cache: Path) -> None:
        """Takes the store and the cache folder, which is made when something is downloaded."""
        self._store, self._cache = store, cache

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
        path = self._place(sha256)
        with self._turn(path.name):
            if not (path.is_file() and _digest(path, key) == sha256):  # a damaged cached file is downloaded again
                self._download(key, sha256)
        return path

    def locate(self, key: str) -> Path:
        """The local file of a key whose checksum is not known; an object with another ETag is downloaded again.

        Raises as ``fetch``.
        """
        local = self._store.path(key)
        if local is not None:
            return local
        note = self._note(key, self._store.stat(key).etag)
        with self._turn(note.name):
            known = note.read_text(encoding="ascii") if note.is_file() else ""
            path = self._place(known)
            if not (known and path.is_file() and _digest(path, key) == known):
                path = self._download(key, None)
        return path

    def _download(self, key: str, sha256: str | None) -> Path:
        """Downloads an object to its place and notes the ETag it had; raises InvalidBundle for another checksum."""
        with self._whole() as file:
            etag = self._store.download(key, file)
            file.flush()
            found = file_digest(Path(file.name))
            if sha256 not in (None, found):
                raise InvalidBundle(f"{key}: its checksum is not the one in the metadata")
            Path(file.name).replace(self._place(found))
        if sha256 is None:
            with self._whole() as file:
                file.write(found.encode())
                file.flush()
                Path(file.name).replace(self._note(key, etag))
        return self._place(found)

    def _place(self, sha256: str) -> Path:
        return self._cache / "sha256" / sha256.removeprefix("sha256:")

    def _note(self, key: str, etag: str) -> Path:
        return self._cache / "etags" / hashlib.sha256(f"{key}\n{etag}".encode()).hexdigest()

    @contextmanager
    def _whole(self) -> Iterator[Any]:
        """An open file in the cache folder that is gone afterwards unless it was renamed."""
        with tempfile.NamedTemporaryFile(dir=self._cache / "partial", delete=False) as file:
            try:
                yield file
            finally:
                Path(file.name).unlink(missing_ok=True)

    @contextmanager
    def _turn(self, name: str) -> Iterator[None]:
        """Lets one process at a time work on a name, and makes a cache folder that cannot be written CacheFailed."""
        try:
            for folder in ("sha256", "etags", "partial", "locks"):
                (self._cache / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
            with (self._cache / "locks" / name).open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise CacheFailed(f"the cache folder cannot be used: {error.strerror or type(error).__name__}") from None


def _digest(path: Path, key: str) -> str:
    try:
        return file_digest(path)
    except OSError as error:
        raise ModelLoadFailed(f"{key} cannot be read: {type(error).__name__}") from None
