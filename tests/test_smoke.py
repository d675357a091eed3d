"""The smoke tests pass against `make serve`, fail against an API that is wrong, and sign as API Gateway asks."""

import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from functions.local.events import ROOT
from functions.local.host import free_ports
from tests.s3 import running
from tests.smoke.client import Api, from_environment

SMOKE = "tests/smoke/api.py"
START_S = 120
SECRET = "secret-of-nobody"  # noqa: S105  (of nobody)


def smoke(address: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs the smoke tests against an address in a process of their own, as `make smoke` does."""
    env = {**os.environ, "PYTHONPATH": "shared:training", "RAXE_BASE_URL": address, **variables}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", SMOKE]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """The address of `make serve` on a free port."""
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    env = {**os.environ, "PYTHONPATH": "shared:training", "RAXE_PORT": str(port)}
    command = [sys.executable, "-m", "functions.local.serve"]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(address, process)
            yield address
        finally:
            process.terminate()


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            with urlopen(f"{address}/v1/health?depth=live", timeout=5):  # noqa: S310  (loopback)
                return
        except URLError:
            time.sleep(0.1)
    pytest.fail("`make serve` did not start")


def test_smoke_tests_pass_against_make_serve(served: str) -> None:
    """Every smoke test passes on the local API, and the latency stands beside its budget."""
    done = smoke(served, RAXE_EXPECT_MODEL="raxe-minilm-l6-v1")
    assert done.returncode == 0, done.stdout
    assert re.search(r"P95 of 20: [0-9.]+ ms \(budget 2\), round trip [0-9]+ ms", done.stdout)
    assert "skipped" not in done.stdout


def test_smoke_tests_notice_another_model(served: str) -> None:
    """A model that was not deployed fails the one test that asks for it."""
    done = smoke(served, RAXE_EXPECT_MODEL="another")
    assert (done.returncode, "1 failed" in done.stdout) == (1, True), done.stdout


class Wrong(BaseHTTPRequestHandler):
    """Allows everything, repeats what it was sent, and keeps the last request."""

    last: dict[str, Any] = {}  # noqa: RUF012  (of the class on purpose: a handler lives for one request)

    def do_GET(self) -> None:
        """Answers 200 with the same scan to everything."""
        sent = self.rfile.read(int(self.headers.get("content-length") or 0))
        Wrong.last = {"path": self.path, "headers": dict(self.headers), "body": sent}
        body = {"verdict": "allow", "is_attack": False, "failures": [], "duration_ms": 1, "echo": sent.decode()}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    do_POST = do_GET  # noqa: N815  (name of the base class)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (of the base class)
        """Says nothing."""


@contextmanager
def wrong_api() -> Iterator[str]:
    """The address of an API that does everything wrong."""
    with running(ThreadingHTTPServer(("127.0.0.1", 0), Wrong)) as address:
        yield address


def test_smoke_tests_notice_an_api_that_allows_everything() -> None:
    """Against an API that is wrong all tests fail but those that such an API cannot fail."""
    with wrong_api() as address:
        done = smoke(address)
    assert done.returncode == 1
    passed = re.findall(r"(\d+) passed", done.stdout)
    assert passed == ["8"], done.stdout  # seven benign texts, which it allows too, and the latency


def test_smoke_tests_want_an_address() -> None:
    """Without an address nothing is asked, and the variable is named."""
    done = smoke("")
    assert (done.returncode, "RAXE_BASE_URL" in done.stdout) == (1, True)


@pytest.mark.parametrize(
    ("variables", "region", "token"),
    [
        ({"RAXE_BASE_URL": "http://127.0.0.1:8000/"}, None, None),
        ({"RAXE_BASE_URL": "https://abc123.execute-api.eu-west-1.amazonaws.com"}, "eu-west-1", None),
        ({"RAXE_BASE_URL": "https://firewall.example", "RAXE_SIGN_REGION": "eu-north-1"}, "eu-north-1", None),
        ({"RAXE_BASE_URL": "https://abc123.execute-api.eu-west-1.amazonaws.com", "RAXE_JWT": "a.b.c"}, None, "a.b.c"),
    ],
    ids=["local", "gateway", "own domain", "token"],
)
def test_address_and_token_decide_how_requests_are_let_in(
    variables: dict[str, str], region: str | None, token: str | None
) -> None:
    """An address of API Gateway is signed for its region, a token takes the signature's place, loopback needs none."""
    api = from_environment(variables)
    assert (api.region, api.token) == (region, token)
    assert not api.address.endswith("/")


def test_a_token_is_sent() -> None:
    """The token of a JWT authorizer stands in the header that API Gateway reads."""
    with wrong_api() as address:
        Api(address, token="a.b.c").send("GET", "/v1/health")  # noqa: S106  (of nobody)
    assert Wrong.last["headers"]["authorization"] == "Bearer a.b.c"


def test_requests_are_signed_for_api_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signature is that of SigV4 for execute-api over path, query, headers and body, computed here by hand."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key-of-nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    with wrong_api() as address:
        Api(address, region="eu-west-1").send("POST", "/v1/scan?a=b", {"text": "x"})
    headers = {name.lower(): value for name, value in Wrong.last["headers"].items()}
    day = headers["x-amz-date"][:8]
    scope = f"{day}/eu-west-1/execute-api/aws4_request"
    said = re.fullmatch(
        f"AWS4-HMAC-SHA256 Credential=key-of-nobody/{scope}, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]+)",
        headers["authorization"],
    )
    assert said
    signed = "".join(f"{name}:{headers[name]}\n" for name in said[1].split(";"))
    digest = hashlib.sha256(Wrong.last["body"]).hexdigest()
    request = f"POST\n/v1/scan\na=b\n{signed}\n{said[1]}\n{digest}"
    text = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{SECRET}".encode()
    for part in (day, "eu-west-1", "execute-api", "aws4_request", text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    assert key.hex() == said[2]
