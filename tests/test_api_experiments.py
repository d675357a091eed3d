"""Feedback and report through the function's own handler, and what the scan function counts on the way."""

import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from raxe.adapters.sqlite import SqliteExperimentStore
from raxe.api import counting
from raxe.api.problems import CONTENT_TYPE
from raxe.settings import Settings
from raxe.values.experiments import ArmTotals, Seen
from tests.factories import MODEL_ID, ZORKMID, ModelsFolder
from tests.fakes import FailingExperiments
from tests.handlers import Handler, load_handler

LATER, SHA = 4e9, "a" * 64
CANARY = "xyloph0ne-canary"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the functions count in."""
    path = tmp_path / "experiments.sqlite"
    monkeypatch.setenv("RAXE_EXPERIMENTS", str(path))
    return path


@pytest.fixture
def store(file: Path) -> SqliteExperimentStore:
    """What is in it: one answer of one arm."""
    store = SqliteExperimentStore(file)
    answer = Seen("champion", "m", flagged=True, latency_ms=8.0, request_id="r1", text_sha256=SHA)
    store.add("e", "champion", ArmTotals.of([answer]))
    store.remember("e", [answer], LATER)
    return store


@pytest.fixture
def feedback(file: Path) -> Handler:  # noqa: ARG001  (it sets the variable)
    """The route for labels."""
    return load_handler("experiments", "/v1/feedback")


@pytest.fixture
def scanning(models: ModelsFolder, file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Handler]:  # noqa: ARG001
    """The scan route, which counts in the file."""
    monkeypatch.setenv("RAXE_MODELS_DIR", str(models.root))
    monkeypatch.setenv("RAXE_EXPERIMENT", "e")
    monkeypatch.setattr(counting, "_LAST_S", 20.0)  # of a busy machine
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    yield load_handler("scan", "/v1/scan")
    signal.signal(signal.SIGTERM, before)


def report(feedback: Handler, name: str = "e") -> Any:  # noqa: ANN401  (JSON)
    """The answer of the report's route."""
    return replace(feedback, path=f"/v1/experiments/{name}", method="GET").send("")


@pytest.mark.usefixtures("store")
def test_a_label_is_counted_and_reported(feedback: Handler) -> None:
    """Once for each answer, and another one moves it; the report has it at once."""
    outcomes = [
        feedback.send({"request_id": "r1", "label": "benign"}).body["outcome"],
        feedback.send({"text_sha256": SHA, "label": "benign"}).body["outcome"],
        feedback.send({"request_id": "r1", "text_sha256": SHA, "label": "attack"}).body["outcome"],
    ]
    assert outcomes == ["counted", "unchanged", "moved"]
    answer = report(feedback)
    (arm,) = answer.body["arms"]
    assert (answer.status, arm["arm"], arm["n"], arm["recall"]["value"], arm["fpr"]) == (200, "champion", 1, 1, None)
    assert {metric["finding"] for metric in answer.body["metrics"]} == {"not enough data"}


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        ("", 400, ["body"]),
        ('{"request_id": ', 400, ["body"]),
        ("[]", 422, ["body"]),
        ({}, 422, ["label"]),
        ({"label": "attack"}, 422, ["body"]),
        ({"request_id": "r1"}, 422, ["label"]),
        ({"request_id": "r1", "label": "Attack"}, 422, ["label"]),
        ({"request_id": "r1", "label": True}, 422, ["label"]),
        ({"request_id": "", "label": "attack"}, 422, ["request_id"]),
        ({"request_id": f"a {CANARY}", "label": "attack"}, 422, ["request_id"]),
        ({"request_id": "a" * 129, "label": "attack"}, 422, ["request_id"]),
        ({"request_id": 5, "label": "attack"}, 422, ["request_id"]),
        ({"text_sha256": CANARY, "label": "attack"}, 422, ["text_sha256"]),
        ({"text_sha256": SHA.upper(), "label": "attack"}, 422, ["text_sha256"]),
        ({"text": CANARY, "request_id": "r1", "label": "attack"}, 422, ["text"]),
        ({"request_id": "nobody", "label": "attack"}, 404, []),
        ({"request_id": "r1", "text_sha256": "b" * 64, "label": "attack"}, 404, []),
    ],
)
def test_bad_feedback_has_its_status_and_counts_nothing(
    feedback: Handler, body: object, status: int, named: list[str]
) -> None:
    """Each wrong body gives a problem that names the field and repeats no value."""
    answer = feedback.send(body)
    assert (answer.status, answer.content_type) == (status, CONTENT_TYPE)
    assert [error["field"] for error in answer.body["errors"]] == named
    assert CANARY not in f"{answer}"
    assert report(feedback).body["arms"][0]["accuracy"] is None


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("name", ["nobody", "UPPER", "a" * 65, "%20", "a%2Fb"])
def test_an_unknown_experiment_is_not_found(feedback: Handler, name: str) -> None:
    """As is a name that none can have."""
    assert report(feedback, name).status == 404


def test_a_store_that_fails_is_503(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And the problem says nothing of its cause."""
    monkeypatch.setenv("RAXE_EXPERIMENTS", str(tmp_path / "none" / CANARY))
    feedback = load_handler("experiments", "/v1/feedback")
    for answer in (feedback.send({"request_id": "r1", "label": "attack"}), report(feedback)):
        assert (answer.status, answer.body["errors"]) == (503, [])
        assert CANARY not in str(answer)


def counted(file: Path) -> dict[str, ArmTotals]:
    """What the scan function had counted when it was told to end."""
    signal.raise_signal(signal.SIGTERM)
    return SqliteExperimentStore(file).read("e")


def test_scans_are_counted_and_can_be_labelled(scanning: Handler, feedback: Handler, file: Path) -> None:
    """One answer a scan, with flags and latency, under its model's arm; a label finds it by its request."""
    scanning.send({"text": f"a {ZORKMID}"})
    scanning.send({"text": "hello"}, requestContext=context("second"))
    (totals,) = counted(file).values()
    assert (totals.n, totals.flagged, totals.errors, totals.timed) == (2, 1, 0, 2)
    assert totals.models == {MODEL_ID}
    answer = feedback.send({"request_id": "second", "label": "benign"})
    assert answer.body == {"experiment": "e", "arm": "champion", "outcome": "counted"}


def test_a_batch_counts_its_items_without_their_time(scanning: Handler, feedback: Handler, file: Path) -> None:
    """A text that stands in it twice once, a bad item not; a label for it must name the text."""
    items = [{"text": f"a {ZORKMID}"}, {"text": "hello"}, {"text": "hello"}, {"text": ""}]
    body = replace(scanning, path="/v1/scan/batch").send({"items": items}).body
    (totals,) = counted(file).values()
    assert (totals.n, totals.flagged, totals.timed) == (2, 1, 0)
    label = {"request_id": "the-request", "label": "attack"}
    assert feedback.send(label).body["errors"][0]["field"] == "text_sha256"
    sha = body["items"][0]["result"]["text_sha256"]
    assert feedback.send({**label, "text_sha256": sha}).body["outcome"] == "counted"


def test_a_conversation_is_one_answer(scanning: Handler, file: Path) -> None:
    """Its worst message's; with an explanation it has no latency."""
    messages = [{"role": "user", "content": text} for text in ("hello", f"a {ZORKMID}")]
    scanning.send({"messages": messages, "explain": True})
    (totals,) = counted(file).values()
    assert (totals.n, totals.flagged, totals.timed) == (1, 1, 0)


def test_a_failing_store_raises_a_metric_and_no_error(
    scanning: Handler, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The next request says how many answers were lost; both are answered as always."""
    failing = FailingExperiments(RuntimeError(CANARY))
    monkeypatch.setattr(SqliteExperimentStore, "remember", failing.remember)
    assert scanning.send({"text": "hello"}).status == 200
    signal.raise_signal(signal.SIGTERM)
    answer = scanning.send({"text": "hello"})
    assert (answer.status, '"lost":1' in answer.logs) == (200, True)
    emf = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "ExperimentAnswersLost" in line]
    assert [each["ExperimentAnswersLost"] for each in emf] == [[1.0]]
    assert CANARY not in f"{answer}{emf}"


def test_without_the_variable_nothing_is_counted() -> None:
    """There is nothing that could."""
    assert counting.start_recorder(Settings()) is None


def context(request_id: str) -> dict[str, object]:
    """The context of another request."""
    http = {"method": "POST", "path": "/v1/scan", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test"}
    return {"http": http, "requestId": request_id, "stage": "$default"}
