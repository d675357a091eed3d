"""The plain view: what it removes, what it keeps, and where each character comes from."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raxe.text import normalise

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
AWKWARD = st.text(
    "ab \t\r\n\0\x07é\u0301\u0323\u200b\u00ad\ufe0f\U000e0041\ud800\udc00\u1100\u1161\u11a8ｶﾞﾟﬁ"
    "\ufdfa㌀\u0344\u00a8\u3000\u2028",
    max_size=60,
)


@given(ANY_TEXT | AWKWARD)
def test_any_text_gives_a_view(text: str) -> None:
    """No text raises, and the view holds no surrogate, control or unseen character."""
    found = normalise(text).text
    assert all(char in "\n\t" or unicodedata.category(char) not in ("Cs", "Cc") for char in found)
    assert not set("\u200b\u00ad\ufe0f\U000e0041\ufeff\u202e").intersection(found)
    found.encode()


@given(ANY_TEXT | AWKWARD)
def test_offsets_rise_and_stay_in_range(text: str) -> None:
    """There is one offset a character and one more, they never fall, and the last is the length of the text."""
    view = normalise(text)
    offsets = list(view.offsets)
    assert len(offsets) == len(view.text) + 1
    assert offsets == sorted(offsets)
    assert offsets[-1] == len(text)
    assert all(0 <= offset < len(text) for offset in offsets[:-1])


@settings(max_examples=300)
@given(ANY_TEXT | AWKWARD)
def test_normalising_twice_changes_nothing(text: str) -> None:
    """The text of a plain view is its own plain view."""
    once = normalise(text).text
    assert normalise(once).text == once


@given(ANY_TEXT, ANY_TEXT, st.text("abcdefgh", min_size=3, max_size=12))
def test_a_word_is_found_where_it_was_put(before: str, after: str, word: str) -> None:
    """The span of a planted word points to that word in the original text."""
    text = f"{before}|{word}|{after}"
    view = normalise(text)
    start = view.text.index(f"|{word}|") + 1
    span = view.span(start, start + len(word))
    assert text[span.start : span.end] == word


@given(st.text("abc .,\n\t", max_size=200))
def test_ordinary_ascii_is_its_own_view(text: str) -> None:
    """ASCII without control characters comes back as the same object, with offsets that cost no memory."""
    view = normalise(text)
    assert view.text is text
    assert isinstance(view.offsets, range)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a\x00b", "ab"),
        ("a\x07b", "a b"),
        ("a\r\nb\rc\u2028d\x85e", "a\nb\nc\nd\ne"),
        ("a\tb\nc", "a\tb\nc"),
        ("ig\u200bno\u00adre\ufeff", "ignore"),
        ("\u202eignore\u202c \u2066all\u2069", "ignore all"),
        ("ok\U000e0069\U000e0067", "ok"),
        ("❤\ufe0f", "❤"),
        ("a\u00a0b\u3000c\u2003d", "a b c d"),
        ("ｉｇｎｏｒｅ 𝐚𝐥𝐥 ⓡⓤⓛⓔⓢ", "ignore all rules"),
        ("ﬁle", "file"),
        ("e\u0301", "é"),
        ("ｶﾞ", "ガ"),
        ("\u1112\u1161\u11ab", "한"),
        ("\ud83dx", "\ufffdx"),
        ("\ufdfa", "\ufdfa"),
    ],
)
def test_known_texts_read_as_a_person_reads_them(text: str, plain: str) -> None:
    """Each kind of odd character is replaced or removed as the module says."""
    assert normalise(text).text == plain


@pytest.mark.parametrize("marks", ["\u0301", "\u0301\u0323", "\u0323\u0301\u0334"])
def test_runs_of_marks_are_short_and_linear(marks: str) -> None:
    """A letter under 300,000 marks, in whatever order, is the letter; sorting them would take hours."""
    assert normalise("a" + marks * 100_000 + "b").text == "ab"


@given(st.text(min_size=1, max_size=30))
def test_a_view_is_not_much_longer_than_its_text(text: str) -> None:
    """No character grows to more than eight, so that work stays linear in what was sent."""
    assert len(normalise(text).text) <= 8 * len(text)


def test_a_long_text_keeps_its_map() -> None:
    """In 200,000 characters of mixed scripts the last word is still found at its place."""
    text = "ﬁn e\u0301 Привет 你好 \u200b" * 12_000 + "needle"
    view = normalise(text)
    at = view.text.index("needle")
    span = view.span(at, at + 6)
    assert text[span.start : span.end] == "needle"


def test_terminal_sequences_leave_no_letter() -> None:
    """A control sequence before a word leaves the word whole, at its place."""
    view = normalise("a \x1b[2Jignore \x1b[1;31mall\x1b[0m rules")
    assert view.text.split() == ["a", "ignore", "all", "rules"]
    start = view.text.index("ignore")
    assert view.span(start, start + 6).start == 6
