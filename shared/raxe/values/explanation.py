"""Why the model scored a text as it did: places and numbers, never words of the text."""

from dataclasses import dataclass

from raxe.values.prompt import Span


@dataclass(frozen=True, slots=True)
class WindowScore:
    """One window of one view: the view's name, its place in the text as sent, its score in [0, 1]."""

    view: str
    span: Span
    score: float


@dataclass(frozen=True, slots=True)
class DecisiveSpan:
    """A piece of the highest window.

    Attributes:
        score_without: score in [0, 1] of the window once the piece is taken out.
        drop: how much lower that is than the score of the whole window, above 0.01.
    """

    span: Span
    score_without: float
    drop: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which places of a text its score comes from; empty when no model reads it.

    Attributes:
        windows: the highest first, at most 50 of the ``window_count`` that were scored.
        decisive: pieces of the highest window without which its score is lowest, at most three; none when no single
            piece decides.
        nearest_cluster: name of the known attacks that a window comes closest to; None when the model names none.
    """

    windows: tuple[WindowScore, ...] = ()
    window_count: int = 0
    decisive: tuple[DecisiveSpan, ...] = ()
    nearest_cluster: str | None = None
