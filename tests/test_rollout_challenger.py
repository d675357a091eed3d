"""A challenger that raises: the champion answers for it, and wherever answers are counted it is its error."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raxe.adapters.sqlite import SqliteExperimentStore
from raxe.api.counting import count
from raxe.bootstrap import Engine, build_engine
from raxe.bootstrap.serving import Serving
from raxe.detectors import OnnxDetector
from raxe.experiments.recorder import Recorder
from raxe.policy import Policy
from raxe.report import ScanResponse
from raxe.rollout import BUCKETS, Rollout, Split
from raxe.scanner import Scanner
from raxe.text import prepare
from raxe.values import CHALLENGER, CHAMPION, Decision, Failure, L2Result, Prompt, Scan, ScanResult
from tests.factories import MODEL_ID, ModelsFolder
from tests.fakes import FAKE_MODEL, FakeModel, FakeRules, Raising
from tests.rollouts import ATTACK, SECOND, metrics_of, sent, two_models

PROMPTS = [prepare(text) for text in ("a quiet text", "a zork text", "one more", "the last of them")]
CHAMPION_MODEL = FakeModel({PROMPTS[2].sha256: 0.9})
ERRORS = [ValueError("words"), MemoryError(), KeyError("words")]
RAISING = Raising(ERRORS[0], replace(FAKE_MODEL, model_id="challenger-model"))


def scanner(model: FakeModel | Raising) -> Scanner:
    """Rules, this model, and a policy that lets nothing through when a layer fails."""
    return Scanner(FakeRules(), model, Policy(on_failure=Decision.BLOCK))


def said(scan: Scan) -> object:
    """A scan without its times and without who was asked before."""
    unsigned = replace(scan, duration_ms=0.0, failures=(), l2=replace(scan.l2, duration_ms=0.0))
    return replace(unsigned, assignment=replace(scan.assignment, wanted=CHAMPION))


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PROMPTS), st.sampled_from([CHAMPION, CHALLENGER])), min_size=1, max_size=12))
def test_whoever_asks_a_challenger_that_raises_is_answered_as_by_the_champion(asked: list[tuple[Prompt, str]]) -> None:
    """Verdict, model and arm are the champion's, text by text; the failure of the challenger stands beside them."""
    serving = Serving(scanner(CHAMPION_MODEL), challenger=scanner(RAISING))
    prompts, arms = [prompt for prompt, _ in asked], [arm for _, arm in asked]
    found = serving.scan(prompts, arms)
    assert [said(scan) for scan in found] == [said(scan) for scan in serving.scan(prompts, [CHAMPION] * len(prompts))]
    assert [scan.assignment.wanted for scan in found] == arms
    expected = {CHAMPION: (), CHALLENGER: (Failure(CHALLENGER, "ValueError"),)}
    assert [scan.failures for scan in found] == [expected[arm] for arm in arms]


def test_when_the_champion_raises_too_on_failure_decides() -> None:
    """Nothing fails open: both failures are named, and the decision is the policy's."""
    serving = Serving(scanner(Raising(ERRORS[1])), challenger=scanner(RAISING))
    (scan,) = serving.scan(PROMPTS[:1], [CHALLENGER])
    assert scan.verdict.decision is Decision.BLOCK
    assert scan.failures == (Failure("l2", "MemoryError"), Failure(CHALLENGER, "ValueError"))


def test_rules_that_raise_are_no_failure_of_the_challenger() -> None:
    """Both arms share the rules: the challenger's answer stays, with the failure of its layer."""
    challenger = Scanner(Raising(ERRORS[2]), FakeModel(), Policy())
    (scan,) = Serving(scanner(CHAMPION_MODEL), challenger=challenger).scan(PROMPTS[:1], [CHALLENGER])
    assert (scan.assignment.arm, scan.failures) == (CHALLENGER, (Failure("l1", "KeyError"),))


@pytest.fixture
def engine(models: ModelsFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Its challenger has every subject, loads, answers the warm-up, and raises on every scan, quoting the text."""
    rollout = Rollout(champion=MODEL_ID, challenger=Split(SECOND, BUCKETS))
    engine = build_engine(two_models(models, tmp_path / "rollout.json")(rollout))
    detect = OnnxDetector.detect

    def breaking(self: OnnxDetector, prompts: list[Prompt], l1_results: list[ScanResult]) -> list[L2Result]:
        if self.model_info.model_id == SECOND:
            raise RuntimeError(ATTACK)
        return detect(self, prompts, l1_results)

    monkeypatch.setattr(OnnxDetector, "detect", breaking)
    return engine


def test_the_answer_says_who_answered_and_what_failed(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """The champion's verdict; metrics have a failure of the challenger and figures of nobody else; no text in it."""
    answer = sent(engine, {"text": ATTACK, "subject": "somebody"})
    assert (answer.body["verdict"], answer.body["model"]["id"], answer.body["model"]["arm"]) == (
        "block", MODEL_ID, CHAMPION,
    )  # fmt: skip
    assert answer.body["failures"] == [{"stage": CHALLENGER, "error": "RuntimeError"}]
    assert '"challenger:RuntimeError"' in answer.logs
    printed = capsys.readouterr().out
    assert ATTACK not in answer.logs + printed
    found = metrics_of(printed)
    assert (found["ScansChallenger"], found["FailedChallenger"], found["DegradedScans"]) == ([1.0], [1.0], [0.0])
    assert not {"ScansChampion", "FlaggedChampion", "FlaggedChallenger", "LatencyChampion"} & found.keys()


def test_an_explanation_is_by_the_model_that_answered(engine: Engine) -> None:
    """The champion explains its own verdict."""
    body = sent(engine, {"text": ATTACK, "subject": "somebody", "explain": True}).body
    assert body["explanation"]["windows"]
    assert body["failures"] == [{"stage": CHALLENGER, "error": "RuntimeError"}]


def test_an_experiment_counts_an_error_of_the_challenger(engine: Engine) -> None:
    """It has the answer that was given, no latency and no model; the champion has nothing of it."""
    store = SqliteExperimentStore()
    recorder = Recorder(lambda: store, "e")
    count(recorder, ScanResponse.model_validate(sent(engine, {"text": ATTACK, "subject": "somebody"}).body))
    (totals,) = recorder.totals().values()
    assert store.read("e").keys() == {CHALLENGER}
    assert (totals.n, totals.errors, totals.flagged, totals.timed, totals.models) == (1, 1, 1, 0, frozenset())
