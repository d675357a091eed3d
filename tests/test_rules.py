"""The rules: every example holds as it is served, ids and labels are right, the set equals its patterns one by one."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import re2
import yaml

from functions.local.events import ROOT
from raxe.errors import InvalidRules
from raxe.rules import Rule, RuleSet, load_rules
from raxe.rules.schema import parse_rule
from raxe.text import normalise, prepare
from raxe.values import Family

RULES = load_rules()
FOLDS = str.maketrans({"s": "\u017f", "k": "\u212a"})
GOOD: dict[str, Any] = {
    "id": "PI-901", "version": 1, "family": "PI", "subfamily": "prompt_leak", "severity": "high", "confidence": 0.9,
    "description": "A test.", "patterns": ["zork"], "matches": ["zork"], "not_matches": ["fork"],
}  # fmt: skip


def hits(rules: RuleSet, text: str) -> set[str]:
    """Ids of the rules that match a view of a text, as it is scanned."""
    return {match.rule.id for view in prepare(text).views for match in rules.match(view.text)}


def rule_file(folder: Path, *rules: dict[str, Any], name: str = "pi.yaml") -> Path:
    """Writes a rule file and returns its folder."""
    (folder / name).write_text(yaml.safe_dump({"rules": list(rules)}), encoding="utf-8")
    return folder


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_example_of_a_rule_holds(rule: Rule, rule_set: RuleSet) -> None:
    """Each text of ``matches`` hits its rule and no text of ``not_matches`` does; there are some of both."""
    assert rule.matches
    assert rule.not_matches
    assert [text for text in rule.matches if rule.id not in hits(rule_set, text)] == []
    assert [text for text in rule.not_matches if rule.id in hits(rule_set, text)] == []


def test_there_are_enough_rules_in_six_files() -> None:
    """At least 150 rules, one file a family, each with rules of its own family only."""
    assert len(RULES) >= 150
    assert Counter(rule.id for rule in RULES).most_common(1)[0][1] == 1
    files = sorted((ROOT / "shared/raxe/rules/data").glob("*.yaml"))
    assert [path.name for path in files] == sorted(f"{family.lower()}.yaml" for family in Family)
    for path in files:
        families = {rule["family"] for rule in yaml.safe_load(path.read_text(encoding="utf-8"))["rules"]}
        assert families == {path.stem.upper()}


def test_every_subfamily_is_one_of_the_taxonomy() -> None:
    """A rule's subfamily stands in the taxonomy, under the same family."""
    taxonomy = yaml.safe_load((ROOT / "training/taxonomy.yaml").read_text(encoding="utf-8"))
    owner = {entry["id"]: entry["family"] for entry in taxonomy["subfamilies"]}
    assert [rule.id for rule in RULES if owner.get(rule.subfamily) != rule.family] == []


def test_the_set_finds_what_each_pattern_finds_alone(rule_set: RuleSet) -> None:
    """Over all examples of all rules the one pass of the filter gives the same rules as every pattern run by itself."""
    options = re2.Options()
    options.case_sensitive = False
    single = [(rule.id, re2.compile(pattern, options)) for rule in RULES for pattern in rule.patterns]
    texts = [normalise(text).text for rule in RULES for text in (*rule.matches[:1], *rule.not_matches[:1])]
    folded = [text.translate(FOLDS) for text in texts[::4]]  # letters that re2 takes for s and k
    for text in [*texts, *[text.upper() for text in texts[::4]], *folded]:
        alone = {owner for owner, pattern in single if pattern.search(text)}
        assert {match.rule.id for match in rule_set.match(text)} == alone


def test_a_match_says_where() -> None:
    """The range of a match is in characters of the text searched, also behind characters of several bytes."""
    rules = RuleSet([parse_rule(GOOD, "here")])
    text = "é日本 😀 a ZORK"
    (match,) = rules.match(text)
    assert text[match.start : match.end] == "ZORK"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"family": "XX"}, "XX"),
        ({"severity": "none"}, "severity"),
        ({"severity": "fatal"}, "fatal"),
        ({"confidence": 0}, "confidence"),
        ({"confidence": 1.5}, "confidence"),
        ({"confidence": float("nan")}, "confidence"),
        ({"confidence": "sure"}, "sure"),
        ({"patterns": []}, "pattern"),
        ({"patterns": 5}, "pi.yaml rule 1"),
        ({"patterns": "zork"}, "pi.yaml rule 1"),
        ({"patterns": [5]}, "pi.yaml rule 1"),
        ({"matches": "zork"}, "pi.yaml rule 1"),
        ({"id": "JB-901"}, "PI-"),
        ({"surprise": 1}, "surprise"),
        ({"version": "one"}, "one"),
    ],
)
def test_a_wrong_rule_names_its_place(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    """The error names file, position and what is wrong."""
    with pytest.raises(InvalidRules, match=r"pi\.yaml rule 1") as caught:
        load_rules(rule_file(tmp_path, GOOD | changed))
    assert said in str(caught.value)


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_a_rule_without_a_key_is_refused(missing: str) -> None:
    """Every key is asked for."""
    with pytest.raises(InvalidRules, match=missing):
        parse_rule({key: value for key, value in GOOD.items() if key != missing}, "here")


@pytest.mark.parametrize(
    "content", [b"", b"rules: 5", b"- 1", b"rules: [", b"\xff\xfe\x00", b"rules: [5]", b"!!python/object:os.system {}"]
)
def test_a_file_that_holds_no_rules_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    """Broken, foreign or executable YAML is InvalidRules."""
    (tmp_path / "pi.yaml").write_bytes(content)
    with pytest.raises(InvalidRules, match=r"pi\.yaml"):
        load_rules(tmp_path)


def test_an_id_stands_once(tmp_path: Path) -> None:
    """The same id in two files is refused, and so is a folder without rules."""
    rule_file(tmp_path, GOOD, name="a.yaml")
    with pytest.raises(InvalidRules, match="1 stand again"):
        load_rules(rule_file(tmp_path, GOOD, name="b.yaml"))
    with pytest.raises(InvalidRules):
        load_rules(tmp_path / "nowhere")


def test_a_pattern_that_re2_refuses_names_its_rule(capfd: pytest.CaptureFixture[str]) -> None:
    """A look-ahead raises InvalidRules and prints nothing."""
    with pytest.raises(InvalidRules, match="PI-901"):
        RuleSet([parse_rule(GOOD | {"patterns": ["(?=zork)"]}, "here")]).check()
    assert capfd.readouterr().err == ""
