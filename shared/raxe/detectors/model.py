"""L2: a classifier over windows of every view of a prompt."""

import copy
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from raxe.classifier import Classifier, PlainClassifier, Scores, Tokens
from raxe.registry import Step
from raxe.text import clauses, prepare, windows
from raxe.values import (
    DecisiveSpan,
    Explanation,
    L2Result,
    ModelInfo,
    Prediction,
    Prompt,
    ScanResult,
    Source,
    Span,
    StageTimes,
    View,
    WindowScore,
)

_REPORTED_FROM = 0.1  # least score that has labels, and least confidence of any but the first
_MOST_PREDICTIONS = 5
_MOST_WINDOWS = 50  # of an explanation
_MOST_PIECES, _MOST_DECISIVE = 16, 3
_LEAST_DROP = 0.01  # a smaller one is within what rounding to int8 moves a score by


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """How texts are cut for the model.

    Attributes:
        size: tokens of a window without the two special ones.
        stride: tokens between the starts of two windows.
        batch_size: windows in one session call.
    """

    size: int
    stride: int
    batch_size: int


@dataclass(frozen=True, slots=True)
class _Window:
    prompt: int
    view: View
    tokens: Tokens
    start: int
    end: int

    @property
    def ids(self) -> list[int]:
        return self.tokens.ids[self.start : self.end]

    @property
    def offsets(self) -> list[tuple[int, int]]:
        return self.tokens.offsets[self.start : self.end]

    def span(self) -> Span:
        return self.part(0, self.end - self.start)

    def part(self, start: int, end: int) -> Span:
        offsets = self.tokens.offsets
        return self.view.span(offsets[self.start + start][0], offsets[self.start + end - 1][1])


class OnnxDetector:
    """Scores prompts with one model; all windows of a call share session calls."""

    def __init__(
        self, classifier: Classifier | PlainClassifier, info: ModelInfo, plan: WindowPlan, threshold: float
    ) -> None:
        """Takes the loaded classifier, and the score in [0, 1] from which policy blocks."""
        self._classifier, self._info, self._plan = classifier, info, plan
        self._threshold = threshold
        self._steps: tuple[Step, ...] = ()

    @property
    def model_info(self) -> ModelInfo:
        """The model that answers."""
        return self._info

    @property
    def threshold(self) -> float:
        """The score in [0, 1] from which policy blocks, for callers that read scores by themselves."""
        return self._threshold

    @property
    def steps(self) -> tuple[Step, ...]:
        """What ``create_best_l2_detector`` tried before and with this one; empty for a detector made otherwise."""
        return self._steps

    def with_steps(self, steps: Sequence[Step]) -> Self:
        """The same detector with these steps; the loaded model is shared."""
        other = copy.copy(self)
        other._steps = tuple(steps)
        return other

    def analyze(self, text: str, l1_results: ScanResult | None = None) -> L2Result:
        """The result for one text; ``l1_results`` is accepted for callers of the first interface, policy weighs it."""
        return self.detect([prepare(text, Source.USER)], [l1_results or ScanResult()])[0]

    def detect(self, prompts: Sequence[Prompt], l1_results: Sequence[ScanResult]) -> list[L2Result]:  # noqa: ARG002
        """One result a prompt, in order; a prompt without tokens scores 0. Raises DetectorFailed."""
        started = time.perf_counter()
        cut = [window for i, prompt in enumerate(prompts) for window in self._windows(i, prompt)]
        tokenized = time.perf_counter()
        if not cut:
            return [L2Result(model_id=self._info.model_id) for _ in prompts]
        scores = self._classifier.score([window.ids for window in cut], self._plan.batch_size)
        stages = StageTimes((tokenized - started) * 1000, scores.encode_ms, scores.classify_ms)
        duration_ms = (time.perf_counter() - started) * 1000
        of_prompt: list[list[int]] = [[] for _ in prompts]
        for position, window in enumerate(cut):
            of_prompt[window.prompt].append(position)
        return [self._result(cut, positions, scores, stages, duration_ms) for positions in of_prompt]

    def explain(self, prompt: Prompt) -> Explanation:
        """Where the score of one prompt comes from, found by taking parts of its highest window out.

        Its windows are scored again, and the highest at most 16 times more. Raises DetectorFailed.
        """
        cut = self._windows(0, prompt)
        if not cut:
            return Explanation()
        scores = self._classifier.score([window.ids for window in cut], self._plan.batch_size)
        binary = scores.binary.tolist()
        ranked = sorted(range(len(cut)), key=lambda p: -binary[p])
        names, nearest = self._classifier.attacks.names, int(scores.clusters[scores.anomaly.argmin()])
        return Explanation(
            tuple(WindowScore(cut[p].view.name, cut[p].span(), binary[p]) for p in ranked[:_MOST_WINDOWS]),
            len(cut),
            self._decisive(cut[ranked[0]], binary[ranked[0]]),
            names[nearest] if names else None,
        )

    def _decisive(self, window: _Window, score: float) -> tuple[DecisiveSpan, ...]:
        """The pieces without which the window scores least: each is taken out in turn."""
        if score <= _LEAST_DROP:
            return ()
        pieces = clauses(window.view.text, window.offsets, _MOST_PIECES)
        rest = [window.ids[:start] + window.ids[end:] for start, end in pieces]
        without = self._classifier.score(rest, self._plan.batch_size).binary.tolist()
        found: dict[Span, DecisiveSpan] = {}
        for left, (start, end) in sorted(zip(without, pieces, strict=True)):
            if score - left > _LEAST_DROP:
                span = window.part(start, end)
                # In a view whose characters have no places of their own, all pieces lie at the same one.
                found.setdefault(span, DecisiveSpan(span, left, score - left))
        return tuple(found.values())[:_MOST_DECISIVE]

    def _windows(self, index: int, prompt: Prompt) -> list[_Window]:
        encoded = self._classifier.tokenizer.encode([view.text for view in prompt.views])
        return [
            _Window(index, view, tokens, start, end)
            for view, tokens in zip(prompt.views, encoded, strict=True)
            for start, end in windows(len(tokens.ids), self._plan.size, self._plan.stride)
        ]

    def _result(
        self, cut: list[_Window], positions: list[int], scores: Scores, stages: StageTimes, duration_ms: float
    ) -> L2Result:
        if not positions:
            return L2Result(stages=stages, duration_ms=duration_ms, model_id=self._info.model_id)
        top = max(positions, key=lambda p: float(scores.binary[p]))
        score = float(scores.binary[top])
        anomaly = float(scores.anomaly[positions].min())
        threshold, measured = self._classifier.attacks.threshold, not math.isnan(anomaly)
        return L2Result(
            score=score,
            predictions=self._predictions(scores, top, score),
            anomaly_score=anomaly if measured else None,
            near_known_attack=anomaly < threshold if measured and threshold is not None else None,
            tokens=sum(cut[p].end - cut[p].start for p in positions),
            windows=len(positions),
            span=cut[top].span(),
            stages=stages,
            duration_ms=duration_ms,
            model_id=self._info.model_id,
        )

    def _predictions(self, scores: Scores, window: int, score: float) -> tuple[Prediction, ...]:
        """Labels of the highest window: for each likely family its likeliest subfamily, weighted with the score."""
        labels = self._classifier.labels
        if score < _REPORTED_FROM or not labels.families:
            return ()
        likeliest = int(np.argmax(scores.families[window]))  # reported even when the families share the score evenly
        found = []
        for f, family in enumerate(labels.families):
            confidence = score * float(scores.families[window, f])
            if confidence < _REPORTED_FROM and f != likeliest:
                continue
            members = [s for s, (_, owner, _) in enumerate(labels.subfamilies) if owner is family]
            best = members[int(np.argmax(scores.subfamilies[window, members]))]
            found.append(Prediction(family, labels.subfamilies[best][0], confidence))
        return tuple(sorted(found, key=lambda p: -p.confidence)[:_MOST_PREDICTIONS])
