"""The functions of the source tree under the Lambda emulator, with every event of events/."""

import json
from typing import Any

import pytest

from functions.local.emulator import LambdaEmulator
from functions.local.events import load_event
from tests.e2e.cases import CASES, EVENT_FILES, OTHER_EVENTS, Case, check
from tests.e2e.conftest import Emulators


def test_every_event_has_a_case() -> None:
    """An event file without an expectation proves nothing."""
    assert sorted([*(case.event for case in CASES), *OTHER_EVENTS]) == EVENT_FILES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.event)
def test_event_is_answered_as_documented(case: Case, emulate_source: Emulators) -> None:
    """Each event gets its status and verdict from the function that the route leads to."""
    check(case, emulate_source(case.function).invoke(load_event(case.event)))


def test_invocations_of_one_process_share_one_session(emulate_source: Emulators) -> None:
    """The model session is built once at import, and warm invocations use it again."""
    health = emulate_source("health")
    built = [_body(health, "health_ready")["sessions_built"] for _ in range(2)]
    assert built == [2, 2]  # the encoder and the heads, once each


def test_scans_of_one_process_share_one_start(emulate_source: Emulators) -> None:
    """Two scans answer from one initialisation, with the same model and no session built in between."""
    scan = emulate_source("scan")
    models = [_body(scan, "scan")["model"] for _ in range(2)]
    assert models[0] == models[1]
    assert models[0]["digest"]
    assert scan.emulator_logs.count("INIT START") == 1
    lines = [json.loads(line) for line in scan.function_logs.splitlines() if line.startswith('{"level"')]
    built = [line["sessions_built"] for line in lines if line["message"] == "scan"]
    assert len(built) >= 2
    assert set(built) == {2}


def test_logs_never_carry_the_text(emulate_source: Emulators) -> None:
    """Neither a scanned text nor a refused one reaches the logs."""
    scan = emulate_source("scan")
    for case in CASES:
        if case.function == "scan":
            scan.invoke(load_event(case.event))
    for said in ("capital of France", "garden committee", "collector.example", "never ends", "blue"):
        assert said not in scan.function_logs


def _body(emulator: LambdaEmulator, event: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(emulator.invoke(load_event(event))["body"])
    return body
