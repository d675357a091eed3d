"""One API, asked as its callers ask it: signed for IAM, with a token for JWT, or plain as `make serve` takes it."""

import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session
from botocore.session import Session

_TIMEOUT_S = 30  # API Gateway's own
_EXECUTE_API = re.compile(r"^https://[a-z0-9-]+\.execute-api\.([a-z0-9-]+)\.amazonaws\.")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers by lower-case name, the body as text, and the round trip in milliseconds."""

    status: int
    headers: Mapping[str, str]
    text: str
    took_ms: float

    @property
    def body(self) -> Any:  # noqa: ANN401  (any JSON)
        """The body read as JSON."""
        return json.loads(self.text)


@dataclass(frozen=True, slots=True)
class Api:
    """An API by its address.

    Attributes:
        region: for signing; None leaves requests unsigned.
        token: of a JWT authorizer.
    """

    address: str
    region: str | None = None
    token: str | None = None

    def send(self, method: str, path: str, body: object = None) -> Answer:
        """The answer to one request; a body that is no string is sent as JSON."""
        data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
        headers = {} if data is None else {"content-type": "application/json"}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        request = AWSRequest(method, self.address + path, headers, data)
        if self.region:
            credentials = Session().get_credentials()
            assert credentials, "no AWS credentials to sign with"
            SigV4Auth(credentials, "execute-api", self.region).add_auth(request)
        started = time.perf_counter()
        answer = URLLib3Session(timeout=_TIMEOUT_S).send(request.prepare())
        text = answer.text
        took_ms = (time.perf_counter() - started) * 1000
        return Answer(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, text, took_ms)

    def scan(self, text: str, source: str = "user") -> Answer:
        """The answer to one text."""
        return self.send("POST", "/v1/scan", {"text": text, "source": source})


def from_environment(variables: Mapping[str, str] = os.environ) -> Api:
    """The API of RAXE_BASE_URL.

    RAXE_JWT is sent as a token when it is given. Without it requests are signed when the address is one of API
    Gateway's own, or RAXE_SIGN_REGION names the region of another (a domain name of your own).

    Raises:
        ValueError: RAXE_BASE_URL is missing or no address.
    """
    address = variables.get("RAXE_BASE_URL", "").rstrip("/")
    if not re.match(r"https?://[^/]+", address):
        raise ValueError("RAXE_BASE_URL must be the address of the API, such as http://127.0.0.1:8000")
    token = variables.get("RAXE_JWT") or None
    found = _EXECUTE_API.match(address)
    region = variables.get("RAXE_SIGN_REGION") or (found[1] if found else None)
    return Api(address, None if token else region, token)
