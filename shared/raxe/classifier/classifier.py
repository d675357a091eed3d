"""Encoder + heads: windows of token ids -> scores. Knows nothing of prompts, rules or verdicts."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from raxe.classifier.batching import FloatArray, Windows, feeds, in_batches
from raxe.classifier.session import Session
from raxe.classifier.tokens import TextTokenizer
from raxe.errors import DetectorFailed
from raxe.values import Family, Severity

_ONE = 1 + 1e-5  # a softmax in float32 may round above 1


@dataclass(frozen=True, slots=True)
class Labels:
    """Names of the heads' outputs, in their order."""

    families: tuple[Family, ...]
    subfamilies: tuple[tuple[str, Family, Severity], ...]


@dataclass(frozen=True, slots=True)
class KnownAttacks:
    """The clusters that the attacks of the training rows form.

    Attributes:
        centres: ``(K, D) float32`` unit vectors; K = 0 turns anomaly off.
        names: of the centres, or none at all.
        threshold: distance below which a window is near them, None when the bundle states none.
    """

    centres: FloatArray
    names: tuple[str, ...] = ()
    threshold: float | None = None

    def nearest(self, embeddings: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
        """Cosine distance ``(N,)`` to the nearest centre, NaN without centres, and which ``(N,)`` that is."""
        if not len(self.centres):
            return np.full(len(embeddings), np.nan, dtype=np.float32), np.zeros(len(embeddings), dtype=np.int64)
        likeness = embeddings @ self.centres.T
        distance: FloatArray = 1 - likeness.max(axis=1)
        return distance, likeness.argmax(axis=1)


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of N windows.

    Attributes:
        binary: ``(N,)`` calibrated probability of an attack.
        families: ``(N, F)`` softmax over families, given an attack.
        subfamilies: ``(N, S)`` softmax over subfamilies, given an attack.
        anomaly: ``(N,)`` cosine distance in [0, 2] to the nearest known cluster; NaN when not measured.
        clusters: ``(N,)`` position of that cluster; 0 when not measured.
    """

    binary: FloatArray
    families: FloatArray
    subfamilies: FloatArray
    anomaly: FloatArray
    clusters: NDArray[np.int64]
    encode_ms: float
    classify_ms: float


class Classifier:
    """A loaded model."""

    def __init__(
        self, tokenizer: TextTokenizer, encoder: Session, heads: Session, labels: Labels, attacks: KnownAttacks
    ) -> None:
        """Takes the loaded parts."""
        self.tokenizer = tokenizer
        self.labels = labels
        self.attacks = attacks
        self._encoder, self._heads = encoder, heads

    def score(self, windows: Windows, batch_size: int) -> Scores:
        """Scores of windows of token ids (without special tokens), in order.

        Raises:
            DetectorFailed: the runtime failed, or a score is not there, of another shape or no number in [0, 1]: a NaN
                would pass every threshold as benign.
        """
        started = time.perf_counter()
        embeddings = in_batches(windows, batch_size, self._embed)
        encoded = time.perf_counter()
        outputs = self._heads.run({"embedding": embeddings})
        self._check(outputs, len(windows))
        anomaly, clusters = self.attacks.nearest(embeddings)
        done = time.perf_counter()
        return Scores(
            outputs["binary"], outputs["family"], outputs["subfamily"], anomaly, clusters,
            encode_ms=(encoded - started) * 1000, classify_ms=(done - encoded) * 1000,
        )  # fmt: skip

    def _embed(self, windows: Windows) -> FloatArray:
        embedding = self._encoder.run(feeds(windows, self.tokenizer)).get("embedding")
        if (
            embedding is None
            or embedding.ndim != 2
            or len(embedding) != len(windows)
            or not np.isfinite(embedding).all()
        ):
            raise DetectorFailed("the encoder gives no finite embedding of each window")
        return embedding

    def _check(self, outputs: Mapping[str, FloatArray], count: int) -> None:
        families, subfamilies = len(self.labels.families), len(self.labels.subfamilies)
        for name, shape in (("binary", (count,)), ("family", (count, families)), ("subfamily", (count, subfamilies))):
            values = outputs.get(name)
            if values is None or values.shape != shape or not ((values >= 0) & (values <= _ONE)).all():
                raise DetectorFailed(f"the heads give no {name} in [0, 1] for each label")
