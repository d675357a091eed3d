"""Scores of the serving path on held-out rows -> Platt's two numbers and the two thresholds."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from raxe.policy import Policy
from raxe.values import L2Result, ScanResult, Source, Thresholds
from raxe_ml.corpus.learning import CORPUS_SHARD
from raxe_ml.rows import Row

REVIEW_FPR = 0.005  # share of held-out benign rows that may be flagged at all
BLOCK_FPR = 0.002  # and that may be blocked
NEAR_SHARE = 0.005  # share of held-out benign rows that may count as near a known attack
PREVALENCE = 0.05  # share of attacks in the traffic that a calibrated score speaks of
NEAR_MISSES = 0.05  # share of its benign texts that look dangerous, as those of the corpus are written to
_NEWTON_STEPS = 60
_RIDGE = 1e-6  # keeps the step finite when the rows are separable
_LEAST_SLOPE = 0.05  # a model no better than chance must not be turned round
_ROUNDING = 1e-12  # of a sum of shares
_LOGIT_LIMIT = 15.0  # a float32 probability of 1 has no logit


@dataclass(frozen=True, slots=True)
class Scored:
    """A row with what both layers say of it; ``l2.score`` is not calibrated yet."""

    row: Row
    l1: ScanResult
    l2: L2Result


def logits(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-odds of probabilities, cut at +-15."""
    clipped = np.clip(scores, 1e-12, 1 - 1e-12)
    return np.clip(np.log(clipped / (1 - clipped)), -_LOGIT_LIMIT, _LOGIT_LIMIT)


def platt(scored: list[Scored]) -> tuple[float, float]:
    """Temperature and bias that make ``sigmoid(logit / temperature + bias)`` most likely on the rows.

    The classes are weighted to ``PREVALENCE``, so a score is the probability of an attack in a traffic where one text
    in twenty is one; benign rows count as in ``_in_traffic``. Thresholds are chosen on benign rows alone and do not
    depend on the prevalence.
    """
    z = logits(np.array([s.l2.score for s in scored], dtype=np.float64))
    y = np.array([s.row.is_attack for s in scored], dtype=np.float64)
    weight = np.empty_like(y)
    weight[y == 1] = PREVALENCE / max(y.sum(), 1)
    weight[y == 0] = (1 - PREVALENCE) * _in_traffic([s for s in scored if not s.row.is_attack])
    features = np.stack([z, np.ones_like(z)], axis=1)  # (N, 2)
    solution = np.array([1.0, 0.0])
    for _ in range(_NEWTON_STEPS):
        p = 1 / (1 + np.exp(-features @ solution))
        gradient = features.T @ (weight * (p - y)) + _RIDGE * solution
        curvature = features.T @ (features * (weight * p * (1 - p))[:, None]) + _RIDGE * np.eye(2)
        solution = solution - np.clip(np.linalg.solve(curvature, gradient), -1, 1)
    slope = max(float(solution[0]), _LEAST_SLOPE)
    return 1 / slope, float(solution[1])


def calibrated(scored: list[Scored], temperature: float, bias: float) -> list[Scored]:
    """The rows with calibrated L2 scores."""
    z = logits(np.array([s.l2.score for s in scored], dtype=np.float64))
    scores = 1 / (1 + np.exp(-(z / temperature + bias)))
    return [replace(s, l2=replace(s.l2, score=float(score))) for s, score in zip(scored, scores, strict=True)]


def thresholds(scored: list[Scored]) -> Thresholds:
    """The least thresholds whose share of flagged and of blocked benign traffic stays within the two limits above.

    They are chosen on the combined score, rules included, because that is what policy compares with them.
    """
    policy = Policy()
    benign = [s for s in scored if not s.row.is_attack]
    scores = np.array([policy.decide(Source(s.row.role), s.l1, s.l2).score for s in benign])
    first = (_first_beyond(scores, _in_traffic(benign), share) for share in (REVIEW_FPR, BLOCK_FPR))
    review, block = (min(1.0, float(np.nextafter(score, 2.0))) for score in first)
    return Thresholds(review, max(review, block))


def _in_traffic(benign: list[Scored]) -> NDArray[np.float64]:
    """How much of the benign traffic each row stands for, ``(N,)``, 1 in all.

    The corpus is written along the line: nearly every benign row of it has an attack for a twin. Counted like ordinary
    texts, they alone would decide the threshold. So near misses stand for ``NEAR_MISSES`` of the traffic.
    """
    near = np.array([s.row.shard.startswith(CORPUS_SHARD) for s in benign], dtype=bool)
    if near.all() or not near.any():
        return np.full(len(benign), 1 / max(len(benign), 1))
    found: NDArray[np.float64] = np.where(near, NEAR_MISSES / near.sum(), (1 - NEAR_MISSES) / (~near).sum())
    return found


def _first_beyond(scores: NDArray[np.float64], traffic: NDArray[np.float64], share: float) -> float:
    """The highest score with which more than ``share`` of the traffic would be reached."""
    order = np.argsort(-scores, kind="stable")
    reached = np.cumsum(traffic[order])
    too_many = int(np.searchsorted(reached, share + _ROUNDING, side="right"))
    return float(scores[order][min(too_many, len(scores) - 1)])


def anomaly_threshold(scored: list[Scored]) -> float | None:
    """The greatest distance in [0, 2] below which at most ``NEAR_SHARE`` of benign traffic lies; None without rows."""
    benign = [s for s in scored if not s.row.is_attack and s.l2.anomaly_score is not None]
    if not benign:
        return None
    closeness = np.array([-(s.l2.anomaly_score or 0.0) for s in benign])
    return min(max(-_first_beyond(closeness, _in_traffic(benign), NEAR_SHARE), 0.0), 2.0)
