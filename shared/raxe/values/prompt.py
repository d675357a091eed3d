"""A text that is ready to be scanned, and places in it."""

from collections.abc import Sequence
from dataclasses import dataclass

from raxe.values.labels import Source


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open range of characters ``[start, end)`` in the text as the caller sent it."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class View:
    """One reading of a text: the normalised text itself or what decoding a part of it gives.

    Attributes:
        name: ``plain``, ``raw`` (as sent, only when it holds telling invisible characters) or a decoder.
        origin: the range of the original text this view was made from.
        offsets: for each character of ``text`` its index in the original text, then the original length as last entry
            (``len(text) + 1`` values); empty for a decoded view, whose detections take ``origin`` as their span.
    """

    name: str
    text: str
    origin: Span
    offsets: Sequence[int] = ()

    def span(self, start: int, end: int) -> Span:
        """The range of the original text that ``text[start:end]`` stands for."""
        if not self.offsets:
            return self.origin
        return Span(self.offsets[start], self.offsets[end - 1] + 1 if end > start else self.offsets[start])


@dataclass(frozen=True, slots=True)
class Prompt:
    """A text that is ready to be scanned.

    Attributes:
        characters: length of the text as sent.
        sha256: hex digest of the text as sent (UTF-8, surrogates passed), the only trace of it that may be kept.
        views: the plain one first.
        subject: the caller's opaque id for sticky assignment; never logged.
        truncated: whether the text decodes to more than the views hold.
    """

    source: Source
    characters: int
    sha256: str
    views: tuple[View, ...]
    subject: str | None = None
    truncated: bool = False

    @property
    def plain(self) -> View:
        """The normalised text."""
        return self.views[0]
