"""Rule files -> rules. One YAML file a family under ``rules/data``, and what was read out of their patterns before.

``literals.json`` spares every cold start the reading of the patterns; it is looked up by the pattern itself, so it
can lack entries (they are read again) but never be wrong about a pattern that was changed. ``raxe rules compile``
writes it.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import yaml

from raxe.errors import InvalidRules
from raxe.files import replace_file
from raxe.rules.literals import required_literals
from raxe.rules.matcher import RuleSet
from raxe.rules.schema import Rule, parse_rule

DATA = Path(__file__).parent / "data"
LITERALS = "literals.json"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C loader is ten times faster, some builds lack it


def load_rules(folder: Path = DATA) -> tuple[Rule, ...]:
    """All rules of the folder, by file name and place in the file.

    Raises:
        InvalidRules: a file is no YAML, a rule lacks a key or has a wrong value, or an id stands twice.
    """
    rules: list[Rule] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506  (a safe loader)
        except (yaml.YAMLError, OSError, UnicodeError) as error:
            raise InvalidRules(f"{path.name}: {type(error).__name__}") from None
        entries = content.get("rules") if isinstance(content, dict) else None
        if not isinstance(entries, list):
            raise InvalidRules(f"{path.name}: must hold a list named rules")
        rules += [parse_rule(entry, f"{path.name} rule {i + 1}") for i, entry in enumerate(entries)]
    ids = [rule.id for rule in rules]
    if len(set(ids)) != len(ids) or not ids:
        raise InvalidRules(f"{folder.name}: ids must be there and stand once, {len(ids) - len(set(ids))} stand again")
    return tuple(rules)


def load_rule_set(folder: Path = DATA) -> RuleSet:
    """The rules of the folder, ready to match; raises InvalidRules."""
    path = folder / LITERALS
    try:
        known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise InvalidRules(f"{LITERALS}: {type(error).__name__}") from None
    return RuleSet(load_rules(folder), known)


def read_literals(rules: Sequence[Rule]) -> dict[str, list[str]]:
    """The literals of each pattern of the rules, sorted; an empty list for a pattern that needs none."""
    return {pattern: sorted(required_literals(pattern) or ()) for rule in rules for pattern in rule.patterns}


def write_literals(folder: Path = DATA) -> Path:
    """Writes ``literals.json`` of the folder's rules, whole or not at all, and returns its path."""
    path = folder / LITERALS
    document = json.dumps(read_literals(load_rules(folder)), ensure_ascii=False, indent=0) + "\n"
    replace_file(path, lambda file: file.write(document.encode()))
    return path
