"""A store whose documents are kept on disk, so that a start survives while the store does not answer.

Documents and listings only: model files have a cache of their own, by checksum. What is kept is the last answer, also
that there is no such document. It answers in the place of the store only while the store fails, and that is never
silent: ``stale`` says which document, since when and why.
"""

import contextlib
import hashlib
import json
import os
import time
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import BinaryIO

from raxe.errors import ModelNotFound, StoreError
from raxe.files import replace_file
from raxe.protocols import BundleStore, StoredObject

_PAUSE_S = 30.0  # a start reads several documents; once one timed out, the others are not waited for


@dataclass(frozen=True, slots=True)
class Stale:
    """A kept answer that was given in the place of the store: what the store said, and when it last answered."""

    error: StoreError
    since: float


@dataclass(frozen=True, slots=True)
class _Kept:
    """The last answer for a key; ``etag`` is None when there was no such document."""

    etag: str | None
    data: bytes
    answered_at: float


class KeptStore:
    """Another store, and a folder with what it said last."""

    def __init__(self, store: BundleStore, folder: Path) -> None:
        """Takes the store and a folder of its own, which is made when something is kept."""
        self._store, self._folder = store, folder
        self._failed: tuple[str, float, StoreError] | None = None  # key, monotonic time, error
        self.stale: dict[str, Stale] = {}

    def ask_again(self) -> None:
        """Forgets that the store failed: the next answer is the store's, or again a kept one that is marked."""
        self._failed = None
        self.stale.clear()

    def read(self, key: str, unless: str | None = None) -> tuple[bytes, str] | None:
        """Content and ETag; what did not change since it was kept is not transferred."""
        kept = self._load(key)
        try:
            self._pause(key, kept)
            found = self._store.read(key, unless or (kept.etag if kept else None))
        except ModelNotFound:
            self._keep(key, None, b"")
            raise
        except StoreError as error:
            kept = self._instead(key, kept, error)
            if kept.etag is None:
                raise ModelNotFound(f"no model file {key}") from None
            return None if kept.etag == unless else (kept.data, kept.etag)
        self.stale.pop(key, None)
        if found is not None:
            self._keep(key, found[1], found[0])
            return found
        self._confirm(key)
        return None if unless or kept is None or kept.etag is None else (kept.data, kept.etag)

    def entries(self, folder: str) -> list[StoredObject]:
        """The objects right in a folder."""
        key = f"{folder}/"
        kept = self._load(key)
        try:
            self._pause(key, kept)
            found = self._store.entries(folder)
        except StoreError as error:
            return _listing(self._instead(key, kept, error))
        self.stale.pop(key, None)
        for gone in set(_listing(kept)) - set(found):
            with contextlib.suppress(OSError):
                self._place(gone.key).unlink(missing_ok=True)
        self._keep(key, "", json.dumps([astuple(each) for each in found]).encode())
        return found

    def stat(self, key: str) -> StoredObject:
        """As the store says it."""
        return self._store.stat(key)

    def path(self, key: str) -> Path | None:
        """As the store says it."""
        return self._store.path(key)

    def download(self, key: str, target: BinaryIO) -> str:
        """As the store gives it."""
        return self._store.download(key, target)

    def write(self, key: str, content: bytes | Path, match: str | None) -> str:
        """Writes to the store; what is kept follows at the next read."""
        return self._store.write(key, content, match)

    def _pause(self, key: str, kept: _Kept | None) -> None:
        """Raises the last failure when another document met it a moment ago and this one is kept."""
        if self._failed and kept is not None:
            other, at, error = self._failed
            if other != key and time.monotonic() - at < _PAUSE_S:
                raise error

    def _instead(self, key: str, kept: _Kept | None, error: StoreError) -> _Kept:
        """What is kept, marked as stale; raises the store's error when nothing is."""
        if kept is None:
            raise error
        if self._failed is None or error is not self._failed[2]:
            self._failed = (key, time.monotonic(), error)
        self.stale[key] = Stale(error, kept.answered_at)
        return kept

    def _place(self, key: str) -> Path:
        return self._folder / hashlib.sha256(key.encode()).hexdigest()

    def _keep(self, key: str, etag: str | None, data: bytes) -> None:
        """Keeps an answer, whole or not at all; a full disk costs a later start its safety, and not this one."""
        self.stale.pop(key, None)
        head = {"key": key, "etag": etag, "sha256": hashlib.sha256(data).hexdigest()}
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            replace_file(self._place(key), lambda file: file.write(json.dumps(head).encode() + b"\n" + data))

    def _confirm(self, key: str) -> None:
        """Marks that the store said the same again now."""
        with contextlib.suppress(OSError):
            os.utime(self._place(key))

    def _load(self, key: str) -> _Kept | None:
        """The kept answer, None when there is none or it is damaged."""
        try:
            with self._place(key).open("rb") as file:
                head, data = json.loads(file.readline()), file.read()
                answered_at = os.fstat(file.fileno()).st_mtime
            whole = head["key"] == key and head["sha256"] == hashlib.sha256(data).hexdigest()
            return _Kept(head["etag"], data, answered_at) if whole else None
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _listing(kept: _Kept | None) -> list[StoredObject]:
    return [StoredObject(*each) for each in json.loads(kept.data)] if kept else []
