"""The local gateway makes the events that API Gateway makes, and answers as it does where no function is called."""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from functions.local.events import ROOT, Event, load_event
from functions.local.gateway import LocalGateway, Message, build_event
from functions.local.routes import Route, load_routes

SCAN = Route("POST", "/v1/scan", Path("functions/scan"))
MODEL = Route("GET", "/v1/models/{id}", Path("functions/registry"))


def scope(method: str = "POST", path: str = "/v1/scan", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Returns an ASGI scope."""
    headers = [(b"Content-Type", b"application/json")]
    return {"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers} | more


def ask(gateway: LocalGateway, request: Mapping[str, Any], bodies: Sequence[bytes] = (b"",)) -> tuple[int, bytes]:
    """Returns status and body of the gateway's answer to one request, whose body comes in pieces."""
    pieces = list(bodies)
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(gateway(dict(request), receive, send))
    return sent[0]["status"], sent[1]["body"]


def test_event_has_the_form_of_the_event_files() -> None:
    """Every field that events/scan.json has, an event of the local gateway has too."""
    event = build_event(scope(), b'{"text": "x"}', SCAN, {})
    assert event.keys() == load_event("scan").keys()
    assert event["requestContext"].keys() == load_event("scan")["requestContext"].keys()
    assert event["requestContext"]["http"].keys() == load_event("scan")["requestContext"]["http"].keys()


@pytest.mark.parametrize(
    ("content_type", "body", "is_base64"),
    [
        (b"application/json", b'{"text": "\xc3\xa4"}', False),
        (b"text/plain; charset=utf-8", b"x", False),
        (b"application/json", b"\xff\xfe", True),
        (b"application/octet-stream", b"x", True),
        (b"application/x-www-form-urlencoded", b"x", True),
    ],
)
def test_body_that_is_no_text_is_base64(content_type: bytes, body: bytes, is_base64: bool) -> None:
    """Text types pass as they are; everything else, and bytes that are no UTF-8, is encoded."""
    event = build_event(scope(headers=[(b"content-type", content_type)]), body, SCAN, {})
    assert event["isBase64Encoded"] is is_base64
    assert (base64.b64decode(event["body"]) if is_base64 else event["body"].encode()) == body


def test_query_and_path_reach_the_event() -> None:
    """Query parameters are decoded, repeated headers are joined, path parameters are unquoted."""
    headers = [(b"X-Tag", b"a"), (b"x-tag", b"b")]
    request = scope("GET", "/v1/models/a%20b", query_string=b"depth=deep&q=%C3%A4", headers=headers)
    parameters = MODEL.match("GET", "/v1/models/a%20b")
    assert parameters is not None
    event = build_event(request, b"", MODEL, parameters)
    assert event["queryStringParameters"] == {"depth": "deep", "q": "\u00e4"}
    assert event["pathParameters"] == {"id": "a b"}
    assert event["headers"]["x-tag"] == "a,b"
    assert "body" not in event


def test_handler_answers_and_strangers_get_404() -> None:
    """A route's handler gets event and context; other paths and methods never reach a handler."""

    def handler(event: Event, context: Any) -> dict[str, Any]:  # noqa: ANN401
        assert context.aws_request_id
        return {"statusCode": 201, "headers": {"X-A": "b"}, "body": event["body"]}

    gateway = LocalGateway([(SCAN, handler)])
    assert ask(gateway, scope(), [b"in ", b"pieces"]) == (201, b"in pieces")
    assert ask(gateway, scope("GET"))[0] == 404
    assert ask(gateway, scope(path="/v1/scan/"))[0] == 404


def test_body_over_the_limit_is_refused_unread() -> None:
    """More than 10 MB is 413, as at API Gateway, and no handler sees it."""
    assert ask(LocalGateway([]), scope(), [b"x" * (10 * 1024 * 1024), b"x"])[0] == 413


def test_fixed_paths_come_before_parameters(tmp_path: Path) -> None:
    """`/v1/models/best` is not taken for a model's id."""
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    text = text.replace("POST /v1/scan/batch", "GET /v1/models/{id}").replace("GET /v1/health", "GET /v1/models/best")
    template = tmp_path / "template.yaml"
    template.write_text(text, encoding="utf-8")
    routes = load_routes(template)
    first = next(route for route in routes if route.match("GET", "/v1/models/best") is not None)
    assert first.path == "/v1/models/best"
