"""API Gateway's part on a laptop: an ASGI application that turns a request into a payload 2.0 event and back.

The handlers are called as Lambda calls them, so routing, validation, errors, logs and metrics are the deployed code.
"""

import asyncio
import base64
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from functions.local.events import Event
from functions.local.routes import Route

Handler = Callable[[Event, Any], dict[str, Any]]
Message = MutableMapping[str, Any]

_MAX_BODY_BYTES = 10 * 1024 * 1024  # API Gateway's limit for HTTP APIs
# Who serves on a laptop may do all there; API Gateway writes this for a caller that IAM let in.
_OWNER = {"iam": {"accountId": "000000000000", "userArn": "arn:aws:iam::000000000000:user/local"}}
_TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")


@dataclass(frozen=True, slots=True)
class LocalContext:
    """What a handler may ask of Lambda's context object."""

    function_name: str
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = "1769"
    log_group_name: str = "local"
    log_stream_name: str = "local"

    @property
    def invoked_function_arn(self) -> str:
        """An ARN of the right form."""
        return f"arn:aws:lambda:eu-west-1:000000000000:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Returns a fixed time: nothing is killed on a laptop."""
        return 10_000


class LocalGateway:
    """ASGI application over Lambda handlers; one invocation at a time, as one execution environment has it."""

    def __init__(self, handlers: Sequence[tuple[Route, Handler]]) -> None:
        """Keeps the routes in the order in which they are tried."""
        self._handlers = handlers
        self._one_at_a_time = asyncio.Lock()

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Answers one HTTP request; lifespan and websockets are not handled."""
        body = await _read_body(receive)
        if body is None:
            response: Mapping[str, Any] = _gateway_error(413, "Request Entity Too Large")
        else:
            response = await self._respond(scope, body)
        await _send(response, send)

    async def _respond(self, scope: Message, body: bytes) -> Mapping[str, Any]:
        for route, handler in self._handlers:
            parameters = route.match(scope["method"], scope["path"])
            if parameters is None:
                continue
            event = build_event(scope, body, route, parameters)
            event["requestContext"]["authorizer"] = _OWNER
            async with self._one_at_a_time:
                response = await asyncio.to_thread(handler, event, LocalContext(route.code.name))
            given = {"apigw-requestid": event["requestContext"]["requestId"]}  # as API Gateway does
            return {**response, "headers": {**(response.get("headers") or {}), **given}}
        return _gateway_error(404, "Not Found")


def build_event(scope: Mapping[str, Any], body: bytes, route: Route, parameters: Mapping[str, str]) -> Event:
    """Returns the payload 2.0 event of one ASGI request; a body that is not of a text type is base64."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    query = scope["query_string"].decode("latin-1")
    event: Event = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": scope["path"],
        "rawQueryString": query,
        "headers": headers,
        "requestContext": _request_context(scope, headers, route),
        "isBase64Encoded": False,
    }
    if query:
        event["queryStringParameters"] = dict(parse_qsl(query, keep_blank_values=True))
    if parameters:
        event["pathParameters"] = {name: unquote(value) for name, value in parameters.items()}
    if body:
        event["body"], event["isBase64Encoded"] = _encode_body(body, headers.get("content-type", ""))
    return event


def _request_context(scope: Mapping[str, Any], headers: Mapping[str, str], route: Route) -> dict[str, Any]:
    return {
        "accountId": "000000000000",
        "apiId": "local",
        "domainName": "127.0.0.1",
        "domainPrefix": "local",
        "http": {
            "method": scope["method"],
            "path": scope["path"],
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": str(uuid.uuid4()),
        "routeKey": route.key,
        "stage": "$default",
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
        "timeEpoch": int(time.time() * 1000),
    }


def _encode_body(body: bytes, content_type: str) -> tuple[str, bool]:
    if content_type.lower().startswith(_TEXT_TYPES):
        try:
            return body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode("ascii"), True


async def _read_body(receive: Callable[[], Awaitable[Message]]) -> bytes | None:
    """Returns the whole body, or None once it is longer than API Gateway takes."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _MAX_BODY_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)


async def _send(response: Mapping[str, Any], send: Callable[[Message], Awaitable[None]]) -> None:
    body = str(response.get("body") or "")
    content = base64.b64decode(body) if response.get("isBase64Encoded") else body.encode("utf-8")
    headers = [(name.lower(), str(value)) for name, value in (response.get("headers") or {}).items()]
    headers += [("set-cookie", cookie) for cookie in response.get("cookies") or []]
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": int(response["statusCode"]), "headers": raw})
    await send({"type": "http.response.body", "body": content})


def _gateway_error(status: int, message: str) -> dict[str, Any]:
    """Returns the answer that API Gateway itself gives, before any function is called."""
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": f'{{"message":"{message}"}}'}
