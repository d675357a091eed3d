"""Policy: more evidence never lowers a decision, a failure leaves at least on_failure, and nothing else counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raxe.policy import Policy
from raxe.values import (
    Decision,
    Detection,
    Failure,
    Family,
    L2Result,
    Prediction,
    ScanResult,
    Severity,
    Source,
    Span,
    Thresholds,
)

ORDER = [Decision.ALLOW, Decision.REVIEW, Decision.BLOCK]
unit = st.floats(0, 1)
detection = st.builds(
    Detection,
    rule_id=st.sampled_from(["PI-001", "JB-002"]),
    family=st.sampled_from(Family),
    subfamily=st.just("prompt_leak"),
    severity=st.sampled_from(list(Severity)[1:]),  # the loader refuses a rule of severity none
    confidence=st.floats(0.01, 1),
    span=st.just(Span(0, 1)),
    view=st.just("plain"),
)
detections = st.lists(detection, max_size=4).map(tuple)
thresholds = st.tuples(unit, unit).map(lambda pair: Thresholds(*sorted(pair)))
predictions = st.lists(
    st.builds(Prediction, st.sampled_from(Family), st.sampled_from(["prompt_leak", "unheard_of"]), unit), max_size=2
).map(tuple)
model_result = st.builds(L2Result, score=unit, predictions=predictions)
policies = st.builds(
    Policy,
    default=thresholds,
    of_source=st.dictionaries(st.sampled_from(Source), thresholds),
    on_failure=st.sampled_from(Decision),
    severities=st.dictionaries(st.just("prompt_leak"), st.sampled_from(Severity)),
)
sources = st.sampled_from(Source)
failures = st.lists(st.builds(Failure, st.sampled_from(["l1", "l2"]), st.just("ValueError")), min_size=1, max_size=2)


def rank(decision: Decision) -> int:
    """Position from allow to block."""
    return ORDER.index(decision)


@given(policies, sources, detections, detection, model_result)
def test_one_detection_more_never_lowers_the_decision(
    policy: Policy, source: Source, found: tuple[Detection, ...], more: Detection, l2: L2Result
) -> None:
    """Score and decision with another detection are at least those without."""
    less, with_more = (policy.decide(source, ScanResult(each), l2) for each in (found, (*found, more)))
    assert with_more.score >= less.score
    assert rank(with_more.decision) >= rank(less.decision)


@given(policies, sources, detections, unit, unit)
def test_a_higher_model_score_never_lowers_the_decision(
    policy: Policy, source: Source, found: tuple[Detection, ...], one: float, other: float
) -> None:
    """Score and decision rise with the score of L2."""
    low, high = (policy.decide(source, ScanResult(found), L2Result(score)) for score in sorted((one, other)))
    assert 0 <= low.score <= high.score <= 1
    assert rank(high.decision) >= rank(low.decision)


@given(policies, sources, detections, model_result, failures)
def test_a_failure_raises_the_decision_to_on_failure_at_least(
    policy: Policy, source: Source, found: tuple[Detection, ...], l2: L2Result, failed: list[Failure]
) -> None:
    """With failures the decision is the severer of what was found and on_failure; the rest of the verdict stays."""
    without, with_failure = (
        policy.decide(source, ScanResult(found), l2),
        policy.decide(source, ScanResult(found), l2, failed),
    )
    assert rank(with_failure.decision) == max(rank(without.decision), rank(policy.on_failure))
    assert (with_failure.score, with_failure.severity, with_failure.family) == (
        without.score,
        without.severity,
        without.family,
    )


@given(policies, sources, detections, model_result)
def test_severity_is_above_none_exactly_when_something_was_found(
    policy: Policy, source: Source, found: tuple[Detection, ...], l2: L2Result
) -> None:
    """A verdict above allow has a severity, whatever labels there are; allow has neither severity nor family."""
    verdict = policy.decide(source, ScanResult(found), l2)
    assert (verdict.decision is Decision.ALLOW) == (verdict.severity is Severity.NONE)
    assert verdict.decision is not Decision.ALLOW or verdict.family is None


@given(policies, sources, detections, model_result)
def test_equal_values_give_equal_verdicts(
    policy: Policy, source: Source, found: tuple[Detection, ...], l2: L2Result
) -> None:
    """Deciding twice gives the same, and the order of detections of different strength does not matter."""
    first = policy.decide(source, ScanResult(found), l2)
    assert policy.decide(source, ScanResult(found), l2) == first
    turned = policy.decide(source, ScanResult(found[::-1]), l2)
    assert (turned.decision, turned.score) == (first.decision, first.score)


@pytest.mark.parametrize(
    ("score", "decision"),
    [(0.0, "allow"), (0.4999, "allow"), (0.5, "review"), (0.7999, "review"), (0.8, "block"), (1.0, "block")],
)
def test_a_threshold_belongs_to_what_it_begins(score: float, decision: str) -> None:
    """A score equal to a threshold reaches it."""
    assert Policy().decide(Source.USER, ScanResult(), L2Result(score)).decision == decision


def test_a_source_has_its_own_thresholds() -> None:
    """Thresholds of a source replace the default ones for that source only."""
    policy = Policy(of_source={Source.TOOL: Thresholds(0.1, 0.2)})
    decisions = [policy.decide(source, ScanResult(), L2Result(0.3)).decision for source in Source]
    assert decisions == [Decision.ALLOW, Decision.ALLOW, Decision.BLOCK]


@pytest.mark.parametrize(
    ("severity", "decision"),
    [(Severity.LOW, "allow"), (Severity.MEDIUM, "allow"), (Severity.HIGH, "block"), (Severity.CRITICAL, "block")],
)
def test_only_a_severe_rule_decides_alone(severity: Severity, decision: str) -> None:
    """A sure rule of low or medium severity supports the model, one of high or critical severity blocks by itself."""
    found = Detection("PI-001", Family.PI, "prompt_leak", severity, 0.95, Span(0, 1), "plain")
    assert Policy().decide(Source.USER, ScanResult((found,)), L2Result()).decision == decision


def test_the_surer_layer_names_the_attack() -> None:
    """The label is the rule's on a tie, the model's when it is surer, with the severity that its labels state."""
    found = Detection("JB-001", Family.JB, "dual_response", Severity.CRITICAL, 0.9, Span(0, 1), "plain")
    policy = Policy(severities={"prompt_leak": Severity.MEDIUM})
    labels = []
    for confidence in (0.9, 0.95):
        l2 = L2Result(confidence, (Prediction(Family.PI, "prompt_leak", confidence),))
        verdict = policy.decide(Source.USER, ScanResult((found,)), l2)
        labels.append((verdict.family, verdict.subfamily, verdict.severity))
    assert labels == [(Family.JB, "dual_response", Severity.CRITICAL), (Family.PI, "prompt_leak", Severity.MEDIUM)]


@pytest.mark.parametrize(
    ("rule_confidence", "model_score", "agree"),
    [(None, 0.1, True), (0.95, 0.9, True), (0.95, 0.1, False), (None, 0.9, False)],
)
def test_layers_agree_when_each_alone_says_the_same(
    rule_confidence: float | None, model_score: float, *, agree: bool
) -> None:
    """A rule without the model, or the model without a rule, is disagreement whatever the verdict."""
    found: tuple[Detection, ...] = ()
    if rule_confidence is not None:
        found = (Detection("PI-001", Family.PI, "x", Severity.HIGH, rule_confidence, Span(0, 1), "plain"),)
    verdict = Policy().decide(Source.USER, ScanResult(found), L2Result(score=model_score))
    assert verdict.layers_agree is agree
