"""Runs a function's handler under the Lambda Runtime Interface Emulator, without Docker and without an AWS account.

The emulator is the binary inside the aws-sam-cli wheel; awslambdaric is the runtime client that Lambda itself runs, so
what is exercised here is the real loop: init, next event, response. Used by `make scan` and by the end-to-end tests.
"""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from functions.local.errors import EmulatorError, FunctionFailed, FunctionTimedOut
from functions.local.host import emulator_binary, free_ports

_INVOKE_PATH = "/2015-03-31/functions/function/invocations"
_INIT_DURATION = re.compile(r"INIT REPORT\(durationMs: ([0-9.]+)\)")
_INVOKE_DURATION = re.compile(r"INVOKE RTDONE\(.*duration: ([0-9.]+)ms\)")
_START_ATTEMPTS = 3  # a port that was free may be taken before the emulator binds it
_STOP_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorOptions:
    """How the function is run; the defaults are the stack's.

    Attributes:
        handler: ``module.function`` inside the task root.
        python: interpreter of the function, with awslambdaric in its own or in ``python_path``'s packages.
        python_path: folders that Lambda would have as ``/opt/python``, in order.
        env: variables of the function; the caller's own environment is not passed on.
        memory_mb: what the function believes to have; it is reported, not enforced.
        timeout_s: the function's own timeout; init, which Lambda limits to 10 s, comes on top.
    """

    handler: str = "app.handler"
    python: Path = Path(sys.executable)
    python_path: tuple[Path, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    memory_mb: int = 1769
    timeout_s: int = 30


class LambdaEmulator:
    """One Lambda execution environment as a context manager; invocations are serialised, as Lambda does."""

    def __init__(self, task_root: Path, options: EmulatorOptions | None = None) -> None:
        """Keeps what is to be run; nothing starts before ``with``."""
        self.task_root = task_root.resolve()
        self.options = options or EmulatorOptions()
        self._lock = threading.Lock()
        self._log_dir: tempfile.TemporaryDirectory[str] | None = None
        self._logs = ("", "")
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    def __enter__(self) -> Self:
        """Starts the emulator; the function itself starts at the first invocation, as in Lambda.

        Raises:
            EmulatorUnavailable: there is no emulator binary for this machine.
            EmulatorError: the emulator stopped at once.
        """
        binary = emulator_binary()
        self._log_dir = tempfile.TemporaryDirectory(prefix="raxe-emulator-")
        for _ in range(_START_ATTEMPTS):
            self._launch(binary)
            if self._is_listening():
                return self
            self._stop()
        logs = self.logs
        self.__exit__(None, None, None)
        raise EmulatorError("the Lambda emulator did not start", logs=logs)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops the emulator and the function; the logs stay readable."""
        self._stop()
        self._logs = (self.function_logs, self.emulator_logs)
        if self._log_dir is not None:
            self._log_dir.cleanup()
            self._log_dir = None

    def invoke(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Returns what the handler returned for one event.

        Raises:
            FunctionFailed: the runtime did not start, exited, or the handler raised.
            FunctionTimedOut: no answer within the function's timeout.
            EmulatorError: the emulator is not running or its answer is not a JSON object.
        """
        with self._lock:
            status, body = self._post(json.dumps(event).encode())
        if body.startswith(b"Task timed out"):
            raise FunctionTimedOut(body.decode(), logs=self.logs)
        try:
            answer = json.loads(body)
        except ValueError:
            raise EmulatorError(f"status {status}, and not JSON", logs=self.logs) from None
        if not isinstance(answer, dict):
            raise EmulatorError("the handler did not return an object", logs=self.logs)
        if status != http.client.OK or "errorType" in answer:
            message = str(answer.get("errorMessage", ""))
            raise FunctionFailed(message, error_type=str(answer.get("errorType")), logs=self.logs)
        return answer

    @property
    def function_logs(self) -> str:
        """What the function wrote, with Lambda's START, END and REPORT lines."""
        return self._read("function.log", self._logs[0])

    @property
    def emulator_logs(self) -> str:
        """What the emulator wrote about the phases of the environment."""
        return self._read("emulator.log", self._logs[1])

    @property
    def logs(self) -> str:
        """Both logs, the function's last."""
        return self.emulator_logs + self.function_logs

    @property
    def init_ms(self) -> float | None:
        """Milliseconds from the start of the interpreter to its first request for an event; None before that.

        The REPORT line of the emulator is not used: its init duration leaves out a start that an invocation waits for.
        """
        found = _INIT_DURATION.search(self.emulator_logs)
        return float(found.group(1)) if found else None

    @property
    def invoke_ms(self) -> list[float]:
        """Milliseconds of each invocation so far, init not included."""
        return [float(value) for value in _INVOKE_DURATION.findall(self.emulator_logs)]

    def _launch(self, binary: Path) -> None:
        assert self._log_dir is not None
        logs = Path(self._log_dir.name)
        self._port, runtime_port = free_ports(2)
        command = [str(binary), "--log-level", "info"]
        command += ["--runtime-interface-emulator-address", f"127.0.0.1:{self._port}"]
        command += ["--runtime-api-address", f"127.0.0.1:{runtime_port}"]
        command += [str(self.options.python), "-m", "awslambdaric", self.options.handler]
        with (logs / "function.log").open("wb") as stdout, (logs / "emulator.log").open("wb") as stderr:
            self._process = subprocess.Popen(
                command,
                cwd=self.task_root,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )

    def _environment(self) -> dict[str, str]:
        # No HOME, no AWS profile, no proxy: what the function can reach by accident here it cannot reach in Lambda.
        env = {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_LAMBDA_FUNCTION_NAME": self.task_root.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.options.memory_mb),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(self.options.timeout_s),
            "LAMBDA_TASK_ROOT": str(self.task_root),
            "PYTHONPATH": os.pathsep.join(str(folder.resolve()) for folder in self.options.python_path),
        }
        return env | dict(self.options.env)

    def _is_listening(self) -> bool:
        assert self._process is not None
        deadline = time.monotonic() + 10
        while self._process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return True
            time.sleep(0.01)
        return False

    def _post(self, body: bytes) -> tuple[int, bytes]:
        if self._process is None:
            raise EmulatorError("the Lambda emulator is not running; use `with`")
        timeout_s = self.options.timeout_s + 30  # the emulator's own limit answers first; this one is the last resort
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=timeout_s)
        try:
            connection.request("POST", _INVOKE_PATH, body)
            response = connection.getresponse()
            return response.status, response.read()
        except TimeoutError:
            raise FunctionTimedOut(f"no answer in {timeout_s} s", logs=self.logs) from None
        except (OSError, http.client.HTTPException) as error:
            raise EmulatorError(f"the Lambda emulator went away: {error!r}", logs=self.logs) from error
        finally:
            connection.close()

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        # The session is the emulator's own, so this reaches the function's process too.
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, sign)
                process.wait(_STOP_TIMEOUT_S)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue

    def _read(self, name: str, kept: str) -> str:
        if self._log_dir is None:
            return kept
        path = Path(self._log_dir.name) / name
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
