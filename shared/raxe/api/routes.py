"""HTTP routes over the services, for any Powertools resolver: API Gateway in Lambda, a local one for ``make serve``."""

import base64
import binascii
import json
import uuid
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver, Router
from pydantic import BaseModel

from raxe.api.health import HealthService
from raxe.api.observability import record, record_health, record_problem, record_start
from raxe.api.problems import CONTENT_TYPE, InvalidBody, Problem, problem_of
from raxe.api.service import ScanService
from raxe.bootstrap import Engine
from raxe.errors import InvalidInput

_JSON = "application/json"
_STATUS = {"healthy": 200, "degraded": 200, "unhealthy": 503}


def scan_router(engine: Engine) -> Router:
    """``POST /v1/scan`` and ``POST /v1/scan/batch``."""
    router, service = _router(), ScanService(engine)
    record_start(engine.cause, engine.choice)

    @router.post("/v1/scan")
    def scan() -> Response[str]:
        answer = service.scan(_body(router), _request_id(router))
        record(answer.scans)
        return _json(answer.body)

    @router.post("/v1/scan/batch")
    def batch() -> Response[str]:
        answer = service.batch(_body(router), _request_id(router))
        record(answer.scans)
        return _json(answer.body)

    return router


def health_router(engine: Engine) -> Router:
    """``GET /v1/health?depth=live|ready|deep``."""
    router, service = _router(), HealthService(engine)
    record_start(engine.cause, engine.choice)

    @router.get("/v1/health")
    def health() -> Response[str]:
        depth = (router.current_event.query_string_parameters or {}).get("depth", "ready")
        if depth not in {"live", "ready", "deep"}:
            raise InvalidInput("must be live, ready or deep", field="depth")
        answer = service.check(depth)
        record_health(answer.status)
        return _json(answer, _STATUS[answer.status])

    return router


def handle_errors(app: ApiGatewayResolver) -> None:
    """Makes every error of ``app`` a problem JSON; an unknown one is a 500 that says nothing of its cause."""

    @app.exception_handler(Exception)  # type: ignore[untyped-decorator]  # Powertools leaves it untyped
    def failed(error: Exception) -> Response[str]:
        problem = problem_of(error)
        record_problem(problem.status, problem.known_fields, error)
        return _problem(app, problem)

    @app.not_found
    def missing(error: Exception) -> Response[str]:
        record_problem(HTTPStatus.NOT_FOUND, [], error)
        return _problem(app, Problem(HTTPStatus.NOT_FOUND, "There is no such route"))


def _router() -> Router:
    return Router()  # type: ignore[no-untyped-call]  # Powertools leaves it untyped


def _json(body: BaseModel, status: int = 200) -> Response[str]:
    return Response(status, _JSON, body.model_dump_json())


def _problem(app: Any, problem: Problem) -> Response[str]:  # noqa: ANN401
    return Response(int(problem.status), CONTENT_TYPE, json.dumps(problem.body(_request_id(app))))


def _request_id(app: Any) -> str:  # noqa: ANN401  (a router and a resolver share this by convention, not by type)
    """API Gateway's request id, so that callers, logs and traces name a scan alike; a fresh one when served locally."""
    context = app.current_event.get("requestContext") or {}
    return str(context.get("requestId") or uuid.uuid4())


def _body(router: Router) -> str | bytes:
    event = router.current_event
    raw = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return raw
    try:
        return base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidBody("is marked as base64 but is not", field="body") from None
