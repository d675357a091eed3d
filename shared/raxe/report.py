"""The answer to a scan as JSON, the same from the HTTP API and from the CLI. Text never appears in it."""

from pydantic import BaseModel, ConfigDict

from raxe.values import Decision, Family, L2Result, Scan, ScanResult, Severity, Span


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
    """What the model says; ``span`` is the place of the highest window."""

    predictions: list[PredictionBody]
    highest_confidence: float
    anomaly_score: float | None
    span: SpanBody | None
    stages: StagesBody
    duration_ms: float


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


class FailureBody(Body):
    """A layer that did not answer."""

    stage: str
    error: str


class ScanResponse(Body):
    """The answer to one scan; ``message`` is the position of the deciding message when a conversation was sent."""

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
    failures: list[FailureBody]
    message: int | None = None
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
        span=_span(result.span) if result.span else None,
        stages=StagesBody(
            tokenize_ms=_rounded(stages.tokenize_ms),
            encode_ms=_rounded(stages.encode_ms),
            classify_ms=_rounded(stages.classify_ms),
        ),
        duration_ms=_rounded(result.duration_ms),
    )


def scan_response(scan: Scan, request_id: str, *, explain: bool = False, message: int | None = None) -> ScanResponse:
    """The answer that a scan becomes; scores and times are rounded to four decimals."""
    verdict, cover, model = scan.verdict, scan.coverage, scan.model
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
        failures=[FailureBody(stage=f.stage, error=f.error) for f in scan.failures],
        message=message,
        text_sha256=scan.text_sha256,
        request_id=request_id,
        duration_ms=_rounded(scan.duration_ms),
    )
