"""RAXE: a prompt firewall. ``Raxe().scan(text)`` is the way in.

Names load on first use, so that ``import raxe`` stays cheap and a function pays only for what it needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from raxe.bootstrap import ModelRegistry
    from raxe.bootstrap.best import create_best_l2_detector, create_onnx_only_detector
    from raxe.bootstrap.selector import ABModelSelector
    from raxe.client import Raxe
    from raxe.detectors import StubDetector as StubL2Detector
    from raxe.errors import RaxeError
    from raxe.values import Decision, Family, L2Result, Scan, ScanResult, Severity, Source, Verdict

__version__ = "0.1.0"

_HOMES = {
    "ABModelSelector": ("raxe.bootstrap.selector", "ABModelSelector"),
    "Raxe": ("raxe.client", "Raxe"),
    "StubL2Detector": ("raxe.detectors", "StubDetector"),
    "RaxeError": ("raxe.errors", "RaxeError"),
    "ModelRegistry": ("raxe.bootstrap", "ModelRegistry"),
    "create_best_l2_detector": ("raxe.bootstrap.best", "create_best_l2_detector"),
    "create_onnx_only_detector": ("raxe.bootstrap.best", "create_onnx_only_detector"),
    "Decision": ("raxe.values", "Decision"),
    "Family": ("raxe.values", "Family"),
    "L2Result": ("raxe.values", "L2Result"),
    "Scan": ("raxe.values", "Scan"),
    "ScanResult": ("raxe.values", "ScanResult"),
    "Severity": ("raxe.values", "Severity"),
    "Source": ("raxe.values", "Source"),
    "Verdict": ("raxe.values", "Verdict"),
}

__all__ = [
    "ABModelSelector",
    "Decision",
    "Family",
    "L2Result",
    "ModelRegistry",
    "Raxe",
    "RaxeError",
    "Scan",
    "ScanResult",
    "Severity",
    "Source",
    "StubL2Detector",
    "Verdict",
    "create_best_l2_detector",
    "create_onnx_only_detector",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401  (any public name)
    if name not in _HOMES:
        raise AttributeError(f"module 'raxe' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(import_module(module), attribute)
