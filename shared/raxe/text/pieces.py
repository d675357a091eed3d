"""What a decoder hands back, and how a view is put together from it.

A decoder maps a text to pieces: places of the text and what stands there once decoded. It knows nothing of views.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from raxe.text.normalise import normalise
from raxe.values import View


@dataclass(frozen=True, slots=True)
class Piece:
    """``text[start:end]`` reads ``decoded``; ``backwards`` when its last character comes from the first place."""

    start: int
    end: int
    decoded: str
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Decoder:
    """A way of hiding text.

    Attributes:
        name: the name of the view.
        find: the pieces of a text, in rising order and without overlap; linear, never raises.
        context: characters of the surrounding text that the view keeps on each side of a piece; 0 for a payload that
            stands for itself.
        nests: whether what it gives may be in the same encoding once more.
    """

    name: str
    find: Callable[[str], Iterable[Piece]]
    context: int = 0
    nests: bool = False


def assemble(decoder: Decoder, parent: View, pieces: Sequence[Piece], limit: int) -> View:
    """The view of at most ``limit`` characters that the pieces give, before it is normalised.

    Stretches of text that lie apart are joined by a line feed. A character of a piece maps to its share of the place of
    the piece, so that a detection points to the part of the payload that holds it.
    """
    parts: list[str] = []
    places: list[int] = []
    size = 0
    for stretch in _stretches(parent.text, pieces, decoder.context):
        if parts:
            parts.append("\n")
            places.append(places[-1] if places else stretch[0].start)
            size += 1
        for piece in stretch:
            parts.append(piece.decoded)
            places.extend(_places(piece))
            size += len(piece.decoded)
        if size >= limit:
            break
    text = "".join(parts)[:limit]
    origin = parent.span(pieces[0].start, pieces[-1].end)
    if not parent.offsets or any(piece.backwards for piece in pieces):
        return View(decoder.name, text, origin)
    known = parent.offsets
    offsets = [known[place] for place in places[: len(text)]]
    return View(decoder.name, text, origin, (*offsets, known[-1]))


def tidy(view: View, limit: int) -> View:
    """The same view with its text normalised and then at most ``limit`` characters long."""
    plain = normalise(view.text)
    if plain.text == view.text:
        return view
    offsets = [view.offsets[at] for at in plain.offsets] if view.offsets else []
    if len(plain.text) > limit:
        offsets[limit:-1] = []
    return View(view.name, plain.text[:limit], view.origin, tuple(offsets))


def _places(piece: Piece) -> Sequence[int]:
    """For each decoded character a place in ``[start, end)``, rising evenly from the first to the last."""
    width, count = piece.end - piece.start - 1, len(piece.decoded) - 1
    if width == count:
        return range(piece.start, piece.end)
    return [piece.start + index * width // max(count, 1) for index in range(count + 1)]


def _stretches(text: str, pieces: Sequence[Piece], context: int) -> Iterator[list[Piece]]:
    """The pieces with the text between and around them, one list for pieces whose contexts touch."""
    stretch: list[Piece] = []
    for piece in pieces:
        last = stretch[-1].end if stretch else 0
        if stretch and piece.start - last > 2 * context:
            yield stretch + _verbatim(text, last, last + context)
            stretch = []
        stretch += _verbatim(text, last if stretch else max(0, piece.start - context), piece.start)
        stretch.append(piece)
    yield stretch + _verbatim(text, stretch[-1].end, min(stretch[-1].end + context, len(text)))


def _verbatim(text: str, start: int, end: int) -> list[Piece]:
    """The text itself as a piece, none when it is empty."""
    return [Piece(start, end, text[start:end])] if end > start else []
