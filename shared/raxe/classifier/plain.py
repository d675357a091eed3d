"""A plain ONNX graph: one that gives logits by itself, without a bundle's heads, labels or clusters."""

import time

import numpy as np

from raxe.classifier.batching import FloatArray, Windows, feeds, in_batches
from raxe.classifier.classifier import KnownAttacks, Labels, Scores
from raxe.classifier.session import Session
from raxe.classifier.tokens import TextTokenizer
from raxe.errors import DetectorFailed

_OUTPUT = "logits"


class PlainClassifier:
    """A sequence classifier: ``input_ids, attention_mask (N, T) -> logits (N, 2) or (N, 1)``, the attack's last."""

    labels = Labels((), ())
    attacks = KnownAttacks(np.zeros((0, 1), dtype=np.float32))

    def __init__(self, tokenizer: TextTokenizer, graph: Session) -> None:
        """Takes the loaded parts."""
        self.tokenizer = tokenizer
        self._graph = graph

    def score(self, windows: Windows, batch_size: int) -> Scores:
        """Scores of windows of token ids (without special tokens), in order; raises DetectorFailed."""
        started = time.perf_counter()
        logits = in_batches(windows, batch_size, self._logits)
        encoded = time.perf_counter()
        difference = logits[:, -1] - (logits[:, 0] if logits.shape[1] > 1 else 0)
        binary = ((1 + np.tanh(difference / 2)) / 2).astype(np.float32)  # the sigmoid, in a form that cannot overflow
        nothing = np.zeros((len(windows), 0), dtype=np.float32)
        anomaly, clusters = self.attacks.nearest(nothing)
        classify_ms = (time.perf_counter() - encoded) * 1000
        return Scores(binary, nothing, nothing, anomaly, clusters, (encoded - started) * 1000, classify_ms)

    def _logits(self, windows: Windows) -> FloatArray:
        logits = self._graph.run(feeds(windows, self.tokenizer)).get(_OUTPUT)
        shapes = ((len(windows), 1), (len(windows), 2))
        if logits is None or logits.shape not in shapes or not np.isfinite(logits).all():
            raise DetectorFailed("the graph gives no finite logits, one or two for each window")
        return logits
