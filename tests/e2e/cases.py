"""What each event of events/ must be answered with: one table, for the source tree and for the built stack."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.local.events import ROOT

_FLAGGED = ("review", "block")


@dataclass(frozen=True, slots=True)
class Case:
    """One event and the answer it must get.

    Attributes:
        event: name of the file in events/.
        function: folder of the function that takes it.
        status: HTTP status.
        verdicts: allowed verdicts of a scan; empty where the answer is no scan.
        field: the field that a problem names; empty where it names none.
    """

    event: str
    function: str
    status: int
    verdicts: tuple[str, ...] = ()
    field: str = ""


CASES = [
    Case("scan", "scan", 200, ("block",)),
    Case("scan_benign", "scan", 200, ("allow",)),
    Case("scan_subject", "scan", 200, ("allow",)),
    Case("scan_messages", "scan", 200, _FLAGGED),
    Case("scan_document", "scan", 200, _FLAGGED),
    Case("scan_batch", "scan", 200),
    Case("scan_bad_json", "scan", 400, field="body"),
    Case("scan_unknown_field", "scan", 422, field="colour"),
    Case("scan_base64_body", "scan", 200, _FLAGGED),
    Case("health_live", "health", 200),
    Case("health_ready", "health", 200),
    Case("health_deep", "health", 200),
    Case("models_list", "registry", 200),
    Case("models_bad_filter", "registry", 422, field="status"),
    Case("models_get", "registry", 200),
    Case("models_unknown", "registry", 404, field="id"),
    Case("models_best", "registry", 200),
    Case("models_bad_criteria", "registry", 422, field="criteria"),
    Case("models_compare", "registry", 404, field="ids.1"),
    Case("models_status", "registry", 200),
    Case("models_reload", "registry", 200),
    Case("models_reload_jwt", "registry", 200),
    Case("models_reload_without_scope", "registry", 403),
    Case("feedback_request", "experiments", 404),
    Case("feedback_text", "experiments", 404),
    Case("feedback_without_label", "experiments", 422, field="label"),
    Case("feedback_bad_json", "experiments", 400, field="body"),
    Case("experiment", "experiments", 404),
]
# Events that no route brings; tests/e2e/test_hooks.py and test_rollback.py send them to their functions.
OTHER_EVENTS = ["alarm_challenger", "alarm_champion", "alarm_ok", "codedeploy_hook"]
EVENT_FILES = sorted(path.stem for path in (ROOT / "events").glob("*.json"))


def check(case: Case, response: Mapping[str, Any]) -> None:
    """Asserts that a handler's response is what the case asks, and that an error does not repeat what was sent."""
    body = json.loads(response["body"])
    assert response["statusCode"] == case.status, body
    if case.verdicts:
        assert body["verdict"] in case.verdicts, body
        assert body["failures"] == []
    if case.event == "scan_batch":
        _check_batch(body)
    if case.function == "health":
        assert body["status"] in {"healthy", "degraded"}, body  # a slow machine is degraded, and still answers
        assert body.get("checks", {}).get("model", "ok") == "ok", body
    if case.function == "registry" and case.status == 200:
        assert body["catalog"]["models"] >= 1, body
        assert not body["catalog"]["stale"], body
    if case.status >= 400:
        _check_problem(case, response, body)


def _check_batch(body: Mapping[str, Any]) -> None:
    benign, attack, empty = body["items"]
    assert benign["result"]["verdict"] == "allow"
    assert attack["result"]["verdict"] == "block"
    assert empty["error"]["status"] == 422


def _check_problem(case: Case, response: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    headers = {name.lower(): value for name, value in response["headers"].items()}
    assert headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status"} <= body.keys()
    assert [each["field"] for each in body["errors"]] == ([case.field] if case.field else [])
    for said in ("object that never ends", "capital of France", "blue", "retired", "nobody", '"speed"'):
        assert said not in response["body"], "a problem repeats what was sent"
