"""Real small classes that stand where a part of the library would: layers with scripted answers, a store in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from raxe.errors import ModelNotFound
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


@dataclass(frozen=True, slots=True)
class FakeStore:
    """A model store whose files lie anywhere."""

    files: Mapping[str, Path] = field(default_factory=dict)
    metadata: Sequence[Path] = ()

    def metadata_files(self) -> list[Path]:
        """The metadata files, sorted by name."""
        return sorted(self.metadata)

    def fetch(self, relative: str) -> Path:
        """The file of that name; raises ModelNotFound."""
        if relative not in self.files:
            raise ModelNotFound(f"no model file {relative}")
        return self.files[relative]
