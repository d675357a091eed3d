"""The ports: what the scanner asks of detectors, registry and rollout of stores, a release of what it runs in.

Each has one contract test suite.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

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


@dataclass(frozen=True, slots=True)
class StoredRollout:
    """One version of the rollout document: its bytes, its number from 1 on, when it was written (ISO, UTC), and why."""

    content: bytes
    version: int
    at: str
    note: str = ""


class RolloutStore(Protocol):
    """Where the rollout document is kept, with the versions before it.

    Every method raises StoreDenied or StoreUnavailable when the store does not do its part.
    """

    def read(self) -> StoredRollout:
        """The document in force; raises RolloutNotFound."""
        ...

    def write(self, content: bytes, expected: int, note: str) -> int:
        """The version of the new document, which replaces version ``expected``; 0 is for the first one.

        ``note`` says in a few words why; it is kept in the history.

        Raises:
            StoreConflict: another version is in force, or somebody else is writing; theirs stays.
            InvalidRollout: the document is empty, no UTF-8 or too large for this store; nothing was written.
        """
        ...

    def history(self) -> list[StoredRollout]:
        """The last versions, 100 at most, the one in force last; none when there is no document."""
        ...


@dataclass(frozen=True, slots=True)
class Invocation:
    """What a function returned, and the version of it that ran."""

    answer: Mapping[str, Any]
    version: str


class Function(Protocol):
    """A deployed function that can be called, all its calls to one version or alias of it."""

    def invoke(self, event: Mapping[str, Any]) -> Invocation:
        """What it returned; raises FunctionRaised when it raised or ended, ServiceFailed when it cannot be called."""
        ...


class HookStatus(Protocol):
    """Where a deployment is told how one of its hooks ended."""

    def report(self, deployment_id: str, execution_id: str, *, succeeded: bool) -> None:
        """Tells it; a hook whose end is already known is left alone. Raises ServiceFailed."""
        ...


class Alarms(Protocol):
    """The states of alarms."""

    def raised(self, names: Sequence[str]) -> list[str]:
        """Those of the names that are in alarm, sorted; raises ServiceFailed, also when one does not exist."""
        ...


class Topic(Protocol):
    """A place where people are told."""

    def publish(self, subject: str, message: str) -> None:
        """Says it to whoever listens; a subject is one line of at most 100 characters. Raises ServiceFailed."""
        ...
