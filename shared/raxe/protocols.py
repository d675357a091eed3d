"""The ports: what the scanner asks of detectors, and the registry of a store. Each has one contract test suite."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from raxe.values import Explanation, L2Result, ModelInfo, Prompt, ScanResult

if TYPE_CHECKING:  # a scan that is not counted does not pay for them
    from raxe.values.experiments import ArmTotals, Feedback, Labelled, Seen


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


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object of a store: its key, what its content was when it was looked at, and its size in bytes."""

    key: str
    etag: str
    size: int


class BundleStore(Protocol):
    """Where models are kept: objects by key, such as ``metadata/a.json``. Objects change whole or not at all.

    Every method raises StoreDenied or StoreUnavailable when the store does not do its part, and ModelNotFound for a key
    that is empty, absolute or climbs.
    """

    def entries(self, folder: str) -> list[StoredObject]:
        """The objects right in a folder, sorted by key; none when there is no such folder."""
        ...

    def stat(self, key: str) -> StoredObject:
        """The object of that key, without its content; raises ModelNotFound."""
        ...

    def read(self, key: str, unless: str | None = None) -> tuple[bytes, str] | None:
        """Content and ETag of a document, None when its ETag still is ``unless``; raises ModelNotFound."""
        ...

    def path(self, key: str) -> Path | None:
        """The object as a local file, None when it has to be downloaded; raises ModelNotFound where it is local."""
        ...

    def download(self, key: str, target: BinaryIO) -> str:
        """Writes the content to an open file and gives its ETag; raises ModelNotFound."""
        ...

    def write(self, key: str, content: bytes | Path, match: str | None) -> str:
        """The ETag of the new content, which replaces what has the ETag ``match``; None is for a new key.

        Raises StoreConflict, having written nothing, when there is something else, or something at all.
        """
        ...


class ExperimentStore(Protocol):
    """Where experiments are counted. Every method raises ExperimentStoreFailed when the store does not do its part."""

    def add(self, name: str, arm: str, delta: "ArmTotals") -> None:
        """Adds to the totals of an arm, all of it or nothing; writers at once lose nothing."""
        ...

    def read(self, name: str) -> "dict[str, ArmTotals]":
        """The totals by arm, everything in it that was added before; empty for an unknown name."""
        ...

    def remember(self, name: str, answers: "Sequence[Seen]", expires_s: float) -> None:
        """Keeps answers that have a request id until a time, in seconds since 1970, so that feedback finds them."""
        ...

    def label(self, feedback: "Feedback", now_s: float) -> "Labelled":
        """Counts a label once for each answer: another label for it later moves the count, the same one does nothing.

        A text alone stands for its latest answer.

        Raises:
            ScanNotFound: no such answer, or it is not kept any longer.
            InvalidInput: the request has answers for several texts and none is named.
        """
        ...
