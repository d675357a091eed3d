"""What policy makes of both layers, and the whole answer."""

from dataclasses import dataclass

from raxe.values.explanation import Explanation
from raxe.values.labels import Decision, Family, Severity
from raxe.values.layers import L2Result, ModelInfo, ScanResult

CHAMPION, CHALLENGER, OFF = "champion", "challenger", "off"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Least combined score in [0, 1] for review and for block; review <= block."""

    review: float = 0.5
    block: float = 0.8


@dataclass(frozen=True, slots=True)
class RolloutId:
    """Which rollout document answered: the version its store gave it, and the digest of what it says."""

    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who answered a scan.

    Attributes:
        arm: ``champion``, ``challenger``, or ``off`` when no model is wanted.
        wanted: the arm that the rollout document gave it; another than ``arm`` when that one could not answer.
        rollout: the document, None without one.
    """

    arm: str = CHAMPION
    wanted: str = CHAMPION
    rollout: RolloutId | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """What did not answer: a layer, ``l1`` or ``l2``, or what no verdict hangs on.

    That is ``explain``, ``rollout`` (no document) and ``challenger``: it raised, and the champion answered instead.
    ``error`` is the class of the error: a message could hold the prompt.
    """

    stage: str
    error: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was read of the text; ``truncated`` when it decodes to more than is read: the verdict is review at least."""

    characters: int
    tokens: int
    windows: int
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What policy decides from L1, L2 and failures.

    ``severity`` is above none exactly when something was found; ``family`` may be None all the same. ``score`` in
    [0, 1] is what thresholds apply to. ``layers_agree``: each alone would have found something, or neither.
    """

    decision: Decision
    severity: Severity
    score: float
    family: Family | None = None
    subfamily: str | None = None
    layers_agree: bool = True


@dataclass(frozen=True, slots=True)
class Scan:
    """The whole answer for one text; ``explanation`` is there when it was asked for and could be made."""

    verdict: Verdict
    l1: ScanResult
    l2: L2Result
    coverage: Coverage
    text_sha256: str
    model: ModelInfo | None = None
    failures: tuple[Failure, ...] = ()
    duration_ms: float = 0.0
    explanation: Explanation | None = None
    assignment: Assignment = Assignment()

    @property
    def is_attack(self) -> bool:
        """Whether the decision is anything but allow because something was found (failures alone are no attack)."""
        return self.verdict.decision is not Decision.ALLOW and self.verdict.severity is not Severity.NONE
