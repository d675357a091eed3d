"""Text as sent -> Prompt: checked, normalised, decoded. The only maker of prompts."""

import hashlib
import re

from raxe.errors import TextEmpty, TextTooLarge
from raxe.settings import MAX_CHARACTERS
from raxe.text.views import read
from raxe.values import Prompt, Source, Span, View

# Invisible characters that normalisation drops though their presence is itself evidence: tags, variation selectors in a
# row, invisible operators, bidirectional overrides, fillers. Joiners and marks that ordinary scripts need are not here.
_INVISIBLE = re.compile(
    "[\U000e0020-\U000e007f\U000e0100-\U000e01ef\u2061-\u2064\u202a-\u202e\u2066-\u206f\u115f\u1160\u17b4\u17b5\u180b-\u180e]"
    "|[\ufe00-\ufe0f]{4}"
)
_SURROGATES = re.compile("[\ud800-\udfff]")


def prepare(
    text: str,
    source: Source = Source.USER,
    *,
    subject: str | None = None,
    max_characters: int = MAX_CHARACTERS,
    field: str = "text",
) -> Prompt:
    """The prompt of a text.

    ``field`` is the path of the text in the caller's request, which errors name.

    Raises:
        TextEmpty: nothing visible is in the text.
        TextTooLarge: the text has more than ``max_characters`` characters; it is never cut.
    """
    if len(text) > max_characters:
        raise TextTooLarge(f"has {len(text)} characters, at most {max_characters} are scanned", field=field)
    readings = read(text)
    made = readings.views
    if not any(view.text.strip() for view in made):
        raise TextEmpty("has no visible character", field=field)
    if _INVISIBLE.search(text):
        made = (*made, View("raw", _SURROGATES.sub("\ufffd", text), Span(0, len(text)), range(len(text) + 1)))
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Prompt(source, len(text), digest, made, subject, readings.cut)
