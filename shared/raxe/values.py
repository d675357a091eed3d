"""The values that flow through a scan, all frozen.

event -> Prompt -> L1 ScanResult -> L2Result -> Verdict -> Scan. Every arrow is a function from one value to the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Family(StrEnum):
    """The six families of attack; ``training/taxonomy.yaml`` defines them and their 47 subfamilies."""

    PI = "PI"
    JB = "JB"
    CMD = "CMD"
    PII = "PII"
    ENC = "ENC"
    RAG = "RAG"


class _Ranked(StrEnum):  # members are written in rising order
    @property
    def rank(self) -> int:
        """Position among its like, from 0."""
        return list(type(self)).index(self)


class Severity(_Ranked):
    """How much harm a confirmed detection stands for."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Source(StrEnum):
    """Where a text comes from: typed by a user, read from a document, or returned by a tool."""

    USER = "user"
    DOCUMENT = "document"
    TOOL = "tool"


class Decision(_Ranked):
    """What the caller is advised to do."""

    ALLOW = "allow"
    REVIEW = "review"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open range of characters ``[start, end)`` in the text as the caller sent it."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class View:
    """One reading of a text: the normalised text itself or what decoding a part of it gives.

    Attributes:
        name: ``plain``, ``raw`` (as sent, only when it holds telling invisible characters) or a decoder.
        origin: the range of the original text this view was made from.
        offsets: for each character of ``text`` its index in the original text, then the original length as last entry
            (``len(text) + 1`` values); empty for a decoded view, whose detections take ``origin`` as their span.
    """

    name: str
    text: str
    origin: Span
    offsets: Sequence[int] = ()

    def span(self, start: int, end: int) -> Span:
        """The range of the original text that ``text[start:end]`` stands for."""
        if not self.offsets:
            return self.origin
        return Span(self.offsets[start], self.offsets[end - 1] + 1 if end > start else self.offsets[start])


@dataclass(frozen=True, slots=True)
class Prompt:
    """A text that is ready to be scanned.

    Attributes:
        characters: length of the text as sent.
        sha256: hex digest of the text as sent (UTF-8, surrogates passed), the only trace of it that may be kept.
        views: the plain one first.
        subject: the caller's opaque id for sticky assignment; never logged.
    """

    source: Source
    characters: int
    sha256: str
    views: tuple[View, ...]
    subject: str | None = None

    @property
    def plain(self) -> View:
        """The normalised text."""
        return self.views[0]


@dataclass(frozen=True, slots=True)
class Detection:
    """One rule that matched, at its first place in the original text, with the name of the view it was found in.

    ``confidence`` is from the rule file: how sure a hit of this rule is an attack, in (0, 1].
    """

    rule_id: str
    family: Family
    subfamily: str
    severity: Severity
    confidence: float
    span: Span
    view: str


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What the rules (L1) found: one detection a rule, highest severity and confidence first."""

    detections: tuple[Detection, ...] = ()
    duration_ms: float = 0.0

    @property
    def has_detections(self) -> bool:
        """Whether any rule matched."""
        return bool(self.detections)

    @property
    def highest_severity(self) -> Severity:
        """The severest detection, ``none`` without one."""
        return max((d.severity for d in self.detections), key=lambda s: s.rank, default=Severity.NONE)


@dataclass(frozen=True, slots=True)
class Prediction:
    """One label of the model with its confidence in [0, 1]."""

    family: Family
    subfamily: str
    confidence: float


@dataclass(frozen=True, slots=True)
class StageTimes:
    """Wall time of the stages of L2, in milliseconds."""

    tokenize_ms: float = 0.0
    encode_ms: float = 0.0
    classify_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class L2Result:
    """What the model (L2) says.

    Attributes:
        score: calibrated probability of an attack in [0, 1], the highest over the windows.
        predictions: families and subfamilies in falling confidence; empty below a score of 0.1.
        anomaly_score: cosine distance in [0, 2] to the nearest centre of the known attacks, None when not measured.
        tokens: read over all windows.
        span: place of the highest window in the original text, None without a window.
        model_id: the model that spoke, None for the stub.
    """

    score: float = 0.0
    predictions: tuple[Prediction, ...] = ()
    anomaly_score: float | None = None
    tokens: int = 0
    windows: int = 0
    span: Span | None = None
    stages: StageTimes = StageTimes()
    duration_ms: float = 0.0
    model_id: str | None = None

    @property
    def highest_confidence(self) -> float:
        """The score; the name is kept for users of the first interface."""
        return self.score


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Which model answers: its id, the digest of its bundle, the arm of an experiment, the severity of its labels."""

    model_id: str
    digest: str
    arm: str = "champion"
    severities: dict[str, Severity] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """A layer, ``l1`` or ``l2``, that did not answer, and the class of the error: a message could hold the prompt."""

    stage: str
    error: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was read of the text; ``truncated`` is never true today and is there so that it can never be silent."""

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
    """The whole answer for one text."""

    verdict: Verdict
    l1: ScanResult
    l2: L2Result
    coverage: Coverage
    text_sha256: str
    model: ModelInfo | None = None
    failures: tuple[Failure, ...] = ()
    duration_ms: float = 0.0

    @property
    def is_attack(self) -> bool:
        """Whether the decision is anything but allow because something was found (failures alone are no attack)."""
        return self.verdict.decision is not Decision.ALLOW and self.verdict.severity is not Severity.NONE
