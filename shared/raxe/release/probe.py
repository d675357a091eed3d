"""A version of the scan function under test: scans are sent to it as API Gateway sends them."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from raxe.errors import FunctionRaised, OutOfTime
from raxe.protocols import Function, Invocation

_OK = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """The parts of a scan's answer that are looked at; ``model`` is its id and digest, None for the rules alone."""

    verdict: str
    duration_ms: float
    failures: tuple[str, ...]
    model: tuple[str, str] | None
    version: str
    l2_score: float | None = None


class Probe:
    """Sends scans to a function until ``deadline`` in seconds of ``time.monotonic``; a call may end after it."""

    def __init__(self, function: Function, deadline: float) -> None:
        """Takes the function and when to stop."""
        self._function, self._deadline = function, deadline

    def scan(self, text: str, *, explain: bool = False) -> Answer:
        """The answer to one text; ``explain`` asks for the model's score too.

        Raises:
            OutOfTime: the deadline is over; nothing was sent.
            FunctionRaised: the function raised, or did not answer with a scan.
            ServiceFailed: it could not be called.
        """
        body = {"text": text, "source": "user"} | ({"explain": True} if explain else {})
        called = self.call("POST", "/v1/scan", json.dumps(body))
        try:
            if called.answer["statusCode"] != _OK:
                raise FunctionRaised(f"status {called.answer['statusCode']} for a scan")
            return _read(json.loads(called.answer["body"]), called.version)
        except (KeyError, TypeError, ValueError) as error:
            raise FunctionRaised(f"the answer is not that of a scan: {type(error).__name__}") from None

    def call(self, method: str, path: str, body: str = "", query: Mapping[str, str] | None = None) -> Invocation:
        """What the function returned for an HTTP request; raises as ``scan``."""
        if time.monotonic() > self._deadline:
            raise OutOfTime("the checks took too long")
        return self._function.invoke(_event(method, path, body, query or {}))


def _event(method: str, path: str, body: str, query: Mapping[str, str]) -> dict[str, Any]:
    """An event of an HTTP API, payload 2.0."""
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "raxe-hook"}
    return {
        "version": "2.0", "routeKey": f"{method} {path}", "rawPath": path,
        "rawQueryString": "&".join(f"{name}={value}" for name, value in query.items()),
        "queryStringParameters": dict(query), "headers": {"content-type": "application/json"},
        "requestContext": {"http": http, "requestId": "raxe-hook", "stage": "$default"},
        "body": body, "isBase64Encoded": False,
    }  # fmt: skip


def _read(body: Mapping[str, Any], version: str) -> Answer:
    model = body["model"]
    windows: Sequence[Mapping[str, Any]] = (body.get("explanation") or {}).get("windows", ())
    return Answer(
        str(body["verdict"]),
        float(body["duration_ms"]),
        tuple(f"{each['stage']}:{each['error']}" for each in body["failures"]),
        (str(model["id"]), str(model["digest"])) if model else None,
        version,
        float(windows[0]["score"]) if windows else None,
    )
