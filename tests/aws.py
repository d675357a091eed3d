"""Lambda's Invoke and CodeDeploy's hook status on loopback, for clients of boto3.

moto invokes functions only in Docker and does not know PutLifecycleEventHookExecutionStatus, so this small server keeps
to both contracts instead: paths, headers and errors are those of AWS's API reference; what is called is real code.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote

Handle = Callable[[dict[str, Any]], Any]
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:"


@dataclass(slots=True)
class FakeAws:
    """Functions by qualified ARN with the version each stands for, deployments that wait, and what hooks reported."""

    functions: dict[str, tuple[Handle, str]] = field(default_factory=dict)
    waiting: set[tuple[str, str]] = field(default_factory=lambda: {("d-1", "hook-1")})
    reports: list[tuple[str, str, str]] = field(default_factory=list)
    address: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which boto3 finds this server."""
        return {"AWS_ENDPOINT_URL_LAMBDA": self.address, "AWS_ENDPOINT_URL_CODEDEPLOY": self.address}

    def invoke(self, arn: str, event: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        """Lambda's answer: status, headers, body."""
        if arn not in self.functions:
            return 404, {"x-amzn-ErrorType": "ResourceNotFoundException"}, {"Message": "Function not found"}
        handle, version = self.functions[arn]
        try:
            return 200, {"X-Amz-Executed-Version": version}, handle(event)
        except Exception as error:  # noqa: BLE001  (Lambda answers 200 with this header whatever a function raises)
            headers = {"X-Amz-Executed-Version": version, "X-Amz-Function-Error": "Unhandled"}
            return 200, headers, {"errorType": type(error).__name__}

    def report(self, given: Mapping[str, str]) -> tuple[int, dict[str, str], Any]:
        """CodeDeploy's answer."""
        hook = (given["deploymentId"], given["lifecycleEventHookExecutionId"])
        if hook not in self.waiting:
            return 400, {}, {"__type": "DeploymentDoesNotExistException", "message": "no such deployment"}
        if any(each[:2] == hook for each in self.reports):
            return 400, {}, {"__type": "LifecycleEventAlreadyCompletedException", "message": "already"}
        if given["status"] not in {"Succeeded", "Failed"}:
            return 400, {}, {"__type": "InvalidLifecycleEventHookExecutionStatusException", "message": "status"}
        self.reports.append((*hook, given["status"]))
        return 200, {}, {"lifecycleEventHookExecutionId": hook[1]}

    def answer(self, path: str, target: str, body: bytes) -> tuple[int, dict[str, str], Any]:
        """The answer to one request."""
        parts = path.split("/")
        if parts[1:3] == ["2015-03-31", "functions"] and parts[4] == "invocations":
            return self.invoke(unquote(parts[3]), json.loads(body))
        if target == "CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus":
            return self.report(json.loads(body))
        return 400, {}, {"__type": "UnknownOperationException"}


@contextmanager
def fake_aws() -> Iterator[FakeAws]:
    """A running server with no functions and one deployment that waits."""
    aws = FakeAws()

    class Handler(BaseHTTPRequestHandler):
        """Answers."""

        def do_POST(self) -> None:
            """Every call of both services is one."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers, answer = aws.answer(self.path, self.headers.get("X-Amz-Target", ""), body)
            data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {
                **headers,
                "Content-Type": "application/json",
                "Content-Length": str(len(data)),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (of the base class)
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    aws.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield aws
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
