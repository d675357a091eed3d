"""The model routes over their service, for any Powertools resolver."""

from collections.abc import Callable

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from raxe.api.access import require_admin
from raxe.api.observability import record_catalog
from raxe.api.registry_bodies import (
    BestQuery,
    CompareQuery,
    CompareResponse,
    ListQuery,
    ModelResponse,
    ModelsResponse,
    Query,
    ReloadResponse,
    StatusResponse,
)
from raxe.api.registry_service import RegistryService
from raxe.api.web import json_answer, new_router, query_of, request_id
from raxe.protocols import BundleStore
from raxe.settings import Settings

_Answer = ModelsResponse | ModelResponse | CompareResponse | StatusResponse | ReloadResponse


def registry_router(store: BundleStore, settings: Settings) -> Router:
    """``GET /v1/models``, ``/best``, ``/compare``, ``/status``, ``/{id}`` and ``POST /v1/models/reload``."""
    router, service = new_router(), RegistryService(store, settings)

    def answered(make: Callable[[str], _Answer]) -> Response[str]:
        body = make(request_id(router))
        record_catalog(body.catalog.age_s, body.catalog.broken, service.error)
        return json_answer(body)

    @router.get("/v1/models")
    def models() -> Response[str]:
        query = query_of(router, ListQuery)
        return answered(lambda request: service.models(query, request))

    @router.get("/v1/models/best")
    def best() -> Response[str]:
        query = query_of(router, BestQuery)
        return answered(lambda request: service.best(query, request))

    @router.get("/v1/models/compare")
    def compare() -> Response[str]:
        query = query_of(router, CompareQuery)
        return answered(lambda request: service.compare(query, request))

    @router.get("/v1/models/status")
    def status() -> Response[str]:
        query_of(router, Query)
        return answered(service.status)

    @router.post("/v1/models/reload")
    def reload() -> Response[str]:
        require_admin(router.current_event.get("requestContext") or {}, settings.admin_scope)
        query_of(router, Query)
        return answered(service.reload)

    @router.get("/v1/models/<model_id>")
    def model(model_id: str) -> Response[str]:
        query_of(router, Query)
        return answered(lambda request: service.model(model_id, request))

    return router
