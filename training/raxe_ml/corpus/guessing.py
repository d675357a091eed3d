"""How well the label can be guessed without reading: from shape and origin, and from single words.

A corpus that teaches attacks and not topics leaves such a guesser little. Both figures are AUROC of rows that the
guesser has not seen; 0.5 is chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from raxe_ml.corpus.rows import CorpusRow
from raxe_ml.corpus.words import BUCKETS, word_count

FOLDS = 5
TELLING_WORDS = 10
_SEED = 0
_RARE = 3  # a word in fewer rows says nothing about other rows
_ANY_WORD = r"(?u)[^\W_]+"


@dataclass(frozen=True, slots=True)
class WordGuess:
    """What single words give away.

    Attributes:
        auroc: in [0, 1].
        attack: words with the largest weight towards attack, largest first.
        benign: likewise towards benign.
    """

    auroc: float
    attack: tuple[str, ...]
    benign: tuple[str, ...]


def guess_from_shape(rows: Sequence[CorpusRow]) -> float:
    """AUROC of a logistic regression on length, language, role and topic file, cross-validated by row."""
    limits = [limit for limit, _ in BUCKETS[:-1]]
    # Finer than the buckets: a side that is longer by a third shows inside one of them.
    words = np.array([word_count(row.text) for row in rows])
    lengths, coarse = (4 * np.log2(1 + words)).astype(int), np.digitize(words, limits)
    features = np.array(
        [
            (str(length), str(bucket), row.lang, row.role, row.topic, f"{row.topic} {row.role}")
            for row, length, bucket in zip(rows, lengths, coarse, strict=True)
        ]
    )
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=_SEED)
    guesser = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(max_iter=500))
    labels = np.array([row.label for row in rows])
    return _auroc(labels, cross_val_predict(guesser, features, labels, cv=folds, method="predict_proba"))


def guess_from_words(rows: Sequence[CorpusRow]) -> WordGuess:
    """A logistic regression on the words that occur, cross-validated by topic file; needs five topics."""
    guesser = make_pipeline(
        CountVectorizer(binary=True, min_df=_RARE, token_pattern=_ANY_WORD), LogisticRegression(max_iter=500)
    )
    texts, labels = [row.text for row in rows], np.array([row.label for row in rows])
    topics = [row.topic for row in rows]
    found = cross_val_predict(guesser, texts, labels, groups=topics, cv=GroupKFold(FOLDS), method="predict_proba")
    guesser.fit(texts, labels)
    names = guesser[0].get_feature_names_out()
    order = np.argsort(guesser[1].coef_[0])
    return WordGuess(
        _auroc(labels, found),
        tuple(map(str, names[order[::-1][:TELLING_WORDS]])),
        tuple(map(str, names[order[:TELLING_WORDS]])),
    )


def _auroc(labels: np.ndarray, probabilities: np.ndarray) -> float:
    return float(roc_auc_score(labels, probabilities[:, 1]))
