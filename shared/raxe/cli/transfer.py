"""A store whose transfers are seen: a bar for each object that is written or downloaded, on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from raxe.cli.output import console
from raxe.protocols import BundleStore, StoredObject

_SHOWN = 24  # characters of a key


class ShownStore:
    """Any store, with a bar for each transfer. What it does and raises is what the store does and raises."""

    def __init__(self, store: BundleStore, bars: Progress) -> None:
        """Takes the store and where to draw."""
        self._store, self._bars = store, bars

    def entries(self, folder: str) -> list[StoredObject]:
        """As the store."""
        return self._store.entries(folder)

    def stat(self, key: str) -> StoredObject:
        """As the store."""
        return self._store.stat(key)

    def read(self, key: str, unless: str | None = None) -> tuple[bytes, str] | None:
        """As the store."""
        return self._store.read(key, unless)

    def path(self, key: str) -> Path | None:
        """As the store."""
        return self._store.path(key)

    def download(self, key: str, target: BinaryIO) -> str:
        """As the store; the bar follows the bytes."""
        task = self._bars.add_task(f"download {_short(key)}", total=self._store.stat(key).size)
        return self._store.download(
            key, cast("BinaryIO", _Counted(target, lambda size: self._bars.advance(task, size)))
        )

    def write(self, key: str, content: bytes | Path, match: str | None) -> str:
        """As the store; the bar moves when the object is there."""
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        task = self._bars.add_task(f"write {_short(key)}", total=None)
        etag = self._store.write(key, content, match)
        self._bars.update(task, total=size, completed=size)
        return etag


class _Counted:
    """An open file that tells how many bytes come into it."""

    def __init__(self, target: BinaryIO, tell: Callable[[int], None]) -> None:
        self._target, self._tell = target, tell

    def write(self, data: bytes) -> int:
        self._tell(len(data))
        return self._target.write(data)


@contextmanager
def transfers() -> Iterator[Callable[[BundleStore], BundleStore]]:
    """What makes a store one whose transfers are shown; where stderr is no terminal, it leaves it as it is."""
    if not sys.stderr.isatty():
        yield lambda store: store
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bars:
        yield lambda store: ShownStore(store, bars)


def _short(key: str) -> str:
    """The end of a key, which is what tells keys apart."""
    return key if len(key) <= _SHOWN else f"...{key[-_SHOWN:]}"
