"""The folder of downloaded files: who works on what, who uses what, and what may go.

``sha256/<hex>``  files, each named once its bytes are proven
``etags/<hex>``   for files whose digest nobody told: the digest that an object had under its ETag
``partial/*``     downloads under way
``locks/<name>``  held by who works on a name

Who uses a file holds a lock on it, who downloads one on what is there of it. All locks are the kernel's: they end with
the process that holds them, however it ends. They take no space, so that a full disk can be cleaned.
"""

import contextlib
import fcntl
import os
import tempfile
import weakref
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raxe.errors import CacheFailed

SPARE_BYTES = 128_000_000  # five models of ordinary size: what was current a while ago is there for a rollback
_FOLDERS = ("sha256", "etags", "partial", "locks")
_CLEANING = ".cleaning"  # no digest
_MOST_USED = 64  # files that one object holds open; a model has four, and is in memory once it is loaded


@dataclass(frozen=True, slots=True)
class Held:
    """Number of the files in a cache folder, and their bytes."""

    files: int
    size_bytes: int


class CacheFolder:
    """One cache folder, which several processes may work on."""

    def __init__(self, root: Path) -> None:
        """Takes the folder; it is made when something is put there."""
        self._root = root
        self._used: deque[int] = deque()
        weakref.finalize(self, _close, self._used)

    def place(self, sha256: str) -> Path:
        """Where the file of a digest lies, or would."""
        return self._root / "sha256" / sha256.removeprefix("sha256:")

    def note(self, name: str) -> Path:
        """Where the digest of an object is noted, or would be."""
        return self._root / "etags" / name

    def held(self) -> Held:
        """What is there now."""
        sizes = [status.st_size for _, status in self._files()]
        return Held(len(sizes), sum(sizes))

    @contextmanager
    def turn(self, name: str) -> Iterator[None]:
        """Lets one process at a time work on a name; a folder that cannot be written is CacheFailed."""
        try:
            for folder in _FOLDERS:
                (self._root / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._locked(name):
                yield
        except OSError as error:
            raise CacheFailed(f"the cache folder cannot be used: {error.strerror or type(error).__name__}") from None

    @contextmanager
    def whole(self) -> Iterator[Any]:
        """An open file that is gone afterwards unless it was renamed; to be used within a turn."""
        with self._locked(_CLEANING):  # who cleans never sees one that is not locked yet
            file = tempfile.NamedTemporaryFile(dir=self._root / "partial", delete=False)  # noqa: SIM115  (closed below)
            fcntl.flock(file, fcntl.LOCK_EX)
        with file:
            try:
                yield file
            finally:
                Path(file.name).unlink(missing_ok=True)

    def use(self, path: Path) -> Path:
        """The path of a cached file, which no process removes while this object lives; to be used within a turn."""
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._used.append(handle)
        fcntl.flock(handle, fcntl.LOCK_SH)
        os.utime(path)  # the least recently used ones go first
        while len(self._used) > _MOST_USED:
            os.close(self._used.popleft())
        return path

    def clean(self, needed: Collection[str], spare_bytes: int = SPARE_BYTES) -> int:
        """The bytes that became free; keeps ``needed`` digests, what a process uses, and ``spare_bytes`` of the rest.

        Of the rest the least recently used files go first. What processes left half-done that are gone goes too.
        Raises CacheFailed.
        """
        if not self._root.is_dir():
            return 0
        kept, freed = {self.place(digest) for digest in needed}, 0
        with self.turn(_CLEANING):
            rest = [(status.st_mtime_ns, path, status.st_size) for path, status in self._files() if path not in kept]
            for _, path, size in sorted(rest, reverse=True):
                spare_bytes -= size
                if spare_bytes < 0 and self._remove(path):
                    freed += size
            self._tidy()
        return freed

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        found = []
        for path in (self._root / "sha256").glob("*"):
            with contextlib.suppress(FileNotFoundError):  # another process cleans
                found.append((path, path.stat()))
        return found

    def _remove(self, path: Path) -> bool:
        """Whether the file is gone: not when a process works on its name, or uses it."""
        with self._locked(path.name, wait=False) as mine:
            return mine and _removed(path)

    def _tidy(self) -> None:
        """Removes what nobody works on: halves of downloads, notes of files that are gone, locks."""
        for partial in (self._root / "partial").glob("*"):
            _removed(partial)
        for note in (self._root / "etags").glob("*"):
            if not self.place(note.read_text(encoding="ascii", errors="replace")).is_file():
                note.unlink(missing_ok=True)
        for lock in (self._root / "locks").glob("[!.]*"):
            _removed(lock)

    @contextmanager
    def _locked(self, name: str, *, wait: bool = True) -> Iterator[bool]:
        """Whether this process holds the lock of a name; it always does when it waits for it."""
        path = self._root / "locks" / name
        while True:
            with path.open("a") as lock:
                if not _lock(lock.fileno(), wait=wait):
                    yield False
                    return
                if _is_at(path, lock.fileno()):
                    yield True
                    return


def _removed(path: Path) -> bool:
    """Whether the file is gone, which it is when nobody holds a lock on it."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        if not _lock(file.fileno(), wait=False):
            return False
        path.unlink(missing_ok=True)
    return True


def _lock(handle: int, *, wait: bool) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(path: Path, handle: int) -> bool:
    """Whether an open file still has its name: a lock that was removed while one waited for it locks nothing."""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _close(handles: deque[int]) -> None:
    while handles:
        os.close(handles.popleft())
