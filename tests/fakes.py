"""Real small classes that stand where a part of the library would: layers with scripted answers, a store in memory."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import BinaryIO, NoReturn

from raxe.adapters.keys import checked
from raxe.errors import InvalidRollout, ModelNotFound, RolloutNotFound, StoreConflict, StoreError
from raxe.protocols import StoredObject, StoredRollout
from raxe.values import (
    Detection,
    Explanation,
    Family,
    L2Result,
    ModelInfo,
    Prompt,
    ScanResult,
    Severity,
    Span,
    WindowScore,
)
from raxe.values.experiments import ArmTotals, Feedback, Seen

FAKE_MODEL = ModelInfo("fake-model", "sha256:" + "0" * 64)


@dataclass(frozen=True, slots=True)
class FakeRules:
    """L1 that finds one word in the plain view."""

    word: str = "zork"
    severity: Severity = Severity.HIGH

    def detect(self, prompts: Sequence[Prompt]) -> list[ScanResult]:
        """One detection where the word stands."""
        return [ScanResult(tuple(self._find(prompt))) for prompt in prompts]

    def _find(self, prompt: Prompt) -> list[Detection]:
        at = prompt.plain.text.find(self.word)
        if at < 0:
            return []
        span = Span(at, at + len(self.word))
        return [Detection("PI-001", Family.PI, "instruction_override", self.severity, 0.9, span, "plain")]


@dataclass(frozen=True, slots=True)
class FakeModel:
    """L2 that scores by the digest of a text; what it does not know scores 0."""

    scores: Mapping[str, float] = field(default_factory=dict)
    model_info: ModelInfo | None = FAKE_MODEL

    def detect(self, prompts: Sequence[Prompt], l1_results: Sequence[ScanResult]) -> list[L2Result]:
        """The scripted scores."""
        assert len(prompts) == len(l1_results)
        return [L2Result(self.scores.get(prompt.sha256, 0.0), tokens=1, windows=1) for prompt in prompts]

    def explain(self, prompt: Prompt) -> Explanation:
        """The scripted score as that of one window over the whole text."""
        whole = WindowScore("plain", Span(0, prompt.characters), self.scores.get(prompt.sha256, 0.0))
        return Explanation((whole,), 1)


@dataclass(frozen=True, slots=True)
class Raising:
    """Either layer, raising: the error it is given, with whatever that carries."""

    error: BaseException
    model_info: ModelInfo | None = None

    def detect(self, prompts: Sequence[Prompt], l1_results: Sequence[ScanResult] = ()) -> NoReturn:  # noqa: ARG002
        """Raises."""
        raise self.error

    def explain(self, prompt: Prompt) -> NoReturn:  # noqa: ARG002
        """Raises."""
        raise self.error


@dataclass(slots=True)
class FakeStore:
    """A store in memory that has to be downloaded from; ``calls`` notes each method that was called and its key."""

    objects: dict[str, bytes] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    failing: StoreError | None = None

    def entries(self, folder: str) -> list[StoredObject]:
        """The objects right in a folder."""
        self._note("entries", checked(folder))
        keys = sorted(key for key in self.objects if key.rpartition("/")[0] == folder and "/." not in key)
        return [self._object(key) for key in keys]

    def stat(self, key: str) -> StoredObject:
        """The object of that key."""
        self._note("stat", key)
        return self._object(key)

    def read(self, key: str, unless: str | None = None) -> tuple[bytes, str] | None:
        """Content and ETag."""
        self._note("read", key)
        etag = self._object(key).etag
        return None if etag == unless else (self.objects[key], etag)

    def path(self, key: str) -> Path | None:
        """None: every object has to be downloaded."""
        checked(key)
        return None

    def download(self, key: str, target: BinaryIO) -> str:
        """Writes the content."""
        self._note("download", key)
        etag = self._object(key).etag
        target.write(self.objects[key])
        return etag

    def write(self, key: str, content: bytes | Path, match: str | None) -> str:
        """Replaces ``match``."""
        self._note("write", checked(key))
        if (self._object(key).etag if key in self.objects else None) != match:
            raise StoreConflict(key)
        self.objects[key] = content.read_bytes() if isinstance(content, Path) else content
        return self._object(key).etag

    def _note(self, method: str, key: str) -> None:
        self.calls.append((method, key))
        if self.failing:
            raise self.failing

    def _object(self, key: str) -> StoredObject:
        if checked(key) not in self.objects:
            raise ModelNotFound(key)
        content = self.objects[key]
        return StoredObject(key, hashlib.sha256(content).hexdigest(), len(content))


@dataclass(frozen=True, slots=True)
class FailingExperiments:
    """A store of experiments that raises whatever it is given."""

    error: Exception

    def add(self, name: str, arm: str, delta: ArmTotals) -> NoReturn:  # noqa: ARG002
        """Raises."""
        raise self.error

    def read(self, name: str) -> NoReturn:  # noqa: ARG002
        """Raises."""
        raise self.error

    def remember(self, name: str, answers: Sequence[Seen], expires_s: float) -> NoReturn:  # noqa: ARG002
        """Raises."""
        raise self.error

    def label(self, feedback: Feedback, now_s: float) -> NoReturn:  # noqa: ARG002
        """Raises."""
        raise self.error


@dataclass(slots=True)
class FakeRolloutStore:
    """A rollout document in memory; ``failing`` is raised by every method while it is set, ``reads`` counts looks.

    ``while_reading`` happens in each of them.
    """

    versions: list[StoredRollout] = field(default_factory=list)
    failing: Exception | None = None
    reads: int = 0
    while_reading: Callable[[], object] = lambda: None
    lock: Lock = field(default_factory=Lock)

    def read(self) -> StoredRollout:
        """The last version."""
        self.reads += 1
        self.while_reading()
        self._check()
        if not self.versions:
            raise RolloutNotFound("there is no document")
        return self.versions[-1]

    def write(self, content: bytes, expected: int, note: str) -> int:
        """Replaces version ``expected``."""
        self._check()
        if not 0 < len(content) <= 8192 or b"\xff" in content:
            raise InvalidRollout("cannot be stored")
        with self.lock:
            now = self.versions[-1].version if self.versions else 0
            if now != expected:
                raise StoreConflict("another version is in force")
            self.versions = [*self.versions, StoredRollout(content, now + 1, "2025-11-20T10:00:00+00:00", note)][-100:]
            return now + 1

    def history(self) -> list[StoredRollout]:
        """The versions."""
        self._check()
        return list(self.versions)

    def _check(self) -> None:
        if self.failing:
            raise self.failing
