"""The rollout document in a local file, its history beside it: the twin of the SSM parameter for a laptop."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from raxe.errors import InvalidRollout, RolloutNotFound, StoreConflict, StoreDenied, StoreUnavailable
from raxe.files import replace_file
from raxe.protocols import StoredRollout

_KEPT = 100  # versions, as many as SSM keeps
_MAX_BYTES = 8_192  # as an advanced SSM parameter


class FileRolloutStore:
    """One file; ``NAME.history.json`` beside it has the versions, and writers take turns through ``.NAME.lock``.

    The file may be edited by hand: what is not the last version of the history counts as one more.
    """

    def __init__(self, path: Path) -> None:
        """Takes the file; it need not exist."""
        self._path = path
        self._history = path.with_name(f"{path.name}.history.json")
        self._lock = path.with_name(f".{path.name}.lock")

    def read(self) -> StoredRollout:
        """The document in force; raises RolloutNotFound."""
        found = self.history()
        if not found:
            raise RolloutNotFound(f"{self._path.name}: there is no rollout document")
        return found[-1]

    def write(self, content: bytes, expected: int, note: str) -> int:
        """The version of the new document; raises StoreConflict and InvalidRollout, having written nothing."""
        _check(content)
        with self._typed(), self._locked():
            history = self.history()
            now = history[-1].version if history else 0
            if now != expected:
                raise StoreConflict(f"{self._path.name}: version {now} is in force, not {expected}")
            at = datetime.now(UTC).isoformat(timespec="seconds")
            made = StoredRollout(content, now + 1, at, note)
            # The document first: if this ends in between, it is an edit by hand, which the history takes up later.
            replace_file(self._path, lambda file: file.write(content))
            kept = [{**asdict(each), "content": each.content.decode()} for each in [*history, made][-_KEPT:]]
            replace_file(self._history, lambda file: file.write(json.dumps(kept, indent=1).encode()))
            return made.version

    def history(self) -> list[StoredRollout]:
        """The last versions, the one in force last."""
        with self._typed():
            if not self._path.exists():
                return []
            with self._path.open("rb") as file:
                # One byte more than allowed, so that whoever parses it sees that it is too large.
                content = file.read(_MAX_BYTES + 1).decode("utf-8", "replace").encode()
            written = datetime.fromtimestamp(self._path.stat().st_mtime, UTC).isoformat(timespec="seconds")
            kept = self._kept()
        if kept and kept[-1].content == content:
            return kept
        return [*kept, StoredRollout(content, kept[-1].version + 1 if kept else 1, written, "edited by hand")][-_KEPT:]

    def _kept(self) -> list[StoredRollout]:
        if not self._history.exists():
            return []
        try:
            entries = json.loads(self._history.read_bytes())
            return [
                StoredRollout(str(each["content"]).encode(), int(each["version"]), str(each["at"]), str(each["note"]))
                for each in entries
            ]
        except (ValueError, KeyError, TypeError):
            raise StoreUnavailable(f"{self._history.name}: is damaged; move it away to begin a new history") from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _typed(self) -> Iterator[None]:
        """Makes an error of the operating system one of ours."""
        try:
            yield
        except PermissionError:
            raise StoreDenied(f"{self._path.name}: no permission") from None
        except OSError as error:
            raise StoreUnavailable(f"{self._path.name}: {type(error).__name__}") from None


def _check(content: bytes) -> None:
    """Raises InvalidRollout for what no store takes."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRollout("rollout: is not UTF-8") from None
    if not 0 < len(content) <= _MAX_BYTES:
        raise InvalidRollout(f"rollout: must have 1 to {_MAX_BYTES} bytes")
