"""An experiment from scan to report, under the emulator, in a file and in a DynamoDB table on a moto server."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from functions.local.emulator import EmulatorOptions, LambdaEmulator
from functions.local.environment import local_environment
from functions.local.events import ROOT, load_event
from raxe.adapters.sqlite import SqliteExperimentStore
from tests.dynamodb import new_table

WAIT_S = 30.0
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "eu-west-1"}


def ask(emulator: LambdaEmulator, event: str) -> tuple[int, Any]:
    """Returns status and body of the answer to an event."""
    answer = emulator.invoke(load_event(event))
    return answer["statusCode"], json.loads(answer["body"])


@pytest.mark.usefixtures("_needs_emulator")
@pytest.mark.parametrize("kind", ["file", "table"])
def test_a_scan_is_counted_labelled_and_reported(kind: str, tmp_path: Path, s3_endpoint: str) -> None:
    """A scan of one function is in the report of the other within seconds, with the label that feedback gave it."""
    place = str(tmp_path / "ab.sqlite") if kind == "file" else f"dynamodb:{new_table(s3_endpoint)}"
    env = {**local_environment(), **CREDENTIALS, "RAXE_EXPERIMENTS": place, "AWS_ENDPOINT_URL_DYNAMODB": s3_endpoint}
    options = EmulatorOptions(python_path=(ROOT / "shared",), env=env)
    with (
        LambdaEmulator(ROOT / "functions" / "scan", options) as scan,
        LambdaEmulator(ROOT / "functions" / "experiments", options) as experiments,
    ):
        assert ask(experiments, "experiment")[0] == 404
        assert ask(scan, "scan")[1]["verdict"] == "block"
        deadline = time.monotonic() + WAIT_S
        while (said := ask(experiments, "feedback_request")[0]) != 200 and time.monotonic() < deadline:
            time.sleep(0.5)
        assert said == 200
        status, body = ask(experiments, "experiment")
    assert status == 200
    (arm,) = body["arms"]
    assert (arm["arm"], arm["n"], arm["flag_rate"]["value"], arm["recall"]["value"]) == ("champion", 1, 1, 1)
    for words in ("Ignore all", "system prompt"):
        assert words not in scan.function_logs + experiments.function_logs


@pytest.mark.usefixtures("_needs_emulator")
def test_sigterm_writes_what_waits(tmp_path: Path) -> None:
    """Where Lambda sends it, the function writes before it ends; the runtime of 3.12 and later lets it be heard."""
    file = tmp_path / "ab.sqlite"
    env = {**local_environment(), "RAXE_EXPERIMENTS": str(file), "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13"}
    options = EmulatorOptions(python_path=(ROOT / "shared",), env=env)
    with LambdaEmulator(ROOT / "functions" / "scan", options) as scan:
        ask(scan, "scan")
        ask(scan, "scan_benign")
        (pid,) = runtimes(scan)
        os.kill(pid, signal.SIGTERM)
        # Without the signal it is written too, but in the five seconds after the first scan.
        deadline = time.monotonic() + WAIT_S
        while pid in runtimes(scan) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert SqliteExperimentStore(file).read("rollout")["champion"].n == 2


def runtimes(emulator: LambdaEmulator) -> list[int]:
    """The ids of the processes that run the function, which share the session of the emulator."""
    assert emulator._process is not None
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            pid = int(each.parent.name)
            if b"awslambdaric" in each.read_bytes().split(b"\0")[:4] and os.getsid(pid) == emulator._process.pid:
                found.append(pid)
        except OSError:  # it ended meanwhile
            continue
    return found
