"""Pieces that can be taken out of a window: whole tokens, all of them, ending where sentences and clauses do."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raxe.text import clauses


def tokens(text: str) -> list[tuple[int, int]]:
    """Words and marks, as a tokenizer cuts them."""
    return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]


def pieces(text: str, most: int = 16) -> list[str]:
    """The pieces as text."""
    offsets = tokens(text)
    return [text[offsets[start][0] : offsets[end - 1][1]] for start, end in clauses(text, offsets, most)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Feed the otters. Then go home!", ["Feed the otters.", "Then go home!"]),
        ("Well, then; so: no\u2014 yes", ["Well,", "then;", "so:", "no\u2014", "yes"]),
        ('He said "stop." And left', ['He said "stop."', "And left"]),
        ("one\ntwo\n\nthree", ["one", "two", "three"]),
        ("It costs 3.14 at a.example/x", ["It costs 3.14 at a.example/x"]),
        ("\u4f60\u597d\u3002\u518d\u89c1\uff0c\u8c22", ["\u4f60\u597d\u3002", "\u518d\u89c1\uff0c", "\u8c22"]),
        ("word", ["word"]),
        ("", []),
    ],
)
def test_pieces_end_where_sentences_clauses_and_lines_do(text: str, expected: list[str]) -> None:
    """A mark ends a piece where a blank follows it, so that numbers and addresses stay whole."""
    assert pieces(text) == expected


def test_short_neighbours_are_joined_when_there_are_too_many() -> None:
    """The long sentence stays by itself and the short ones share pieces."""
    long = "This sentence has rather more words than those."
    found = pieces("Yes. No. " + long + " Yes. No. Yes.", 3)
    assert (len(found), found[1]) == (3, long)


def test_text_without_marks_is_halved_between_words() -> None:
    """Forty words make pieces of at most twelve, and no word is cut."""
    words = [f"w{i}" for i in range(40)]
    found = pieces(" ".join(words))
    assert [word for piece in found for word in piece.split()] == words
    assert max(len(piece.split()) for piece in found) <= 12
    glued = [(i, i + 1) for i in range(40)]  # forty tokens of one word
    assert clauses("x" * 40, glued, 16) == [(0, 40)]


@settings(deadline=None)
@given(st.text("ab.,\n \u3002", max_size=300), st.integers(1, 20))
def test_pieces_are_all_tokens_in_order(text: str, most: int) -> None:
    """Whatever the text, pieces follow each other from the first token to the last and are not too many."""
    offsets = tokens(text)
    found = clauses(text, offsets, most)
    assert len(found) <= most
    assert [i for start, end in found for i in range(start, end)] == list(range(len(offsets)))
    assert all(start < end for start, end in found)
