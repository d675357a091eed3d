"""The two layers, behind the ports of ``raxe.protocols``: rules (L1) and model (L2), with the two stand-ins of L2."""

from raxe.detectors.broken import BrokenDetector
from raxe.detectors.model import OnnxDetector, WindowPlan
from raxe.detectors.rules import RuleDetector
from raxe.detectors.stub import StubDetector

__all__ = ["BrokenDetector", "OnnxDetector", "RuleDetector", "StubDetector", "WindowPlan"]
