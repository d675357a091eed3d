"""Rows as the model meets them in serving: normalised, and with each decoded reading as a text of its own.

The model scores every view of a text and the highest score counts. So a benign text teaches that each of its views is
benign. Of an encoded attack only the decoded views are attacks: its plain view may be a harmless sentence around a
payload that normalisation has taken out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from raxe.errors import TextEmpty
from raxe.text import prepare
from raxe.values import Prompt, Source
from raxe_ml.rows import Row

_ENCODED = "ENC"
_NOT_DECODED = frozenset({"plain", "raw"})


def as_served(rows: Iterable[Row]) -> Iterator[Row]:
    """Yields the rows to learn from; a row without visible text gives none."""
    for row in rows:
        try:
            prompt = prepare(row.text, Source(row.role))
        except TextEmpty:
            continue
        yield from _views(row, prompt)


def _views(row: Row, prompt: Prompt) -> Iterator[Row]:
    plain, *_ = prompt.views
    decoded = [view.text for view in prompt.views if view.name not in _NOT_DECODED]
    hidden = row.family == _ENCODED and bool(decoded)
    if not hidden:
        # A span counts characters of the text as written; it is dropped where normalisation has moved them.
        yield row if plain.text == row.text else replace(row, text=plain.text, span=None)
    if hidden or not row.is_attack:
        yield from (replace(row, text=text, span=None) for text in decoded)
