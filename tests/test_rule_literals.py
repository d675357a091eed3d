"""The literals that stand before the patterns: stored ones are fresh, no match is lost by looking for them first."""

import json
from pathlib import Path

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from raxe.errors import InvalidRules
from raxe.rules import RuleSet, load_rule_set, load_rules, write_literals
from raxe.rules.literals import required_literals
from raxe.rules.loader import DATA, LITERALS, read_literals
from raxe.rules.schema import parse_rule
from tests.test_rules import GOOD, rule_file


def test_the_stored_literals_are_those_of_the_rules() -> None:
    """``literals.json`` is what ``raxe rules compile`` would write now."""
    assert json.loads((DATA / LITERALS).read_text(encoding="utf-8")) == read_literals(load_rules())


def test_every_shipped_pattern_is_one_that_re2_takes(rule_set: RuleSet) -> None:
    """Compiling all patterns at once finds none that is refused."""
    rule_set.check()


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        ("zork", {"zork"}),
        ("ZORK", {"zork"}),
        (r"\bignore\s+all\b", {"ignore"}),
        ("(?:drop|skip) it", {"drop it", "skip it"}),
        ("colou?r", {"color", "colour"}),
        (r"(?:red|green)+\d", {"green", "red"}),
        (r"(?:a|b.*c)|\d", None),
        (r"x{0,3}", None),
        (r"[\x{200B}]{2}", None),
        (r"\x{69}gnore", {"ignore"}),
        (r"say.{0,5}(?:pwned|hacked!)", {"hacked!", "pwned"}),
        (r"(?i:abc)|(?:def)?ghi", {"abc", "ghi", "defghi"}),
    ],
)
def test_a_match_needs_one_of_the_literals(pattern: str, literals: set[str] | None) -> None:
    """The literals are those without which the pattern cannot match; none where there are no such."""
    assert required_literals(pattern) == (None if literals is None else frozenset(literals))


@given(st.text(alphabet="abcxyz ?*+()|", min_size=1, max_size=14), st.text(alphabet="abcxyzABC ", max_size=30))
def test_no_match_is_lost(pattern: str, text: str) -> None:
    """Whatever the pattern, a rule matches a text exactly when its pattern alone does."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    try:
        alone = re2.compile(pattern, options).search(text) is not None
    except re2.error:
        return
    rule = parse_rule(GOOD | {"patterns": [pattern]}, "here")
    assert bool(list(RuleSet([rule]).match(text))) is alone


def test_a_pattern_that_is_not_stored_is_read(tmp_path: Path) -> None:
    """Rules of a folder match before and after their literals were stored, and with stored ones of other rules."""
    rule_file(tmp_path, GOOD)
    assert list(load_rule_set(tmp_path).match("a zork"))
    write_literals(tmp_path)
    rule_file(tmp_path, GOOD | {"patterns": ["bleep"], "matches": ["bleep"]})
    assert list(load_rule_set(tmp_path).match("a bleep"))


def test_broken_literals_are_named(tmp_path: Path) -> None:
    """A damaged ``literals.json`` is InvalidRules, not a set of rules that finds nothing."""
    rule_file(tmp_path, GOOD)
    (tmp_path / LITERALS).write_text("{", encoding="utf-8")
    with pytest.raises(InvalidRules, match=LITERALS):
        load_rule_set(tmp_path)
