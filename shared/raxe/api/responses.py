"""Answers of the HTTP API apart from the scan itself, which is ``raxe.report``. Text never appears in any of them."""

from typing import Literal

from pydantic import Field

from raxe.report import Body, ModelBody, ScanResponse


class BatchItem(Body):
    """One item's answer: a result, or the problem with it."""

    index: int
    result: ScanResponse | None = None
    error: dict[str, object] | None = None


class BatchResponse(Body):
    """Answers in the order of the items."""

    items: list[BatchItem]
    request_id: str
    duration_ms: float


class HealthResponse(Body):
    """State of the process; ``checks`` name what was looked at."""

    status: Literal["healthy", "degraded", "unhealthy"]
    depth: Literal["live", "ready", "deep"]
    version: str
    model: ModelBody | None = None
    rules: int = 0
    sessions_built: int = 0
    latency_ms: float | None = None
    checks: dict[str, str] = Field(default_factory=dict)
