"""What hides a disguise from its decoder, or an attack behind decoys, does not hide it."""

import json

import pytest

from raxe.text import views
from raxe.text.views import read
from tests.test_text_views import ATTACK, ENCODERS, decoded_with


@pytest.mark.parametrize("odd", ["\u200b", "\u00ad", "\u00a0", "\u3000", "\x07", "\0", "\u2028"])
@pytest.mark.parametrize("kind", ["base64", "base32", "hex", "binary"])
def test_a_payload_with_odd_characters_is_no_binary(kind: str, odd: str) -> None:
    """One character that shows nothing beside each space of the encoded text does not hide the text."""
    found = decoded_with(ENCODERS[kind][1](ATTACK.replace(" ", f" {odd}")), "Ignore ")
    assert "".join(found[0].text.split()) == ATTACK.replace(" ", "")


GAPS = {
    "&#32;": " ", "&nbsp;": " ", "&NewLine;": " ", "&#8203;": "", "&shy;": "", "&zwnj;": "",
    "\\u0020": " ", "\\u200b": "", "\\x20": " ", "\\x0a": " ", "\\040": " ", "\\n": " ", "\\t": " ", "\\r": " ",
}  # fmt: skip


@pytest.mark.parametrize("written", GAPS)
def test_a_gap_that_is_written_as_an_escape_is_read(written: str) -> None:
    """Words that only escapes keep apart, or that invisible ones cut in two, read as words."""
    gap = GAPS[written]
    disguised = ATTACK.replace(" ", written) if gap else ATTACK.replace("n", f"n{written}").replace("e", f"e{written}")
    assert ATTACK in [" ".join(view.text.split()) for view in views(disguised)[1:]]


def test_a_line_break_of_json_does_not_stick_to_the_next_word() -> None:
    """A tool's answer as JSON: the first word after an escaped line break is read; a path in it makes no view."""
    assert decoded_with(json.dumps({"answer": f"It is sunny.\n{ATTACK}"}), f"\n{ATTACK}")
    assert len(views(json.dumps({"path": "C:\\temp\\new"}))) == 1


def test_decoys_that_take_all_the_room_are_told() -> None:
    """Where other disguises fill the views before an attack is decoded, the readings say that a part is missing."""
    decoys = f"{'Nothing happens here. ' * 10} %61 lot, &#97; lot, \\x61\\x62\\x63, \\u0061\\u0062\\u0063 " * 20
    attack = " ".join(ATTACK)
    readings = read(decoys + "Nothing happens here. " * 20 + attack)
    assert not any(ATTACK in view.text for view in readings.views)
    assert readings.cut
    assert not read("Look at %61 lot. " * 40 + attack).cut
