"""Health: alive, ready, or proven by golden texts; each state has its status."""

from dataclasses import replace

import pytest

from raxe.api.health import HealthService
from raxe.bootstrap import Engine, Golden, build_engine
from raxe.errors import DetectorFailed
from raxe.policy import Policy
from raxe.scanner import Scanner
from raxe.settings import Settings
from raxe.values import L2Result
from tests.factories import MODEL_ID, ModelsFolder
from tests.fakes import FakeModel, FakeRules, Raising
from tests.handlers import Handler, load_handler


@pytest.fixture
def health_of(models: ModelsFolder, monkeypatch: pytest.MonkeyPatch) -> Handler:
    """The health function; the test breaks the folder or the settings before it sends anything, and reloads."""
    monkeypatch.setenv("RAXE_MODELS_DIR", str(models.root))
    return load_handler("health", "/v1/health", "GET")


@pytest.mark.parametrize("depth", ["live", "ready", "deep"])
def test_a_whole_model_is_not_unhealthy(health_of: Handler, depth: str) -> None:
    """Each depth answers 200; what is looked at grows with it. A slow machine may be degraded, by latency alone."""
    answer = health_of.send(query={"depth": depth})
    assert (answer.status, answer.body["depth"]) == (200, depth)
    checks = answer.body["checks"]
    checks.pop("latency", None)
    expected = {
        "live": {},
        "ready": {"model": "ok"},
        "deep": {"model": "ok", "golden": "ok"},
    }
    assert checks == expected[depth]
    if depth != "live":
        assert (answer.body["model"]["id"], answer.body["rules"] >= 150) == (MODEL_ID, True)
        assert answer.body["sessions_built"] >= 2


def test_no_depth_is_ready(health_of: Handler) -> None:
    """Without a query the model is looked at; an event without query parameters is such a one."""
    assert health_of.send().body["depth"] == "ready"
    assert health_of.send(queryStringParameters=None).body["depth"] == "ready"


def test_an_unknown_depth_names_the_field(health_of: Handler) -> None:
    """A wrong depth is 422 and is not repeated."""
    answer = health_of.send(query={"depth": "canary"})
    assert (answer.status, [error["field"] for error in answer.body["errors"]]) == (422, ["depth"])
    assert "canary" not in str(answer)


def test_a_golden_text_that_scores_otherwise_is_unhealthy(
    models: ModelsFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A score off by more than the tolerance is 503 at depth deep, and not looked at before."""
    models.replace("golden", b'{"texts": [{"text": "hello", "score": 0.002}, {"text": "hello", "score": 0.5}]}')
    monkeypatch.setenv("RAXE_MODELS_DIR", str(models.root))
    handler = load_handler("health", "/v1/health", "GET")
    deep, ready = (handler.send(query={"depth": depth}) for depth in ("deep", "ready"))
    assert (deep.status, deep.body["status"], ready.status) == (503, "unhealthy", 200)
    assert deep.body["checks"]["golden"].startswith("differs by 0.49")


def test_golden_texts_that_cannot_be_scored_are_unhealthy(engine: Engine) -> None:
    """A detector that raises, as it does for a score that is no number, fails the deep check by its class."""

    class Sick:
        """Has no score for any text."""

        def analyze(self, text: str) -> L2Result:
            """Raises."""
            raise DetectorFailed(text)

    sick = replace(engine, golden=Golden(Sick(), (("canary", 0.0),)))  # type: ignore[arg-type]
    answer = HealthService(sick).check("deep")
    assert (answer.status, answer.checks["golden"]) == ("unhealthy", "DetectorFailed")


def test_a_layer_that_fails_is_unhealthy() -> None:
    """A model that was loaded but raises on every scan is no healthy one."""
    failing = Engine(Scanner(FakeRules(), Raising(ValueError("canary")), Policy()), Settings(), 1)
    answer = HealthService(failing).check("ready")
    assert (answer.status, answer.checks["scan"]) == ("unhealthy", "l2 failed: ValueError")
    assert "canary" not in repr(answer)
    assert HealthService(failing).check("live").status == "healthy"


def test_slow_scans_are_degraded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the limit the state is degraded, which is still 200."""
    monkeypatch.setattr("raxe.api.health.SLOW_MS", -1.0)
    fine = Engine(Scanner(FakeRules(), FakeModel(), Policy()), Settings(), 1)
    assert HealthService(fine).check("ready").status == "degraded"


def test_a_broken_model_is_degraded(models: ModelsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the handler: a corrupt encoder is 200, degraded, with the class of the error."""
    models.path("embeddings").write_bytes(b"corrupt")
    monkeypatch.setenv("RAXE_MODELS_DIR", str(models.root))
    answer = load_handler("health", "/v1/health", "GET").send(query={"depth": "deep"})
    assert (answer.status, answer.body["status"], answer.body["checks"]["model"]) == (200, "degraded", "InvalidBundle")
    assert answer.body["model"] is None


def test_sessions_are_built_once(models: ModelsFolder) -> None:
    """Scanning and checking build no session: an engine has its two from the start."""
    engine = build_engine(models.settings)
    before = HealthService(engine).check("ready").sessions_built
    engine.scan_text("hello " * 100)
    assert HealthService(engine).check("deep").sessions_built == before
