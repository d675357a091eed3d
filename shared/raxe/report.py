"""The answer to a scan as JSON, the same from the HTTP API and from the CLI. Text never appears in it."""

from pydantic import BaseModel, ConfigDict, Field

from raxe.values import Decision, Explanation, Family, L2Result, Scan, ScanResult, Severity, Span


def _absent(value: object) -> bool:
    return value is None


class Body(BaseModel):
    """A part of an answer; it never changes."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())


class SpanBody(Body):
    """Half-open range of characters in the text as sent."""

    start: int
    end: int


class DetectionBody(Body):
    """One rule that matched; ``view`` is given with ``explain``."""

    rule_id: str
    family: Family
    subfamily: str
    severity: Severity
    confidence: float
    span: SpanBody
    view: str | None = None


class L1Body(Body):
    """What the rules found."""

    has_detections: bool
    detection_count: int
    detections: list[DetectionBody]
    duration_ms: float


class PredictionBody(Body):
    """One label of the model."""

    family: Family
    subfamily: str
    confidence: float


class StagesBody(Body):
    """Wall time of the stages of L2."""

    tokenize_ms: float
    encode_ms: float
    classify_ms: float


class L2Body(Body):
    """What the model says; ``span`` is the place of the highest window.

    ``near_known_attack`` is there for a model that states how near that is.
    """

    predictions: list[PredictionBody]
    highest_confidence: float
    anomaly_score: float | None
    near_known_attack: bool | None = Field(default=None, exclude_if=_absent)
    span: SpanBody | None
    stages: StagesBody
    duration_ms: float


class WindowBody(Body):
    """One window that the model scored, and the view it is of."""

    view: str
    span: SpanBody
    score: float


class DecisiveBody(Body):
    """A piece of the highest window: its score without the piece, and how much lower that is."""

    span: SpanBody
    score_without: float
    drop: float


class ExplanationBody(Body):
    """Where the model's score comes from; ``windows`` are the highest of ``window_count``."""

    windows: list[WindowBody]
    window_count: int
    decisive: list[DecisiveBody]
    nearest_cluster: str | None


class CoverageBody(Body):
    """What was read of the text."""

    characters: int
    tokens: int
    windows: int
    truncated: bool


class ModelBody(Body):
    """Which model answered."""

    id: str
    digest: str
    arm: str


class RolloutBody(Body):
    """The rollout document that the scan was answered under."""

    version: int
    digest: str


class FailureBody(Body):
    """What did not answer: a layer, ``explain``, ``rollout``, or ``challenger``: then the champion answered instead."""

    stage: str
    error: str


class ScanResponse(Body):
    """The answer to one scan; ``message`` is the position of the deciding message when a conversation was sent.

    ``explanation`` is there when it was asked for and could be made, ``rollout`` when a document is in force.
    """

    verdict: Decision
    is_attack: bool
    severity: Severity
    score: float
    family: Family | None
    subfamily: str | None
    l1: L1Body
    l2: L2Body
    coverage: CoverageBody
    model: ModelBody | None
    rollout: RolloutBody | None = Field(default=None, exclude_if=_absent)
    failures: list[FailureBody]
    message: int | None = None
    explanation: ExplanationBody | None = Field(default=None, exclude_if=_absent)
    text_sha256: str
    request_id: str
    duration_ms: float


def _rounded(value: float) -> float:
    return round(value, 4)


def _span(span: Span) -> SpanBody:
    return SpanBody(start=span.start, end=span.end)


def _l1(result: ScanResult, *, explain: bool) -> L1Body:
    detections = [
        DetectionBody(
            rule_id=found.rule_id,
            family=found.family,
            subfamily=found.subfamily,
            severity=found.severity,
            confidence=found.confidence,
            span=_span(found.span),
            view=found.view if explain else None,
        )
        for found in result.detections
    ]
    return L1Body(
        has_detections=result.has_detections,
        detection_count=len(detections),
        detections=detections,
        duration_ms=_rounded(result.duration_ms),
    )


def _l2(result: L2Result) -> L2Body:
    stages = result.stages
    return L2Body(
        predictions=[
            PredictionBody(family=p.family, subfamily=p.subfamily, confidence=_rounded(p.confidence))
            for p in result.predictions
        ],
        highest_confidence=_rounded(result.highest_confidence),
        anomaly_score=None if result.anomaly_score is None else _rounded(result.anomaly_score),
        near_known_attack=result.near_known_attack,
        span=_span(result.span) if result.span else None,
        stages=StagesBody(
            tokenize_ms=_rounded(stages.tokenize_ms),
            encode_ms=_rounded(stages.encode_ms),
            classify_ms=_rounded(stages.classify_ms),
        ),
        duration_ms=_rounded(result.duration_ms),
    )


def _explanation(found: Explanation) -> ExplanationBody:
    return ExplanationBody(
        windows=[WindowBody(view=w.view, span=_span(w.span), score=_rounded(w.score)) for w in found.windows],
        window_count=found.window_count,
        decisive=[
            DecisiveBody(span=_span(piece.span), score_without=_rounded(piece.score_without), drop=_rounded(piece.drop))
            for piece in found.decisive
        ],
        nearest_cluster=found.nearest_cluster,
    )


def scan_response(scan: Scan, request_id: str, *, explain: bool = False, message: int | None = None) -> ScanResponse:
    """The answer that a scan becomes; scores and times are rounded to four decimals."""
    verdict, cover, model, rollout = scan.verdict, scan.coverage, scan.model, scan.assignment.rollout
    return ScanResponse(
        verdict=verdict.decision,
        is_attack=scan.is_attack,
        severity=verdict.severity,
        score=_rounded(verdict.score),
        family=verdict.family,
        subfamily=verdict.subfamily,
        l1=_l1(scan.l1, explain=explain),
        l2=_l2(scan.l2),
        coverage=CoverageBody(
            characters=cover.characters, tokens=cover.tokens, windows=cover.windows, truncated=cover.truncated
        ),
        model=ModelBody(id=model.model_id, digest=model.digest, arm=model.arm) if model else None,
        rollout=RolloutBody(version=rollout.version, digest=rollout.digest) if rollout else None,
        failures=[FailureBody(stage=f.stage, error=f.error) for f in scan.failures],
        message=message,
        explanation=_explanation(scan.explanation) if scan.explanation else None,
        text_sha256=scan.text_sha256,
        request_id=request_id,
        duration_ms=_rounded(scan.duration_ms),
    )
