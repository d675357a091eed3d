"""The values that flow through a scan, all frozen.

event -> Prompt -> L1 ScanResult -> L2Result -> Verdict -> Scan. Every arrow is a function from one value to the next.
"""

from raxe.values.explanation import DecisiveSpan, Explanation, WindowScore
from raxe.values.labels import Decision, Family, Severity, Source
from raxe.values.layers import Detection, L2Result, ModelInfo, Prediction, ScanResult, StageTimes
from raxe.values.prompt import Prompt, Span, View
from raxe.values.scan import (
    CHALLENGER,
    CHAMPION,
    OFF,
    Assignment,
    Coverage,
    Failure,
    RolloutId,
    Scan,
    Thresholds,
    Verdict,
)

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "OFF",
    "Assignment",
    "Coverage",
    "Decision",
    "DecisiveSpan",
    "Detection",
    "Explanation",
    "Failure",
    "Family",
    "L2Result",
    "ModelInfo",
    "Prediction",
    "Prompt",
    "RolloutId",
    "Scan",
    "ScanResult",
    "Severity",
    "Source",
    "Span",
    "StageTimes",
    "Thresholds",
    "Verdict",
    "View",
    "WindowScore",
]
