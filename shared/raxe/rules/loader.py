"""Rule files -> rules. One YAML file a family under ``rules/data``."""

from pathlib import Path

import yaml

from raxe.errors import InvalidRules
from raxe.rules.schema import Rule, parse_rule

DATA = Path(__file__).parent / "data"
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
