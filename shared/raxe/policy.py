"""Scores -> verdict. Pure: the same values give the same verdict, and nothing is read from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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
    Thresholds,
    Verdict,
)

# How much a detection of each severity counts as evidence: low and medium rules may fire on honest texts and only
# support the model, one of high or critical severity can decide alone.
_EVIDENCE = {Severity.NONE: 0.0, Severity.LOW: 0.1, Severity.MEDIUM: 0.25, Severity.HIGH: 0.95, Severity.CRITICAL: 1.0}
_UNKNOWN = Severity.HIGH  # of an attack that has no label, or one whose severity is not stated


@dataclass(frozen=True, slots=True)
class Policy:
    """How scores become decisions.

    Attributes:
        default: thresholds of a source that has none of its own.
        of_source: thresholds by source.
        on_failure: least decision when a layer did not answer; ``allow`` is possible but must be set on purpose.
        severities: severity of each subfamily the model knows.
    """

    default: Thresholds = field(default_factory=Thresholds)
    of_source: Mapping[Source, Thresholds] = field(default_factory=dict)
    on_failure: Decision = Decision.REVIEW
    severities: Mapping[str, Severity] = field(default_factory=dict)

    def decide(self, source: Source, l1: ScanResult, l2: L2Result, failures: Sequence[Failure] = ()) -> Verdict:
        """The verdict on one prompt.

        The combined score takes both layers as independent evidence: ``1 - (1 - l2) * (1 - l1)``, where l1 is the
        strongest detection's confidence times the weight of its severity. A layer that failed counts as no evidence
        and raises the decision to ``on_failure`` at least.
        """
        strongest = max(l1.detections, key=_strength, default=None)
        evidence = _strength(strongest) if strongest else 0.0
        score = 1 - (1 - l2.score) * (1 - evidence)
        thresholds = self.of_source.get(source, self.default)
        decision = Decision.ALLOW
        if score >= thresholds.review:
            decision = Decision.BLOCK if score >= thresholds.block else Decision.REVIEW
        found = decision is not Decision.ALLOW
        if failures:
            decision = max(decision, self.on_failure, key=lambda d: d.rank)
        agree = (evidence >= thresholds.review) == (l2.score >= thresholds.review)
        if not found:
            return Verdict(decision, Severity.NONE, score, layers_agree=agree)
        family, subfamily, severity = self._label(strongest, evidence, l2)
        return Verdict(decision, severity, score, family, subfamily, agree)

    def _label(
        self, strongest: Detection | None, evidence: float, l2: L2Result
    ) -> tuple[Family | None, str | None, Severity]:
        """The label of the layer that is surer; a rule names its subfamily more exactly, so it wins a tie."""
        prediction: Prediction | None = l2.predictions[0] if l2.predictions else None
        if strongest and (prediction is None or evidence >= prediction.confidence):
            return strongest.family, strongest.subfamily, strongest.severity
        if prediction:
            severity = self.severities.get(prediction.subfamily, _UNKNOWN)
            return prediction.family, prediction.subfamily, max(severity, Severity.LOW, key=lambda s: s.rank)
        return None, None, _UNKNOWN


def _strength(detection: Detection) -> float:
    return detection.confidence * _EVIDENCE[detection.severity]
