"""The scanner: a layer that fails is a failure in every scan, never silence, and no failure carries the text."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from raxe.errors import DetectorFailed, ModelNotFound
from raxe.policy import Policy
from raxe.protocols import ModelLayer, RuleLayer
from raxe.scanner import Scanner
from raxe.text import prepare
from raxe.values import Decision, Explanation, Failure, L2Result, ModelInfo, Prompt, ScanResult
from tests.fakes import FAKE_MODEL, FakeModel, FakeRules, Raising

CANARY = "xylophone-canary"
BENIGN, ATTACK = prepare(f"a quiet {CANARY}"), prepare(f"a zork {CANARY}")
ERRORS = [
    ValueError(CANARY),
    UnicodeEncodeError("utf-8", CANARY, 0, 1, CANARY),
    RecursionError(CANARY),
    MemoryError(CANARY),
    KeyError(CANARY),
    DetectorFailed(CANARY),
    type("Odd", (Exception,), {"__str__": lambda _: 1 / 0})(),
]


class Lossy(FakeModel):
    """An L2 that loses results."""

    def detect(self, prompts: Sequence[Prompt], l1_results: Sequence[ScanResult]) -> list[L2Result]:
        """One result too few."""
        return super().detect(prompts, l1_results)[1:]


def scan(rules: RuleLayer, model: ModelLayer, *prompts: Prompt, policy: Policy | None = None) -> tuple[Decision, ...]:
    """The decisions on prompts, once it is sure that nothing of them is in the scans."""
    scans = Scanner(rules, model, policy or Policy()).scan(prompts)
    assert CANARY not in repr(scans)
    return tuple(each.verdict.decision for each in scans)


def test_both_layers_are_heard() -> None:
    """A rule's hit, a model's score and neither give block, block and allow, in order."""
    third = prepare("another text")
    model = FakeModel({third.sha256: 0.9})
    assert scan(FakeRules(), model, ATTACK, third, BENIGN) == (Decision.BLOCK, Decision.BLOCK, Decision.ALLOW)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("stage", ["l1", "l2"])
def test_a_layer_that_raises_is_a_failure_of_every_scan(error: Exception, stage: str) -> None:
    """The failure names the stage and the class, the verdict is at least review, and the other layer still counts."""
    broken = Raising(error)
    rules: RuleLayer = broken if stage == "l1" else FakeRules()
    model: ModelLayer = broken if stage == "l2" else FakeModel({ATTACK.sha256: 0.9})
    scans = Scanner(rules, model, Policy()).scan([BENIGN, ATTACK])
    assert [each.failures for each in scans] == [(Failure(stage, type(error).__name__),)] * 2
    assert [each.verdict.decision for each in scans] == [Decision.REVIEW, Decision.BLOCK]
    assert [each.is_attack for each in scans] == [False, True]
    assert CANARY not in repr(scans)


def test_both_layers_may_fail() -> None:
    """Two failures are two entries, and the scans are still there."""
    broken = Raising(ValueError(CANARY))
    scans = Scanner(broken, broken, Policy(on_failure=Decision.BLOCK)).scan([BENIGN])
    assert [failure.stage for failure in scans[0].failures] == ["l1", "l2"]
    assert scans[0].verdict.decision is Decision.BLOCK
    assert not scans[0].is_attack


def test_the_root_of_a_failure_is_named() -> None:
    """An error of ours that wraps another is named by that other one."""
    error = DetectorFailed("wrapped")
    error.__cause__ = ModelNotFound("gone")
    assert Scanner(FakeRules(), Raising(error), Policy()).scan([BENIGN])[0].failures == (
        Failure("l2", "ModelNotFound"),
    )


def test_a_layer_that_loses_results_has_failed() -> None:
    """Results that cannot belong to the prompts are thrown away and count as a failure."""
    assert scan(FakeRules(), Lossy({ATTACK.sha256: 0.9}), BENIGN, BENIGN) == (Decision.REVIEW, Decision.REVIEW)


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit()])
def test_an_interrupt_is_not_a_failure(stop: BaseException) -> None:
    """What ends the process ends the scan."""
    with pytest.raises(type(stop)):
        scan(FakeRules(), Raising(stop), BENIGN)


def test_on_failure_may_be_allow_but_only_on_purpose() -> None:
    """The policy alone decides what a failure means."""
    broken = Raising(ValueError("x"))
    assert scan(FakeRules(), broken, BENIGN, policy=Policy(on_failure=Decision.ALLOW)) == (Decision.ALLOW,)


def test_a_scan_says_what_was_read_and_by_whom() -> None:
    """Coverage, digest and model stand in the scan; rules only has no model."""
    scan_of = Scanner(FakeRules(), FakeModel(), Policy()).scan([BENIGN])[0]
    assert (scan_of.coverage.characters, scan_of.coverage.windows, scan_of.coverage.truncated) == (
        BENIGN.characters,
        1,
        False,
    )
    assert (scan_of.text_sha256, scan_of.model) == (BENIGN.sha256, FAKE_MODEL)
    nobody: ModelInfo | None = None
    assert Scanner(FakeRules(), FakeModel(model_info=nobody), Policy()).scan([BENIGN])[0].model is None


def test_what_was_not_read_is_never_allowed() -> None:
    """A prompt whose views are cut is for review at least and says so, alone among those of its call; no failure."""
    cut = replace(BENIGN, truncated=True)
    scans = Scanner(FakeRules(), FakeModel(), Policy()).scan([cut, BENIGN])
    assert [each.verdict.decision for each in scans] == [Decision.REVIEW, Decision.ALLOW]
    assert [each.coverage.truncated for each in scans] == [True, False]
    assert [each.failures for each in scans] == [(), ()]


class Silent(FakeModel):
    """An L2 that scores and explains nothing, but fails."""

    def explain(self, prompt: Prompt) -> Explanation:
        """Fails with the text in hand."""
        raise KeyError(prompt.plain.text)


@pytest.mark.parametrize(("kind", "failures"), [(FakeModel, ()), (Silent, (Failure("explain", "KeyError"),))])
@pytest.mark.parametrize("score", [0.0, 0.5, 0.9])
def test_an_explanation_never_changes_the_verdict(
    kind: type[FakeModel], failures: tuple[Failure, ...], score: float
) -> None:
    """Whether it is made or fails, all of the scan but the explanation and its own failure stays as it was."""
    scanner = Scanner(FakeRules(), kind({BENIGN.sha256: score}), Policy(on_failure=Decision.BLOCK))
    scan = scanner.scan([BENIGN])[0]
    explained = scanner.explain(BENIGN, scan)
    assert replace(explained, explanation=None, failures=()) == scan
    assert (explained.failures, explained.explanation is None) == (failures, bool(failures))
    assert CANARY not in repr(explained)


def test_a_failing_explanation_comes_after_other_failures() -> None:
    """The failure of L1 stays, and that of the explanation is added."""
    scanner = Scanner(Raising(ValueError(CANARY)), Silent(), Policy())
    explained = scanner.explain(BENIGN, scanner.scan([BENIGN])[0])
    assert [failure.stage for failure in explained.failures] == ["l1", "explain"]


def test_what_was_not_scored_is_not_explained() -> None:
    """When L2 failed there is one failure, that of L2."""
    scanner = Scanner(FakeRules(), Raising(ValueError(CANARY)), Policy())
    scan = scanner.scan([BENIGN])[0]
    assert scanner.explain(BENIGN, scan) == scan


def test_no_prompts_give_no_scans() -> None:
    """An empty batch is an empty answer."""
    assert scan(FakeRules(), FakeModel()) == ()
