"""All readings of a text: the plain view, then what decoding parts of it gives, to a depth of two.

The scanner calls ``views`` once a text. Ordinary prose gives the plain view alone.
"""

from dataclasses import dataclass

from raxe.text.decoders import DECODERS, HIDDEN
from raxe.text.normalise import normalise
from raxe.text.pieces import Decoder, assemble, tidy
from raxe.values import Span, View

MAX_VIEWS = 8
MAX_DEPTH = 2  # base64 in a URL, base64 of base64


@dataclass(frozen=True, slots=True)
class Readings:
    """The views of a text; ``cut`` when it decodes to more than they may hold, so that a part of it was not read."""

    views: tuple[View, ...]
    cut: bool


def views(text: str) -> tuple[View, ...]:
    """The views of ``read`` alone."""
    return read(text).views


def read(text: str) -> Readings:
    """The plain view and at most seven decoded ones, shallow before deep.

    The decoded views hold at most twice the characters of the text plus 1,000; a view that would pass this ends there,
    and ``cut`` says so: decoys could take all the room before the attack. When there are more than seven, the last one,
    ``mixed``, joins the rest. Never raises.
    """
    plain = normalise(text)
    found = [plain]
    level = [(View("plain", text, plain.origin, range(len(text) + 1)), plain)]
    room, cut = 2 * len(text) + 999, False  # and one character, by which it shows that a view is longer
    for _ in range(MAX_DEPTH):
        deeper: list[tuple[View, View]] = []
        for raw, tidied in level:
            for decoder, parent in ((HIDDEN, raw), *((decoder, tidied) for decoder in DECODERS)):
                child, more = _decode(decoder, parent, room)
                cut = cut or more
                if child is not None and all(child[1].text != view.text for view in found):
                    found.append(child[1])
                    deeper.append(child)
                    room -= len(child[1].text) + 1
        level = deeper
    return Readings(_joined(found), cut)


def _decode(decoder: Decoder, parent: View, room: int) -> tuple[tuple[View, View] | None, bool]:
    """The view one decoder gives, raw and normalised, None when it finds nothing that shows; and whether it is cut."""
    if decoder.name == parent.name and not decoder.nests:
        return None, False
    pieces = list(decoder.find(parent.text))
    if not pieces or room <= 0:
        return None, bool(pieces)
    raw = assemble(decoder, parent, pieces, room + 1)
    tidied = tidy(raw, room + 1)
    return (raw, tidied) if tidied.text.strip() else None, max(len(raw.text), len(tidied.text)) > room


def _joined(found: list[View]) -> tuple[View, ...]:
    """The views, the last ones joined when there are more than MAX_VIEWS."""
    if len(found) <= MAX_VIEWS:
        return tuple(found)
    kept, rest = found[: MAX_VIEWS - 1], found[MAX_VIEWS - 1 :]
    origin = Span(min(view.origin.start for view in rest), max(view.origin.end for view in rest))
    return (*kept, View("mixed", "\n".join(view.text for view in rest), origin))
