"""The shadow scores what is decided, and changes nothing; and where the document stands in the choice of a model."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from raxe.adapters.sqlite import SqliteExperimentStore
from raxe.api.counting import count
from raxe.api.service import ScanService
from raxe.bootstrap import Engine, build_engine
from raxe.cli import app
from raxe.experiments.recorder import Recorder
from raxe.policy import Policy
from raxe.rollout import BUCKETS, Rollout, Split
from raxe.scanner import Scanner
from raxe.settings import Settings
from raxe.shadow import Shadow
from raxe.values import Thresholds
from raxe.values.experiments import Feedback, Label
from tests.factories import MODEL_ID, ModelsFolder
from tests.fakes import FakeModel, FakeRules, Raising
from tests.rollouts import ATTACK, HALF, SECOND, Put, metrics_of, sent, two_models


@pytest.fixture
def put(models: ModelsFolder, tmp_path: Path) -> Put:
    """Writes a document over two models, and gives the settings that find both."""
    return two_models(models, tmp_path / "rollout.json")


@pytest.mark.parametrize(
    ("rollout", "variables", "steps"),
    [
        (HALF, {}, [("RAXE_L2_MODEL", "skipped"), ("rollout: champion", "picked")]),
        (HALF, {"RAXE_L2_MODEL": SECOND}, [("RAXE_L2_MODEL", "picked")]),
        (Rollout(), {}, [
            ("RAXE_L2_MODEL", "skipped"), ("rollout: champion", "skipped"), ("config.yaml: auto", "picked")]),
        (replace(HALF, l2=False), {}, [("rollout: l2", "picked")]),
        (Rollout(champion="no-such-model"), {}, [
            ("RAXE_L2_MODEL", "skipped"), ("rollout: champion", "failed"), ("config.yaml", "skipped"),
            ("fallback_model_id", "skipped"), ("rules only", "picked")]),
    ],
)  # fmt: skip
def test_which_shows_the_step_of_the_document(
    put: Put, rollout: Rollout, variables: dict[str, str], steps: list[tuple[str, str]]
) -> None:
    """``raxe models which`` tells where the document stands in the order."""
    settings = put(rollout)
    env = {"RAXE_MODELS_DIR": str(settings.models_dir), "RAXE_ROLLOUT": settings.rollout, **variables}
    result = CliRunner().invoke(app, ["models", "which", "--json"], env=env)
    assert [(step["source"], step["outcome"]) for step in json.loads(result.stdout)["steps"]] == steps
    assert result.exit_code == int(steps[-1][0] == "rules only")


class TestShadow:
    """It scores what is decided, and changes nothing."""

    def test_it_is_counted_and_never_answers(self, put: Put, capsys: pytest.CaptureFixture[str]) -> None:
        """The answer is the champion's; the sample is by request; what it makes of the scans is counted."""
        engine = build_engine(put(Rollout(champion=MODEL_ID, shadow=Split(SECOND, BUCKETS // 2))))
        assert engine.rollout
        rollout = engine.rollout.current().rollout
        assert rollout
        for number in range(20):
            body = sent(engine, {"text": ATTACK}, f"request-{number}").body
            assert (body["model"]["id"], body["verdict"], body["failures"]) == (MODEL_ID, "block", [])
        found = metrics_of(capsys.readouterr().out)
        sampled = sum(rollout.is_shadowed(f"request-{number}") for number in range(20))
        assert 0 < sampled < 20
        assert found["ShadowScans"] == [1.0] * sampled
        assert found["ShadowDisagreement"] == found["ShadowScoreDifference"] == [0.0] * sampled
        assert (len(found["ShadowLatency"]), found["ShadowFailed"]) == (sampled, [0.0] * sampled)

    def test_an_experiment_counts_it_as_an_arm_of_its_own(self, put: Put) -> None:
        """With what it would have flagged, and the time of its model; feedback still finds the answer alone."""
        engine = build_engine(put(Rollout(champion=MODEL_ID, shadow=Split(SECOND, BUCKETS))))
        answer = ScanService(engine).scan(json.dumps({"text": ATTACK}), "r1")
        store = SqliteExperimentStore()
        recorder = Recorder(lambda: store, "e")
        count(recorder, answer.body, answer.shadow())
        totals = recorder.totals()
        assert {arm: (each.n, each.flagged, each.errors, each.timed) for arm, each in totals.items()} == {
            "champion": (1, 1, 0, 1), "shadow": (1, 1, 0, 1),
        }  # fmt: skip
        assert totals["shadow"].models == {SECOND}
        assert store.label(Feedback(Label.ATTACK, request_id="r1"), time.time()).arm == "champion"

    def test_a_disagreement_is_measured(self) -> None:
        """Another decision and the difference of the scores, with the shadow's own thresholds."""
        engine = Engine(Scanner(FakeRules(), FakeModel(), Policy()), Settings(), 1)
        prompts = [engine.prepare(text) for text in ("one", "two", "three")]
        scans = engine.scanner.scan(prompts)
        shadow = Shadow(FakeModel({prompts[0].sha256: 0.9, prompts[1].sha256: 0.4}), Policy())
        found = shadow.compare(prompts, scans)
        assert [(each.disagrees, each.difference) for each in found] == [(True, 0.9), (False, 0.4), (False, 0.0)]
        strict = Shadow(FakeModel(), Policy(Thresholds(0.0, 0.0)))
        assert [each.disagrees for each in strict.compare(prompts, scans)] == [True] * 3

    @pytest.mark.parametrize("error", [ValueError("the canary sings"), MemoryError()])
    def test_one_that_fails_hurts_nobody(self, put: Put, error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
        """The answer is the same, the failure is counted and logged by its class, and the scan carries none."""
        engine = build_engine(put(Rollout(champion=MODEL_ID, shadow=Split(SECOND, BUCKETS))))
        assert engine.rollout
        provider = engine.rollout
        provider._serving = replace(provider.current(), shadow=Shadow(Raising(error), Policy()))
        answer = sent(engine, {"text": ATTACK})
        assert (answer.status, answer.body["verdict"], answer.body["failures"]) == (200, "block", [])
        found = metrics_of(capsys.readouterr().out)
        assert (found["ShadowFailed"], "ShadowDisagreement" in found) == ([1.0], False)
        assert "shadow failed" in answer.logs
        assert "canary" not in answer.logs

    def test_what_was_not_answered_is_not_compared(self) -> None:
        """A scan with a failure has no score to differ from."""
        engine = Engine(Scanner(FakeRules(), Raising(ValueError()), Policy()), Settings(), 1)
        prompts = [engine.prepare("one")]
        assert Shadow(FakeModel(), Policy()).compare(prompts, engine.scanner.scan(prompts)) == ()
