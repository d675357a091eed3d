"""What the two layers say of a prompt."""

from dataclasses import dataclass, field

from raxe.values.labels import Family, Severity
from raxe.values.prompt import Span


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
        near_known_attack: whether ``anomaly_score`` is below the model's threshold, as 0.5 % of held-out benign texts
            are; None when not measured or without a threshold.
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
    near_known_attack: bool | None = None

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
