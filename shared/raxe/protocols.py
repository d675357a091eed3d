"""The ports: what the scanner asks of detectors, and loading of a store. Each has one contract test suite."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from raxe.values import Explanation, L2Result, ModelInfo, Prompt, ScanResult


class RuleLayer(Protocol):
    """L1: finds known attack wordings."""

    def detect(self, prompts: Sequence[Prompt]) -> list[ScanResult]:
        """One result a prompt, in order; raises DetectorFailed."""
        ...


class ModelLayer(Protocol):
    """L2: scores texts with a model."""

    @property
    def model_info(self) -> ModelInfo | None:
        """Which model answers; None when none does (rules only)."""
        ...

    def detect(self, prompts: Sequence[Prompt], l1_results: Sequence[ScanResult]) -> list[L2Result]:
        """One result a prompt, in order; raises DetectorFailed."""
        ...

    def explain(self, prompt: Prompt) -> Explanation:
        """Where the score of one prompt comes from, its places in the text as sent; raises DetectorFailed."""
        ...


class ModelStore(Protocol):
    """Where model files come from; every path it gives is a readable local file."""

    def metadata_files(self) -> list[Path]:
        """The metadata files, sorted by name."""
        ...

    def fetch(self, relative: str) -> Path:
        """The local path of a model file named relative to the models folder; raises ModelNotFound."""
        ...
