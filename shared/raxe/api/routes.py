"""The routes of scan and health over their services, for any Powertools resolver; those of models are beside."""

from typing import TYPE_CHECKING

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from raxe.api.counting import count, start_recorder
from raxe.api.health import HealthService
from raxe.api.observability import record, record_health, record_rollout, record_shadow, record_start
from raxe.api.service import Answer, ScanService
from raxe.api.web import body_of, json_answer, new_router, request_id
from raxe.bootstrap import Engine
from raxe.errors import InvalidInput

if TYPE_CHECKING:
    from raxe.experiments.recorder import Recorder

_STATUS = {"healthy": 200, "degraded": 200, "unhealthy": 503}


def scan_router(engine: Engine) -> Router:
    """``POST /v1/scan`` and ``POST /v1/scan/batch``."""
    router, service = new_router(), ScanService(engine)
    record_start(engine.cause, engine.choice)
    recorder = start_recorder(engine.settings)

    @router.post("/v1/scan")
    def scan() -> Response[str]:
        return _scanned(engine, recorder, service.scan(body_of(router), request_id(router)))

    @router.post("/v1/scan/batch")
    def batch() -> Response[str]:
        return _scanned(engine, recorder, service.batch(body_of(router), request_id(router)))

    return router


def health_router(engine: Engine) -> Router:
    """``GET /v1/health?depth=live|ready|deep``."""
    router, service = new_router(), HealthService(engine)
    record_start(engine.cause, engine.choice)

    @router.get("/v1/health")
    def health() -> Response[str]:
        depth = (router.current_event.query_string_parameters or {}).get("depth", "ready")
        if depth not in {"live", "ready", "deep"}:
            raise InvalidInput("must be live, ready or deep", field="depth")
        answer = service.check(depth)
        record_health(answer.status)
        record_rollout(engine.rollout.drain() if engine.rollout else ())
        return json_answer(answer, _STATUS[answer.status])

    return router


def _scanned(engine: Engine, recorder: "Recorder | None", answer: Answer) -> Response[str]:
    """The response, after everything that is counted was counted; the shadow scores when the answer is made."""
    record(answer.scans)
    shadowed = answer.shadow()
    record_shadow(shadowed)
    record_rollout(engine.rollout.drain() if engine.rollout else ())
    count(recorder, answer.body, shadowed)
    return json_answer(answer.body)
