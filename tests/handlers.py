"""The functions' own handlers in this process, over the tiny model, with what they log and print."""

import importlib.util
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.local.events import ROOT
from functions.local.gateway import LocalContext
from raxe.api.observability import logger, metrics
from raxe.api.routes import scan_router
from raxe.api.web import handle_errors
from raxe.bootstrap import Engine, process_engine

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler returned, and what it logged."""

    status: int
    content_type: str
    body: Any
    logs: str


@dataclass(frozen=True, slots=True)
class Handler:
    """One function of the stack."""

    path: str
    method: str
    handle: Callable[[Event, LocalContext], Mapping[str, Any]]

    def send(self, body: object = None, /, *, query: Mapping[str, str] | None = None, **event: object) -> Answer:
        """The answer to one request; a body that is no string is sent as JSON, ``event`` replaces its fields."""
        raw = body if isinstance(body, str) else json.dumps(body)
        http = {
            "method": self.method,
            "path": self.path,
            "protocol": "HTTP/1.1",
            "sourceIp": "192.0.2.1",
            "userAgent": "test",
        }
        sent = {
            "version": "2.0", "rawPath": self.path, "rawQueryString": "", "body": raw,
            "headers": {"content-type": "application/json"}, "routeKey": f"{self.method} {self.path}",
            "queryStringParameters": dict(query or {}), "isBase64Encoded": False,
            "requestContext": {"http": http, "requestId": "the-request", "stage": "$default"}, **event,
        }  # fmt: skip
        logs = io.StringIO()
        stream = logger.registered_handler.setStream(logs)  # type: ignore[attr-defined]
        try:
            answer = self.handle(sent, LocalContext("function"))
        finally:
            logger.registered_handler.setStream(stream)  # type: ignore[attr-defined]
        return Answer(
            answer["statusCode"], answer["headers"]["Content-Type"], json.loads(answer["body"]), logs.getvalue()
        )


def scan_handler_of(engine: Engine) -> Handler:
    """The scan route over any engine, with metrics and errors as the function has them."""
    app = APIGatewayHttpResolver(debug=False)
    app.include_router(scan_router(engine))
    handle_errors(app)
    return Handler("/v1/scan", "POST", metrics.log_metrics(app.resolve))


def load_handler(name: str, path: str, method: str = "POST") -> Handler:
    """The handler of ``functions/<name>/app.py``, imported afresh: the environment decides what it loads."""
    spec = importlib.util.spec_from_file_location(f"app_of_{name}", ROOT / "functions" / name / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    process_engine.cache_clear()
    try:
        spec.loader.exec_module(module)
    finally:
        process_engine.cache_clear()  # whoever asks next must not get this test's model
    return Handler(path, method, module.handler)
