"""Golden texts: what a model must score, on whatever processor it runs."""

import json
from dataclasses import dataclass
from pathlib import Path

from raxe.detectors import OnnxDetector
from raxe.errors import InvalidBundle

# int8 kernels differ between processors by rounding; a wrong kernel or file moves a golden score by far more than this.
GOLDEN_TOLERANCE = 0.05


@dataclass(frozen=True, slots=True)
class Golden:
    """A detector with texts of ours and the scores they had when the model was made."""

    detector: OnnxDetector
    texts: tuple[tuple[str, float], ...]

    def worst_difference(self) -> float:
        """Largest absolute difference between a score now and then, never NaN; raises DetectorFailed."""
        return max((abs(self.detector.analyze(text).score - score) for text, score in self.texts), default=0.0)


def load_golden(path: Path, detector: OnnxDetector) -> Golden:
    """The golden texts of a file ``{"texts": [{"text": ..., "score": ...}]}``; raises InvalidBundle."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["texts"]
        texts = tuple((str(entry["text"]), float(entry["score"])) for entry in entries)
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidBundle(f"{path.name}: {type(error).__name__}") from None
    if not texts or not all(
        0 <= score <= 1 for _, score in texts
    ):  # without texts, or with NaN, it would prove anything
        raise InvalidBundle(f"{path.name}: needs texts with scores from 0 to 1")
    return Golden(detector, texts)
