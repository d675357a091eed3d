"""The decoders in the order in which they may use the room that ``views`` grants.

Payloads come first: they give fewer characters than they take, so that nothing a text repeats can crowd them out.
"""

from raxe.text.ciphers import find_reversed, find_rot13
from raxe.text.disguises import find_glued, find_homoglyphs, find_leet, find_spaced
from raxe.text.encodings import find_base32, find_base64, find_hex, find_hidden, find_morse, find_numbers
from raxe.text.escapes import find_entities, find_escapes, find_hex_escapes, find_percent
from raxe.text.pieces import Decoder

CONTEXT = 200  # characters kept around what was replaced inside a sentence

HIDDEN = Decoder("tags", find_hidden)  # reads the text before it is normalised, which removes what it looks for

DECODERS = (
    Decoder("base64", find_base64, nests=True),
    Decoder("base32", find_base32, nests=True),
    Decoder("hex", find_hex, nests=True),
    Decoder("numbers", find_numbers),
    Decoder("morse", find_morse),
    Decoder("hex", find_hex_escapes, CONTEXT),
    Decoder("url", find_percent, CONTEXT, nests=True),
    Decoder("html", find_entities, CONTEXT, nests=True),
    Decoder("escapes", find_escapes, CONTEXT),
    Decoder("spaced", find_spaced, CONTEXT),
    Decoder("glued", find_glued, CONTEXT),
    Decoder("homoglyph", find_homoglyphs, CONTEXT),
    Decoder("leet", find_leet, CONTEXT),
    Decoder("rot13", find_rot13),
    Decoder("reversed", find_reversed),
)
