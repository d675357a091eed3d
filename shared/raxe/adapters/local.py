"""A models folder on disk: a checkout, a Lambda layer or an EFS mount."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from raxe.adapters.keys import checked
from raxe.errors import ModelNotFound, StoreConflict, StoreDenied, StoreUnavailable
from raxe.files import replace_file
from raxe.protocols import StoredObject

_LOCK = ".lock"


class LocalBundleStore:
    """Files below one folder. The ETag of a file is its identity on disk; writers take turns through a lock file."""

    def __init__(self, folder: Path) -> None:
        """Takes the folder; it need not exist, then there are no models."""
        self._folder = folder

    def entries(self, folder: str) -> list[StoredObject]:
        """The files right in a folder, sorted; hidden ones, such as half-written ones, are no objects."""
        place = self._folder / checked(folder)
        with _typed(folder):
            if not place.is_dir():
                return []
            with os.scandir(place) as found:
                files = [(entry.name, entry.stat()) for entry in found if entry.name[0] != "." and entry.is_file()]
        return [_object(f"{folder}/{name}", status) for name, status in sorted(files, key=lambda each: each[0])]

    def stat(self, key: str) -> StoredObject:
        """The file of that key; raises ModelNotFound."""
        path = self.path(key)
        with _typed(key):
            return _object(key, path.stat())

    def read(self, key: str, unless: str | None = None) -> tuple[bytes, str] | None:
        """Content and ETag of a file, None when its ETag still is ``unless``; raises ModelNotFound."""
        path = self.path(key)
        with _typed(key), path.open("rb") as file:
            etag = _object(key, os.fstat(file.fileno())).etag
            return None if etag == unless else (file.read(), etag)

    def path(self, key: str) -> Path:
        """The file itself; raises ModelNotFound when it is missing or the key leads out of the folder."""
        path = self._folder / checked(key)
        try:
            found = path.is_file()
        except (OSError, ValueError):  # a name that is too long, or with NUL
            found = False
        if not found:
            raise ModelNotFound(f"no model file {key[:100]}")
        return path

    def download(self, key: str, target: BinaryIO) -> str:
        """Copies the file; its ETag."""
        path = self.path(key)
        with _typed(key), path.open("rb") as file:
            shutil.copyfileobj(file, target)
            return _object(key, os.fstat(file.fileno())).etag

    def write(self, key: str, content: bytes | Path, match: str | None) -> str:
        """The ETag of the file that is now there; raises StoreConflict when there is another than ``match``."""
        path = self._folder / checked(key)
        with _typed(key), self._locked():
            path.parent.mkdir(parents=True, exist_ok=True)
            now = _object(key, path.stat()).etag if path.exists() else None
            if now != match:
                raise StoreConflict(f"{key}: is not what it was thought to be")
            _replace(path, content)
            return _object(key, path.stat()).etag

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / _LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _replace(path: Path, content: bytes | Path) -> None:
    """Puts the content at the path, whole or not at all."""

    def write(file: BinaryIO) -> None:
        if isinstance(content, Path):
            with content.open("rb") as source:
                shutil.copyfileobj(source, file)
        else:
            file.write(content)

    replace_file(path, write)


def _object(key: str, status: os.stat_result) -> StoredObject:
    return StoredObject(key, f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}", status.st_size)


@contextmanager
def _typed(key: str) -> Iterator[None]:
    """Makes an error of the operating system one of ours."""
    try:
        yield
    except FileNotFoundError:
        raise ModelNotFound(f"no model file {key}") from None
    except PermissionError:
        raise StoreDenied(f"{key}: no permission") from None
    except OSError as error:
        raise StoreUnavailable(f"{key}: {type(error).__name__}") from None
