"""Stage ``doubts``: rows of the shards whose label neither a cross-validated model nor the rules believe.

Shards are labelled by other definitions than ours. An encoder that has learned from the written corpus alone embeds
every row, a logistic regression on the embeddings is cross-validated over shards and corpus together, and a row is
doubted when the probability of the other label is as high as it is, on average, for rows that carry that label
(confident learning, Northcutt et al., 2021). A second witness keeps what is only unusual: a doubted attack is left out
when no rule matches it, a doubted benign row when a severe rule does. Judged are texts typed by users that the encoder,
whose vocabulary is English, can read: of a document the embedding shows the topic and not one sentence. Rows of the
corpus are never doubted: they are what decides.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from raxe.detectors import RuleDetector
from raxe.rules import load_rule_set
from raxe.text import prepare
from raxe.values import Severity, Source
from raxe_ml.config import TrainConfig
from raxe_ml.corpus.learning import CORPUS_SHARD, learning_rows
from raxe_ml.corpus.rows import CorpusRow
from raxe_ml.rows import Row, capped, digest, without_duplicates
from raxe_ml.shards import load_shards

FOLDS = 5
_ASCII = 0.9  # share of a text's characters; below it the words are foreign to the vocabulary
_SCALE = 16.0  # unit vectors are too short for the regularisation of a logistic regression


def rows_to_judge(config: TrainConfig, data: Path, corpus: Sequence[CorpusRow]) -> list[Row]:
    """The rows of the shards that training would take, and those of the corpus; held-out sources are not among them."""
    held = {*config.dev, *config.test}
    shards = without_duplicates(load_shards(data, config.drop, {}))
    pool = [row for row in shards if row.shard not in held and row.role != "part"]
    return [*capped(pool, config.cap_per_shard, config.seed), *learning_rows(corpus, 1.0)]


def write_doubts(
    rows: Sequence[Row], embeddings: NDArray[np.float32], seed: int, out: Path
) -> dict[str, tuple[int, int]]:
    """Writes the digests of doubted rows to ``out``; returns ``{"shard attack|benign": (doubted, looked at)}``."""
    rules, digests = RuleDetector(load_rule_set()), set()
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    attack = np.array([row.is_attack for row in rows])
    for row, unlikely in zip(rows, unbelieved(embeddings, attack, seed), strict=True):
        if row.shard.startswith(CORPUS_SHARD):
            continue
        doubt = bool(unlikely) and _readable(row) and not _rules_agree(row, rules)
        count = found[f"{row.shard} {'attack' if row.is_attack else 'benign'}"]
        count[0] += doubt
        count[1] += 1
        if doubt:
            digests.add(digest(row.text))
    out.write_text(json.dumps(sorted(digests), indent=0) + "\n", encoding="utf-8")
    return {name: (doubted, looked) for name, (doubted, looked) in sorted(found.items())}


def load_doubts(path: Path | None) -> frozenset[str]:
    """The digests that ``write_doubts`` wrote; none without a path."""
    return frozenset(json.loads(path.read_text(encoding="utf-8"))) if path else frozenset()


def _readable(row: Row) -> bool:
    """Whether the embedding of one window can say what the row is."""
    return row.role == Source.USER and sum(map(str.isascii, row.text)) >= _ASCII * len(row.text)


def _rules_agree(row: Row, rules: RuleDetector) -> bool:
    """Whether the rules bear the label out: a match for an attack, no severe one for a benign row."""
    (found,) = rules.detect([prepare(row.text, Source(row.role))])
    return found.has_detections if row.is_attack else found.highest_severity.rank < Severity.HIGH.rank


def unbelieved(embeddings: NDArray[np.float32], attack: NDArray[np.bool_], seed: int) -> NDArray[np.bool_]:
    """``(N, D)`` and ``(N,)`` labels -> ``(N,)``: whether the other label is believed as firmly as its own rows are."""
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    model = LogisticRegression(C=0.1, max_iter=300)
    p = cross_val_predict(model, embeddings * _SCALE, attack, cv=folds, method="predict_proba")[:, 1]
    as_attack, as_benign = p[attack].mean(), (1 - p[~attack]).mean()
    doubted: NDArray[np.bool_] = np.where(attack, 1 - p >= as_benign, p >= as_attack)
    return doubted
