"""What all routes share: a request's id and query, answers and problems as JSON."""

import base64
import binascii
import json
import logging
import uuid
from http import HTTPStatus
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import ApiGatewayResolver, Router
from pydantic import BaseModel

from raxe.api.observability import record_problem
from raxe.api.problems import CONTENT_TYPE, InvalidBody, Problem, problem_of

Q = TypeVar("Q", bound=BaseModel)

_JSON = "application/json"
# Powertools logs the parameters of a route at DEBUG: parts of a path that anyone can write.
logging.getLogger("aws_lambda_powertools.event_handler.api_gateway").setLevel(logging.INFO)


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


def new_router() -> Router:
    """A router without routes."""
    return Router()  # type: ignore[no-untyped-call]  # Powertools leaves it untyped


def json_answer(body: BaseModel, status: int = 200) -> Response[str]:
    """The body as JSON."""
    return Response(status, _JSON, body.model_dump_json())


def request_id(app: Any) -> str:  # noqa: ANN401  (a router and a resolver share this by convention, not by type)
    """API Gateway's request id, so that callers, logs and traces name a scan alike; a fresh one when served locally."""
    context = app.current_event.get("requestContext") or {}
    return str(context.get("requestId") or uuid.uuid4())


def query_of(router: Router, kind: type[Q]) -> Q:
    """The query of the request as a checked value; raises ValidationError, for a parameter it does not know too."""
    return kind.model_validate(router.current_event.query_string_parameters or {})


def body_of(router: Router) -> str | bytes:
    """The body as it was sent, empty when there is none; raises InvalidBody where it only says to be base64."""
    event = router.current_event
    raw = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return raw
    try:
        return base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidBody("is marked as base64 but is not", field="body") from None


def _problem(app: Any, problem: Problem) -> Response[str]:  # noqa: ANN401
    return Response(int(problem.status), CONTENT_TYPE, json.dumps(problem.body(request_id(app))))
